"""Five systems for multimodal depression recognition in JAX and Flax.

`jaxdep.run` trains an experiment for many seeds at once, and `jaxdep.sweep` for many settings as
well. `jaxdep.evaluate` tests a finished run on another split, `jaxdep.missing` without some of its
modalities, and `jaxdep.load` returns its model, which predicts new recordings. `jaxdep.models` and
`jaxdep.losses` hold the building blocks, and `jaxdep.parity` converts weights to and from PyTorch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jaxdep import losses as losses
    from jaxdep import models as models
    from jaxdep import parity as parity
    from jaxdep.inference.model import load as load
    from jaxdep.runner.evaluation import evaluate as evaluate
    from jaxdep.runner.missing import missing as missing
    from jaxdep.runner.run import run as run
    from jaxdep.runner.sweep import sweep as sweep

__version__ = "0.1.0"

_SUBPACKAGES = ("losses", "models", "parity")
_FUNCTIONS = {
    "run": "jaxdep.runner.run",
    "evaluate": "jaxdep.runner.evaluation",
    "load": "jaxdep.inference.model",
    "missing": "jaxdep.runner.missing",
    "sweep": "jaxdep.runner.sweep",
}

__all__ = [
    "__version__",
    "evaluate",
    "load",
    "losses",
    "missing",
    "models",
    "parity",
    "run",
    "sweep",
]


def __getattr__(name: str) -> Any:
    # Lazy: `import jaxdep` must not initialize JAX before the command line has set up devices.
    if name in _SUBPACKAGES:
        return import_module(f"jaxdep.{name}")
    if name in _FUNCTIONS:
        return getattr(import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module 'jaxdep' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
