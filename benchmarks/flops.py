"""The arithmetic of one update, counted on the PyTorch side as it runs."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from jaxdep.benchmarks import sides
from jaxdep.parity import training
from jaxdep.parity.cases import Case


def of_step(case: Case, kind: type[torch.nn.Module]) -> int:
    """Floating-point operations of matrix products and convolutions, forward and backward.

    Counted on a batch of two and multiplied: the work is linear in the batch.
    """
    module = sides.module_of(case, kind).train()
    one = sides.split_of(case, 2)
    inputs, targets = training.tensors(one["inputs"]), training.tensors(one["targets"])
    with FlopCounterMode(display=False, custom_mapping=_RECURRENT) as counter:
        training.loss(training.tasks_of(case.model), module(inputs), targets).backward()
    return counter.get_total_flops() * case.batch // 2


def _layer(x: Any, weight_ih: Any, weight_hh: Any, *rest: Any, **named: Any) -> int:
    """One direction of one layer: two products a step; `x` is [L, B, D] as a shape."""
    length, batch, _ = x
    return 2 * length * batch * (weight_ih[0] * weight_ih[1] + weight_hh[0] * weight_hh[1])


def _layer_backward(*shapes: Any, **named: Any) -> int:
    """Gradients of inputs and of weights: twice the forward's."""
    return 2 * _layer(*shapes)


# What PyTorch runs an LSTM with on a CPU; its counter knows no recurrent layers.
_RECURRENT = {
    torch.ops.aten.mkldnn_rnn_layer: _layer,
    torch.ops.aten.mkldnn_rnn_layer_backward: _layer_backward,
}
