"""Run folders made up for the analysis: random predictions of a known quality."""

import csv
import json

import numpy as np

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
):
    """Writes the files that `jaxdep run` leaves for the analysis."""
    path.mkdir(parents=True)
    truth = {
        "tasks": {
            "depression": {"chance": 0.5, "bayes_accuracy": 0.9},
            "score": {"chance_mae": 8.0, "bayes_mae": 0.5},
        }
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
        "title": "A made-up run",
        "hash": "cd" * 32,
        "corpus": {
            "name": corpus,
            "synthetic": synthetic,
            "synthetic_truth": truth if synthetic else None,
            "warnings": ["train has 3 recordings; the published corpus has 647."],
            "skipped": [],
            "label_source": "made up",
            "sessions": dict(sessions),
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
    write(path / "meta.json", meta)
    config = {"name": name, "tasks": averages, "paper": row, "seeds": list(seeds)}
    write(path / "config.json", config)
    about = {"command": "jaxdep run jamfn-demo", "packages": {}, "prepared_corpus": "data"}
    write(path / "environment.json", {"python": "3.11", **about})
    write_metrics(path, runs)
    write_predictions(path, runs, tasks, items, accuracy, np.random.default_rng(seed))
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


def write_predictions(path, runs, tasks, items, accuracy, rng):
    """The same targets for every folder of a size; answers by `rng`."""
    targets = np.random.default_rng(99)
    with (path / "predictions.csv").open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["id", "split", "task", "run", "seed", "target", "prediction", "probability"])
        for task in tasks:
            size = len(CLASSES.get(task, ()))
            truth = targets.integers(0, size, items) if size else targets.uniform(0, 30, items)
            for run in runs:
                for item, target in enumerate(truth):
                    answer, sure = _answer(target, size, accuracy, rng)
                    about = [f"v{item:03d}", "test", task, run["run"], run["seed"]]
                    out.writerow([*about, target, answer, sure])


def _answer(target, size, accuracy, rng):
    if not size:
        return target + rng.normal(), ""
    answer = target if rng.random() < accuracy else rng.integers(0, size)
    sure = rng.uniform(0.5, 1)
    return answer, sure if size > 2 or answer == 1 else 1 - sure
