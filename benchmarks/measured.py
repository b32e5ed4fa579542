"""Looks up benchmark targets: a model at one of the sizes defined in its spec."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jaxdep.errors import UserError
from jaxdep.models import SPECS
from jaxdep.models.spec import Case

STOCK = "stock"
"""Name of the unmodified PyTorch reference; a model's spec may define further ones."""


@dataclass(frozen=True)
class Target:
    """A model at one of its sizes.

    Attributes:
      case: model and input sizes.
      experiment: experiment whose corpus has a synthetic stand-in to read from disk; empty for
        none.
      references: dotted paths of the PyTorch modules to compare with, by name.
    """

    case: Case
    experiment: str
    references: Mapping[str, str]


def find(model: str, size: str) -> Target:
    """Finds a model at one of its sizes.

    Raises:
      UserError: the model or the size does not exist.
    """
    known = [name for name, spec in SPECS.items() if spec.measured]
    if model not in known:
        raise UserError(f"--model {model}: unknown model; choose from {', '.join(known)}")
    spec = SPECS[model]
    assert spec.measured
    sizes = spec.measured.sizes()
    if size not in sizes:
        raise UserError(f"--size {size}: unknown size of {model}; choose from {', '.join(sizes)}")
    references = {STOCK: spec.reference, **spec.measured.references}
    return Target(sizes[size], spec.measured.experiment, references)
