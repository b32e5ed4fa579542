"""Counts the floating-point operations of one update by running the PyTorch reference."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from jaxdep.benchmarks import sides
from jaxdep.models.spec import Case
from jaxdep.parity import training


def of_step(case: Case, path: str) -> int:
    """Floating-point operations of matrix products and convolutions, forward and backward.

    Counted for a batch of two and scaled up, because the cost is linear in the batch size.

    Args:
      case: model and input sizes.
      path: dotted path of the PyTorch module.
    """
    module = sides.module_of(case, path).train()
    pair = sides.split_of(case, 2)
    inputs, targets = training.tensors(pair["inputs"]), training.tensors(pair["targets"])
    with FlopCounterMode(display=False, custom_mapping=_RECURRENT) as counter:
        training.loss(training.tasks_of(case.model), module(inputs), targets).backward()
    return counter.get_total_flops() * case.batch // 2


def _layer(x: Any, weight_ih: Any, weight_hh: Any, *rest: Any, **named: Any) -> int:
    """One direction of one LSTM layer: two matrix products per step; `x` is the shape [L, B, D]."""
    length, batch, _ = x
    return 2 * length * batch * (weight_ih[0] * weight_ih[1] + weight_hh[0] * weight_hh[1])


def _layer_backward(*shapes: Any, **named: Any) -> int:
    """Gradients of inputs and weights: twice the operations of the forward pass."""
    return 2 * _layer(*shapes)


# The operators of an LSTM on a CPU; PyTorch's counter does not support recurrent layers.
_RECURRENT = {
    torch.ops.aten.mkldnn_rnn_layer: _layer,
    torch.ops.aten.mkldnn_rnn_layer_backward: _layer_backward,
}
