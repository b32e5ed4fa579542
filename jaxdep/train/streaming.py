"""Trains runs on recordings that are read from disk during training.

`runs.Trainer` runs one program per epoch; here one program per step is fed by Grain. Example order,
random keys, updates and decisions are the same as for data in memory.
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
from jaxtyping import Float

from jaxdep import random
from jaxdep.data import sampling, stream
from jaxdep.errors import UserError
from jaxdep.experiment import Experiment
from jaxdep.train import checkpoint, hosts, objective, runs, step
from jaxdep.train.layout import Layout
from jaxdep.train.runs import shapes_of, shapes_of_one
from jaxdep.train.status import Status
from jaxdep.types import Array

Lengths = list[Mapping[str, int]]
"""Padded length L of each sequence, for each batch."""


class Progress(struct.PyTreeNode):
    """State of a run in the middle of an epoch.

    Attributes:
      state: training state.
      loss: sum of the losses of the examples seen so far in this epoch.
      began: whether the run was running at the start of the epoch.
    """

    state: step.State
    loss: Float[Array, ""]
    began: Array


class StreamTrainer(runs.Trainer):
    """A `Trainer` for splits that stay on disk.

    Attributes:
      save_every: number of steps between checkpoints within an epoch.
      buckets: number of groups of recordings of similar length, each padded to its longest one.
    """

    def __init__(
        self,
        experiment: Experiment,
        splits: Mapping[str, stream.Stored],
        layout: Layout,
        save_every: int = 200,
    ):
        """Keeps the `train` and `validation` splits open; recordings are read when needed."""
        stored: Mapping[str, Any] = splits  # the base class passes them on to `_open`
        super().__init__(experiment, stored, layout)
        self.save_every = save_every
        self.buckets = experiment.training.buckets
        self._within: Any = None
        self._one_step: Any = None
        self._restored: tuple[int, Progress] | None = None
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
        self, runs: step.Run, *, folder: Path | None = None, resume: bool = False, **kwargs: Any
    ) -> step.State:
        """As `Trainer.train`, but can also resume from a checkpoint within an epoch.

        Those checkpoints are stored next to `folder` and deleted when training has ended.
        """
        if folder is None:
            return super().train(runs, **kwargs)
        within = folder.with_name(f"{folder.name}-within")
        with ExitStack() as stack:
            self._within = stack.enter_context(checkpoint.manager(within))
            if resume:
                shapes = shapes_of(self.experiment, runs, self._example)
                like = jax.eval_shape(self._begin, shapes)
                self._restored = checkpoint.restore(self._within, like)
            state = super().train(runs, folder=folder, resume=resume, **kwargs)
        self._within = None
        if hosts.is_first():
            shutil.rmtree(within, ignore_errors=True)
        return state

    def memory_analysis(self, runs: step.Run) -> Any:
        """As `Trainer.memory_analysis`, of the program that runs a step with the longest batch."""
        self.compile(runs)
        size, shape = self.experiment.training.batch_size, jax.ShapeDtypeStruct
        run, blank = shapes_of_one(self.experiment, runs, self._example)
        batch = jax.tree.map(lambda x: shape((size, *x.shape[1:]), x.dtype), self._example)
        progress = jax.eval_shape(self._begin, blank)
        shared = self.layout.place_shared((np.ones(size, np.float32), np.int32(0), np.int32(1)))
        arguments = (self._one_step, (run, batch), progress, *shared)
        return self.layout.compile_ahead(*arguments, in_place=True).memory_analysis()

    def _predict(self, variables: Any, split: Any) -> dict[str, np.ndarray]:
        count = len(jax.tree.leaves(variables)[0])
        experiment = self.experiment

        def outputs_of(_: Any, variables: Any, inputs: Any) -> Any:
            return step.predict(experiment, variables, inputs)

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
        """Compiles the programs that begin an epoch, run a step, score a batch and end an epoch."""
        experiment, layout = self.experiment, self.layout

        def one_step(
            run_and_batch: Any, progress: Progress, weights: Any, number: Any, steps: Any
        ) -> tuple[Progress, None]:
            run, batch = run_and_batch

            def go_on(progress: Progress) -> Progress:
                inputs = (batch, weights, number, steps)
                state, loss = step.one_step(experiment, run, progress.state, *inputs)
                return progress.replace(state=state, loss=progress.loss + loss)

            return jax.lax.cond(progress.began, go_on, lambda same: same, progress), None

        def one_score(variables: Any, added: Any, batch: Any, weights: Any) -> Any:
            batch_sums = step.score(experiment, variables, batch, weights)
            return jax.tree.map(jnp.add, added, batch_sums), None

        def end(progress: Progress, added: Any) -> tuple[step.State, Any]:
            scores = objective.summarize(experiment.tasks, added)
            decided = step.decide(experiment, progress.state, scores[experiment.training.monitor])
            history = {
                "train": {"loss": progress.loss / len(self._train)},
                "validation": scores,
            }
            state_after = jax.tree.map(
                lambda new, old: jnp.where(progress.began, new, old), decided, progress.state
            )
            return state_after, jax.tree.map(
                lambda x: jnp.where(progress.began, x, jnp.nan), history
            )

        added = jax.eval_shape(
            lambda variables, batch: step.score(
                experiment, variables, batch, jnp.ones(1, jnp.float32)
            ),
            state.variables,
            self._example,
        )
        self._zeros = jax.tree.map(lambda x: np.zeros(x.shape, x.dtype), added)
        self._one_step = one_step
        self._check_lengths(state.variables)
        jax.eval_shape(end, jax.eval_shape(self._begin, state), added)  # fails on an unknown metric
        return (
            layout.compile(lambda _, state: self._begin(state)),
            layout.compile(one_step, in_place=True),
            layout.compile(one_score, in_place=True),
            layout.compile(end),
        )

    def _advance(self, runs: step.Run, placed: step.State, epoch: int) -> tuple[step.State, Any]:
        begin, one_step, one_score, end = self.compile(runs)
        layout, count = self.layout, len(runs.seed)
        placed_runs = layout.place_runs(runs)
        progress = begin(placed_runs, placed)
        orders, weights, lengths = self._orders(runs, epoch)
        steps, first = len(orders), 0
        if self._restored and self._restored[0] > epoch * steps:
            first, snapshot = self._restored[0] - epoch * steps, self._restored[1]
            progress = layout.place_runs(snapshot)
            progress = progress.replace(
                state=self._place(snapshot.state), began=layout.place_runs(snapshot.began, fill=0)
            )
        self._restored = None
        running = layout.fetch(progress.began)[:count]
        # Stopped runs read only the first recording, again and again.
        orders = np.where(running[:, None], orders, 0)
        prefetched = stream.batches(self._train, orders[first:], lengths[first:])
        for number, batch in enumerate(prefetched, first):
            run_and_batch = placed_runs, layout.place_runs(batch)
            now = np.int32(epoch * steps + number)
            shared = layout.place_shared((weights[number], now, np.int32(steps)))
            progress, _ = one_step(run_and_batch, progress, *shared)
            done = number + 1
            if self._within and done % self.save_every == 0 and done < steps:
                snapshot = jax.tree.map(lambda x: x[:count], layout.fetch(progress))
                checkpoint.save(self._within, epoch * steps + done, snapshot)
        added = self._score(one_score, progress.state.variables, count)
        return end(progress, added)

    def _score(self, one_score: Any, variables: Any, count: int) -> Any:
        spread = jax.tree.map(lambda x: np.broadcast_to(x, (count, *x.shape)), self._zeros)
        added = self.layout.place_runs(spread)
        orders, weights, lengths = self._in_order(self._validation)
        prefetched = stream.batches(self._validation, orders, lengths)
        for batch, weight in zip(prefetched, weights, strict=True):
            added, _ = one_score(variables, added, *self.layout.place_shared((batch, weight)))
        return added

    def _check_lengths(self, variables: Any) -> None:
        """Checks that the model accepts the padded lengths of all buckets."""
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
        """Items [S, R, B], weights [S, B] and padded lengths of the steps of an epoch."""
        orders, weights = self._draw(jnp.asarray(runs.seed), jnp.asarray(epoch))
        lengths = self._lengths(self._train)
        if self.buckets > 1:
            which = sampling.which_step(random.bucket_key(epoch), len(lengths))
            lengths = [lengths[step] for step in np.asarray(which)]
        return np.moveaxis(np.asarray(orders), 1, 0), np.asarray(weights[0]), lengths

    def _in_order(self, split: Any) -> tuple[np.ndarray, np.ndarray, Lengths]:
        """Batches of a split for evaluation, sorted by length if there are buckets."""
        orders, weights = sampling.in_order(len(split), self.experiment.training.batch_size)
        orders, weights = np.asarray(orders), np.asarray(weights)
        if self.buckets > 1:
            orders = np.asarray(sampling.by_length(split.frames))[orders]
        return orders, weights, self._lengths(split)

    def _lengths(self, split: Any) -> Lengths:
        """Padded length of each batch, starting with the group of the shortest recordings."""
        return [lengths for steps, lengths in self._groups(split) for _ in range(steps)]

    def _groups(self, split: Any) -> list[tuple[int, Mapping[str, int]]]:
        """Number of batches and padded lengths of each group, shortest recordings first."""
        size = self.experiment.training.batch_size
        steps = sampling.steps_per_epoch(len(split), size)
        if self.buckets == 1:
            return [(steps, split.lengths)]
        ranked, groups = np.asarray(sampling.by_length(split.frames)), []
        for first, last in sampling.groups(steps, self.buckets):
            group = ranked[first * size : last * size]
            lengths = {name: int(frames[group].max()) for name, frames in split.frames.items()}
            groups.append((last - first, lengths))
        return groups
