"""Pictures of what a trained model attends to in new recordings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import jax
import numpy as np

from jaxdep.analysis.attention import attention
from jaxdep.analysis.style import ORANGE, save
from jaxdep.data.arrays import Split
from jaxdep.errors import UserError
from jaxdep.inference.description import Recording
from jaxdep.inference.model import Model
from jaxdep.inference.predictions import Predictions
from jaxdep.train import attention_maps

SHOWN = 8
"""Maximum number of recordings in a picture."""


def explain(
    model: Model,
    recordings: Mapping[str, Recording],
    predictions: Predictions,
    folder: Path,
    name: str,
) -> str:
    """Draws the attention over time of the first run, for the first recordings.

    Args:
      model: trained model.
      recordings: features of each recording, by id.
      predictions: what the model predicts for them.
      folder: folder of the table.
      name: name of the picture in its `figures`.

    Returns:
      The caption.

    Raises:
      UserError: the model has no attention over time.
    """
    ids = list(recordings)[:SHOWN]
    inputs = model.description.stack({name: recordings[name] for name in ids})
    names = np.asarray(ids)
    split = Split("predicted", names, inputs, {}, {}, names, {})
    variables = next(iter(model.variables.values()))
    with jax.default_matmul_precision(model.experiment.training.precision):
        maps = attention_maps.of_rows(model.experiment, variables, split, np.arange(len(ids)))
    main = model.experiment.main_task
    predicted = predictions.tasks[main].predicted[: len(ids)]
    stored = {**maps, "predictions": predicted, **attention_maps.legend(model.module)}
    classes = list(predictions.tasks[main].classes)
    drawn = attention(stored, classes) if maps else None
    if drawn is None:
        raise UserError(f"{type(model.module).__name__} has no attention over time to show")
    figure, caption = drawn
    if model.meta["corpus"]["synthetic"]:
        figure.suptitle("trained on SYNTHETIC data", fontsize=9, color=ORANGE)
    save(figure, folder, name, synthetic=False)
    return caption
