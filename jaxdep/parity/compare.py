"""Compares a model with its PyTorch reference: outputs, gradients and twenty optimiser steps."""

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
import jax.numpy as jnp
import numpy as np
import optax
import torch
from rich import box
from rich.console import Console
from rich.table import Table

from jaxdep.errors import UserError
from jaxdep.models import SPECS, spec_of
from jaxdep.models.spec import Case
from jaxdep.parity import training
from jaxdep.parity.convert import from_torch, to_torch
from jaxdep.parity.reference import reference
from jaxdep.train import compiler, objective, optimizer

STEPS = 20
EPOCH, EPOCHS = 3, 10  # steps per epoch and number of epochs, for learning rate schedules

# Tolerated difference of any gradient, in rounding errors of the largest gradient on both sides.
ROUNDINGS = {"float32": 2, "float64": 8}

# Tolerances by precision. Gradients: ||difference|| / ||reference|| of the worst parameter tensor,
# see `_gradients`.
TOLERANCES = {
    "float32": {"outputs": 1e-5, "gradients": 1e-4, "losses": 1e-4},
    "float64": {"outputs": 1e-10, "gradients": 1e-8, "losses": 1e-10, "parameters": 1e-8},
}

NORM = 12.0
"""Factor of `enlarge` for the norms of weights whose initial standard deviation is 0.01."""


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
      model: name of the model.
      case: label of the case.
      quantity: compared quantity, a key of `TOLERANCES`.
      dtype: precision of the comparison.
      worst: largest difference.
      tolerance: the largest permitted difference.
    """

    model: str
    case: str
    quantity: str
    dtype: str
    worst: float
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether the difference is within the tolerance; NaN is not."""
        return self.worst <= self.tolerance


def run(name: str | None = None, full: bool = False, processes: int = 1) -> list[Row]:
    """Compares a model, or all models, with the PyTorch reference.

    Args:
      name: name of the model; None: all models.
      full: whether to compare every case in both precisions with twenty optimiser steps, and the
        paper's size, compiled as for training. Otherwise only the first case is compared so, and
        the other variants by their outputs and gradients in float64, compiled quickly.
      processes: number of processes over which the cases are distributed, as most of the
        comparison runs on one core. A script that sets more than one needs
        `if __name__ == "__main__"`.

    Raises:
      UserError: there is no model of that name.
    """
    if name is not None and name not in SPECS:
        raise UserError(f"unknown model {name!r}; choose one of {', '.join(SPECS)}")
    names = [name] if name else list(SPECS)
    jobs = [(each, number) for each in names for number in range(len(_comparisons(each, full)))]
    if processes == 1:
        return [row for job in jobs for row in _compare_one(job, full)]
    context = multiprocessing.get_context("spawn")  # forking a process with threads may deadlock
    with ProcessPoolExecutor(processes, context) as pool:
        tables = pool.map(partial(_compare_one, full=full), jobs[::-1])  # the slowest models first
        return [row for table in reversed(list(tables)) for row in table]


def _comparisons(name: str, full: bool) -> list[Callable[[], list[Row]]]:
    """The comparisons of one model, as `run`."""
    spec = SPECS[name]
    if full:
        cases = [partial(compare, case) for case in spec.cases()]
        return [*cases, partial(compare, spec.paper_size(), steps=0)]
    quick = partial(compare, options=compiler.QUICK)
    first, *others = (partial(quick, case) for case in spec.variant_cases())
    return [first, *(partial(other, dtypes=("float64",), steps=0) for other in others)]


def _compare_one(job: tuple[str, int], full: bool) -> list[Row]:
    """Runs one comparison, given by model and number: cases themselves cannot be pickled."""
    name, number = job
    return _comparisons(name, full)[number]()


def compare(
    case: Case,
    dtypes: tuple[str, ...] = tuple(TOLERANCES),
    steps: int = STEPS,
    options: Mapping[str, Any] | None = None,
) -> list[Row]:
    """Compares one case in each precision; `steps=0` skips the optimiser.

    Args:
      case: the case.
      dtypes: precisions.
      steps: number of optimiser steps.
      options: compiler options of XLA; None: as for training.
    """
    rows, name = [], spec_of(case.model).name
    for dtype in dtypes:
        x64 = jax.enable_x64(dtype == "float64")
        with jax.default_matmul_precision("highest"), x64, _one_thread():
            differences = _worst_differences(case, dtype, steps, options)
        rows += [
            Row(name, case.label, quantity, dtype, worst, TOLERANCES[dtype][quantity])
            for quantity, worst in differences.items()
            if quantity in _compared(case, dtype)
        ]
    return rows


def _compared(case: Case, dtype: str) -> list[str]:
    """Quantities that are compared in a precision."""
    without = () if case.float32_gradients or dtype != "float32" else ("gradients",)
    return [quantity for quantity in TOLERANCES[dtype] if quantity not in without]


def show(rows: list[Row], console: Console) -> None:
    """Prints all failures, or the worst case, of each model, quantity and precision."""
    table = Table(
        title="Comparison with the PyTorch references",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for column in (
        "model",
        "quantity",
        "precision",
        "cases",
        "worst",
        "tolerance",
        "",
        "worst case",
    ):
        name = column in ("model", "worst case")  # numbers are never cut
        table.add_column(column, no_wrap=not name, overflow="fold")
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.model, row.quantity, row.dtype), []).append(row)
    for (model, quantity, dtype), group in groups.items():
        failed = [row for row in group if not row.ok]
        worst = max(group, key=lambda row: row.worst)
        for row in failed or [worst]:
            verdict = "FAILED" if failed else "ok"
            values = (
                str(len(group)),
                f"{row.worst:.1e}",
                f"{row.tolerance:.0e}",
                verdict,
                row.case,
            )
            table.add_row(model, quantity, dtype, *values)
    console.print(table)
    console.print(
        "gradients: ||difference|| / ||reference|| of the worst parameter tensor. Differences up to"
        " a few rounding errors of the model's largest gradient (2 in float32, 8 in float64) are"
        " within the tolerance, because float32 does not resolve gradients that cancel to less than"
        " a five-hundredth of the largest one.",
        highlight=False,
    )


def enlarge(factor: float, module: torch.nn.Module) -> None:
    """Scales the weight matrices of a module up and moves its biases away from zero.

    With PyTorch's initial weights, softmaxes are nearly uniform, and a wrong formula in one of them
    may change the outputs by less than the tolerance.
    """
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for path, parameter in module.named_parameters():
            if parameter.ndim > 1:
                parameter *= NORM if path.endswith("weight_g") else factor
            else:
                noise = torch.rand(parameter.shape, generator=generator, dtype=parameter.dtype)
                parameter += noise / 2  # positive, so that no ReLU is dead


def _worst_differences(
    case: Case, dtype: str, steps: int, options: Mapping[str, Any] | None
) -> dict[str, float]:
    """Computes the largest difference of each quantity."""
    torch.manual_seed(0)
    spec = spec_of(case.model)
    inputs = spec.case_inputs(case)
    module = reference(case.model, inputs).to(getattr(torch, dtype))
    if dtype == "float64":
        enlarge(spec.enlarge if case.enlarge is None else case.enlarge, module)
    state = {name: value.numpy().copy() for name, value in module.state_dict().items()}
    variables = from_torch(case.model, state, inputs)
    params = variables.pop("params")
    compiled = partial(jax.jit, compiler_options=compiler.supported(options or {}))
    step = compiled(_jax_step(case, moves=steps > 0))
    moments = jax.tree.map(
        lambda leaf: np.zeros(leaf.shape, leaf.dtype),
        jax.eval_shape(optimizer.build(training.optimizer_of(case.model)).init, params),
    )
    targets = _targets(case, inputs)
    outputs = compiled(case.model.apply)({"params": params, **variables}, _cast(inputs, dtype))
    expected = module(training.tensors(_cast(inputs, dtype)))
    outputs = [_distance(outputs[task], expected[task].detach()) for task in expected]
    module.train()
    result = step(params, variables, moments, _cast(inputs, dtype), targets)
    loss = _reference_loss(case, module, inputs, targets, dtype)
    loss.backward()
    differences = {
        "outputs": _worst(outputs),
        "gradients": _gradients(case.model, result.gradient, module),
    }
    if steps:
        module.load_state_dict({name: torch.as_tensor(x) for name, x in state.items()})
        differences |= _compare_training(
            case, module, step, (params, variables, moments), dtype, steps
        )
    return differences


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Runs PyTorch on one thread: at these sizes, several threads mostly wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Step(NamedTuple):
    """Results of one training step in JAX."""

    loss: Any
    gradient: Any
    params: Any
    variables: Any
    moments: Any


def _jax_step(case: Case, moves: bool) -> Callable[..., _Step]:
    """Loss and gradient in training mode and, if `moves`, the update, to compile as one program."""
    config = training.optimizer_of(case.model)
    tasks = training.tasks_of(case.model)

    def loss_of(params: Any, variables: Any, inputs: Any, targets: Any) -> Any:
        outputs, batch_stats = case.model.apply(
            {"params": params, **variables}, inputs, train=True, mutable=["batch_stats"]
        )
        losses = objective.per_example(tasks, outputs, targets)
        weights = jnp.ones(len(next(iter(targets.values()))))
        return objective.total(tasks, losses, weights), batch_stats

    def step(
        params: Any, variables: Any, moments: Any, inputs: Any, targets: Any, number: Any = 0
    ) -> _Step:
        differentiate = jax.value_and_grad(loss_of, has_aux=True)
        (loss, batch_stats), gradient = differentiate(params, variables, inputs, targets)
        if not moves:
            return _Step(loss, gradient, None, None, None)
        tx = optimizer.build(config, number, EPOCH, EPOCHS)
        updates, moments = tx.update(gradient, moments, params)
        return _Step(loss, gradient, optax.apply_updates(params, updates), batch_stats, moments)

    return step


def _gradients(model: nn.Module, gradient: Any, module: torch.nn.Module) -> float:
    """Largest relative difference of a parameter's gradient.

    Differences up to a few rounding errors of the largest gradient are within the tolerance: the
    gradient of a bias that shifts all scores of a softmax equally, or that a batch normalisation
    cancels, is zero up to rounding on both sides.
    """
    gradients = to_torch(model, {"params": gradient})
    references = {
        name: np.zeros(p.shape) if p.grad is None else p.grad.numpy()
        for name, p in module.named_parameters()
        if name in gradients or p.grad is not None
    }
    dtype = next(iter(gradients.values())).dtype
    largest = max(float(np.linalg.norm(value)) for value in references.values())
    tolerance = ROUNDINGS[str(dtype)] * float(np.finfo(dtype).eps)
    floor = largest * tolerance / TOLERANCES[str(dtype)]["gradients"]
    relative = [
        float(np.linalg.norm(gradients[name] - reference))
        / max(float(np.linalg.norm(reference)), floor)
        for name, reference in references.items()
    ]
    return _worst(relative)


def _compare_training(
    case: Case,
    module: torch.nn.Module,
    step: Callable[..., _Step],
    start: tuple[Any, Any, Any],
    dtype: str,
    steps: int,
) -> dict[str, float]:
    """Trains both sides on three batches in turn and compares losses and parameters."""
    config = training.optimizer_of(case.model)
    params, variables, moments = start
    torch_optimizer = training.optimizer(config, module)
    schedule = training.schedule(config, torch_optimizer, EPOCH, EPOCHS)
    sizes = [case.batch, case.batch, case.batch - case.uneven]
    losses = []
    for number in range(steps):
        inputs = spec_of(case.model).case_inputs(case, number % 3, sizes[number % 3])
        targets = _targets(case, inputs)
        result = step(params, variables, moments, _cast(inputs, dtype), targets, number)
        params, moments = result.params, result.moments
        variables = {**variables, **result.variables}
        torch_optimizer.zero_grad()
        loss = _reference_loss(case, module, inputs, targets, dtype)
        loss.backward()
        torch_optimizer.step()
        schedule.step()
        losses.append(abs(float(result.loss) - loss.item()) / abs(loss.item()))
    state = to_torch(case.model, {"params": params, **variables})
    reference_state = module.state_dict()
    distances = [_distance(value, reference_state[name]) for name, value in state.items()]
    return {"losses": _worst(losses), "parameters": _worst(distances)}


def _reference_loss(
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
    """Largest value; NaN if any value is NaN, which Python's `max` may ignore."""
    return float(np.max(values))
