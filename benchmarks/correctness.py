"""Compares this machine's devices with PyTorch and with a CPU: outputs and gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from jaxdep.benchmarks import sides
from jaxdep.benchmarks.precisions import PRECISIONS
from jaxdep.experiment import Experiment
from jaxdep.models.spec import Case
from jaxdep.parity import from_torch, to_torch, training
from jaxdep.parity.reference import reference
from jaxdep.train import objective
from jaxdep.train.forward import forward

_BATCH, _RUNS = 2, 3


class Result(NamedTuple):
    """Outputs by task, and the gradient of the loss."""

    outputs: Any
    gradient: Any


def measure(case: Case) -> Iterator[dict[str, Any]]:
    """Relative differences ||ours - reference|| / ||reference|| of a model in evaluation mode.

    The references compute in float32 on a CPU: PyTorch, and, for several runs vectorized, this
    implementation with each run alone. On a machine without an accelerator, all is on its CPU.

    Args:
      case: model and input sizes; two examples are computed.

    Yields:
      What is compared (`how`), the precision, and the differences of the outputs and of the whole
      gradient.
    """
    case = replace(case, batch=_BATCH)
    data = sides.split_of(case, _BATCH)
    cpu, device = jax.devices("cpu")[0], jax.devices()[0]
    modules = [_module(case, data, seed) for seed in range(_RUNS)]
    weights = [_variables(case, data, module) for module in modules]
    expected = _theirs(case, modules[0], data)

    @cache
    def program(precision: str, many: bool) -> Callable[..., Result]:
        one = partial(_ours, sides.experiment_of(case, PRECISIONS[precision]))
        return jax.jit(jax.vmap(one, in_axes=(0, None)) if many else one)

    def ours(precision: str, where: Any, variables: Any, many: bool = False) -> Result:
        found = program(precision, many)(*jax.device_put((variables, data), where))
        return jax.tree.map(np.asarray, found)

    def named(result: Result) -> Result:
        """The result with PyTorch's names of weights."""
        gradient = to_torch(case.model, {"params": result.gradient})
        return Result(result.outputs, {name: gradient[name] for name in expected.gradient})

    for precision in ("float32", "bfloat16"):
        found = named(ours(precision, device, weights[0]))
        yield _point("jit, to PyTorch", precision, found, expected)
    alone = [ours("float32", cpu, variables) for variables in weights]
    yield _point("jit, to the CPU", "float32", ours("float32", device, weights[0]), alone[0])
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *weights)
    together = jax.tree.map(lambda *leaves: np.stack(leaves), *alone)
    for precision in ("float32", "bfloat16"):
        found = ours(precision, device, stacked, many=True)
        yield _point("vmap, to the CPU", precision, found, together)


def _ours(experiment: Experiment, variables: Mapping[str, Any], data: Mapping[str, Any]) -> Result:
    def loss_of(params: Any) -> Any:
        outputs = forward(experiment, {**variables, "params": params}, data["inputs"])
        losses = objective.per_example(experiment.tasks, outputs, data["targets"])
        return objective.total(experiment.tasks, losses, jnp.ones(_BATCH)), outputs

    gradient, outputs = jax.grad(loss_of, has_aux=True)(variables["params"])
    return Result(outputs, gradient)


def _module(case: Case, data: Mapping[str, Any], seed: int) -> torch.nn.Module:
    torch.manual_seed(seed)
    return reference(case.model, data["inputs"])


def _variables(case: Case, data: Mapping[str, Any], module: torch.nn.Module) -> dict[str, Any]:
    state = {name: value.numpy().copy() for name, value in module.state_dict().items()}
    return from_torch(case.model, state, data["inputs"])


def _theirs(case: Case, module: torch.nn.Module, data: Mapping[str, Any]) -> Result:
    outputs = module(training.tensors(data["inputs"]))
    targets = training.tensors(data["targets"])
    training.loss(training.tasks_of(case.model), outputs, targets).backward()
    found = {name: p.grad.numpy() for name, p in module.named_parameters() if p.grad is not None}
    return Result({task: output.detach().numpy() for task, output in outputs.items()}, found)


def _point(how: str, precision: str, found: Result, expected: Result) -> dict[str, Any]:
    return {
        "how": how,
        "precision": precision,
        "outputs": _relative(found.outputs, expected.outputs),
        "gradients": _relative(found.gradient, expected.gradient),
    }


def _relative(found: Any, expected: Any) -> float:
    norm = lambda tree: float(
        np.sqrt(sum(np.square(x, dtype=np.float64).sum() for x in jax.tree.leaves(tree)))
    )
    difference = jax.tree.map(lambda a, b: np.asarray(a, np.float64) - b, found, expected)
    return norm(difference) / norm(expected)
