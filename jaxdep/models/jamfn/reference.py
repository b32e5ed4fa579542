"""JAMFN: joint attention multi-scale fusion network for depression detection, in PyTorch.

Equation numbers are those of Zhou et al., "JAMFN: Joint Attention Multi-Scale Fusion Network for
Depression Detection", section 3.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from jaxdep.models.torch_sequences import mean, run, softmax, zero

FUSIONS = ("jaf", "add", "multiply", "concat")
READOUTS = ("sum", "mean", "flatten")


class JAF(nn.Module):
    """Joint attention fusion of an acoustic and a visual map of the same scale (section 3.3).

    Args:
        length: Number of frames L.
        width: Width H of both maps.
    """

    def __init__(self, *, length: int, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 1)
        self.fc2 = nn.Linear(width, 1)
        self.fc3 = nn.Linear(2 * length, 2 * length)

    def forward(
        self, x_a: Tensor, x_v: Tensor, mask_a: Tensor | None, mask_v: Tensor | None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Fuses two maps [B, L, H].

        A mask [B, L] sets the temporal feature of padded frames to 0 and excludes these frames
        from the softmax.

        Returns:
            The fused map [B, L, H] and the attention maps by name.
        """
        t_a = zero(self.fc1(x_a).squeeze(-1), mask_a)  # (7)
        t_v = zero(self.fc2(x_v).squeeze(-1), mask_v)  # (8)
        t_joint = torch.cat((t_a, t_v), dim=1)  # (9)
        t_mixed = self.fc3(t_joint)  # (10)
        t_a_mixed, t_v_mixed = t_mixed.chunk(2, dim=1)  # (11)
        a_a = softmax(t_a_mixed, mask_a)  # (12)
        a_v = softmax(t_v_mixed, mask_v)  # (12)
        fused = a_a[..., None] * x_a + a_v[..., None] * x_v  # (12)
        maps = {"T_A": t_a, "T_V": t_v, "T_mixed": t_mixed, "A_A": a_a, "A_V": a_v}
        return fused, {name: value.detach() for name, value in maps.items()}


class JAMFN(nn.Module):
    """Joint attention multi-scale fusion network.

    Two stacked bidirectional LSTMs, one-dimensional convolutions of several kernel sizes, joint
    attention fusion of the two modalities at each scale, and a linear classifier.

    After each forward pass, ``attention`` holds the detached maps ``jaf.{i}/T_A``, ``jaf.{i}/T_V``
    [B, L], ``jaf.{i}/T_mixed`` [B, 2L], ``jaf.{i}/A_A`` and ``jaf.{i}/A_V`` [B, L] of the i-th
    scale. If all scales share one JAF, ``jaf.0`` holds those of the last scale. It is empty for the
    plain fusions.

    Args:
        length: Number of frames L.
        acoustic_width: Width of an acoustic frame.
        visual_width: Width of a visual frame.
        hidden: Hidden width of each LSTM direction.
        layers: Number of stacked LSTM layers.
        scales: Kernel sizes, odd. If empty, the LSTM outputs are fused without convolutions.
        channels: Output channels of each convolution.
        fusion: "jaf", or one of the plain fusions "add", "multiply" and "concat".
        readout: How JAF's output becomes a vector: "sum" or "mean" over time, or "flatten". The
            plain fusions always take the mean over time.
        masked: If false, padded input frames are set to zero and treated as real frames. If true,
            padding is excluded from the recurrences, the attention and the means.
        dropout: Dropout rate between the LSTM layers.
        share_jaf: Whether all scales use the same JAF.
        folded: Ignored; accepted for compatibility with the Flax module.
    """

    attention: dict[str, Tensor]

    def __init__(
        self,
        *,
        length: int,
        acoustic_width: int = 25,
        visual_width: int = 136,
        hidden: int = 200,
        layers: int = 6,
        scales: tuple[int, ...] = (1, 3, 5),
        channels: int = 512,
        fusion: str = "jaf",
        readout: str = "sum",
        masked: bool = False,
        dropout: float = 0.0,
        share_jaf: bool = False,
        folded: bool = True,
        classes: int = 2,
        task: str = "depression",
    ) -> None:
        super().__init__()
        if fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {FUSIONS}, got {fusion!r}")
        if readout not in READOUTS:
            raise ValueError(f"readout must be one of {READOUTS}, got {readout!r}")
        self.fusion = fusion
        self.readout = readout
        self.masked = masked
        self.share_jaf = share_jaf
        self.task = task
        self.attention = {}

        def bilstm(width: int) -> nn.LSTM:
            return nn.LSTM(
                width,
                hidden,
                num_layers=layers,
                batch_first=True,
                bidirectional=True,
                dropout=dropout if layers > 1 else 0.0,
            )

        def convolutions() -> nn.ModuleList:
            return nn.ModuleList(
                nn.Conv1d(hidden, channels, k, padding=(k - 1) // 2) for k in scales
            )

        self.bilstm_a = bilstm(acoustic_width)
        self.bilstm_v = bilstm(visual_width)
        self.conv_a = convolutions()
        self.conv_v = convolutions()
        width = channels if scales else hidden
        if fusion == "jaf":
            count = 1 if share_jaf else max(len(scales), 1)
            self.jaf = nn.ModuleList(JAF(length=length, width=width) for _ in range(count))
            features = length * width if readout == "flatten" else width
        else:
            features = 2 * width if fusion == "concat" else width
        self.classifier = nn.Linear(features, classes)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Logits of the classes.

        Args:
            inputs: ``acoustic`` [B, L, acoustic_width], ``visual`` [B, L, visual_width], and
                optionally ``acoustic_mask`` and ``visual_mask``, boolean [B, L], true at real
                frames.

        Returns:
            ``task``, logits [B, classes].
        """
        mask_a, mask_v = inputs.get("acoustic_mask"), inputs.get("visual_mask")
        acoustic = zero(inputs["acoustic"], mask_a)
        visual = zero(inputs["visual"], mask_v)
        if not self.masked:
            mask_a = mask_v = None
        real = None if mask_a is None or mask_v is None else mask_a | mask_v

        f_a = self._context(self.bilstm_a, acoustic, mask_a)
        f_v = self._context(self.bilstm_v, visual, mask_v)
        pairs = self._pairs(f_a, f_v)

        self.attention = {}
        fusions = [self._fuse(i, x_a, x_v, mask_a, mask_v) for i, (x_a, x_v) in enumerate(pairs)]
        f_out = torch.stack(fusions).sum(0)  # (13)
        return {self.task: self.classifier(self._read(f_out, real))}  # (14)

    def _context(self, bilstm: nn.LSTM, x: Tensor, mask: Tensor | None) -> Tensor:
        """Context-dependent features [B, L, hidden] of one modality (section 3.1)."""
        output = run(bilstm, x, mask)  # (1), (2), (3)
        forward, backward = output.chunk(2, dim=-1)
        return forward + backward  # (4), (5)

    def _pairs(self, f_a: Tensor, f_v: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Acoustic and visual maps of each scale (section 3.2)."""
        if not self.conv_a:
            return [(f_a, f_v)]
        maps_a = [conv(f_a.transpose(1, 2)).transpose(1, 2) for conv in self.conv_a]  # (6)
        maps_v = [conv(f_v.transpose(1, 2)).transpose(1, 2) for conv in self.conv_v]  # (6)
        return list(zip(maps_a, maps_v, strict=True))

    def _fuse(
        self, i: int, x_a: Tensor, x_v: Tensor, mask_a: Tensor | None, mask_v: Tensor | None
    ) -> Tensor:
        """Fuses the maps of the i-th scale by JAF or by a plain fusion of Table 4."""
        if self.fusion == "jaf":
            index = 0 if self.share_jaf else i
            fused, maps = self.jaf[index](x_a, x_v, mask_a, mask_v)
            self.attention.update({f"jaf.{index}/{name}": value for name, value in maps.items()})
            return fused
        x_a, x_v = zero(x_a, mask_a), zero(x_v, mask_v)
        if self.fusion == "add":
            return x_a + x_v
        if self.fusion == "multiply":
            return x_a * x_v
        return torch.cat((x_a, x_v), dim=-1)

    def _read(self, f_out: Tensor, real: Tensor | None) -> Tensor:
        """Reduces a fused map [B, L, H] to a vector; a mean is over the ``real`` frames."""
        if self.fusion != "jaf" or self.readout == "mean":
            return mean(f_out, real)
        if self.readout == "flatten":
            return f_out.flatten(1)
        return f_out.sum(1)
