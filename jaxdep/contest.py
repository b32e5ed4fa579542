"""The runs of a sweep: trained as far as an epoch, the worse half given up, the rest trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np

from jaxdep import record, search
from jaxdep.analysis import ranking
from jaxdep.experiment import Experiment
from jaxdep.folder import History, RunFolder
from jaxdep.train import memory, runs, step
from jaxdep.train.status import Status

Display = Callable[[Experiment, int], Any]
"""Makes the progress display of so many runs."""


@dataclass
class Contest:
    """The state of every run of a sweep, and which configurations are still in it.

    Attributes:
      how: layout of the runs, as `memory.trainer` takes it.
      states: on the host, by configuration and seed.
      dropped: epoch after which a configuration was given up.
    """

    subject: record.Subject
    groups: Sequence[search.Group]
    seeds: Sequence[int]
    folder: RunFolder
    resume: bool
    how: Mapping[str, Any]
    log: Callable[[str], None]
    report: Display | None
    states: dict[tuple[int, int], step.State] = field(default_factory=dict)
    dropped: dict[int, int] = field(default_factory=dict)
    trainers: dict[int, runs.Trainer] = field(default_factory=dict)

    @property
    def programs(self) -> int:
        """How many training programs were compiled."""
        return sum(trainer.programs for trainer in self.trainers.values())

    @property
    def compile_seconds(self) -> float:
        """Spent on compiling them."""
        return sum(trainer.compile_seconds for trainer in self.trainers.values())

    def compile(self) -> None:
        """Compiles the programs of all groups.

        Raises:
          UserError: a group's settings do not fit one another, or not the corpus.
        """
        for number, group in enumerate(self.groups):
            self._trainer(number, group)

    def train(self, until: int) -> None:
        """Trains every run that is still in, as far as an epoch."""
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
                name = f"{until}-{number}-{start // size}"
                self._train_some(group, trainer, members[start : start + size], until, name)

    def halve(self, epoch: int) -> None:
        """Gives up the worse half of the configurations."""
        alive = [c for group in self.groups for c in group.members if c not in self.dropped]
        ordered = sorted(alive, key=lambda c: (np.mean(self._scores(c)), c))
        losers = ordered[-(-len(ordered) // 2) :]
        self.dropped |= dict.fromkeys(losers, epoch)
        self.log(f"after epoch {epoch}: {len(losers)} of {len(alive)} configurations stop")

    def rows(self, points: Sequence[search.Configuration]) -> list[ranking.Row]:
        """All configurations, best first."""
        higher = self.subject.experiment.training.higher_is_better
        found = []
        for number, values in enumerate(points):
            states = [self.states[number, seed] for seed in self.seeds]
            sound = [s for s in states if s.status != Status.DIVERGED]
            row = ranking.Row(
                number,
                values,
                scores=tuple(float(-s.score if higher else s.score) for s in sound),
                higher_is_better=higher,
                diverged=len(states) - len(sound),
                epochs=max(int(s.epoch) for s in states),
                dropped=self.dropped.get(number, 0),
            )
            found.append(row)
        return ranking.rank(found)

    def together(self, configuration: int) -> step.State:
        """The states of a configuration's runs, [S, ...]."""
        return _stack([self.states[configuration, seed] for seed in self.seeds])

    def predict(
        self, configuration: int, variables: Any, split: step.Data
    ) -> dict[str, np.ndarray]:
        """Outputs of a configuration's runs for a split, [S, N, C] or [S, N] for each task.

        Args:
          variables: [S, ...] on the host.
        """
        number = next(n for n, group in enumerate(self.groups) if configuration in group.members)
        trainer = self._trainer(number, self.groups[number])
        size = trainer.layout.runs
        parts = [
            trainer.predict(jax.tree.map(lambda x, at=at: x[at : at + size], variables), split)
            for at in range(0, len(self.seeds), size)
        ]
        return jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)

    def _scores(self, configuration: int) -> list[float]:
        states = [self.states[configuration, seed] for seed in self.seeds]
        return [np.inf if s.status == Status.DIVERGED else float(s.score) for s in states]

    def _trainer(self, number: int, group: search.Group) -> runs.Trainer:
        if number not in self.trainers:
            data = {name: split.arrays for name, split in self.subject.splits.items()}
            each = [hyper for hyper in group.hyper for _ in self.seeds]
            all_runs = runs.stack(group.experiment, [*self.seeds] * len(group.members), each)
            self.trainers[number] = memory.trainer(group.experiment, data, all_runs, **self.how)
        return self.trainers[number]

    def _train_some(
        self, group: search.Group, trainer: runs.Trainer, members: Any, until: int, name: str
    ) -> None:
        """Trains as many runs as fit at once, and keeps their states."""
        configurations, seeds, hyper = zip(*members, strict=True)
        keys = list(zip(configurations, seeds, strict=True))
        history = History(self.folder.path / "history" / f"{name}.jsonl")
        history.path.parent.mkdir(exist_ok=True)
        known = keys[0] in self.states
        with self.report(group.experiment, len(keys)) if self.report else nullcontext() as display:

            def note(epoch: int, status: np.ndarray, lines: list[dict[str, Any]]) -> None:
                about = [{"configuration": configurations[x["run"]], **x} for x in lines]
                history.add(epoch, about)
                if display:
                    display(epoch, status, lines)

            state = trainer.train(
                runs.stack(group.experiment, seeds, hyper),
                state=_stack([self.states[key] for key in keys]) if known else None,
                until=until,
                folder=self.folder.checkpoints / name,
                resume=self.resume,
                report=note,
            )
        for row, key in enumerate(keys):
            self.states[key] = jax.tree.map(lambda leaf, row=row: leaf[row], state)


def _stack(states: Sequence[step.State]) -> step.State:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *states)
