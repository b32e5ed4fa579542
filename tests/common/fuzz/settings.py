"""Hostile values of settings, given to experiments as `--set` gives them."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import jax
from jax import ShapeDtypeStruct

from fuzz.damage import CELLS
from fuzz.subjects import Attempt
from jaxdep.data import corpora
from jaxdep.experiment import Experiment
from jaxdep.experiments import EXPERIMENTS
from jaxdep.losses import OF_CLASSES
from jaxdep.overrides import parse_assignments, settings_of
from jaxdep.runner.run import find
from jaxdep.train import runs, step

VALUES = (
    *(text for text in CELLS if "\0" not in text),  # which no command line can hold
    *("-5", "1e9", "10**9", "1000000", "65536", "3", "2", "1,3", "1,", "()", "[]", "{}", "(2,)"),
    *("0.1", "1.0", "True", "False", "text", "visual", "acoustic,text", "mse", "huber", "sgd"),
    *("lambda: 0", "__import__('os')", "[" * 5000, "(" * 300 + ")" * 300, "{'a': 1}", "b'x'", "1j"),
    *("1e-320", "-0.0", "9" * 400, "'a'", '"', "\\", "a=b", "train", "test", "balanced", "cosine"),
)


UNKNOWN = ("", "model", "model.foo", "tasks.foo.loss", "corpus.options.x", "a.b.c", "..")
"""Settings that no experiment has."""


def opened(name: str, folder: Path) -> Attempt:
    """Constructs experiments with hostile settings and initialises their models."""
    names = sorted(EXPERIMENTS)

    def attempt(rng: Random, notes: list[str]) -> None:
        name = rng.choice(names)
        settings = list(settings_of(EXPERIMENTS[name]))
        given = [
            f"{setting.path}={rng.choice((rng.choice(VALUES), *_near(setting.value)))}"
            for setting in rng.sample(settings, rng.choice((1, 1, 2, 3)))
        ]
        if rng.random() < 0.05:
            given.append(f"{rng.choice(UNKNOWN)}={rng.choice(VALUES)}")
        notes += [name, *(text[:80] for text in given)]
        initialise(find(name, parse_assignments(given)))

    return attempt


def _near(value: Any) -> tuple[Any, ...]:
    """Values of the same type, many of which are permitted."""
    match value:
        case bool():
            return (not value,)
        case int():
            return 0, 1, 2, value + 1, 2 * value
        case float():
            return 0.0, value / 2, 0.999, 10 * value
        case tuple():
            return value[:1], value + value, value[::-1]
    return ()


def initialise(experiment: Experiment) -> None:
    """Traces the initialisation and the evaluation of a model, without computing anything."""
    example = examples(experiment)
    if experiment.is_baseline:
        return
    run = jax.tree.map(lambda x: x[0], runs.stack(experiment, [0]))
    state = jax.eval_shape(lambda data: step.init(experiment, run, data), example)
    jax.eval_shape(lambda *given: step.evaluate(experiment, *given), state.variables, example)


def examples(experiment: Experiment) -> dict[str, dict[str, ShapeDtypeStruct]]:
    """Shapes of four recordings of an experiment's corpus, of up to 32 frames."""
    corpus = experiment.corpus
    builder = corpora.builder_class(corpus.name)
    encoder = {"text_encoder": "hashing"} if corpus.name == "mgid" else {}
    features = builder.features(corpora.with_defaults(corpus.name, encoder | {**corpus.options}))
    data: dict[str, dict[str, Any]] = {"inputs": {}, "targets": {}}
    for name, feature in features.items():
        if feature.shape[:1] == (None,):
            frames = (4, min(32, corpus.lengths.get(name, 32)))
            data["inputs"][name] = ShapeDtypeStruct((*frames, *feature.shape[1:]), feature.np_dtype)
            data["inputs"][f"{name}_mask"] = ShapeDtypeStruct(frames, bool)
        elif feature.shape:
            data["inputs"][name] = ShapeDtypeStruct((4, *feature.shape), "float32")
    # Losses that do not fit the labels are refused when a corpus is opened; here, labels fit.
    for name, task in experiment.tasks.items():
        kind = "int32" if task.loss in OF_CLASSES else "float32"
        data["targets"][name] = ShapeDtypeStruct((4,), kind)
    return data
