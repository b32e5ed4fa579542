"""A baseline on a small stand-in of AVEC2014, whose sessions have two recordings each."""

from dataclasses import replace

from jaxdep.experiment import Corpus, Task
from jaxdep.experiments import EXPERIMENTS

BINARY = replace(
    EXPERIMENTS["lr-ewre"],
    name="lr-avec2014",
    corpus=Corpus(
        name="avec2014",
        synthetic={"items": 48, "mean_seconds": 8.0},
        train="training",
        validation="development",
        test=("testing",),
    ),
    tasks={"depressed": Task()},
    paper=None,
)
