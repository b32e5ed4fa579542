"""Runs whose recordings are read from disk while they train: the same updates, step by step.

What `runs.Trainer` does in one program an epoch is here one program a step, fed by Grain; orders,
keys, updates and decisions are those of the resident path.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from flax.errors import ScopeParamShapeError
from jaxtyping import Array, Float

from jaxdep import random
from jaxdep.data import sampling, stream
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.train import checkpoint, hosts, objective, runs, step
from jaxdep.train.devices import Layout
from jaxdep.train.status import Status

Lengths = list[Mapping[str, int]]
"""L of each sequence, for each batch."""


class Progress(struct.PyTreeNode):
    """A run in the middle of an epoch.

    Attributes:
      loss: sum over the examples met so far in this epoch.
      began: whether the run was running when the epoch began.
    """

    state: step.State
    loss: Float[Array, ""]
    began: Array


class StreamTrainer(runs.Trainer):
    """A `Trainer` for splits that stay on disk.

    Attributes:
      save_every: steps between checkpoints inside an epoch.
      buckets: groups of recordings of like length, each padded to its own longest one.
    """

    def __init__(
        self,
        experiment: Experiment,
        splits: Mapping[str, stream.Stored],
        layout: Layout,
        save_every: int = 200,
    ):
        """Keeps the splits `train` and `validation`; only what is met is read."""
        super().__init__(experiment, splits, layout)
        self.save_every = save_every
        self.buckets = experiment.training.buckets
        self._within: Any = None
        self._found: tuple[int, Progress] | None = None
        draw = lambda seed, epoch: step.order(
            experiment,
            seed,
            epoch,
            self._train.frames,
            jnp.asarray(self._train.targets[experiment.main_task]),
        )
        self._draw = jax.jit(jax.vmap(draw, in_axes=(0, None)))

    def _open(self, splits: Mapping[str, Any]) -> step.Data:
        self._train, self._validation = splits["train"], splits["validation"]
        return self._train.take(np.arange(1), self._train.name).load().arrays

    def train(
        self, runs: step.Run, *, folder: Path | None = None, resume: bool = False, **how: Any
    ) -> step.State:
        """As `Trainer.train`; continues from the last checkpoint inside an epoch, if there is one.

        Those lie beside `folder`, and go when training has ended.
        """
        if folder is None:
            return super().train(runs, **how)
        within = folder.with_name(f"{folder.name}-within")
        with ExitStack() as stack:
            self._within = stack.enter_context(checkpoint.manager(within))
            if resume:
                like = self._begin(self.init(runs))
                self._found = checkpoint.restore(self._within, like)
            state = super().train(runs, folder=folder, resume=resume, **how)
        self._within = None
        if hosts.first():
            shutil.rmtree(within, ignore_errors=True)
        return state

    def predict(self, variables: Any, split: Any) -> dict[str, np.ndarray]:
        """As `Trainer.predict`, for a split on disk."""
        count = len(jax.tree.leaves(variables)[0])
        experiment = self.experiment

        def outputs_of(_: Any, variables: Any, inputs: Any) -> Any:
            outputs = step.forward(experiment, variables, inputs)
            return objective.predicted(experiment.tasks, outputs)

        program = self.layout.compile(outputs_of)
        placed = self.layout.place_runs((np.zeros(count, np.int32), variables))
        orders, weights, lengths = self._in_order(split)
        parts = [
            self.layout.fetch(program(*placed, self.layout.place_shared(batch["inputs"])))
            for batch in stream.batches(split, orders, lengths)
        ]
        back = np.argsort(orders[weights > 0])
        joined = lambda task: np.concatenate([part[task][:count] for part in parts], 1)
        return {task: joined(task)[:, : len(split)][:, back] for task in experiment.tasks}

    def _compile(self, run: step.Run, state: step.State) -> Any:
        """The programs of a step, of a batch of the validation split, and of an epoch's end."""
        experiment, layout = self.experiment, self.layout

        def one_step(
            given: Any, progress: Progress, weights: Any, number: Any, steps: Any
        ) -> Progress:
            run, batch = given

            def go_on(progress: Progress) -> Progress:
                told = (batch, weights, number, steps)
                state, loss = step.one_step(experiment, run, progress.state, *told)
                return progress.replace(state=state, loss=progress.loss + loss)

            return jax.lax.cond(progress.began, go_on, lambda same: same, progress)

        def one_score(variables: Any, added: Any, batch: Any, weights: Any) -> Any:
            more = step.score(experiment, variables, batch, weights)
            return jax.tree.map(jnp.add, added, more)

        def end(progress: Progress, added: Any) -> tuple[step.State, Any]:
            scores = objective.summarize(experiment.tasks, added)
            decided = step.decide(experiment, progress.state, scores[experiment.training.monitor])
            history = {
                "train": {"loss": progress.loss / len(self._train)},
                "validation": scores,
            }
            kept = jax.tree.map(
                lambda new, old: jnp.where(progress.began, new, old), decided, progress.state
            )
            return kept, jax.tree.map(lambda x: jnp.where(progress.began, x, jnp.nan), history)

        added = jax.eval_shape(
            lambda variables, batch: step.score(
                experiment, variables, batch, jnp.ones(1, jnp.float32)
            ),
            state.variables,
            self._example,
        )
        self._zeros = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), added)
        self._check_lengths(state.variables)
        jax.eval_shape(end, jax.eval_shape(self._begin, state), added)  # names what is missing
        return (
            layout.compile(lambda _, state: self._begin(state)),
            layout.compile(one_step, donate=(1,)),
            layout.compile(one_score, donate=(1,)),
            layout.compile(end),
        )

    def _advance(self, runs: step.Run, there: step.State, epoch: int) -> tuple[step.State, Any]:
        begin, one_step, one_score, end = self.compile(runs)
        layout, count = self.layout, len(runs.seed)
        runs_there = layout.place_runs(runs)
        progress = begin(runs_there, there)
        orders, weights, lengths = self._orders(runs, epoch)
        steps, first = len(orders), 0
        if self._found and self._found[0] > epoch * steps:
            first, held = self._found[0] - epoch * steps, self._found[1]
            progress = layout.place_runs(held)
            progress = progress.replace(
                state=self._place(held.state), began=layout.place_runs(held.began, fill=0)
            )
        self._found = None
        running = layout.fetch(progress.began)[:count]
        # Runs that have stopped read the first recording only, over and over.
        orders = np.where(running[:, None], orders, 0)
        ahead = stream.batches(self._train, orders[first:], lengths[first:])
        for number, batch in enumerate(ahead, first):
            given = runs_there, layout.place_runs(batch)
            now = np.int32(epoch * steps + number)
            shared = layout.place_shared((weights[number], now, np.int32(steps)))
            progress = one_step(given, progress, *shared)
            done = number + 1
            if self._within and done % self.save_every == 0 and done < steps:
                held = jax.tree.map(lambda x: x[:count], layout.fetch(progress))
                checkpoint.save(self._within, epoch * steps + done, held)
        added = self._score(one_score, progress.state.variables, count)
        return end(progress, added)

    def _score(self, one_score: Any, variables: Any, count: int) -> Any:
        spread = jax.tree.map(lambda x: np.broadcast_to(x, (count, *x.shape)), self._zeros)
        added = self.layout.place_runs(spread)
        orders, weights, lengths = self._in_order(self._validation)
        ahead = stream.batches(self._validation, orders, lengths)
        for batch, weight in zip(ahead, weights, strict=True):
            added = one_score(variables, added, *self.layout.place_shared((batch, weight)))
        return added

    def _check_lengths(self, variables: Any) -> None:
        """Refuses buckets of lengths that the model cannot read."""
        example = self._example["inputs"]
        for split in (self._train, self._validation) if self.buckets > 1 else ():
            for _, lengths in self._groups(split):
                cut = {
                    name: x[:, : lengths.get(name.removesuffix("_mask"))]
                    for name, x in example.items()
                }
                try:
                    jax.eval_shape(partial(step.forward, self.experiment), variables, cut)
                except (ValueError, ScopeParamShapeError) as error:
                    model = type(self.experiment.model).__name__
                    raise UserError(
                        f"training.buckets={self.buckets}: {model} cannot read recordings of"
                        f" {dict(lengths)} frames ({error}); set training.buckets=1"
                    ) from None

    def _begin(self, state: Any) -> Any:
        loss = jnp.zeros_like(state.score)
        return Progress(state=state, loss=loss, began=state.status == Status.RUNNING)

    def _orders(self, runs: step.Run, epoch: int) -> tuple[np.ndarray, np.ndarray, Lengths]:
        """Items of each step and run [S, R, B], weights of each step [S, B], and its lengths."""
        orders, weights = self._draw(jnp.asarray(runs.seed), jnp.asarray(epoch))
        lengths = self._lengths(self._train)
        if self.buckets > 1:
            which = sampling.which_step(random.bucket_key(epoch), len(lengths))
            lengths = [lengths[step] for step in np.asarray(which)]
        return np.moveaxis(np.asarray(orders), 1, 0), np.asarray(weights[0]), lengths

    def _in_order(self, split: Any) -> tuple[np.ndarray, np.ndarray, Lengths]:
        """A split's batches for evaluation, the shortest recordings first if there are buckets."""
        orders, weights = sampling.in_order(len(split), self.experiment.training.batch_size)
        orders, weights = np.asarray(orders), np.asarray(weights)
        if self.buckets > 1:
            orders = np.asarray(sampling.by_length(split.frames))[orders]
        return orders, weights, self._lengths(split)

    def _lengths(self, split: Any) -> Lengths:
        """Of each batch from the shortest group on: what its group is padded to."""
        return [lengths for steps, lengths in self._groups(split) for _ in range(steps)]

    def _groups(self, split: Any) -> list[tuple[int, Mapping[str, int]]]:
        """The number of batches of each group, from the shortest on, and what it is padded to."""
        size = self.experiment.training.batch_size
        steps = sampling.steps_per_epoch(len(split), size)
        if self.buckets == 1:
            return [(steps, split.lengths)]
        ranked, found = np.asarray(sampling.by_length(split.frames)), []
        for first, last in sampling.groups(steps, self.buckets):
            group = ranked[first * size : last * size]
            own = {name: int(frames[group].max()) for name, frames in split.frames.items()}
            found.append((last - first, own))
        return found
