"""PyTorch reference of MDDR, which predicts depression scores from face, voice and head movement.

Multi-modal Dual-Attention aggregation for Depression Recognition: alignment networks and
inter-modality attention (FAA, section 3.3), and a self-attention encoder and temporal attention
(SEA, section 3.4).

Shapes: B recordings, L steps, M modalities, D features.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.models.torch_sequences import mean, softmax, zero

MODALITIES = ("visual", "acoustic", "pose")


class LinearAlign(nn.Module):
    """Linear layer, LayerNorm and ReLU on every frame."""

    def __init__(self, *, width: int, features: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, features)
        self.norm = nn.LayerNorm(features)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Aligned rows [B, L, D] and which of them are real [B, L]."""
        return functional.relu(self.norm(self.proj(x))), mask


class ConvAlign(nn.Module):
    """Valid 1D convolutions over time, each followed by LayerNorm over channels and ReLU."""

    def __init__(
        self, *, width: int, filters: Sequence[int], kernels: Sequence[int], strides: Sequence[int]
    ) -> None:
        super().__init__()
        layers = zip((width, *filters[:-1]), filters, kernels, strides, strict=True)
        self.conv = nn.ModuleList(nn.Conv1d(*layer) for layer in layers)
        self.norm = nn.ModuleList(nn.LayerNorm(channels) for channels in filters)

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Aligned rows [B, L, D] and which of them are real [B, L].

        An output row is real if its convolution covers real rows only. An input shorter than a
        kernel gives no output rows.
        """
        for conv, norm in zip(self.conv, self.norm, strict=True):
            assert isinstance(conv, nn.Conv1d)
            kernel, stride = conv.kernel_size[0], conv.stride[0]
            length = x.shape[1]
            rows = (length - kernel) // stride + 1 if length >= kernel else 0
            missing = max(kernel - length, 0)
            x = functional.pad(x, (0, 0, 0, missing))
            mask = functional.pad(mask, (0, missing))
            x = functional.relu(norm(conv(x.transpose(1, 2)).transpose(1, 2)))[:, :rows]
            mask = mask.unfold(1, kernel, stride).all(-1)[:, :rows]
        return x, mask


class Score(nn.Module):
    """Multi-layer fully connected network that computes one attention score per row."""

    def __init__(self, *, features: int, hidden: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Scores [...] of rows [..., D]."""
        return self.score(x)[..., 0]


def positions(length: int, features: int, like: Tensor) -> Tensor:
    """Sinusoidal positional encoding [length, features], sines at even features."""
    step = torch.arange(length, dtype=like.dtype, device=like.device)[:, None]
    feature = torch.arange(features, device=like.device)
    even = (feature - feature % 2).to(like.dtype)
    angle = step / 10000 ** (even / features)
    return torch.where(feature % 2 == 0, angle.sin(), angle.cos())


def fit(x: Tensor, length: int) -> Tensor:
    """Rows [B, L, D] or a mask [B, L], truncated or filled with zeros to `length` steps."""
    x = x[:, :length]
    missing = length - x.shape[1]
    return functional.pad(x, (0, missing) if x.ndim == 2 else (0, 0, 0, missing))


class MDDR(nn.Module):
    """Multi-modal dual-attention aggregation for depression recognition.

    Inputs: those of `visual`, `acoustic` and `pose` [B, L, width] that are listed in `modalities`,
    each with an optional boolean `<modality>_mask` [B, L], true at real frames, which come first.
    The output `task` [B] is the raw score.

    The leading modality is the face, or the first one in `modalities` if there is no face. Its
    length is the common length, and its real rows are the real steps. In a recording without a real
    row of the leading modality, the real steps are those of the others.

    After each forward pass, `attention` holds `faa/<modality>` [B, L] and `sea/frames` [B, L] of
    the attention networks that the model has.

    Args:
        visual_width: width of the visual features.
        acoustic_width: width of the acoustic features.
        pose_width: width of the head movement features.
        modalities: modalities to use, in the order in which they are stacked.
        features: width D of the aligned features.
        kernels: kernel sizes of the acoustic convolutions.
        strides: strides of the acoustic convolutions.
        filters: filters of the acoustic convolutions but the last, which has D.
        align: "pad" truncates or zero-fills the other modalities to the common length, "resample"
            stretches their real rows over those of the leading modality.
        faa: whether to use inter-modality attention rather than the mean over modalities.
        faa_weights: "shared" for one score network, or "separate" for one per modality.
        sea: whether to use the encoder and temporal attention rather than the mean over steps.
        score_hidden: hidden width of the score networks.
        layers: encoder layers.
        heads: attention heads of an encoder layer.
        feed_forward: hidden width of an encoder layer.
        head_hidden: hidden width of the classification network.
        dropout: dropout rate.
        task: key of the output.
    """

    def __init__(
        self,
        *,
        visual_width: int = 2048,
        acoustic_width: int = 1024,
        pose_width: int = 12,
        modalities: Sequence[str] = MODALITIES,
        features: int = 512,
        kernels: Sequence[int] = (10, 5, 3),
        strides: Sequence[int] = (5, 5, 2),
        filters: Sequence[int] = (128, 256),
        align: str = "pad",
        faa: bool = True,
        faa_weights: str = "shared",
        sea: bool = True,
        score_hidden: int = 128,
        layers: int = 6,
        heads: int = 8,
        feed_forward: int = 2048,
        head_hidden: int = 128,
        dropout: float = 0.1,
        task: str = "depression",
    ) -> None:
        super().__init__()
        self.task = task
        modalities = tuple(modalities)
        if not modalities or len(set(modalities)) < len(modalities):
            raise ValueError(f"modalities must be named once each, got {modalities}")
        if not set(modalities) <= set(MODALITIES):
            raise ValueError(f"modalities must be among {MODALITIES}, got {modalities}")
        if align not in ("pad", "resample"):
            raise ValueError(f'align must be "pad" or "resample", got {align!r}')
        if faa_weights not in ("shared", "separate"):
            raise ValueError(f'faa_weights must be "shared" or "separate", got {faa_weights!r}')
        self.modalities = modalities
        self.leading = "visual" if "visual" in modalities else modalities[0]
        self.align = align

        if "visual" in modalities:
            self.visual_align = LinearAlign(width=visual_width, features=features)
        if "acoustic" in modalities:
            self.acoustic_align = ConvAlign(
                width=acoustic_width,
                filters=(*filters, features),
                kernels=kernels,
                strides=strides,
            )
        if "pose" in modalities:
            self.pose_align = ConvAlign(
                width=pose_width, filters=(features,), kernels=(1,), strides=(1,)
            )

        self.faa = None
        if faa and faa_weights == "shared":
            self.faa = Score(features=features, hidden=score_hidden)
        elif faa:
            self.faa = nn.ModuleDict(
                {name: Score(features=features, hidden=score_hidden) for name in modalities}
            )

        self.encoder = None
        if sea:
            layer = nn.TransformerEncoderLayer(
                features, heads, feed_forward, dropout, batch_first=True
            )
            self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
            self.dropout = nn.Dropout(dropout)
            self.pool = Score(features=features, hidden=score_hidden)

        self.head = nn.Sequential(
            nn.Linear(features, head_hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(head_hidden, 1),
        )
        self.attention: dict[str, Tensor] = {}

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Depression scores of a batch of recordings."""
        self.attention = {}
        x, present, counts = self.align_modalities(inputs)
        fused = self.aggregate_modalities(x, present)
        embedding = mean(fused, counts) if self.encoder is None else self.encode(fused, counts)
        return {self.task: self.head(embedding)[..., 0]}

    def align_modalities(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Stacked rows X [B, L, M, D], their presence [B, L, M], and the real steps [B, L]."""
        rows: dict[str, Tensor] = {}
        real: dict[str, Tensor] = {}
        for name in self.modalities:
            frames = inputs[name]
            mask = inputs.get(f"{name}_mask")
            if mask is None:
                mask = torch.ones(frames.shape[:2], dtype=torch.bool, device=frames.device)
            x, real[name] = self.get_submodule(f"{name}_align")(zero(frames, mask), mask)
            rows[name] = zero(x, real[name])

        if self.align == "pad":
            length = rows[self.leading].shape[1]
            stacked = torch.stack([fit(rows[name], length) for name in self.modalities], 2)
            present = torch.stack([fit(real[name], length) for name in self.modalities], 2)
        else:
            stacked, present = self.resample(rows, real)

        has_lead = real[self.leading].any(1, keepdim=True)
        real_steps = torch.where(has_lead, real[self.leading], present.any(2))
        return stacked, present, real_steps

    def resample(self, rows: dict[str, Tensor], real: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Rows [B, L, M, D] stretched over those of the leading modality, and present [B, L, M].

        In a recording without a real row of the leading modality, the first other modality with a
        real row replaces it.
        """
        batch, length, _ = rows[self.leading].shape
        order = (self.leading, *(name for name in self.modalities if name != self.leading))
        kept = {name: fit(rows[name], length) for name in self.modalities}
        stacked, present = [], []
        for b in range(batch):
            guide = next((name for name in order if real[name][b].any()), self.leading)
            target = fit(real[guide], length)[b]
            n = int(target.sum())
            recording = []
            for name in self.modalities:
                source = rows[name][b, real[name][b]]
                if name == guide:
                    out = kept[name][b]
                else:
                    out = 0 * kept[name][b]  # zero gradients if there is nothing to stretch
                    if n and len(source):
                        out[target] = stretch(source, n)
                recording.append(out)
            stacked.append(torch.stack(recording, 1))
            has = torch.stack([real[name][b].any() for name in self.modalities])
            present.append(target[:, None] & has)
        return torch.stack(stacked), torch.stack(present)

    def aggregate_modalities(self, x: Tensor, present: Tensor) -> Tensor:
        """Fused features F [B, L, D] of rows X [B, L, M, D] (section 3.3)."""
        if self.faa is None:
            weights = present / present.sum(2, keepdim=True).clamp(min=1).to(x.dtype)
            return (weights[..., None] * x).sum(2)
        if isinstance(self.faa, Score):
            scores = self.faa(x)  # eq. 1
        else:
            parts = zip(self.faa.values(), x.unbind(2), strict=True)
            scores = torch.stack([score(part) for score, part in parts], 2)  # eq. 1
        weights = softmax(scores, present)  # eq. 1
        for i, name in enumerate(self.modalities):
            self.attention[f"faa/{name}"] = weights[..., i].detach()
        return (weights[..., None] * x).sum(2)  # eq. 1

    def encode(self, fused: Tensor, counts: Tensor) -> Tensor:
        """Depression representation E [B, D] of fused features F [B, L, D] (section 3.4).

        `counts` is true at real steps; other steps are not used as keys. Without a real step, all
        steps are keys, which keeps the encoder finite, and E is zero. Sequences without steps get
        one padded step.
        """
        length = fused.shape[1]
        fused, counts = fit(fused, max(length, 1)), fit(counts, max(length, 1))
        x = self.dropout(fused + positions(fused.shape[1], fused.shape[2], fused))
        keys = counts | ~counts.any(1, keepdim=True)
        assert self.encoder is not None
        encoded = self.encoder(x, src_key_padding_mask=~keys)  # eq. 2
        weights = softmax(self.pool(encoded), counts)  # eq. 1, over steps
        self.attention["sea/frames"] = weights[:, :length].detach()
        return (weights[..., None] * encoded).sum(1)  # eq. 1, over steps


def stretch(rows: Tensor, length: int) -> Tensor:
    """Linear interpolation of rows [L, D] to `length` rows on a half-pixel grid."""
    columns = rows.T[None]
    return functional.interpolate(columns, length, mode="linear", align_corners=False)[0].T
