"""Model card of an exported run (Mitchell et al., FAT* 2019): what it is, and is not for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from jaxdep.analysis import formatting, narrative, recordings, results
from jaxdep.analysis.predictions import Predictions
from jaxdep.inference.model import Model
from jaxdep.models import spec_of
from jaxdep.plain import markdown

_METRICS = ("metric", "mean", "std", "95% CI over runs", "95% CI over test items")

_USE = (
    "**This is not a diagnostic device.** It is for research. A label is what the authors of a"
    " corpus recorded about a person at one time; results do not apply to anyone outside that"
    " corpus, and no decision about a person may rest on them."
)

_LIMITS = (
    "Temperatures, thresholds of abstention and the intervals of scores come from the validation"
    " split, on which the epoch was selected, too: they are optimistic.",
    "Probabilities are calibrated at best for people like those of the corpus, recorded in the same"
    " way and with the same share of each class.",
    "A recording that is far from the training data may be predicted with any confidence: see its"
    " distance in the table of `jaxdep predict`.",
)


def card(model: Model, program: Mapping[str, Any]) -> str:
    """Content of the model card.

    Args:
      model: trained model.
      program: content of the exported `program.json`.

    Raises:
      UserError: the files of the run are damaged.
    """
    found = results.compute(model.source.path)
    lines = [f"# {markdown(formatting.title(found))}", "", _USE, ""]
    if found["synthetic"]:
        lines += ["**Trained on SYNTHETIC data: it says nothing about any person.**", ""]
    for title, part in (
        ("Model", _model(model, program)),
        ("Data and labels", _data(found)),
        ("Performance and calibration", _performance(found)),
        ("Subgroups", _subgroups(model, found)),
        ("Limits", _limits(model)),
        ("Program", _program(program)),
    ):
        lines += [f"## {title}", "", *part, ""]
    return "\n".join(lines).rstrip() + "\n"


def _model(model: Model, program: Mapping[str, Any]) -> list[str]:
    kind, experiment = type(model.module), model.experiment
    summary = (kind.__doc__ or "").split("\n")[0]
    parameters = model.meta["runs"][model.kept[0]]["parameters"]
    return [
        f"- {kind.__name__} (`{spec_of(model.module).name}`): {markdown(summary)}",
        f"- experiment `{experiment.name}`, settings with hash {model.meta['hash'][:12]};"
        f" {parameters:,} parameters",
        f"- ensemble of seeds {formatting.seeds(program['seeds'])}: the mean of their predictions",
    ]


def _data(found: Mapping[str, Any]) -> list[str]:
    lines = [f"- corpus: `{found['corpus']}`", f"- labels: {markdown(found['label_source'])}"]
    for role, split in found["splits"].items():
        people = f", {split['subjects']} subjects" if found["subjects"] == "known" else ""
        lines.append(f"- {role}: {split['items']} recordings of {markdown(split['name'])}{people}")
    return lines


def _performance(found: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, task in found["tasks"].items():
        rows = [cells[: len(_METRICS)] for cells in formatting.rows(task)]
        if task.get("calibration"):
            rows += formatting.calibration_rows(task)
        lines += [f"### {markdown(name)}", "", *_table(_METRICS, rows), ""]
    return [*lines, *(f"- {markdown(note)}" for note in narrative.notes(found))]


def _subgroups(model: Model, found: Mapping[str, Any]) -> list[str]:
    """Accuracy or mean absolute error in each group of test recordings that is known."""
    recorded = recordings.read(model.source.recordings)
    if recorded is None or not recorded.attributes or found["merge"] != "none":
        return ["Nothing is known of the groups to which the test recordings belong."]
    rows = []
    for task, predictions in results.finite_predictions(model.source.path, model.meta).items():
        classes = len(model.meta["classes"].get(task, ()))
        metric = "accuracy" if classes else "mae"
        for attribute, group, part in _groups(predictions, recorded):
            runs = range(len(part.runs))
            values = [results.run_metrics(part, run, classes)[metric] for run in runs]
            mean = formatting.number(float(np.mean(np.array(values, float))), metric)
            count = str(len(part.ids))
            named = [markdown(each) for each in (task, attribute, group)]
            rows.append([*named, count, formatting.metric_name(metric), mean])
    header = ("task", "attribute", "group", "recordings", "metric", "mean over seeds")
    note = "Differences between groups this small may be chance; no test was made."
    return [*_table(header, rows), "", note]


def _groups(
    predictions: Predictions, recorded: recordings.Recordings
) -> Iterator[tuple[str, str, Predictions]]:
    """Attribute, value and predictions of each group of recordings."""
    order = recorded.rows(predictions.ids)
    for attribute, values in recorded.attributes.items():
        here = values[order]
        for group in np.unique(here[here != ""]):
            rows = np.flatnonzero(here == group)
            part = replace(
                predictions,
                ids=predictions.ids[rows],
                target=predictions.target[rows],
                subjects=predictions.subjects[rows],
                prediction=predictions.prediction[:, rows],
                probability=predictions.probability[:, rows],
                logits=None if predictions.logits is None else predictions.logits[:, rows],
            )
            yield attribute, str(group), part


def _limits(model: Model) -> list[str]:
    lines = [f"- {each}" for each in _LIMITS]
    if spec_of(model.module).mixes_examples:
        lines.append(
            "- The network mixes the examples of a batch: predictions depend on the batch."
        )
    return lines


def _program(program: Mapping[str, Any]) -> list[str]:
    shown = lambda each: f"{each['dtype']} [{', '.join(each['shape'])}]"
    return [
        f"- lowered for {', '.join(program['platforms'])}; free sizes: {program['free']}",
        *(f"- input `{name}`: {shown(each)}" for name, each in program["inputs"].items()),
        *(
            f"- output `{task}`, `{kind}`: {shown(each)}"
            for task, kinds in program["outputs"].items()
            for kind, each in kinds.items()
        ),
        "",
        "Sequences are padded with zeros, and masks are true for real frames. Pad to the lengths of"
        " training to get the same numbers as `jaxdep predict`.",
        "",
        "```python",
        "import jax.export, pathlib",
        'program = jax.export.deserialize(pathlib.Path("program.bin").read_bytes())',
        "outputs = program.call(inputs)",
        "```",
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    line = lambda cells: f"| {' | '.join(cells)} |"
    return [line(header), f"|{'---|' * len(header)}", *map(line, rows)]
