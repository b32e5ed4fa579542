"""Exports a trained run: a program for any machine with JAX, weights for PyTorch, a model card."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import export as jax_export
from safetensors.numpy import save

from jaxdep.artifacts.files import check_writable, replaced, write_json, write_text
from jaxdep.errors import UserError
from jaxdep.inference import card
from jaxdep.inference.model import Model
from jaxdep.train.forward import forward
from jaxdep.train.objective import predicted

PROGRAM, DESCRIPTION, CARD = "program.bin", "program.json", "card.md"

PLATFORMS = ("cpu", "cuda")
"""Platforms that programs are lowered for."""


def export(model: Model, folder: Path) -> dict[str, Any]:
    """Exports a model to a folder.

    It holds `program.bin`, a program serialized by `jax.export`, which computes the same calibrated
    probabilities or scores as `Model.predict` from padded inputs, weights included; `program.json`,
    which describes its inputs and outputs; `weights-seed<S>.safetensors` with the PyTorch
    `state_dict` of each run; and the model card.

    Args:
      model: trained model.
      folder: folder to write; must be new or empty.

    Returns:
      The content of `program.json`.

    Raises:
      UserError: the model is a scikit-learn baseline, or the folder is not empty or cannot be
        written.
    """
    from jaxdep.parity.convert import to_torch

    variables_of = model.variables
    check_writable(folder)
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty; set another --out")
    folder.mkdir(parents=True, exist_ok=True)
    exported, free = _program(model)
    with replaced(folder / PROGRAM) as temporary:
        temporary.write_bytes(exported.serialize())
    described = {
        "title": model.meta["title"],
        "synthetic": model.meta["corpus"]["synthetic"],
        "seeds": [int(seed) for seed in variables_of],
        "inputs": _described(exported.in_tree, exported.in_avals),
        "outputs": _described(exported.out_tree, exported.out_avals),
        "classes": {task: list(names) for task, names in model.meta["classes"].items()},
        "free": free,
        "platforms": list(exported.platforms),
        "batch_size": model.experiment.training.batch_size,
    }
    write_json(folder / DESCRIPTION, described)
    for seed, variables in variables_of.items():
        with replaced(folder / f"weights-seed{seed}.safetensors") as temporary:
            temporary.write_bytes(save(to_torch(model.module, variables)))
    write_text(folder / CARD, card.card(model, described))
    return described


def _program(model: Model) -> tuple[jax_export.Exported, str]:
    """Exports the program with as many free sizes as the model allows, and says which these are.

    Models compute with the sizes of their inputs in many ways, and weights may fix a length, so
    what is allowed is found by trying.
    """
    calibrated = _calibrated(model)
    for free, blank in _shapes(model):
        with jax.default_matmul_precision(model.experiment.training.precision):
            program = jax.jit(calibrated)
            try:
                return jax_export.export(program, platforms=PLATFORMS)(blank), free
            except Exception:  # a size that must be a number fails in many ways
                if free == "none":
                    raise
    raise AssertionError("the last shapes have no free sizes")


def _calibrated(model: Model) -> Any:
    """The function from inputs to the calibrated probabilities or scores of all runs together."""
    weights = jax.tree.map(lambda leaf: np.asarray(leaf)[list(model.kept)], model.weights)
    tasks, experiment = model.experiment.tasks, model.experiment
    several = min(len(model.kept) - 1, 1)  # a single run has a spread of 0
    temperatures = {
        task: np.asarray(each.temperatures, np.float32) for task, each in model.calibration.items()
    }

    def scaled(probability: Any, temperature: float) -> Any:
        logits = jnp.log(jnp.maximum(probability, jnp.finfo(jnp.float32).tiny))
        return jax.nn.softmax(logits / temperature, axis=-1)

    def outputs_of(inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        one = lambda variables: predicted(tasks, forward(experiment, variables, inputs))
        outputs = jax.lax.map(one, weights)
        found = {}
        for task in tasks:
            each = outputs[task]
            if not temperatures[task].size:
                found[task] = {"score": each.mean(0), "spread": each.std(0, ddof=several)}
                continue
            each = jax.nn.softmax(each / temperatures[task][:, None, None], axis=-1)
            pooled = scaled(each.mean(0), model.calibration[task].pooled)
            spread = scaled(each, model.calibration[task].pooled).std(0, ddof=several)
            found[task] = {"probability": pooled, "spread": spread}
        return found

    return outputs_of


def _shapes(model: Model) -> Iterator[tuple[str, dict[str, jax.ShapeDtypeStruct]]]:
    """Shapes of the inputs with fewer and fewer free sizes, and what is free."""
    arrays = model.description.blank
    sequences = {name for name, each in model.description.features.items() if each.length}
    for free in ("batch and lengths", "batch and a common length", "batch", "none"):
        scope = jax_export.SymbolicScope()
        blank = {}
        for name, array in arrays.items():
            sizes = [str(size) for size in array.shape]
            sizes[0] = str(model.experiment.training.batch_size) if free == "none" else "batch"
            sequence = name.removesuffix("_mask")
            if sequence in sequences and "length" in free:
                sizes[1] = "length" if "common" in free else f"length_{sequence}"
            shape = jax_export.symbolic_shape(", ".join(sizes), scope=scope)
            blank[name] = jax.ShapeDtypeStruct(shape, array.dtype)
        yield free, blank


def _described(tree: Any, avals: Any) -> Any:
    """Shapes and types of a program's inputs or outputs, by name."""
    shown = [{"shape": [str(n) for n in x.shape], "dtype": x.dtype.name} for x in avals]
    restored = jax.tree.unflatten(tree, [json.dumps(each) for each in shown])
    if isinstance(restored, tuple):  # positional and named arguments
        restored = restored[0][0]
    return jax.tree.map(json.loads, restored)
