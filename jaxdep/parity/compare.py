"""A model beside its PyTorch reference: outputs, gradients, twenty steps of the optimiser."""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import numpy as np
import optax
import torch
from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.errors import UserError
from jaxdep.experiment import fields_of
from jaxdep.models import MODELS
from jaxdep.parity import training
from jaxdep.parity.cases import Case, cases, paper_case, variants
from jaxdep.parity.convert import from_torch, to_torch
from jaxdep.parity.reference import reference
from jaxdep.train import objective, optimizer

STEPS = 20
EPOCH, EPOCHS = 3, 10  # steps to an epoch, and epochs, for schedules

# Roundings of the largest gradient, on both sides together, by which any gradient may differ.
ROUNDINGS = {"float32": 2, "float64": 8}

# Bars by precision. Gradients: ||difference|| / ||reference|| of the worst parameter tensor, see
# `_gradients`.
BARS = {
    "float32": {"outputs": 1e-5, "gradients": 1e-4, "losses": 1e-4},
    "float64": {"outputs": 1e-10, "gradients": 1e-8, "losses": 1e-10, "parameters": 1e-8},
}


ENLARGED = {
    "jamfn": 4.0,
    "amm": 12.0,
    "mddr": 2.0,
    "smfl": 2.5,
    "smfl_released": 4.0,
    "depformer": 1.5,
    "depformer_released": 1.5,
}
"""Factor of the initial matrices in float64; those between normalisations need less."""

NORM = 12.0
"""Factor of the norms of weights that begin as normal with a deviation of 0.01."""


@dataclass(frozen=True)
class Row:
    """One comparison: the worst value seen, and the bar that it must not pass."""

    model: str
    case: str
    quantity: str
    dtype: str
    worst: float
    bar: float

    @property
    def ok(self) -> bool:
        """Whether the bar holds; NaN does not."""
        return self.worst <= self.bar


def run(name: str | None = None, full: bool = False, processes: int = 1) -> list[Row]:
    """Compares a model, or all, with its reference.

    Args:
      processes: among which the models are shared out, as most of the time is one core's; a script
        that asks for several needs `if __name__ == "__main__"`.
      full: every case in both precisions with twenty optimiser steps, and the paper's size; else
        that of the first case, and of every other variant outputs and gradients in float64.

    Raises:
      UserError: there is no model of that name.
    """
    if name is not None and name not in MODELS:
        raise UserError(f"no model {name!r}: there are {', '.join(MODELS)}")
    names = [name] if name else list(MODELS)
    if min(processes, len(names)) == 1:
        return [row for each in names for row in _run_one(each, full)]
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with ProcessPoolExecutor(processes, context) as pool:
        tables = pool.map(partial(_run_one, full=full), names[::-1])  # the longest begin
        return [row for table in reversed(list(tables)) for row in table]


def _run_one(name: str, full: bool) -> list[Row]:
    """As `run`, of one model."""
    if full:
        rows = [row for case in cases(name) for row in compare(case)]
        return rows + compare(paper_case(name), steps=0)
    first, *others = variants(name)
    few = [row for case in others for row in compare(case, ("float64",), steps=0)]
    return compare(first) + few


def compare(case: Case, dtypes: tuple[str, ...] = tuple(BARS), steps: int = STEPS) -> list[Row]:
    """Compares one case in each precision; `steps=0` leaves the optimiser out."""
    rows = []
    for dtype in dtypes:
        x64 = jax.enable_x64(dtype == "float64")
        with jax.default_matmul_precision("highest"), x64, _one_thread():
            found = _differences(case, dtype, steps)
        rows += [
            Row(case.name, case.label, quantity, dtype, worst, BARS[dtype][quantity])
            for quantity, worst in found.items()
            if quantity in BARS[dtype]
        ]
    return rows


def show(rows: list[Row], console: Console) -> None:
    """Prints the worst case of each model, quantity and precision, and every failure."""
    table = Table(
        title="Against the PyTorch references",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in ("model", "quantity", "precision", "cases", "worst", "bar", "", "worst case"):
        table.add_column(column, no_wrap=True)
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.model, row.quantity, row.dtype), []).append(row)
    for (model, quantity, dtype), group in groups.items():
        failed = [row for row in group if not row.ok]
        worst = max(group, key=lambda row: row.worst)
        for row in failed or [worst]:
            said = "FAILED" if failed else "ok"
            values = (str(len(group)), f"{row.worst:.1e}", f"{row.bar:.0e}", said, row.case)
            table.add_row(model, quantity, dtype, *values)
    console.print(table)
    console.print(
        "gradients: ||difference|| / ||reference|| of the worst parameter tensor. A difference of a"
        " few roundings of the model's largest gradient (2 in float32, 8 in float64) is within the"
        " bar: float32 does not resolve gradients that cancel to less than a five-hundredth of it.",
        highlight=False,
    )


def enlarge(name: str, module: torch.nn.Module) -> None:
    """Makes weights larger than they are at the start, and moves biases away from zero.

    At PyTorch's initial weights softmaxes are nearly even, and a wrong formula in one of them may
    move the outputs by less than any bar.
    """
    factor, generator = ENLARGED[name], torch.Generator().manual_seed(1)
    with torch.no_grad():
        for path, parameter in module.named_parameters():
            if parameter.ndim > 1:
                parameter *= NORM if path.endswith("weight_g") else factor
            else:
                drawn = torch.rand(parameter.shape, generator=generator, dtype=parameter.dtype)
                parameter += drawn / 2  # above zero, where no ReLU dies


def _differences(case: Case, dtype: str, steps: int) -> dict[str, float]:
    """The worst difference in each quantity."""
    torch.manual_seed(0)
    first = case.inputs()
    fields = {name: getattr(case.model, name) for name in fields_of(case.model)}
    module = reference(case.name, fields, first).to(getattr(torch, dtype))
    if dtype == "float64":
        enlarge(case.name, module)
    state = {name: value.numpy().copy() for name, value in module.state_dict().items()}
    variables = from_torch(case.model, state, first)
    params = variables.pop("params")
    step = _jax_step(case, moves=steps > 0)
    moments = jax.tree.map(
        lambda leaf: np.zeros(leaf.shape, leaf.dtype),
        jax.eval_shape(optimizer.build(training.OPTIMIZERS[case.name]).init, params),
    )
    targets = _targets(case, first)
    outputs = jax.jit(case.model.apply)({"params": params, **variables}, _cast(first, dtype))
    theirs = module(training.tensors(_cast(first, dtype)))
    outputs = [_distance(outputs[task], theirs[task].detach()) for task in theirs]
    module.train()
    ours = step(params, variables, moments, _cast(first, dtype), targets)
    loss = _torch_side(case, module, first, targets, dtype)
    loss.backward()
    found = {
        "outputs": _worst(outputs),
        "gradients": _gradients(case.model, ours.gradient, module),
    }
    if steps:
        module.load_state_dict({name: torch.as_tensor(x) for name, x in state.items()})
        found |= _optimise(case, module, step, (params, variables, moments), dtype, steps)
    return found


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """PyTorch on one thread: at these sizes several only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Step(NamedTuple):
    """What one step on our side gives."""

    loss: Any
    gradient: Any
    params: Any
    variables: Any
    moments: Any


def _jax_step(case: Case, moves: bool) -> Callable[..., _Step]:
    """Loss, gradient and, if it moves, update in training mode as one compiled program."""
    config = training.OPTIMIZERS[case.name]
    tasks = training.tasks_of(case.model)

    def loss_of(params: Any, variables: Any, inputs: Any, targets: Any) -> Any:
        outputs, changed = case.model.apply(
            {"params": params, **variables}, inputs, train=True, mutable=["batch_stats"]
        )
        losses = objective.per_example(tasks, outputs, targets)
        every = np.ones(len(next(iter(targets.values()))))
        return objective.total(tasks, losses, every), changed

    @jax.jit
    def step(
        params: Any, variables: Any, moments: Any, inputs: Any, targets: Any, number: Any = 0
    ) -> _Step:
        differentiate = jax.value_and_grad(loss_of, has_aux=True)
        (loss, changed), gradient = differentiate(params, variables, inputs, targets)
        if not moves:
            return _Step(loss, gradient, None, None, None)
        tx = optimizer.build(config, number, EPOCH, EPOCHS)
        updates, moments = tx.update(gradient, moments, params)
        return _Step(loss, gradient, optax.apply_updates(params, updates), changed, moments)

    return step


def _gradients(model: nn.Module, gradient: Any, module: torch.nn.Module) -> float:
    """Worst relative difference of a parameter's gradient.

    A difference of a few roundings of the largest gradient is within the bar: the gradient of a
    bias that moves all scores of a softmax alike, or that a batch normalisation takes away, is zero
    but for rounding, on both sides.
    """
    ours = to_torch(model, {"params": gradient})
    theirs = {
        name: np.zeros(p.shape) if p.grad is None else p.grad.numpy()
        for name, p in module.named_parameters()
        if name in ours or p.grad is not None
    }
    dtype = next(iter(ours.values())).dtype
    largest = max(float(np.linalg.norm(value)) for value in theirs.values())
    of_largest = ROUNDINGS[str(dtype)] * float(np.finfo(dtype).eps)
    rounding = largest * of_largest / BARS[str(dtype)]["gradients"]
    relative = [
        float(np.linalg.norm(ours[name] - reference))
        / max(float(np.linalg.norm(reference)), rounding)
        for name, reference in theirs.items()
    ]
    return _worst(relative)


def _optimise(
    case: Case,
    module: torch.nn.Module,
    step: Callable[..., _Step],
    start: tuple[Any, Any, Any],
    dtype: str,
    steps: int,
) -> dict[str, float]:
    """Losses and parameters over the same three batches in turn."""
    config = training.OPTIMIZERS[case.name]
    params, variables, moments = start
    reference = training.optimizer(config, module)
    schedule = training.schedule(config, reference, EPOCH, EPOCHS)
    sizes = [case.batch, case.batch, case.batch - case.uneven]
    losses = []
    for number in range(steps):
        inputs = case.inputs(seed=number % 3, batch=sizes[number % 3])
        targets = _targets(case, inputs)
        ours = step(params, variables, moments, _cast(inputs, dtype), targets, number)
        params, moments = ours.params, ours.moments
        variables = {**variables, **ours.variables}
        reference.zero_grad()
        loss = _torch_side(case, module, inputs, targets, dtype)
        loss.backward()
        reference.step()
        schedule.step()
        losses.append(abs(float(ours.loss) - loss.item()) / abs(loss.item()))
    moved = to_torch(case.model, {"params": params, **variables})
    theirs = module.state_dict()
    distances = [_distance(value, theirs[name]) for name, value in moved.items()]
    return {"losses": _worst(losses), "parameters": _worst(distances)}


def _torch_side(
    case: Case,
    module: torch.nn.Module,
    inputs: Mapping[str, Any],
    targets: Mapping[str, Any],
    dtype: str,
) -> torch.Tensor:
    outputs = module(training.tensors(_cast(inputs, dtype)))
    return training.loss(training.tasks_of(case.model), outputs, training.tensors(targets))


def _targets(case: Case, inputs: Mapping[str, Any]) -> dict[str, Any]:
    return training.targets_of(case.model, len(next(iter(inputs.values()))), seed=len(inputs))


def _cast(inputs: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    floating = lambda x: np.issubdtype(x.dtype, np.floating)
    return {name: x.astype(dtype) if floating(x) else x for name, x in inputs.items()}


def _distance(a: Any, b: Any) -> float:
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())


def _worst(values: list[float]) -> float:
    """The largest; NaN if any is, which Python's `max` may pass over."""
    return float(np.max(values))
