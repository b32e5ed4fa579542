"""JAMFN in PyTorch with its head folded: the same algebra that ours uses, for a fair reference."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from jaxdep.parity.reference import JAMFN


class FoldedJAMFN(JAMFN):
    """The reference without its `[B, L, channels]` maps; `fusion="jaf"`, `readout="sum"`, no masks.

    Nothing non-linear stands between the convolutions and the attention, so that the temporal
    features are a convolution to one channel, and the fused vector is each kernel's matrix applied
    to weighted, shifted sums of its input.
    """

    def forward(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """As the reference's."""
        x_a = self._context(self.bilstm_a, inputs["acoustic"], None)
        x_v = self._context(self.bilstm_v, inputs["visual"], None)
        read = torch.zeros((), device=x_a.device)
        for jaf, conv_a, conv_v in zip(self.jaf, self.conv_a, self.conv_v, strict=True):
            t_a, t_v = _one_channel(x_a, conv_a, jaf.fc1), _one_channel(x_v, conv_v, jaf.fc2)
            mixed_a, mixed_v = jaf.fc3(torch.cat([t_a, t_v], 1)).chunk(2, 1)
            read = read + _weighted(x_a, conv_a, mixed_a.softmax(1))
            read = read + _weighted(x_v, conv_v, mixed_v.softmax(1))
        return {"depression": self.classifier(read)}


def _one_channel(x: Tensor, conv: nn.Conv1d, linear: nn.Linear) -> Tensor:
    """`linear(conv(x))`, [B, L, D] -> [B, L]."""
    kernel = torch.einsum("oc,cdk->odk", linear.weight, conv.weight)
    bias = linear.bias + linear.weight @ conv.bias
    padding = conv.kernel_size[0] // 2
    return functional.conv1d(x.transpose(1, 2), kernel, bias, padding=padding)[:, 0]


def _weighted(x: Tensor, conv: nn.Conv1d, weights: Tensor) -> Tensor:
    """The sum over frames of `weights * conv(x)`, [B, L, D] and [B, L] -> [B, channels]."""
    size = conv.kernel_size[0]
    length, reach = x.shape[1], size // 2
    padded = functional.pad(weights, (reach, reach))
    shifted = torch.stack([padded[:, 2 * reach - k :][:, :length] for k in range(size)], 1)
    sums = torch.bmm(shifted, x)
    return torch.einsum("bkd,cdk->bc", sums, conv.weight) + conv.bias * weights.sum(1, keepdim=True)
