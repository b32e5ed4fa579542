"""SMFL, depression recognition from the sentences of an interview (Zhang et al., 2025)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from jaxdep.parity.reference.sequences import mean, run, softmax, zero

COLUMNS = {"acoustic": 0, "visual": 2, "text": 4}
HEAD_ORDER = ("text", "acoustic", "visual")


def lengths(inputs: dict[str, Tensor], modality: str) -> Tensor:
    """Number of real frames of each recording [B]."""
    x = inputs[modality]
    mask = inputs.get(f"{modality}_mask")
    if mask is None:
        return torch.full(x.shape[:1], x.shape[1], device=x.device)
    return mask.sum(1)


def windows(inputs: dict[str, Tensor], modality: str, limit: int) -> tuple[Tensor, Tensor]:
    """First frame and frame after the last of each sentence, two [B, S].

    Windows are clipped to the real frames. Those of padded sentences are empty, and sentences
    past the limit are not read.
    """
    table = inputs["sentences"][:, :limit]
    column, count = COLUMNS[modality], lengths(inputs, modality)[:, None]
    first = table[..., column].clamp(min=0).minimum(count)
    end = table[..., column + 1].clamp(min=0).minimum(count)
    real = inputs.get("sentences_mask")
    if real is not None:
        first, end = (v.masked_fill(~real[:, :limit], 0) for v in (first, end))
    return first, end.maximum(first)


def joined(first: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """One window from the first frame of the first sentence to the largest end, two [B, 1]."""
    there = end > first
    start = first.gather(1, there.int().argmax(1, keepdim=True))
    stop = end.masked_fill(~there, 0).amax(1, keepdim=True)
    return start, stop.maximum(start)


def cut(x: Tensor, first: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Frames of each sentence [B * S, T, *] from frame zero on, and their mask [B * S, T]."""
    longest = max(int((end - first).max()), 1)
    index = first[..., None] + torch.arange(longest, device=x.device)
    mask = (index < end[..., None]).flatten(0, 1)
    index = index.clamp(max=x.shape[1] - 1).flatten(1)[..., None]
    frames = torch.take_along_dim(x, index, 1).unflatten(1, (first.shape[1], longest))
    return zero(frames.flatten(0, 1), mask), mask


def last(x: Tensor, mask: Tensor) -> Tensor:
    """Entry at the last real frame, [B, L, D] -> [B, D]; zeros where there is none."""
    places = torch.arange(x.shape[1], device=x.device)
    index = (places * mask).amax(1)[:, None, None]
    return torch.take_along_dim(zero(x, mask), index, 1)[:, 0]


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, scale: float = 1.0):
    """Dot-product attention of [B, N, D] vectors: weighted values and weights [B, N, N]."""
    sim = torch.einsum("bid,bjd->bij", q, k) * scale  # (6)
    weights = softmax(sim, mask)
    return torch.einsum("bij,bjd->bid", weights, v), weights


class WeightNormConv1d(nn.Module):
    """Dilated convolution whose weight is `weight_g * weight_v / ||weight_v||` of each output.

    The names are those of `torch.nn.utils.weight_norm`, which PyTorch is about to remove.
    """

    def __init__(self, width: int, channels: int, kernel: int, dilation: int) -> None:
        super().__init__()
        layer = nn.Conv1d(width, channels, kernel)
        nn.init.normal_(layer.weight, 0.0, 0.01)
        self.dilation = dilation
        self.weight_v, self.bias = layer.weight, layer.bias
        self.weight_g = nn.Parameter(self._norm().detach())

    def forward(self, x: Tensor) -> Tensor:
        """Maps [N, width, T] to [N, channels, T - (kernel - 1) * dilation]."""
        weight = self.weight_g * self.weight_v / self._norm()
        return F.conv1d(x, weight, self.bias, dilation=self.dilation)

    def _norm(self) -> Tensor:
        return self.weight_v.norm(dim=(1, 2), keepdim=True)


class TemporalBlock(nn.Module):
    """Residual block of two causal dilated convolutions with weight normalisation."""

    def __init__(self, width: int, channels: int, kernel: int, dilation: int, dropout: float):
        super().__init__()
        self.left = (kernel - 1) * dilation
        self.conv1 = WeightNormConv1d(width, channels, kernel, dilation)
        self.conv2 = WeightNormConv1d(channels, channels, kernel, dilation)
        self.downsample = nn.Conv1d(width, channels, 1) if width != channels else nn.Identity()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Maps [N, width, T] to [N, channels, T]; a frame sees itself and earlier frames."""
        h = self.dropout(self.conv1(F.pad(x, (self.left, 0))).relu())
        h = self.dropout(self.conv2(F.pad(h, (self.left, 0))).relu())
        return (h + self.downsample(x)).relu()


class TemporalConvNet(nn.Module):
    """Temporal convolutional network: the dilation doubles with each block."""

    def __init__(self, width: int, channels: int, layers: int, kernel: int, dropout: float):
        super().__init__()
        widths = [width] + [channels] * layers
        self.network = nn.Sequential(
            *(TemporalBlock(widths[i], channels, kernel, 2**i, dropout) for i in range(layers))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps [N, T, width] to [N, T, channels]."""
        return self.network(x.mT).mT


class CrossModalJointAttention(nn.Module):
    """Cross-modal joint attention: a strong modality enhances a weak one.

    Attributes:
      mixture: Logits of the weights of the strong and of the weak modality.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        scale: bool,
        permute: bool,
        dropout: float,
        classes: int | None,
    ):
        super().__init__()
        self.heads = heads
        self.scale = (channels // heads) ** -0.5 if scale else 1.0
        self.permute = permute
        self.qkv = nn.Linear(channels, 3 * channels)
        self.mixture = nn.Parameter(torch.tensor([math.log(3.0), math.log(1.0)]))
        self.proj = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(dropout)
        if classes is not None:
            self.head = nn.Linear(channels, classes)

    def split(self, x: Tensor) -> Tensor:
        """Moves the heads into the batch, [B, N, C] -> [B * H, N, C / H]."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2).flatten(0, 1)

    def forward(
        self, strong: Tensor, weak: Tensor, strong_there: Tensor, weak_there: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Returns the enhanced weak sequence [B, S, C] and the weights [B, H, 2S, 2S]."""
        tokens = torch.cat([strong, weak], 1)
        there = torch.cat([strong_there, weak_there], 1)
        q, k, v = self.qkv(tokens).chunk(3, -1)  # (3) (4) (5)
        order = torch.arange(tokens.shape[1], device=tokens.device)
        if self.permute and self.training:
            order = torch.randperm(tokens.shape[1], device=tokens.device)
        q, k, v = (self.split(u[:, order]) for u in (q, k, v))
        mask = there[:, order].repeat_interleave(self.heads, 0)[:, None]
        out, weights = attend(q, k, v, mask, self.scale)
        back = order.argsort()
        weights = weights[:, back][:, :, back].unflatten(0, (-1, self.heads))
        out = out[:, back].unflatten(0, (-1, self.heads)).transpose(1, 2).flatten(2)
        out_strong, out_weak = out.chunk(2, 1)
        w_strong, w_weak = self.mixture.softmax(0)
        enhanced = self.dropout(self.proj(w_strong * out_strong + w_weak * out_weak))
        return enhanced, weights


class CrossAttention(nn.Module):
    """Cross-attention of the global fused features with the global features of a modality.

    Each feature is a token of width one, lifted to the number of features.
    """

    def __init__(self, width: int):
        super().__init__()
        self.q = nn.Linear(1, width)
        self.k = nn.Linear(1, width)
        self.v = nn.Linear(1, width)
        self.out = nn.Linear(width, 1)

    def forward(self, fused: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the weighted fused features and their weights, two [B, d]."""
        q = self.q(fused[..., None])
        k, v = self.k(features[..., None]), self.v(features[..., None])
        lifted = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) @ v
        weights = self.out(lifted).squeeze(-1).softmax(-1)
        return weights * fused, weights


class SMFL(nn.Module):
    """Sentence-level multi-modal feature learning, as the paper describes it.

    Each sentence of each modality is encoded on its own. Sequences over sentences then pass
    self-attention, the joint attention that enhances the weak modalities, and an LSTM; the fused
    stream has an LSTM of its own. Cross-attention weighs the fused features by each modality.

    A sentence is there in a modality if its window, clipped to the real frames, has a frame.

    Attributes:
      attention: Maps of the last forward pass: `attention_<m>/attention` [B, H, S, S],
        `cmjat_<target>/attention` [B, H, 2S, 2S] and `cross_<m>/weights` [B, d].
    """

    def __init__(
        self,
        *,
        acoustic_width: int = 0,
        visual_width: int = 0,
        text_width: int = 0,
        modalities: tuple[str, ...] = ("acoustic", "visual", "text"),
        max_sentences: int = 21,
        encoder: str = "tcn",
        split: bool = True,
        pooling: str = "last",
        self_attention: bool = True,
        lstm: bool = True,
        cmjat_targets: tuple[str, ...] = ("visual",),
        cmjat_head: bool = False,
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
    ):
        super().__init__()
        widths = {"acoustic": acoustic_width, "visual": visual_width, "text": text_width}
        if encoder not in ("tcn", "lstm"):
            raise ValueError(f"encoder must be 'tcn' or 'lstm', not {encoder!r}")
        if pooling not in ("last", "mean"):
            raise ValueError(f"pooling must be 'last' or 'mean', not {pooling!r}")
        for m in modalities:
            if widths[m] < 1:
                raise ValueError(f"{m}_width must be given for the modality {m!r}")
        for m in cmjat_targets:
            if m not in ("visual", "acoustic") or not {m, "text"} <= set(modalities):
                raise ValueError(f"the joint attention of {m!r} needs it and text as modalities")
        self.modalities = tuple(modalities)
        self.max_sentences = max_sentences
        self.encoder, self.whole, self.pooling = encoder, not split, pooling
        self.self_attention, self.lstm = self_attention, lstm
        self.cmjat_targets, self.cmjat_head = tuple(cmjat_targets), cmjat_head
        self.cross_attention = cross_attention
        self.attention: dict[str, Tensor] = {}

        width = hidden if lstm else channels
        for m in self.modalities:
            if encoder == "tcn":
                net = TemporalConvNet(widths[m], channels, layers, kernel, dropout)
                self.add_module(f"tcn_{m}", net)
            else:
                net = nn.LSTM(widths[m], channels, batch_first=True)
                self.add_module(f"encoder_{m}", net)
            if self_attention:
                layer = nn.MultiheadAttention(channels, heads, batch_first=True)
                self.add_module(f"attention_{m}", layer)
                self.add_module(f"norm_{m}", nn.LayerNorm(channels))
            if lstm:
                self.add_module(f"lstm_{m}", nn.LSTM(channels, hidden, batch_first=True))
            if cross_attention:
                self.add_module(f"cross_{m}", CrossAttention(width))
        for m in self.cmjat_targets:
            joint = CrossModalJointAttention(
                channels, heads, scale, permute, fusion_dropout, classes if cmjat_head else None
            )
            self.add_module(f"cmjat_{m}", joint)
        self.fusion = nn.Linear(len(self.modalities) * channels, channels)
        if lstm:
            self.lstm_fusion = nn.LSTM(channels, hidden, batch_first=True)
        self.head = nn.Linear(width * (1 + len(self.modalities)), classes)

    def encode(self, inputs: dict[str, Tensor], modality: str) -> tuple[Tensor, Tensor]:
        """Sentence vectors [B, S, C], zeros where not there, and the mask "there" [B, S]."""
        first, end = windows(inputs, modality, self.max_sentences)
        if self.whole:
            first, end = joined(first, end)
        frames, mask = cut(inputs[modality], first, end)
        if self.encoder == "tcn":
            states = self.get_submodule(f"tcn_{modality}")(frames)
        else:
            states = run(self.get_submodule(f"encoder_{modality}"), frames, mask)
        vectors = last(states, mask) if self.pooling == "last" else mean(states, mask)
        return vectors.unflatten(0, first.shape), end > first

    def across(self, x: Tensor, there: Tensor, modality: str) -> Tensor:
        """Self-attention between the sentences of a modality, with residual and norm."""
        ignored = ~there & there.any(1, keepdim=True)
        out, weights = self.get_submodule(f"attention_{modality}")(
            x, x, x, key_padding_mask=ignored, average_attn_weights=False
        )
        weights = weights * there[:, None, None]
        self.attention[f"attention_{modality}/attention"] = weights.detach()
        return zero(self.get_submodule(f"norm_{modality}")(x + out), there)

    def pool(self, x: Tensor, there: Tensor, name: str) -> Tensor:
        """Global feature of a sequence over sentences, [B, S, C] -> [B, d]."""
        if not self.lstm:
            return mean(x, there)
        return last(run(self.get_submodule(f"lstm_{name}"), x, there), there)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Computes the logits.

        Args:
          inputs: `acoustic`, `visual` and `text` [B, L, *], those that the modalities name, with
            optional `<modality>_mask` [B, L]; `sentences` [B, S, 6], first frame and frame after
            the last in acoustic, visual and text, with optional `sentences_mask` [B, S].

        Returns:
          `depression` [B, classes] and, with the dense head, `cmjat_<target>` of the same shape.
        """
        self.attention = {}
        outputs: dict[str, Tensor] = {}

        # Sentence-level features of each modality, and their fusion (2.4).
        x: dict[str, Tensor] = {}
        there: dict[str, Tensor] = {}
        for m in self.modalities:
            x[m], there[m] = self.encode(inputs, m)
        fused = self.fusion(torch.cat([x[m] for m in self.modalities], -1)).relu()
        any_there = torch.stack([there[m] for m in self.modalities]).any(0)

        # Self-attention between sentences (2.5).
        if self.self_attention:
            for m in self.modalities:
                x[m] = self.across(x[m], there[m], m)

        # Cross-modal joint attention: text enhances the weak modalities (2.6).
        for m in self.cmjat_targets:
            joint = self.get_submodule(f"cmjat_{m}")
            x[m], weights = joint(x["text"], x[m], there["text"], there[m])
            self.attention[f"cmjat_{m}/attention"] = weights.detach()
            if self.cmjat_head:
                outputs[f"cmjat_{m}"] = joint.head(mean(x[m], there[m]))

        # Global features (2.5).
        f_fuse = self.pool(fused, any_there, "fusion")
        features = {m: self.pool(x[m], there[m], m) for m in self.modalities}

        # Feature fusion (2.7).
        if self.cross_attention:
            for m in self.modalities:
                features[m], weights = self.get_submodule(f"cross_{m}")(f_fuse, features[m])
                self.attention[f"cross_{m}/weights"] = weights.detach()
        parts = [f_fuse] + [features[m] for m in HEAD_ORDER if m in self.modalities]
        outputs["depression"] = self.head(torch.cat(parts, -1))
        return outputs


class JointAttention(nn.Module):
    """Joint attention of the released network.

    The strong and the weak feature are sequences of length one and each attends to itself, so
    that every softmax is one and the queries and keys have no effect.
    """

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def itself(self, x: Tensor) -> Tensor:
        """Self-attention of a sequence of length one, [D] -> [D]."""
        q, k, v = self.qkv(x).view(3, self.heads, 1, -1)  # (3) (4) (5)
        return attend(q, k, v, None)[0].flatten()

    def forward(self, strong: Tensor, weak: Tensor) -> Tensor:
        """Returns the enhanced weak feature [D]."""
        mixed = 0.75 * self.itself(strong) + 0.25 * self.itself(weak)
        return self.dropout(self.proj(mixed))


class FusionModule(nn.Module):
    """Additive attention over a sequence of length one, hence the identity."""

    def __init__(self, width: int):
        super().__init__()
        self.attention_weights = nn.Linear(width, width)
        self.context_vector = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Weighs the features [1, D] over their length, one."""
        return self.context_vector(self.attention_weights(x).tanh()).softmax(0) * x


class SMFLReleased(nn.Module):
    """The network that the authors released.

    Examples are computed one by one. In training, batch normalisation uses the statistics of one
    sentence, and its running statistics move once for each real sentence, in order.

    Attributes:
      attention: Always empty.
    """

    def __init__(
        self,
        *,
        acoustic_width: int = 513,
        visual_width: int = 204,
        text_width: int = 768,
        max_sentences: int = 21,
        fix_history: bool = False,
        cmjat_target: str = "acoustic",
        fusion_dropout: float = 0.2,
        classes: int = 2,
    ):
        super().__init__()
        if cmjat_target not in ("acoustic", "visual"):
            raise ValueError(f"cmjat_target must be 'acoustic' or 'visual', not {cmjat_target!r}")
        steps = [(7, 5), (5, 3), (5, 3)]
        length = text_width
        for kernel, stride in steps:
            length = (length - kernel) // stride + 1
        if length != 16:
            raise ValueError("text_width must be in 762..806: its convolutions must leave 16")
        self.max_sentences = max_sentences
        self.fix_history = fix_history
        self.cmjat_target = cmjat_target
        self.attention: dict[str, Tensor] = {}

        self.conv_audio = nn.Sequential(nn.LSTM(acoustic_width, 16, batch_first=True))
        self.conv_face = nn.Sequential(nn.LSTM(visual_width, 16, batch_first=True))
        text: list[nn.Module] = []
        for kernel, stride in steps:
            text += [nn.Conv1d(1, 1, kernel, stride), nn.ReLU(), nn.BatchNorm1d(1)]
        self.conv_text = nn.Sequential(*text)
        self.fusion_layer = nn.Sequential(
            nn.Conv1d(3, 3, 3),
            nn.ReLU(),
            nn.BatchNorm1d(3),
            nn.Conv1d(3, 1, 1),
            nn.ReLU(),
            nn.BatchNorm1d(1),
        )
        self.conv_audio_all = nn.LSTM(16, 8, batch_first=True)
        self.conv_face_all = nn.LSTM(16, 8, batch_first=True)
        self.conv_text_all = nn.LSTM(16, 8, batch_first=True)
        self.conv_fusion_all = nn.LSTM(14, 14, batch_first=True)
        self.jointAtt = JointAttention(8, 8, fusion_dropout)
        self.Fusion = FusionModule(14)
        self.linear = nn.Linear(38, classes)
        self.linear_face = nn.Linear(16, classes)

    @staticmethod
    def state(layer: nn.LSTM, frames: Tensor) -> Tensor:
        """Last hidden state of frames [T, *]; zeros if there is no frame."""
        if not len(frames):
            return frames.new_zeros(layer.hidden_size)
        return layer(frames[None])[0][0, -1]

    def history(self, vectors: list[Tensor]) -> Tensor:
        """Sequence over sentences of face or text [N, 16]; as released, the last one twice."""
        if not self.fix_history and len(vectors) > 1:
            vectors = [vectors[-1]] * 2
        return torch.stack(vectors)

    def recording(self, sentences: list[dict[str, Tensor]]) -> Tensor:
        """Logits [classes] of one recording with at least one sentence."""
        audio, face, text, fused = [], [], [], []
        for sentence in sentences:
            a = self.state(self.conv_audio[0], sentence["acoustic"])
            f = self.state(self.conv_face[0], sentence["visual"])
            t = self.conv_text(sentence["text"][None, None])[0, 0]
            c = self.fusion_layer(torch.stack([a, f, t])[None])[0, 0]
            audio.append(a)
            face.append(f)
            text.append(t)
            fused.append(c)
        feature = {
            "acoustic": self.state(self.conv_audio_all, torch.stack(audio)),
            "visual": self.state(self.conv_face_all, self.history(face)),
            "text": self.state(self.conv_text_all, self.history(text)),
        }
        u = self.Fusion(self.state(self.conv_fusion_all, torch.stack(fused))[None])[0]
        target = self.cmjat_target
        feature[target] = self.jointAtt(feature["text"], feature[target])
        return self.linear(torch.cat([feature["acoustic"], feature["visual"], feature["text"], u]))

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Computes the logits.

        Args:
          inputs: `acoustic`, `visual` and `text` [B, L, *] with optional `<modality>_mask`
            [B, L]; `sentences` [B, S, 6], first frame and frame after the last in acoustic,
            visual and text, with optional `sentences_mask` [B, S]. The last frame of a text
            window is the embedding of its sentence, zeros if the window is empty.

        Returns:
          `depression` [B, classes].
        """
        self.attention = {}
        table = inputs["sentences"][:, : self.max_sentences]
        real = inputs.get("sentences_mask")
        if real is None:
            real = torch.ones(inputs["sentences"].shape[:2], dtype=torch.bool)
        counts = real[:, : self.max_sentences].sum(1).tolist()
        cuts = {m: windows(inputs, m, self.max_sentences) for m in COLUMNS}
        faces = lengths(inputs, "visual").clamp(max=1000)
        logits = []
        for b in range(len(table)):
            sentences = []
            for s in range(counts[b]):
                sentence = {m: inputs[m][b, i[b, s] : j[b, s]] for m, (i, j) in cuts.items()}
                tokens = F.pad(sentence["text"], (0, 0, 1, 0))  # zeros, should there be none
                sentence["text"] = tokens[-1]
                sentences.append(sentence)
            if sentences:
                logits.append(self.recording(sentences))
            else:
                face = inputs["visual"][b, : faces[b]]
                logits.append(self.linear_face(self.state(self.conv_face[0], face)))
        return {"depression": torch.stack(logits)}
