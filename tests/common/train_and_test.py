"""Trains runs together to the end and predicts the test split."""

from typing import Any, NamedTuple

from jaxdep.train import runs


class Trained(NamedTuple):
    """Final state of all runs, and their outputs on the test split at the best epoch."""

    state: Any
    outputs: Any


def train_and_test(experiment, all_runs, splits, layout, **options) -> Trained:
    """Trains runs; the options are those of `runs.Trainer.train`."""
    trainer = runs.Trainer(experiment, splits, layout)
    state = trainer.train(all_runs, **options)
    return Trained(state, trainer.predict(state.best, splits["test"]))
