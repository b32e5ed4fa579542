"""Precisions of a benchmark, the same on both sides."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import jax
import torch


@dataclass(frozen=True)
class Precision:
    """How both sides compute.

    Attributes:
      compute: as `training.compute`; PyTorch's counterpart of `bfloat16` is autocast.
      tensorfloat32: whether GPUs may round the operands of products to TensorFloat-32.
    """

    compute: Literal["float32", "bfloat16"] = "float32"
    tensorfloat32: bool = False

    def autocast(self, device: str) -> AbstractContextManager[Any]:
        """PyTorch's context for the forward pass on a type of device."""
        if self.compute == "float32":
            return nullcontext()
        return torch.autocast(device, torch.bfloat16)


FLOAT32 = Precision()

PRECISIONS: Mapping[str, Precision] = {
    "float32": FLOAT32,
    "tensorfloat32": Precision(tensorfloat32=True),
    "bfloat16": Precision(compute="bfloat16"),
}
"""Precisions by name; `float32` is that of `jaxdep run` unless set otherwise."""


def use(precision: Precision) -> None:
    """Configures both libraries of this process.

    By default, JAX rounds operands on a GPU, and PyTorch those of cuDNN, but not of products.
    """
    name = "tensorfloat32" if precision.tensorfloat32 else "highest"
    jax.config.update("jax_default_matmul_precision", name)
    torch.backends.cuda.matmul.allow_tf32 = precision.tensorfloat32
    torch.backends.cudnn.allow_tf32 = precision.tensorfloat32
