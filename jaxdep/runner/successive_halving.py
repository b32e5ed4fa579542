"""Trains the runs of a sweep and stops the worse half of the configurations at each rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from jaxdep.analysis import ranking
from jaxdep.artifacts.run_dir import History
from jaxdep.runner import search_space
from jaxdep.runner.options import Display, Log
from jaxdep.runner.reporting import RunRecorder
from jaxdep.train import memory, runs, step
from jaxdep.train.status import Status


@dataclass
class SuccessiveHalving:
    """State of all runs of a sweep.

    Attributes:
      recorder: recorder of the sweep.
      groups: configurations, grouped by compiled program.
      seeds: seeds of each configuration.
      layout: device settings, passed to `memory.plan`.
      log: callback for messages.
      report: factory of the progress display.
      states: state of each run on the host, by configuration and seed.
      dropped: epoch after which each stopped configuration was stopped.
      trainers: trainer of each group.
    """

    recorder: RunRecorder
    groups: Sequence[search_space.Group]
    seeds: Sequence[int]
    layout: Mapping[str, Any]
    log: Log
    report: Display | None
    states: dict[tuple[int, int], step.State] = field(default_factory=dict)
    dropped: dict[int, int] = field(default_factory=dict)
    trainers: dict[int, runs.Trainer] = field(default_factory=dict)

    @property
    def programs(self) -> int:
        """Number of compiled training programs."""
        return sum(trainer.programs for trainer in self.trainers.values())

    @property
    def compile_seconds(self) -> float:
        """Time spent compiling them."""
        return sum(trainer.compile_seconds for trainer in self.trainers.values())

    def compile(self) -> None:
        """Compiles the programs of all groups.

        Raises:
          UserError: the settings of a group are incompatible with one another or with the corpus.
        """
        for number, group in enumerate(self.groups):
            self._trainer(number, group)

    def train(self, until: int) -> None:
        """Trains every run that has not been stopped, up to an epoch."""
        for number, group in enumerate(self.groups):
            members = [
                (configuration, seed, hyper)
                for configuration, hyper in zip(group.members, group.hyper, strict=True)
                for seed in self.seeds
                if configuration not in self.dropped
            ]
            if not members:
                continue
            trainer = self._trainer(number, group)
            size = trainer.layout.runs
            for start in range(0, len(members), size):
                together = members[start : start + size]
                # The size may differ when a sweep is resumed: files are named after what they hold.
                name = f"{until}-{number}-{start}-{start + len(together)}"
                self._train_some(group, trainer, together, until, name)

    def halve(self, epoch: int) -> None:
        """Stops the worse half of the configurations."""
        alive = [c for group in self.groups for c in group.members if c not in self.dropped]
        ordered = sorted(alive, key=lambda c: (np.mean(self._scores(c)), c))
        losers = ordered[-(-len(ordered) // 2) :]
        self.dropped |= dict.fromkeys(losers, epoch)
        self.log(f"after epoch {epoch}: stopped {len(losers)} of {len(alive)} configurations")

    def rows(self, points: Sequence[search_space.Configuration]) -> list[ranking.Row]:
        """All configurations, ranked from best to worst.

        Args:
          points: configurations of the sweep, to which the members of the groups are indices.
        """
        higher = self.recorder.prepared.experiment.training.higher_is_better
        rows = []
        for number in sorted(c for group in self.groups for c in group.members):
            states = [self.states[number, seed] for seed in self.seeds]
            finite = [s for s in states if s.status != Status.DIVERGED]
            row = ranking.Row(
                number,
                points[number],
                scores=tuple(float(-s.score if higher else s.score) for s in finite),
                higher_is_better=higher,
                diverged=len(states) - len(finite),
                epochs=max(int(s.epoch) for s in states),
                dropped=self.dropped.get(number, 0),
            )
            rows.append(row)
        return ranking.rank(rows)

    def together(self, configuration: int) -> step.State:
        """Stacked states of all runs of a configuration, [S, ...]."""
        return _stack([self.states[configuration, seed] for seed in self.seeds])

    def predict(
        self, configuration: int, variables: Any, split: step.Data
    ) -> dict[str, np.ndarray]:
        """Outputs of a configuration's runs on a split, [S, N, C] or [S, N] for each task.

        Args:
          configuration: index of the configuration.
          variables: model variables, [S, ...], on the host.
          split: split to predict.
        """
        number = next(n for n, group in enumerate(self.groups) if configuration in group.members)
        return self._trainer(number, self.groups[number]).predict(variables, split)

    def _scores(self, configuration: int) -> list[float]:
        states = [self.states[configuration, seed] for seed in self.seeds]
        return [np.inf if s.status == Status.DIVERGED else float(s.score) for s in states]

    def _trainer(self, number: int, group: search_space.Group) -> runs.Trainer:
        if number not in self.trainers:
            splits = self.recorder.prepared.data.splits
            data = {name: split.arrays for name, split in splits.items()}
            each = [hyper for hyper in group.hyper for _ in self.seeds]
            all_runs = runs.stack(group.experiment, [*self.seeds] * len(group.members), each)
            plan = memory.plan_in_memory(group.experiment, data, all_runs, **self.layout)
            self.log(plan.describe(len(all_runs.seed)))
            self.trainers[number] = plan.trainer
        return self.trainers[number]

    def _train_some(
        self, group: search_space.Group, trainer: runs.Trainer, members: Any, until: int, name: str
    ) -> None:
        """Trains runs that fit on the devices together, and stores their states."""
        configurations, seeds, hyper = zip(*members, strict=True)
        keys = list(zip(configurations, seeds, strict=True))
        run_dir = self.recorder.run_dir
        history = History(run_dir.path / "history" / f"{name}.jsonl")
        history.path.parent.mkdir(exist_ok=True)
        started = keys[0] in self.states
        with self.report(group.experiment, len(keys)) if self.report else nullcontext() as display:

            def on_epoch(epoch: int, status: np.ndarray, lines: list[dict[str, Any]]) -> None:
                entries = [{"configuration": configurations[x["run"]], **x} for x in lines]
                history.add(epoch, entries)
                if display:
                    display(epoch, status, lines)

            state = trainer.train(
                runs.stack(group.experiment, seeds, hyper),
                state=_stack([self.states[key] for key in keys]) if started else None,
                until=until,
                folder=run_dir.checkpoints / name,
                resume=self.recorder.resume,
                report=on_epoch,
            )
        for row, key in enumerate(keys):
            self.states[key] = jax.tree.map(lambda leaf, row=row: leaf[row], state)


def _stack(states: Sequence[step.State]) -> step.State:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *states)
