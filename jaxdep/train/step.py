"""One update, one epoch and one evaluation of a single run: pure functions of state and data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct
from jax.typing import ArrayLike
from jaxtyping import Float, Int

from jaxdep import random
from jaxdep.data import sampling
from jaxdep.experiment import Experiment
from jaxdep.overrides import override
from jaxdep.train import modality_dropout, objective, optimizer
from jaxdep.train.forward import forward
from jaxdep.train.layout import spread_batch
from jaxdep.train.status import Status
from jaxdep.types import Array, PRNGKey

Variables = Any
"""A model's Flax variables: `{"params": ..., "batch_stats": ...}`."""

Data = Mapping[str, Mapping[str, Array]]
"""A split on the device: `{"inputs": ..., "targets": ...}`; the first axis counts examples."""


class Run(struct.PyTreeNode):
    """Inputs that distinguish one run from another; NumPy arrays on the host.

    Attributes:
      seed: seed of all random draws.
      hyper: values of the traced settings, by dotted path.
    """

    seed: Int[Array, ""] | np.ndarray
    hyper: Mapping[str, Float[Array, ""] | np.ndarray]


class State(struct.PyTreeNode):
    """Training state of one run.

    Attributes:
      variables: current model variables.
      optimizer: optimizer state.
      best: variables of the epoch with the best score so far.
      score: monitored validation metric of that epoch, negated if higher is better.
      epoch: number of completed epochs.
      best_epoch: number of the best epoch, from 1; 0 before the first.
      waited: number of epochs since the best one.
      status: a `Status`.
    """

    variables: Variables
    optimizer: optax.OptState
    best: Variables
    score: Float[Array, ""]
    epoch: Int[Array, ""]
    best_epoch: Int[Array, ""]
    waited: Int[Array, ""]
    status: Int[Array, ""]


def settings(experiment: Experiment, run: Run) -> Experiment:
    """The experiment of one run, with its traced fields replaced by the run's values."""
    return override(experiment, run.hyper)


def init(experiment: Experiment, run: Run, example: Data) -> State:
    """Initializes the state of a run.

    Args:
      experiment: experiment to train.
      run: run to initialize.
      example: a split whose first recording determines the shapes.
    """
    return begin(experiment, run, draw(experiment, run.seed, example))


def draw(experiment: Experiment, seed: ArrayLike, example: Data) -> dict[str, Any]:
    """Draws the initial variables of a run; no forward pass is computed.

    Call it outside of `jit`: JAX then compiles one program for each shape of weights. Inside, XLA
    would compile the draw of every weight anew, which takes three times as long.

    Args:
      experiment: experiment to train.
      seed: seed of the run.
      example: as in `init`.
    """
    shape_of = lambda array: jax.ShapeDtypeStruct((1, *array.shape[1:]), array.dtype)
    key = random.init_key(random.run_key(seed))
    inputs = jax.tree.map(shape_of, example["inputs"])
    variables = dict(experiment.model.lazy_init(key, inputs))
    variables.pop("intermediates", None)
    # Batch statistics are initialized as float32 even if the parameters are not; without a cast
    # their dtype would change during training.
    dtype = jax.tree.leaves(variables["params"])[0].dtype
    return jax.tree.map(lambda leaf: leaf.astype(dtype), variables)


def begin(experiment: Experiment, run: Run, variables: Any) -> State:
    """The state of a run before its first update, from its initial variables."""
    tx = optimizer.build(settings(experiment, run).optimizer)
    zero = jnp.zeros((), jnp.int32)
    return State(
        variables=variables,
        optimizer=tx.init(variables["params"]),
        best=variables,
        score=jnp.full((), jnp.inf, jnp.float32),
        epoch=zero,
        best_epoch=zero,
        waited=zero,
        status=zero,
    )


def update(
    experiment: Experiment,
    tx: optax.GradientTransformation,
    state: State,
    batch: Data,
    weights: Float[Array, " batch"],
    keys: Mapping[str, PRNGKey],
) -> tuple[State, Float[Array, ""]]:
    """Performs one optimizer step; a non-finite step changes nothing but the status.

    Args:
      experiment: experiment to train.
      tx: gradient transformation of this step.
      state: state before the step.
      batch: examples of the step.
      weights: [B], 1 for real examples, 0 for padding.
      keys: random keys by Flax RNG collection.

    Returns:
      The new state, and the loss of the batch before the step.
    """
    tasks, inputs = experiment.tasks, batch["inputs"]
    if "batch_stats" in state.variables:  # padding examples must not affect batch statistics
        inputs = _mask_padding(inputs, weights)

    def loss_of(params):
        variables = {**state.variables, "params": params}
        outputs, changed = forward(
            experiment,
            variables,
            inputs,
            train=True,
            rngs=keys,
            mutable=["batch_stats"],
        )
        losses = objective.per_example(tasks, outputs, batch["targets"])
        return objective.total(tasks, losses, weights), changed

    differentiate = jax.value_and_grad(loss_of, has_aux=True)
    (loss, changed), gradient = differentiate(state.variables["params"])

    def accept(state: State) -> State:
        params = state.variables["params"]
        updates, moments = tx.update(gradient, state.optimizer, params)
        updated = {**changed, "params": optax.apply_updates(params, updates)}
        return state.replace(variables={**state.variables, **updated}, optimizer=moments)

    finite = jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(gradient))
    running = state.status == Status.RUNNING
    # Not a choice between two results: the compiler would hold old and new moments at once.
    state = jax.lax.cond(finite & running, accept, lambda same: same, state)
    status = jnp.where(running & ~finite, Status.DIVERGED, state.status).astype(jnp.int32)
    return state.replace(status=status), loss


def _mask_padding(inputs: Mapping[str, Array], weights: Float[Array, " batch"]) -> dict[str, Array]:
    """Marks every frame of the examples with weight 0 as padding."""
    real = (weights > 0)[:, None]
    return {name: x & real if name.endswith("_mask") else x for name, x in inputs.items()}


def train_epoch(
    experiment: Experiment, run: Run, state: State, data: Data
) -> tuple[State, Float[Array, ""]]:
    """One pass over the training split, in the order drawn for this run.

    Returns:
      The new state, and the mean of the losses observed during the epoch.
    """
    items = _items(data)
    frames, labels = frames_of(data["inputs"]), data["targets"][experiment.main_task]
    indices, weights = order(experiment, run.seed, state.epoch, frames, labels)

    def body(state, step):
        number, rows, weight = step
        batch = sampling.gather(data, rows)
        return one_step(experiment, run, state, batch, weight, number, steps)

    steps = len(indices)
    numbers = state.epoch * steps + jnp.arange(steps)
    state, losses = jax.lax.scan(body, state, (numbers, indices, weights))
    return state, losses.sum() / items


def order(
    experiment: Experiment,
    seed: Array | np.ndarray,
    epoch: Array,
    frames: Mapping[str, Any],
    labels: Array,
) -> tuple[Array, Array]:
    """Example indices and weights of each step of an epoch, as returned by `sampling.shuffled`.

    Args:
      experiment: experiment to train.
      seed: seed of the run.
      epoch: epoch number, from 0.
      frames: number of real frames [N] of each sequence, used to form buckets.
      labels: labels of the main task [N], used to balance classes.
    """
    training = experiment.training
    key = random.order_key(random.run_key(seed), epoch)
    items = len(labels)
    if training.sampler == "balanced":
        return sampling.balanced(key, labels, training.batch_size)
    if training.buckets == 1 or not frames:
        return sampling.shuffled(key, items, training.batch_size)
    steps_key, ranked = random.bucket_key(epoch), sampling.by_length(frames)
    return sampling.bucketed(key, steps_key, ranked, training.batch_size, training.buckets)


def frames_of(inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Number of real frames [N] of each sequence."""
    suffix = "_mask"
    masks = {name.removesuffix(suffix): x for name, x in inputs.items() if name.endswith(suffix)}
    return {name: mask.sum(1) for name, mask in masks.items()}


def one_step(
    experiment: Experiment,
    run: Run,
    state: State,
    batch: Data,
    weights: Array,
    number: Array,
    steps: int | Array,
) -> tuple[State, Float[Array, ""]]:
    """One update of a run with one batch.

    Args:
      experiment: experiment to train.
      run: run to update.
      state: state before the step.
      batch: examples of the step.
      weights: [B], 1 for real examples, 0 for padding.
      number: step number, counted over the whole run.
      steps: number of steps per epoch.

    Returns:
      The new state, and the sum of the losses of the real examples.
    """
    experiment = settings(experiment, run)
    epochs = experiment.training.epochs
    tx = optimizer.build(experiment.optimizer, number, steps, epochs)
    key = random.run_key(run.seed)
    keys = random.update_keys(key, number)
    batch = spread_batch(batch)
    batch = {**batch, "inputs": modality_dropout.drop(experiment, batch["inputs"], key, number)}
    state, loss = update(experiment, tx, state, batch, weights, keys)
    return state, loss * weights.sum()


def evaluate(experiment: Experiment, variables: Variables, data: Data) -> objective.Sums:
    """Means over a split, named as in `objective.summarize`."""

    def body(carry, step):
        rows, weights = step
        return carry, score(experiment, variables, sampling.gather(data, rows), weights)

    batches = sampling.in_order(_items(data), experiment.training.batch_size)
    _, totals = jax.lax.scan(body, None, batches)
    return objective.summarize(experiment.tasks, jax.tree.map(lambda x: x.sum(0), totals))


def score(
    experiment: Experiment, variables: Variables, batch: Data, weights: Array
) -> objective.Sums:
    """Evaluation sums of one batch."""
    batch = spread_batch(batch)
    outputs = forward(experiment, variables, batch["inputs"])
    return objective.sums(experiment.tasks, outputs, batch["targets"], weights)


def predict(
    experiment: Experiment, variables: Variables, inputs: Mapping[str, Array]
) -> dict[str, Array]:
    """Reported outputs for each recording of a batch: [B, C] or [B]."""
    outputs = forward(experiment, variables, spread_batch(inputs))
    return objective.predicted(experiment.tasks, outputs)


def epoch(
    experiment: Experiment, run: Run, state: State, train: Data, validation: Data
) -> tuple[State, dict[str, Any]]:
    """One epoch of a run: updates, validation, and the decision whether to continue.

    Returns:
      The new state, and the means of the epoch. A run that is no longer running keeps its state
      exactly, and its means are NaN.
    """

    def go_on(state: State) -> tuple[State, dict[str, Any]]:
        trained, train_loss = train_epoch(experiment, run, state, train)
        scores = evaluate(experiment, trained.variables, validation)
        decided = decide(experiment, trained, scores[experiment.training.monitor])
        return decided, {"train": {"loss": train_loss}, "validation": scores}

    def stay(state: State) -> tuple[State, dict[str, Any]]:
        _, history = jax.eval_shape(go_on, state)
        return state, jax.tree.map(lambda leaf: jnp.full(leaf.shape, jnp.nan, leaf.dtype), history)

    # Sequential runs skip the work of stopped runs; vectorized runs compute and discard it.
    return jax.lax.cond(state.status == Status.RUNNING, go_on, stay, state)


def decide(experiment: Experiment, state: State, monitored: Float[Array, ""]) -> State:
    """Records the best epoch, and stops runs that no longer improve or have diverged."""
    training = experiment.training
    score = -monitored if training.higher_is_better else monitored
    diverged = (state.status == Status.DIVERGED) | ~jnp.isfinite(score)
    better = (score < state.score) & ~diverged
    number = state.epoch + 1
    waited = jnp.where(better, 0, state.waited + 1)
    exhausted = training.patience > 0 and waited >= training.patience
    status = jnp.where(number >= training.epochs, Status.FINISHED, Status.RUNNING)
    status = jnp.where(exhausted, Status.STOPPED, status)
    status = jnp.where(diverged, Status.DIVERGED, status)
    return state.replace(
        best=_choose(better, state.variables, state.best),
        score=jnp.where(better, score, state.score),
        best_epoch=jnp.where(better, number, state.best_epoch),
        waited=waited,
        epoch=number,
        status=status.astype(jnp.int32),
    )


def _choose(condition: Array, new: Any, old: Any) -> Any:
    return jax.tree.map(lambda n, o: jnp.where(condition, n, o), new, old)


def _items(data: Data) -> int:
    return jax.tree.leaves(data)[0].shape[0]
