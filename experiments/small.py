"""Small variants of experiments, which train in seconds on a stand-in: for trying commands out.

Their results say nothing about a system: widths, lengths, recordings and epochs are all reduced.
"""

from collections.abc import Mapping
from typing import Any

from jaxdep.experiment import Experiment
from jaxdep.models import name_of
from jaxdep.overrides import override, settings_of

_CORPORA: Mapping[str, Mapping[str, Any]] = {
    "dvlog": {
        "synthetic.items": 120,
        "synthetic.mean_length": 40,
        "lengths.acoustic": 40,
        "lengths.visual": 40,
    },
    "avec2013": {"synthetic.items": 30, "synthetic.mean_seconds": 8.0},
    "avec2014": {"synthetic.items": 48, "synthetic.mean_seconds": 8.0},
    "daicwoz": {"synthetic.items": 40, "synthetic.mean_seconds": 60.0},
    "edaic": {"synthetic.items": 40, "synthetic.mean_seconds": 60.0},
    "lmvd": {
        "synthetic.items": 60,
        "synthetic.mean_length": 40,
        "lengths.acoustic": 40,
        "lengths.visual": 40,
    },
    "mgid": {"synthetic.items": 300},
    "mmd2023": {"synthetic.items": 40, "synthetic.mean_seconds": 60.0},
    "ewre": {"synthetic.items": 60},
}

_MODELS: Mapping[str, Mapping[str, Any]] = {
    "jamfn": {"hidden": 8, "layers": 1, "channels": 8},
    "mddr": {
        "features": 16,
        "filters": (8, 8),
        "layers": 1,
        "heads": 2,
        "feed_forward": 16,
        "score_hidden": 8,
        "head_hidden": 8,
    },
    "amm": {"text_hidden": 8, "visual_hidden": 8, "features": 16, "task_hidden": 8},
    "depformer": {"hidden": 16},
}

_EPOCHS = 3


def small(experiment: Experiment) -> Experiment:
    """Returns a small variant of an experiment of this package, with the same name and title."""
    model = _MODELS.get(name_of(experiment.model) or "", {})
    known = {setting.path for setting in settings_of(experiment)}
    corpus = {
        path: value
        for path, value in _CORPORA.get(experiment.corpus.name, {}).items()
        if not path.startswith("lengths.") or f"corpus.{path}" in known
    }
    changes = {f"corpus.{path}": value for path, value in corpus.items()}
    changes |= {f"model.{name}": value for name, value in model.items()}
    return override(experiment, {**changes, "training.epochs": _EPOCHS})
