"""Writes the folder of a run that never was, for the tests of tables and reports."""

import json

import numpy as np

COLUMNS = "id,split,task,run,seed,target,prediction,probability"
EMOTIONS = ["neutral", "happiness", "fear", "surprise", "depressed", "anger"]


def write(
    folder,
    *,
    name="jamfn",
    corpus="dvlog",
    title="A fabricated run",
    runs=4,
    items=120,
    seed=0,
    skill=1.5,
    synthetic=False,
    diverged=(),
    tasks=("depression",),
    regression=False,
    paper=("JAMFN", "Table 1", "JAMFN"),
    deterministic=False,
    attention=True,
    warnings=(),
    skipped=(),
    average="weighted",
):
    """Writes every file of a finished run; returns the folder."""
    folder.mkdir(parents=True)
    # Targets depend on the items alone, so that two folders can be compared.
    names = {"depression": ["normal", "depression"], "emotion": EMOTIONS}
    lines = [COLUMNS]
    for number, task in enumerate(tasks):
        rng = np.random.default_rng([seed, number])
        shared = np.random.default_rng([99, number])
        if regression:
            target = shared.integers(0, 46, items)
            noise = rng.normal(scale=8, size=(runs, items))
            prediction = 12 + 0.5 * (target - 12) + noise
            said = None
        else:
            classes = len(names[task])
            target = shared.integers(0, classes, items)
            logits = rng.normal(size=(1, items, classes)) + rng.normal(size=(runs, items, classes))
            logits += skill * np.eye(classes)[target]
            shares = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
            prediction = shares.argmax(-1)
            said = shares[..., 1] if classes == 2 else shares.max(-1)
        for run in range(runs):
            for item in range(items):
                probability = "" if said is None else f"{said[run, item]:.9g}"
                cells = [f"v{item:04d}", "test", task, run, seed + run, target[item]]
                lines.append(",".join(map(str, [*cells, prediction[run, item], probability])))
    (folder / "predictions.csv").write_text("\n".join(lines) + "\n")

    rng = np.random.default_rng(seed)
    status = ["diverged" if run in diverged else "stopped early" for run in range(runs)]
    described, history = [], []
    for run in range(runs):
        epochs = 5 if run in diverged else 12 + run
        for epoch in range(1, epochs + 1):
            fall = 0.7 * np.exp(-epoch / 5) + 0.02 * rng.random()
            rise = 0.35 + 0.35 * np.exp(-epoch / 3) + 0.01 * epoch + 0.02 * rng.random()
            bad = run in diverged and epoch == epochs
            history.append(
                {
                    "run": run,
                    "seed": seed + run,
                    "epoch": epoch,
                    "train": {"loss": None if bad else fall},
                    "validation": {"loss": None if bad else rise},
                    "status": "running",
                }
            )
        described.append(
            {
                "run": run,
                "seed": seed + run,
                "hyper": {"optimizer.learning_rate": 1e-3},
                "status": "finished" if deterministic else status[run],
                "epochs": epochs,
                "best_epoch": min(epochs, 8),
                "parameters": 123456,
            }
        )
    if not deterministic:
        (folder / "metrics.jsonl").write_text("".join(json.dumps(h) + "\n" for h in history))

    truth = {"depression": {"kind": "classification", "bayes_accuracy": 0.9, "chance": 0.5}}
    split = {"name": "test", "items": items, "hash": "ab" * 32, "carved_from": None}
    meta = {
        "experiment": name,
        "title": title,
        "hash": "cd" * 32,
        "corpus": {
            "name": corpus,
            "synthetic": synthetic,
            "synthetic_truth": {"corpus": corpus, "tasks": truth} if synthetic else None,
            "warnings": list(warnings),
            "skipped": list(skipped),
            "label_source": "as annotated by nobody",
        },
        "splits": {
            "train": {**split, "name": "train", "items": 600, "hash": "01" * 32},
            "validation": {"name": "train", "items": 60, "hash": "02" * 32, "carved_from": "train"},
            "test": split,
        },
        "classes": {} if regression else {task: names[task] for task in tasks},
        "selection": "lowest validation loss; weights of the best epoch restored",
        "runs": described,
        "compile": {"programs": 0 if deterministic else 1, "seconds": 1.5},
    }
    (folder / "meta.json").write_text(json.dumps(meta))
    row = dict(zip(("system", "source", "row"), paper, strict=True)) if paper else None
    config = {
        "name": name,
        "title": title,
        "tasks": {task: {"loss": "cross_entropy", "average": average} for task in tasks},
        "paper": row,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "environment.json").write_text(json.dumps({"python": "3.11", "command": "jaxdep"}))
    if attention and not regression and not deterministic:
        _attention(folder / "attention.npz", rng)
    return folder


def _attention(path, rng):
    scores = {
        f"jaf.{scale}/{symbol}": np.exp(2 * rng.normal(size=(4, 40)))
        for scale in range(3)
        for symbol in ("A_A", "A_V", "T_A")
    }
    maps = {name: values / values.sum(1, keepdims=True) for name, values in scores.items()}
    ids = np.array([f"v{item:04d}" for item in range(4)])
    about = {"targets": np.array([0, 0, 1, 1]), "predictions": np.array([0, 1, 1, 1])}
    np.savez(path, ids=ids, length=np.array([40, 25, 31, 12]), **about, **maps)
