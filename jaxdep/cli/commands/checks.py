"""The command that compares models with PyTorch: `parity`."""

from __future__ import annotations

import importlib.util
import os

from tyro.conf import Positional

from jaxdep.cli import output
from jaxdep.errors import UserError


def parity(model: Positional[str] = "", full: bool = False) -> int:
    """Compares outputs, gradients and updates of models with their PyTorch references.

    Args:
        model: Name of a model, as listed by `jaxdep list`; all by default.
        full: Run every case in both precisions, and the papers' sizes; takes an hour.
    """
    require_torch()
    from jaxdep.parity import compare

    rows = compare.run(model or None, full, os.cpu_count() or 1)
    compare.show(rows, output.console)
    return 0 if all(row.ok for row in rows) else 1


def require_torch() -> None:
    """Checks that PyTorch is installed.

    Raises:
      UserError: it is not.
    """
    if importlib.util.find_spec("torch") is None:
        raise UserError("PyTorch is not installed; run: pip install 'jaxdep[parity]'")
