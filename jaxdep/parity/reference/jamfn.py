"""JAMFN in PyTorch (Zhou et al., Interspeech 2023), every feature map made literally."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from jaxdep.parity.reference import sequences


class JointAttention(nn.Module):
    """Eq. 7-11 for one scale."""

    def __init__(self, channels: int, length: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 1)
        self.fc2 = nn.Linear(channels, 1)
        self.fc3 = nn.Linear(2 * length, 2 * length)

    def forward(
        self, x_a: Tensor, x_v: Tensor, mask_a: Tensor | None, mask_v: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        t_a, t_v = self.fc1(x_a)[..., 0], self.fc2(x_v)[..., 0]
        if mask_a is not None and mask_v is not None:
            t_a, t_v = t_a * mask_a, t_v * mask_v
        mixed_a, mixed_v = self.fc3(torch.cat([t_a, t_v], 1)).chunk(2, 1)
        return (
            sequences.softmax(t_a * mixed_a, mask_a),
            sequences.softmax(t_v * mixed_v, mask_v),
        )


class JAMFN(nn.Module):
    """Twin of `jaxdep.models.JAMFN`: the same fields, the state names of a checkpoint."""

    def __init__(self, fields: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.fields = fields
        hidden, scales, channels = fields["hidden"], fields["scales"], fields["channels"]
        length = shapes["acoustic"][1]
        lstm = lambda width: nn.LSTM(
            width, hidden, num_layers=fields["layers"], batch_first=True, bidirectional=True
        )
        conv = lambda: nn.ModuleList(
            nn.Conv1d(hidden, channels, k, padding=(k - 1) // 2) for k in scales
        )
        self.bilstm_a = lstm(shapes["acoustic"][2])
        self.bilstm_v = lstm(shapes["visual"][2])
        if scales:
            self.conv_a, self.conv_v = conv(), conv()
        width = channels if scales else hidden
        if fields["fusion"] == "jaf":
            own = 1 if fields["share_jaf"] else max(len(scales), 1)
            self.jaf = nn.ModuleList(JointAttention(width, length) for _ in range(own))
            read = width * length if fields["readout"] == "flatten" else width
        else:
            read = 2 * width if fields["fusion"] == "concat" else width
        self.classifier = nn.Linear(read, 2)

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        x_a, mask_a = self._encode(inputs, "acoustic", self.bilstm_a)
        x_v, mask_v = self._encode(inputs, "visual", self.bilstm_v)
        if self.fields["scales"]:
            maps_a = [conv(x_a.transpose(1, 2)).transpose(1, 2) for conv in self.conv_a]
            maps_v = [conv(x_v.transpose(1, 2)).transpose(1, 2) for conv in self.conv_v]
        else:
            maps_a, maps_v = [x_a], [x_v]
        real = None if mask_a is None or mask_v is None else mask_a | mask_v
        fused = []
        for scale, (a, v) in enumerate(zip(maps_a, maps_v, strict=True)):
            fused.append(self._fuse(scale, a, v, mask_a, mask_v))
        total = torch.stack(fused).sum(0)
        jaf = self.fields["fusion"] == "jaf"
        if jaf and self.fields["readout"] == "flatten":
            read = total.flatten(1)
        elif jaf and self.fields["readout"] == "sum":
            read = total.sum(1)
        elif jaf:
            frames = total.shape[1] if real is None else real.sum(1, keepdim=True).clamp(min=1)
            read = total.sum(1) / frames
        else:
            read = sequences.mean(total, real)
        return {"depression": self.classifier(read)}

    def _encode(
        self, inputs: dict[str, Tensor], name: str, lstm: nn.LSTM
    ) -> tuple[Tensor, Tensor | None]:
        x, mask = inputs[name], inputs.get(f"{name}_mask")
        if mask is not None:
            x = x * mask[..., None]
        mask = mask if self.fields["masked"] else None
        forward, backward = sequences.run(lstm, x, mask).chunk(2, -1)
        return forward + backward, mask

    def _fuse(
        self, scale: int, a: Tensor, v: Tensor, mask_a: Tensor | None, mask_v: Tensor | None
    ) -> Tensor:
        if self.fields["fusion"] == "jaf":
            jaf = self.jaf[0 if self.fields["share_jaf"] else scale]
            w_a, w_v = jaf(a, v, mask_a, mask_v)
            return w_a[..., None] * a + w_v[..., None] * v
        if mask_a is not None and mask_v is not None:
            a, v = a * mask_a[..., None], v * mask_v[..., None]
        if self.fields["fusion"] == "concat":
            return torch.cat([a, v], -1)
        return a + v if self.fields["fusion"] == "add" else a * v
