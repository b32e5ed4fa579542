"""Registry of models: the five systems, networks released by authors, baselines and plug-ins.

Each system has a folder: `README.md` documents the paper's equations and the interpretations
chosen, `model.py` is the network, and `spec.py` describes it to the rest of the library.
"""

from collections.abc import Iterator, Mapping

import flax.linen as nn

from jaxdep.models.amm import AMM
from jaxdep.models.amm import spec as _amm
from jaxdep.models.baselines import LogisticRegression
from jaxdep.models.depformer import DEPFormer, DEPFormerReleased
from jaxdep.models.depformer import spec as _depformer
from jaxdep.models.jamfn import JAMFN
from jaxdep.models.jamfn import spec as _jamfn
from jaxdep.models.mddr import MDDR
from jaxdep.models.mddr import spec as _mddr
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

BASELINES: dict[str, type] = {"logistic_regression": LogisticRegression}
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


__all__ = [
    "AMM",
    "BASELINES",
    "JAMFN",
    "MDDR",
    "MODELS",
    "SMFL",
    "SPECS",
    "DEPFormer",
    "DEPFormerReleased",
    "LogisticRegression",
    "ModelSpec",
    "SMFLReleased",
    "name_of",
    "spec_of",
]
