"""PyTorch references of the losses."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

CATEGORY_STARTS = (14, 20, 29)  # lowest BDI-II score of mild, moderate and severe (MDDR, 4.1)


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Mean cross entropy of logits [B, C] and classes [B]."""
    return functional.cross_entropy(output, target.long())


def mse(output: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of scores [B]."""
    return functional.mse_loss(output, target.to(output.dtype))


def dr(output: Tensor, target: Tensor, delta: float, weight: float) -> Tensor:
    """Mean depression recognition loss of scores [B]."""
    return dr_loss(output, target.to(output.dtype), delta, weight).mean()


def _category(score: Tensor) -> Tensor:
    """BDI-II category of scores, 0 (minimal) to 3 (severe); scores are rounded, halves up."""
    nearest = torch.floor(score.detach() + 0.5)
    starts = torch.tensor(CATEGORY_STARTS, dtype=nearest.dtype, device=nearest.device)
    return torch.bucketize(nearest, starts, right=True)


def dr_loss(prediction: Tensor, target: Tensor, delta: float = 2.0, weight: float = 0.1) -> Tensor:
    """Depression recognition loss of each example [B].

    The Huber loss, multiplied by `weight` if prediction and target are in the same BDI-II category
    and at most `delta` apart.

    Args:
        prediction: predicted scores [B].
        target: target scores [B].
        delta: largest difference to which `weight` applies, and threshold of the Huber loss.
        weight: factor of the loss of such predictions.
    """
    huber = functional.huber_loss(prediction, target, reduction="none", delta=delta)  # eq. 3
    close = (target - prediction).detach().abs() <= delta  # eq. 3
    agrees = (_category(prediction) == _category(target)) & close  # eq. 3
    return torch.where(agrees, weight * huber, huber)  # eq. 3


LOSSES = {"cross_entropy": cross_entropy, "dr": dr, "mse": mse}
"""References by name of the loss, as in `jaxdep.losses`."""
