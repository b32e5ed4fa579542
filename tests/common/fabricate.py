"""Run folders made up for the analysis: random predictions of a known quality."""

import csv
import json
from dataclasses import asdict

import numpy as np

from jaxdep.artifacts.schema import PREDICTION_COLUMNS

CLASSES = {"depression": ["normal", "depression"], "emotion": ["calm", "sad", "glad"]}


def run_folder(
    path,
    seeds=(0, 1, 2),
    diverged=(),
    synthetic=True,
    items=60,
    accuracy=0.8,
    tasks=("depression", "emotion"),
    name="jamfn-demo",
    seed=0,
    corpus="dvlog",
    split="test",
    paper=("JAMFN", "Table 1", "JAMFN"),
    average="weighted",
    deterministic=False,
    bounds=(),
    sessions=(),
    subjects=None,
    attributes=None,
    title="A made-up run",
    changed=None,
    open_=(),
    signal=1.0,
    **settings,
):
    """Writes the files that `jaxdep run` leaves for the analysis.

    Every recording is of another subject, unless `subjects` names theirs, in order; those who are
    named have a gender, unless there are other `attributes`.
    """
    path.mkdir(parents=True)
    truth = {
        "signal": signal,
        "tasks": {
            "depression": {"chance": 0.5, "bayes_accuracy": 0.9},
            "score": {"chance_mae": 8.0, "bayes_mae": 0.5},
        },
    }
    tested = {"name": split, "items": items, "hash": "ab" * 32, "carved_from": None}
    runs = [
        {
            "run": run,
            "seed": s,
            "hyper": {"optimizer.learning_rate": 1e-3},
            "status": "diverged" if run in diverged else "finished",
            "epochs": 4,
            "best_epoch": 3,
            "parameters": 123,
        }
        for run, s in enumerate(seeds)
    ]
    meta = {
        "experiment": name,
        "title": title,
        "changed": changed or {},
        "hash": "cd" * 32,
        "corpus": {
            "name": corpus,
            "synthetic": synthetic,
            "synthetic_truth": truth if synthetic else None,
            "warnings": ["train has 3 recordings; the published corpus has 647."],
            "skipped": [],
            "label_source": "made up",
            "sessions": dict(sessions),
            "subjects_known": subjects is not None,
        },
        "splits": {
            "train": {**tested, "name": "train", "hash": "01" * 32},
            "validation": {**tested, "name": "valid", "hash": "02" * 32, "carved_from": "train"},
            "test": tested,
        },
        "classes": {task: CLASSES[task] for task in tasks if task in CLASSES},
        "selection": "lowest validation loss",
        "runs": runs,
        "compile": {"programs": 0 if deterministic else 1, "seconds": 1.0},
    }
    averages = {task: {"average": average, "bounds": list(bounds)} for task in tasks}
    row = dict(zip(("system", "source", "row"), paper, strict=True)) if paper else None
    row = row and row | {"open": list(open_)}
    write(path / "meta.json", meta)
    config = {"name": name, "tasks": averages, "paper": row, "seeds": list(seeds), **settings}
    write(path / "config.json", config)
    about = {"command": "jaxdep run jamfn-demo", "packages": {}, "prepared_corpus": "data"}
    write(path / "environment.json", {"python": "3.11", **about})
    write_metrics(path, runs)
    write_predictions(path, runs, tasks, items, accuracy, np.random.default_rng(seed))
    draws = np.random.default_rng([seed, 1])
    write_predictions(path, runs, tasks, items, accuracy, draws, "validation.csv")
    if attributes is None:
        genders = ["female" if item % 3 else "male" for item in range(items)]
        attributes = {"gender": genders} if subjects else {}
    for name in ("recordings.csv", "validation_recordings.csv"):
        write_recordings(
            path, subjects or [f"v{item:03d}" for item in range(items)], attributes, name
        )
    return path


def sweep_folder(path, rows, title="A made-up sweep", monitor="loss"):
    """Writes the files that `jaxdep sweep` leaves for the analysis, given the rows of a ranking."""
    run_folder(path / "best", tasks=("depression",), title=f"{title}; changed: learning_rate=1")
    ranking = [asdict(row) for row in rows]
    compiled = {"programs": 1, "seconds": 1.0}
    content = {"title": title, "monitor": monitor, "compile": compiled, "ranking": ranking}
    write(path / "sweep.json", content)
    return path


def write(path, data):
    path.write_text(json.dumps(data))


def write_metrics(path, runs):
    lines = []
    for epoch in range(1, 5):
        for run in runs:
            loss = 1 / epoch + 0.01 * run["run"]
            part = {"train": {"loss": loss}, "validation": {"loss": loss + 0.1}}
            about = {"run": run["run"], "seed": run["seed"], "epoch": epoch, "status": "running"}
            lines.append(json.dumps(about | part))
    (path / "metrics.jsonl").write_text("\n".join(lines) + "\n")


def write_predictions(path, runs, tasks, items, accuracy, rng, name="predictions.csv"):
    """The same targets for every folder of a size; answers by `rng`."""
    targets = np.random.default_rng(99)
    with (path / name).open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(PREDICTION_COLUMNS)
        for task in tasks:
            size = len(CLASSES.get(task, ()))
            truth = targets.integers(0, size, items) if size else targets.uniform(0, 30, items)
            for run in runs:
                for item, target in enumerate(truth):
                    answer = _answer(target, size, accuracy, rng)
                    about = [f"v{item:03d}", "test", task, run["run"], run["seed"]]
                    out.writerow([*about, target, *answer])


def write_recordings(path, subjects, attributes, name="recordings.csv"):
    ids = [f"v{item:03d}" for item in range(len(subjects))]
    with (path / name).open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "subject", *attributes])
        out.writerows(zip(ids, subjects, *attributes.values(), strict=True))


def _answer(target, size, accuracy, rng):
    if not size:
        return target + rng.normal(), "", ""
    answer = target if rng.random() < accuracy else rng.integers(0, size)
    sure = rng.uniform(0.5, 1)
    logits = np.full(size, np.log((1 - sure) / (size - 1)))
    logits[answer] = np.log(sure)
    shown = sure if size > 2 or answer == 1 else 1 - sure
    return answer, shown, " ".join(map(str, logits))
