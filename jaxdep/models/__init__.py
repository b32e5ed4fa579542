"""Registry of models: the five systems, networks released by authors, baselines and plug-ins.

Each system has a folder: `README.md` documents the paper's equations and the interpretations
chosen, `model.py` is the network, and `spec.py` describes it to the rest of the library.
"""

from collections.abc import Iterator, Mapping

import flax.linen as nn

from jaxdep.models.amm import AMM
from jaxdep.models.amm import spec as _amm
from jaxdep.models.baselines import (
    BERT,
    BLSTM,
    DCNN,
    HAN,
    RCNN,
    SVM,
    TAMFN,
    TFN,
    BiGRU,
    DepressionDetector,
    FeatureFusion,
    KNNFusion,
    LogisticRegression,
    MHABiLSTM,
    MulT,
    RandomForest,
    av_specs,
    tm_specs,
)
from jaxdep.models.depformer import DEPFormer, DEPFormerReleased
from jaxdep.models.depformer import spec as _depformer
from jaxdep.models.jamfn import JAMFN
from jaxdep.models.jamfn import spec as _jamfn
from jaxdep.models.mddr import MDDR
from jaxdep.models.mddr import spec as _mddr
from jaxdep.models.modalities import Parts
from jaxdep.models.smfl import SMFL, SMFLReleased
from jaxdep.models.smfl import spec as _smfl
from jaxdep.models.spec import ModelSpec
from jaxdep.plugins import Registry

_BUILT_IN = (
    _jamfn.SPEC,
    _amm.SPEC,
    _mddr.SPEC,
    _smfl.SPEC,
    _smfl.RELEASED,
    _depformer.SPEC,
    _depformer.RELEASED,
    *av_specs.SPECS,
    *tm_specs.SPECS,
)

SPECS: Mapping[str, ModelSpec] = Registry(
    "jaxdep.models", {spec.name: spec for spec in _BUILT_IN}, ModelSpec
)
"""Specs of all models by name; other packages add theirs through entry points."""


class _Classes(Mapping[str, type[nn.Module]]):
    """Flax modules by the name of their spec."""

    def __getitem__(self, name: str) -> type[nn.Module]:
        return SPECS[name].model

    def __iter__(self) -> Iterator[str]:
        return iter(SPECS)

    def __len__(self) -> int:
        return len(SPECS)


MODELS: Mapping[str, type[nn.Module]] = _Classes()
"""Flax modules by name; the fields of a module are its configuration."""

BASELINES: dict[str, type] = {
    "logistic_regression": LogisticRegression,
    "svm": SVM,
    "random_forest": RandomForest,
    "knn_fusion": KNNFusion,
}
"""Baselines fitted by scikit-learn, by name."""


def name_of(model: object) -> str | None:
    """Registered name of a model or baseline; None if it is not registered."""
    names = MODELS if isinstance(model, nn.Module) else BASELINES
    return next((name for name, kind in names.items() if type(model) is kind), None)


def spec_of(model: nn.Module) -> ModelSpec:
    """Spec of a model.

    Raises:
      KeyError: the model's class is not registered.
    """
    name = name_of(model)
    if name is None or name in BASELINES:
        raise KeyError(type(model).__name__)
    return SPECS[name]


def modalities_of(model: object) -> Parts:
    """Inputs of each modality of a model; empty for baselines and models without a spec."""
    name = name_of(model)
    return {} if name is None or name in BASELINES else SPECS[name].modalities(model)


__all__ = [
    "AMM",
    "BASELINES",
    "BERT",
    "BLSTM",
    "DCNN",
    "HAN",
    "JAMFN",
    "MDDR",
    "MODELS",
    "RCNN",
    "SMFL",
    "SPECS",
    "SVM",
    "TAMFN",
    "TFN",
    "BiGRU",
    "DEPFormer",
    "DEPFormerReleased",
    "DepressionDetector",
    "FeatureFusion",
    "KNNFusion",
    "LogisticRegression",
    "MHABiLSTM",
    "ModelSpec",
    "MulT",
    "RandomForest",
    "SMFLReleased",
    "modalities_of",
    "name_of",
    "spec_of",
]
