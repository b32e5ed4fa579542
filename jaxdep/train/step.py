"""One update, one epoch, one evaluation of one run: pure functions of (state, data)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct
from jaxtyping import Array, Float, Int

from jaxdep import random
from jaxdep.data import sampling
from jaxdep.experiment import Experiment, override
from jaxdep.train import objective, optimizer
from jaxdep.train.devices import spread_batch
from jaxdep.train.forward import forward
from jaxdep.train.status import Status
from jaxdep.types import PRNGKey

Variables = Any
"""A model's Flax variables: `{"params": ..., "batch_stats": ...}`."""

Data = Mapping[str, Mapping[str, Array]]
"""A split on the device: `{"inputs": ..., "targets": ...}`, examples first."""


class Run(struct.PyTreeNode):
    """What is given of a run: its seed and the traced settings that are its own."""

    seed: Int[Array, ""]
    hyper: dict[str, Float[Array, ""]]


class State(struct.PyTreeNode):
    """Everything that a run becomes.

    Attributes:
      best: variables of the epoch with the best score so far.
      score: monitored validation quantity of that epoch; lower is better.
      waited: epochs since then.
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
    """The experiment as this run sees it: traced fields replaced by the run's own values."""
    return override(experiment, run.hyper)


def init(experiment: Experiment, run: Run, example: Data) -> State:
    """The state of a run before its first epoch.

    Args:
      example: a split of which the first recording gives the shapes.
    """
    inputs = jax.tree.map(lambda array: array[:1], example["inputs"])
    key = random.init_key(random.run_key(run.seed))
    variables = dict(experiment.model.init(key, inputs))
    variables.pop("intermediates", None)
    # Batch statistics start as float32 even where parameters do not, and would change type later.
    dtype = jax.tree.leaves(variables["params"])[0].dtype
    variables = jax.tree.map(lambda leaf: leaf.astype(dtype), variables)
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
    """One step of the optimiser; a step that is not finite changes nothing but the status.

    Returns:
      The new state, and the loss of the batch before the step.
    """
    tasks, inputs = experiment.tasks, batch["inputs"]
    if "batch_stats" in state.variables:  # which an example that fills a batch must not move
        inputs = _emptied(inputs, weights)

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

    params = state.variables["params"]
    (loss, changed), gradient = jax.value_and_grad(loss_of, has_aux=True)(params)
    updates, moments = tx.update(gradient, state.optimizer, params)
    moved = state.replace(
        variables={**state.variables, **changed, "params": optax.apply_updates(params, updates)},
        optimizer=moments,
    )
    finite = jnp.isfinite(loss) & jnp.isfinite(optax.tree.norm(gradient))
    running = state.status == Status.RUNNING
    state = _choose(finite & running, moved, state)
    status = jnp.where(running & ~finite, Status.DIVERGED, state.status).astype(jnp.int32)
    return state.replace(status=status), loss


def _emptied(inputs: Mapping[str, Array], weights: Float[Array, " batch"]) -> dict[str, Array]:
    """Inputs in which examples of weight 0 have no real frame."""
    real = (weights > 0)[:, None]
    return {name: x & real if name.endswith("_mask") else x for name, x in inputs.items()}


def train_epoch(
    experiment: Experiment, run: Run, state: State, data: Data
) -> tuple[State, Float[Array, ""]]:
    """One pass over the training split in this run's order.

    Returns:
      The new state, and the mean loss over examples as they were met.
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
    experiment: Experiment, seed: Array, epoch: Array, frames: Mapping[str, Any], labels: Array
) -> tuple[Array, Array]:
    """Which examples a run meets in each step of an epoch, as `sampling.shuffled` says it.

    Args:
      frames: of each sequence the number of real frames [N], by which buckets are made.
      labels: of the main task [N], by which balanced batches are drawn.
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
    """The number of real frames of each sequence [N]."""
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
    """One update of a run by one of its batches.

    Args:
      weights: [B], 1 for a real example, 0 for one that fills the batch.
      number: of the step, counted over the whole run.
      steps: in an epoch.

    Returns:
      The new state, and the sum of the losses over the real examples.
    """
    experiment = settings(experiment, run)
    epochs = experiment.training.epochs
    tx = optimizer.build(experiment.optimizer, number, steps, epochs)
    keys = random.update_keys(random.run_key(run.seed), number)
    state, loss = update(experiment, tx, state, spread_batch(batch), weights, keys)
    return state, loss * weights.sum()


def evaluate(experiment: Experiment, variables: Variables, data: Data) -> objective.Sums:
    """Means over a split, as `objective.summarize` names them."""

    def body(carry, step):
        rows, weights = step
        return carry, score(experiment, variables, sampling.gather(data, rows), weights)

    batches = sampling.in_order(_items(data), experiment.training.batch_size)
    _, added = jax.lax.scan(body, None, batches)
    return objective.summarize(experiment.tasks, jax.tree.map(lambda x: x.sum(0), added))


def score(
    experiment: Experiment, variables: Variables, batch: Data, weights: Array
) -> objective.Sums:
    """What one batch adds to an evaluation."""
    batch = spread_batch(batch)
    outputs = forward(experiment, variables, batch["inputs"])
    return objective.sums(experiment.tasks, outputs, batch["targets"], weights)


def predict(experiment: Experiment, variables: Variables, data: Data) -> dict[str, Array]:
    """Reported outputs for every recording of a split, in its order: [N, C] or [N]."""
    items = _items(data)
    indices, _ = sampling.in_order(items, experiment.training.batch_size)

    def body(carry, rows):
        batch = spread_batch(sampling.gather(data["inputs"], rows))
        outputs = forward(experiment, variables, batch)
        return carry, objective.predicted(experiment.tasks, outputs)

    _, outputs = jax.lax.scan(body, None, indices)
    return {
        task: outputs[task].reshape(-1, *outputs[task].shape[2:])[:items]
        for task in experiment.tasks
    }


def epoch(
    experiment: Experiment, run: Run, state: State, train: Data, validation: Data
) -> tuple[State, dict[str, Any]]:
    """One epoch of a run: updates, validation, and the decision whether it goes on.

    Returns:
      The new state, and the epoch's means. A run that is no longer running stays exactly as it is,
      and its means are NaN.
    """

    def go_on(state: State) -> tuple[State, dict[str, Any]]:
        trained, train_loss = train_epoch(experiment, run, state, train)
        scores = evaluate(experiment, trained.variables, validation)
        decided = decide(experiment, trained, scores[experiment.training.monitor])
        return decided, {"train": {"loss": train_loss}, "validation": scores}

    def stay(state: State) -> tuple[State, dict[str, Any]]:
        _, history = jax.eval_shape(go_on, state)
        return state, jax.tree.map(lambda leaf: jnp.full(leaf.shape, jnp.nan, leaf.dtype), history)

    # Runs one after another skip the work of a stopped run; vectorised runs discard it.
    return jax.lax.cond(state.status == Status.RUNNING, go_on, stay, state)


def decide(experiment: Experiment, state: State, monitored: Float[Array, ""]) -> State:
    """Keeps the best epoch and stops a run that no longer improves, or has diverged."""
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
