"""Run folders whose files are damaged, given to the commands that read them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import jax
import numpy as np
from fabricate import run_folder, sweep_folder
from small import SMALL

import jaxdep
from fuzz import trees
from fuzz.subjects import Attempt
from jaxdep.analysis.ranking import Row, rank
from jaxdep.artifacts.files import read_json
from jaxdep.cli import commands
from jaxdep.runner.evaluation import evaluate
from jaxdep.runner.missing import missing


def opened(name: str, folder: Path) -> Attempt:
    """Makes run folders and damages copies of them, each before a command."""
    sound = {"report": reported, "report of two runs": reported, "report of a sweep": swept}.get(
        name, trained
    )(folder)
    report = lambda *runs: commands.report(runs)
    commands_and_results: dict[str, tuple[Callable[[Path], object], str]] = {
        "report": (report, ""),
        "report of two runs": (lambda run: report(sound[0], run), ""),
        "report of a sweep": (report, "best"),
        "evaluate": (lambda run: evaluate(run, log=_ignore), "evaluate-test"),
        "missing": (lambda run: missing(run, log=_ignore), "missing"),
        "run --resume": (lambda run: train(run, folder / "data", resume=True), ""),
    }
    command, results = commands_and_results[name]
    command(Path(shutil.copytree(sound[0], folder / "copy")))

    def attempt(rng: Random, notes: list[str]) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            run = Path(shutil.copytree(rng.choice(sound), Path(scratch) / "run"))
            if name == "run --resume" and rng.random() < 0.5:  # as if it had been interrupted
                (run / "predictions.csv").unlink()
            notes += trees.damaged(rng, run)
            command(run)
            check(run / results)

    return attempt


def reported(folder: Path) -> list[Path]:
    """Folders of made-up classes and scores, with all files that reports read."""
    pairs = [f"p{item // 2}" for item in range(30)]
    classes = run_folder(folder / "classes", items=30, subjects=pairs)
    scores = run_folder(folder / "scores", items=30, tasks=("depression", "score"), bounds=(0, 63))
    draw = np.random.default_rng(0).random
    legend = {"streams": [["A_A", "voice", "blue"]], "panels": [["jaf", "scale"]]}
    of_two = {"ids": ["v1", "v2"], "targets": [0, 1], "predictions": [1, 1], "length": [9, 4]}
    maps: dict[str, Any] = {"jaf.0/A_A": draw((2, 9)), **legend, **of_two}
    np.savez(classes / "attention.npz", **maps)
    words: dict[str, Any] = {"targets": np.arange(12) % 2, "subjects": np.array(pairs[:12])}
    words["words/visual"] = draw((2, 12, 3))
    np.savez(classes / "words.npz", **words)
    return [classes, scores]


def swept(folder: Path) -> list[Path]:
    """The folder of a made-up sweep of two settings, with successive halving."""
    rows = [
        Row(
            number,
            {"x": 10.0**-number, "y": "ab"[number % 2]},
            scores=(0.5, 0.6 + 0.01 * number),
            higher_is_better=False,
            diverged=0,
            epochs=4,
            dropped=[0, 0, 2][number % 3],
        )
        for number in range(9)
    ]
    return [sweep_folder(folder / "sweep", rank(rows))]


def trained(folder: Path) -> list[Path]:
    """The folder of a small system, trained with two seeds."""
    jax.config.update("jax_compilation_cache_dir", str(folder / "programs"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    train(folder / "trained", folder / "data")
    return [folder / "trained"]


def train(out: Path, data: Path, resume: bool = False) -> None:
    """Trains, or resumes, a small system on a small stand-in."""
    jaxdep.run(
        "jamfn-demo", overrides=SMALL, seeds=2, out=out, data_dir=data, resume=resume, log=_ignore
    )


def check(written: Path) -> None:
    """Checks that the results that a command has written can be read."""
    read_json(written / "results.json")


def _ignore(line: str) -> None:
    pass
