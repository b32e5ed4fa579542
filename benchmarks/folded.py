"""JAMFN in PyTorch with its head folded, as in our implementation, for a fair comparison."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.models.jamfn.reference import JAMFN


class FoldedJAMFN(JAMFN):
    """The reference without maps `[B, L, channels]`.

    Supports `fusion="jaf"` and `readout="sum"` without masks. There is no nonlinearity between the
    convolutions and the attention. The temporal features are therefore a convolution to one
    channel, and the fused vector is the matrix of each kernel applied to weighted, shifted sums of
    its input.
    """

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Same as the reference."""
        x_a = self._context(self.bilstm_a, inputs["acoustic"], None)
        x_v = self._context(self.bilstm_v, inputs["visual"], None)
        fused = torch.zeros((), device=x_a.device)
        scales: Any = zip(self.jaf, self.conv_a, self.conv_v, strict=True)
        for jaf, conv_a, conv_v in scales:
            t_a, t_v = _one_channel(x_a, conv_a, jaf.fc1), _one_channel(x_v, conv_v, jaf.fc2)
            mixed_a, mixed_v = jaf.fc3(torch.cat([t_a, t_v], 1)).chunk(2, 1)
            fused = fused + _weighted(x_a, conv_a, mixed_a.softmax(1))
            fused = fused + _weighted(x_v, conv_v, mixed_v.softmax(1))
        return {self.task: self.classifier(fused)}


def _one_channel(x: Tensor, conv: nn.Conv1d, linear: nn.Linear) -> Tensor:
    """Computes `linear(conv(x))` as a single convolution, [B, L, D] -> [B, L]."""
    assert conv.bias is not None
    kernel = torch.einsum("oc,cdk->odk", linear.weight, conv.weight)
    bias = linear.bias + linear.weight @ conv.bias
    padding = conv.kernel_size[0] // 2
    return functional.conv1d(x.transpose(1, 2), kernel, bias, padding=padding)[:, 0]


def _weighted(x: Tensor, conv: nn.Conv1d, weights: Tensor) -> Tensor:
    """Sums `weights * conv(x)` over frames, [B, L, D] and [B, L] -> [B, channels]."""
    assert conv.bias is not None
    size = conv.kernel_size[0]
    length, reach = x.shape[1], size // 2
    padded = functional.pad(weights, (reach, reach))
    shifted = torch.stack([padded[:, 2 * reach - k :][:, :length] for k in range(size)], 1)
    sums = torch.bmm(shifted, x)
    return torch.einsum("bkd,cdk->bc", sums, conv.weight) + conv.bias * weights.sum(1, keepdim=True)
