"""Builds the PyTorch reference of a model.

A reference is an independent implementation: it follows the paper, the names of a checkpoint's
weights and the documented choices where the paper leaves something open, and shares no code with
the Flax module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import numpy as np
from torch.nn import Module

from jaxdep.models import spec_of
from jaxdep.overrides import fields_of


def reference(model: nn.Module, inputs: Mapping[str, Any], path: str = "") -> Module:
    """Builds the PyTorch reference of a model with the same configuration, in evaluation mode.

    Args:
      model: registered model.
      inputs: example inputs, which determine the input widths and lengths.
      path: dotted path of another module with the same arguments; empty: the reference.
    """
    spec = spec_of(model)
    features = {key: x for key, x in inputs.items() if x.dtype == np.uint8 or x.dtype.kind == "f"}
    sizes = {f"{key}_width": x.shape[-1] for key, x in features.items()}
    fields = {name: getattr(model, name) for name in fields_of(model)}
    return spec.load_reference(path)(**fields, **sizes, **spec.reference_sizes(inputs)).eval()
