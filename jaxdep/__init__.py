"""Five systems of multimodal depression recognition in JAX and Flax.

`jaxdep.run` trains an experiment for many seeds at once, `jaxdep.sweep` for many settings too;
`jaxdep.models` and `jaxdep.losses` are its parts; `jaxdep.parity` carries weights to and from
PyTorch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_SUBPACKAGES = ("losses", "models", "parity")
_FUNCTIONS = {"run": "jaxdep.launch", "evaluate": "jaxdep.launch", "sweep": "jaxdep.sweeps"}

__all__ = ["__version__", *_FUNCTIONS, *_SUBPACKAGES]


def __getattr__(name: str) -> Any:
    # Lazily: `import jaxdep` must not start JAX before the command line has chosen its devices.
    if name in _SUBPACKAGES:
        return import_module(f"jaxdep.{name}")
    if name in _FUNCTIONS:
        return getattr(import_module(_FUNCTIONS[name]), name)
    raise AttributeError(f"module 'jaxdep' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
