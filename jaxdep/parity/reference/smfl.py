"""SMFL in PyTorch (Frontiers in Psychiatry 2025): the paper's network, and the published one.

Both take one patient and one sentence after another, as the published one does.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.parity.reference import sequences

COLUMNS = {"acoustic": 0, "visual": 2, "text": 4}


class CausalConv(nn.Module):
    """A causal dilated convolution, `w = g v / ||v||` of each output channel."""

    def __init__(self, width: int, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        convolution = nn.Conv1d(width, channels, kernel)
        self.weight_v = nn.Parameter(torch.randn(channels, width, kernel) * 0.01)
        self.weight_g = nn.Parameter(self.weight_v.detach().norm(dim=(1, 2), keepdim=True))
        self.bias, self.dilation = nn.Parameter(convolution.bias.detach()), dilation

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight_g * self.weight_v / self.weight_v.norm(dim=(1, 2), keepdim=True)
        x = functional.pad(x, ((weight.shape[-1] - 1) * self.dilation, 0))
        return functional.conv1d(x, weight, self.bias, dilation=self.dilation)


class Block(nn.Module):
    """Two convolutions and a way past them."""

    def __init__(self, width: int, channels: int, kernel: int, dilation: int, dropout: float):
        super().__init__()
        self.conv1 = CausalConv(width, channels, kernel, dilation)
        self.conv2 = CausalConv(channels, channels, kernel, dilation)
        self.downsample = nn.Conv1d(width, channels, 1) if width != channels else None
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        y = self.drop(self.conv2(self.drop(self.conv1(x).relu())).relu())
        return ((x if self.downsample is None else self.downsample(x)) + y).relu()


class TCN(nn.Module):
    """Blocks with dilations 1, 2, 4, ...; the state of the last frame."""

    def __init__(self, width: int, channels: int, layers: int, kernel: int, dropout: float) -> None:
        super().__init__()
        widths = [width] + [channels] * layers
        self.network = nn.ModuleList(
            Block(i, channels, kernel, 2**n, dropout) for n, i in enumerate(widths[:-1])
        )

    def forward(self, x: Tensor) -> Tensor:
        y = x.T[None]
        for block in self.network:
            y = block(y)
        return y[0, :, -1]


class Last(nn.LSTM):
    """The state of an LSTM after the last frame [T, I]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x[None])[0][0, -1]


class CMJAT(nn.Module):
    """Self-attention over the tokens of both modalities, unscaled; the results mixed."""

    def __init__(self, width: int, heads: int, scale: bool, dropout: float) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mixture = nn.Parameter(torch.tensor([math.log(3.0), 0.0]))
        self.heads, self.scale, self.drop = heads, scale, nn.Dropout(dropout)

    def forward(self, strong: Tensor, weak: Tensor, masks: tuple[Tensor, Tensor]) -> Tensor:
        x, mask = torch.cat([strong, weak], 1), torch.cat(masks, 1)
        split = lambda y: y.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        q, k, v = (split(y) for y in self.qkv(x).chunk(3, -1))
        scores = q @ k.transpose(-1, -2)
        if self.scale:
            scores = scores / q.shape[-1] ** 0.5
        weights = sequences.softmax(scores, mask[:, None, None].expand_as(scores))
        read = (weights @ v).transpose(1, 2).flatten(2)
        share, count = self.mixture.softmax(0), strong.shape[1]
        return self.drop(self.proj(share[0] * read[:, :count] + share[1] * read[:, count:]))


class FeatureAttention(nn.Module):
    """Each feature of a vector reads the features of another, and is weighted by what it finds."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(1, features) for _ in "qkv")
        self.out, self.features = nn.Linear(features, 1), features

    def forward(self, query: Tensor, memory: Tensor) -> Tensor:
        q, k, v = self.q(query[..., None]), self.k(memory[..., None]), self.v(memory[..., None])
        read = (q @ k.transpose(-1, -2) / self.features**0.5).softmax(-1) @ v
        return self.out(read)[..., 0].softmax(-1) * query


class JointAttention(nn.Module):
    """The published joint attention: each of two vectors attends to itself alone."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, high: Tensor, low: Tensor) -> Tensor:
        read = []
        for x in (high, low):
            q, k, v = (part.reshape(-1, 1, 1) for part in self.qkv(x).chunk(3))
            read.append(((q @ k.transpose(-1, -2)).softmax(-1) @ v).flatten())
        return self.drop(self.proj(0.75 * read[0] + 0.25 * read[1]))


class AdditiveAttention(nn.Module):
    """The published fusion: additive attention over steps, of which there is one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention_weights = nn.Linear(width, width)
        self.context_vector = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        scores = self.context_vector(self.attention_weights(x[None]).tanh())
        return (scores.softmax(0) * x[None]).sum(0)


def _stack(shapes: list[tuple[int, int, int, int]]) -> nn.Sequential:
    """Convolution, ReLU, batch normalisation for each (in, out, kernel, stride)."""
    layers: list[nn.Module] = []
    for i, o, kernel, stride in shapes:
        layers += [nn.Conv1d(i, o, kernel, stride), nn.ReLU(), nn.BatchNorm1d(o)]
    return nn.Sequential(*layers)


class SMFL(nn.Module):
    """Twin of `jaxdep.models.SMFL`: the same fields, the published names where there are any."""

    def __init__(
        self,
        *,
        acoustic_width: int = 25,
        visual_width: int = 204,
        text_width: int = 768,
        sentences_width: int = 6,
        variant: str = "paper",
        modalities: tuple[str, ...] = ("acoustic", "visual", "text"),
        max_sentences: int = 21,
        encoder: str = "tcn",
        split: bool = True,
        self_attention: bool = True,
        lstm: bool = True,
        cmjat: bool = True,
        cross_attention: bool = True,
        channels: int = 12,
        layers: int = 5,
        kernel: int = 5,
        heads: int = 4,
        hidden: int = 8,
        scale: bool = False,
        permute: bool = False,
        dropout: float = 0.5,
        fusion_dropout: float = 0.2,
        classes: int = 2,
        fix_history: bool = False,
        cmjat_target: str = "acoustic",
    ) -> None:
        super().__init__()
        self.variant, self.most, self.split = variant, max_sentences, split
        self.fix_history, self.target = fix_history, cmjat_target
        self.modalities = list(modalities)
        widths = {"acoustic": acoustic_width, "visual": visual_width, "text": text_width}
        if variant == "released":
            self._build_released(widths, fusion_dropout, classes)
            return
        size = hidden if lstm else channels
        for name in modalities:
            if encoder == "lstm":
                self.add_module(f"encoder_{name}", Last(widths[name], channels, batch_first=True))
            else:
                tcn = TCN(widths[name], channels, layers, kernel, dropout)
                self.add_module(f"tcn_{name}", tcn)
            if self_attention:
                attention = nn.MultiheadAttention(channels, heads, batch_first=True)
                self.add_module(f"attention_{name}", attention)
                self.add_module(f"norm_{name}", nn.LayerNorm(channels))
            if cross_attention:
                self.add_module(f"cross_{name}", FeatureAttention(size))
        if lstm:
            for name in ("fusion", *modalities):
                self.add_module(f"lstm_{name}", nn.LSTM(channels, hidden, batch_first=True))
        self.fusion = nn.Linear(channels * len(modalities), channels)
        both = cmjat and {"text", "visual"} <= set(modalities)
        self.cmjat = CMJAT(channels, heads, scale, fusion_dropout) if both else None
        self.head = nn.Linear(size * (1 + len(modalities)), classes)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        if self.variant == "released":
            rows = range(len(inputs["sentences"]))
            return {"depression": torch.stack([self._released(inputs, row) for row in rows])}
        own = dict(self.named_children())
        encoded, masks = {}, {}
        for name in self.modalities:
            encode = own.get(f"tcn_{name}") or own[f"encoder_{name}"]
            rows = [self._frames(inputs, name, row) for row in range(len(inputs["sentences"]))]
            zero = inputs[name].new_zeros(self.fusion.out_features)
            vectors = [torch.stack([encode(x) if len(x) else zero for x in row]) for row in rows]
            encoded[name] = torch.stack(vectors)
            masks[name] = torch.tensor([[len(x) > 0 for x in row] for row in rows])
        every = torch.stack([*masks.values()]).any(0)
        fused = self.fusion(torch.cat([*encoded.values()], -1)).relu()
        attended = {}
        for name, x in encoded.items():
            if f"attention_{name}" in own:
                x = self._attend(own[f"attention_{name}"], own[f"norm_{name}"], x, masks[name])
            attended[name] = x
        if self.cmjat is not None:
            pair = masks["text"], masks["visual"]
            attended["visual"] = self.cmjat(attended["text"], attended["visual"], pair)
        whole = {"fusion": (fused, every)} | {n: (x, masks[n]) for n, x in attended.items()}
        vectors = {name: self._over(own, name, *pair) for name, pair in whole.items()}
        query = vectors.pop("fusion")
        for name, x in vectors.items():
            if f"cross_{name}" in own:
                vectors[name] = own[f"cross_{name}"](query, x)
        return {"depression": self.head(torch.cat([query, *vectors.values()], -1))}

    def _frames(self, inputs: dict[str, Tensor], name: str, row: int) -> list[Tensor]:
        """The frames of each sentence of one patient in one modality."""
        x, mask = inputs[name][row], inputs.get(f"{name}_mask")
        x = x if mask is None else x[: int(mask[row].sum())]
        column = COLUMNS[name]
        real = inputs.get("sentences_mask")
        windows = inputs["sentences"][row, : self.most, column : column + 2].long()
        found = []
        for number, (first, end) in enumerate(windows.tolist()):
            there = real is None or bool(real[row, number])
            found.append(x[first:end] if there else x[:0])
        if self.split or self.variant == "released":
            return found
        cut = [w for w, y in zip(windows.tolist(), found, strict=True) if len(y)]
        return [x[min(w[0] for w in cut) : max(w[1] for w in cut)] if cut else x[:0]]

    def _attend(self, attention: nn.Module, norm: nn.Module, x: Tensor, mask: Tensor) -> Tensor:
        rows = []
        for row, real in zip(x, mask, strict=True):
            made = torch.zeros_like(row)
            if real.any():
                own = row[real][None]
                made[real] = norm(own + attention(own, own, own, need_weights=False)[0])[0]
            rows.append(made)
        return torch.stack(rows)

    def _over(self, own: dict[str, nn.Module], name: str, x: Tensor, mask: Tensor) -> Tensor:
        """What is left of the sentences of each patient."""
        layer = own.get(f"lstm_{name}")
        if not isinstance(layer, nn.LSTM):
            return sequences.mean(x, mask)
        empty = x.new_zeros(layer.hidden_size)
        of = lambda row, real: layer(row[real][None])[0][0, -1] if real.any() else empty
        return torch.stack([of(row, real) for row, real in zip(x, mask, strict=True)])

    def _build_released(self, widths: dict[str, int], dropout: float, classes: int) -> None:
        self.conv_text = _stack([(1, 1, 7, 5), (1, 1, 5, 3), (1, 1, 5, 3)])
        self.conv_audio = nn.Sequential(nn.LSTM(widths["acoustic"], 16, batch_first=True))
        self.conv_face = nn.Sequential(nn.LSTM(widths["visual"], 16, batch_first=True))
        self.conv_audio_all = Last(16, 8, batch_first=True)
        self.conv_face_all = Last(16, 8, batch_first=True)
        self.conv_text_all = Last(16, 8, batch_first=True)
        self.jointAtt = JointAttention(8, dropout)
        self.fusion_layer = _stack([(3, 3, 3, 1), (3, 1, 1, 1)])
        self.conv_fusion_all = Last(14, 14, batch_first=True)
        self.Fusion = AdditiveAttention(14)
        self.linear, self.linear_face = nn.Linear(38, classes), nn.Linear(16, classes)

    def _released(self, inputs: dict[str, Tensor], row: int) -> Tensor:
        """The logits of one patient."""
        real = inputs.get("sentences_mask")
        count = min(self.most, inputs["sentences"].shape[1])
        kept = range(count) if real is None else [n for n in range(count) if real[row, n]]
        read = {name: self._frames(inputs, name, row) for name in COLUMNS}
        state = lambda lstm, x: lstm(x[None])[0][0, -1] if len(x) else x.new_zeros(16)
        if not kept:
            x, mask = inputs["visual"][row], inputs.get("visual_mask")
            x = x if mask is None else x[: int(mask[row].sum())]
            return self.linear_face(state(self.conv_face[0], x[:1000]))
        audio, face, text, fused = [], [], [], []
        for number in kept:
            audio.append(state(self.conv_audio[0], read["acoustic"][number]))
            face.append(state(self.conv_face[0], read["visual"][number]))
            said = read["text"][number]
            word = said[-1] if len(said) else inputs["text"].new_zeros(inputs["text"].shape[-1])
            text.append(self.conv_text(word[None, None])[0, 0])
            stacked = torch.stack([audio[-1], face[-1], text[-1]])
            fused.append(self.fusion_layer(stacked[None])[0, 0])
        if not self.fix_history:  # what the published code keeps of face and text
            face, text = ([x[-1]] * min(len(x), 2) for x in (face, text))
        a, f = self.conv_audio_all(torch.stack(audio)), self.conv_face_all(torch.stack(face))
        t, u = self.conv_text_all(torch.stack(text)), self.conv_fusion_all(torch.stack(fused))
        if self.target == "acoustic":
            a = self.jointAtt(t, a)
        else:
            f = self.jointAtt(t, f)
        return self.linear(torch.cat([a, f, t, self.Fusion(u)]))
