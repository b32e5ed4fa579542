"""Tests on another corpus than was trained on: features, labels and people of the two."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from jaxdep.data import corpora
from jaxdep.errors import UserError


def label_of(trained: str, tested: str, label: str) -> str:
    """The label of another corpus that measures the same, by what the corpora declare.

    Args:
      trained: corpus that is trained on.
      tested: corpus that is tested on.
      label: label of the former.

    Raises:
      UserError: no mapping of the label is declared.
    """
    ours, theirs = (corpora.builder_class(name).MEASURES for name in (trained, tested))
    measured = ours.get(label)
    for name, other in theirs.items():
        if measured is not None and other == measured:
            return name
    known = ", ".join(f"{name} ({what})" for name, what in theirs.items()) or "none declared"
    raise UserError(
        f"{label} of {trained} ({measured or 'not declared'}) is not measured in {tested}; its"
        f" labels: {known}. Only labels that measure the same are compared"
    )


_PREPARATION = (
    *("cut", "max_sentences", "normalize", "fix_audio_start", "absolute_time"),
    *("text_encoder", "text_tokens"),
)
"""Options that mean the same in all corpora that have them."""


def shared_options(tested: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Those options of one corpus by which another one is to be prepared as well.

    Args:
      tested: the other corpus.
      options: options that the first one was prepared with.
    """
    known, found = vars(corpora.builder_class(tested).OPTIONS), {}
    for name in (name for name in _PREPARATION if name in options and name in known):
        try:
            found |= corpora.parse_options(tested, {name: options[name]})
        except UserError:
            continue  # of another type there
    return found


def check_options(
    trained: Mapping[str, Any], tested: Mapping[str, Any], inputs: Collection[str]
) -> None:
    """Checks that two prepared corpora have the same embeddings of their words.

    Args:
      trained: `corpus.json` of the corpus that is trained on.
      tested: that of the other one.
      inputs: inputs that the model reads.

    Raises:
      UserError: they were made by different encoders.
    """
    key = "text_encoder"
    ours, theirs = (each["options"].get(key) for each in (trained, tested))
    if any(name.startswith("text") for name in inputs) and ours != theirs:
        raise UserError(
            f"{trained['name']} has text of {ours or 'TEXT.npy'}, {tested['name']} of"
            f" {theirs or 'TEXT.npy'}: set corpus.options.{key} to one encoder"
        )


def check_inputs(train: Any, test: Any, inputs: Collection[str]) -> None:
    """Checks that two splits have the same inputs, with the same widths.

    Args:
      train: split of the corpus that is trained on.
      test: split of the other one.
      inputs: inputs that the model reads; empty for all sequences and vectors.

    Raises:
      UserError: an input is missing or has another width; all are listed.
    """
    ours, theirs = widths(train), widths(test)
    wanted = [name for name in inputs or ours if name in ours]
    same = [name for name in wanted if ours[name] == theirs.get(name)]
    if len(same) == len(wanted):
        return
    problems = "; ".join(
        f"{name}: {ours[name]} features and {theirs.get(name, 'none')}"
        for name in wanted
        if name not in same
    )
    advice = f", such as model.modalities={','.join(same)}" if same else ""
    raise UserError(
        f"{train.name} and {test.name} have different features: {problems}. Choose a model that"
        f" reads what they share{advice}"
    )


def widths(split: Any) -> dict[str, int]:
    """Width of each input of a split, in memory or on disk, without its masks."""
    inputs = getattr(split, "inputs", None)
    if inputs is None:
        return {name: kind.shape[-1] for name, kind in split.features.items() if kind.shape}
    return {name: x.shape[-1] for name, x in inputs.items() if not name.endswith("_mask")}


def check_classes(train: Any, test: Any, tasks: Collection[str]) -> None:
    """Checks that the classes of each task have the same names in the same order.

    Raises:
      UserError: they differ.
    """
    for task in tasks:
        ours, theirs = train.classes.get(task), test.classes.get(task)
        if ours != theirs:
            raise UserError(f"{task} has the classes {ours} in training, but {theirs} in the test")


def shared_people(trained: str, tested: str, train: Collection[Any], test: Any) -> np.ndarray:
    """Ids of the people of a test split who are also in training or validation data.

    Corpora share people only if they are declared to have recorded the same ones: elsewhere, equal
    ids mean nothing.

    Args:
      trained: corpus that is trained on.
      tested: corpus that is tested on.
      train: splits of the former.
      test: split of the latter.
    """
    people, others = (corpora.builder_class(name).PEOPLE for name in (trained, tested))
    if not people or people != others:
        return np.array([], dtype=test.subjects.dtype)
    known = np.concatenate([split.subjects for split in train])
    return np.intersect1d(known, test.subjects)


def left_out(split: Any, people: np.ndarray) -> Any:
    """A split without the recordings of some people.

    Raises:
      UserError: nobody is left.
    """
    kept = np.flatnonzero(~np.isin(split.subjects, people))
    if not len(kept):
        raise UserError(f"all people of {split.name} are in the test split: nobody is left")
    return split if len(kept) == len(split) else split.take(kept, split.name, split.carved_from)


def combined(trained: Mapping[str, Any], tested: Mapping[str, Any]) -> dict[str, Any]:
    """Description of the data of a run, from the `corpus.json` of both corpora.

    No best attainable score is known: the stand-ins have different planted events.
    """
    both = (trained, tested)
    sources = [f"{each['name']}: {each['label_source']}" for each in both]
    return {
        **trained,
        "synthetic": {"tasks": {}} if any(each["synthetic"] for each in both) else None,
        "warnings": [f"{each['name']}: {text}" for each in both for text in each["warnings"]],
        "skipped": [*trained["skipped"], *tested["skipped"]],
        "label_source": "; ".join(sources),
        "sessions": tested.get("sessions", {}),
        "subjects_known": tested["subjects_known"],
    }
