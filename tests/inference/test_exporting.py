"""Exported programs: the numbers of `predict` where nothing but JAX is imported, and weights."""

import json
import subprocess
import sys
from typing import Any

import jax.export
import numpy as np
import pytest
from safetensors.numpy import load_file

import jaxdep
from jaxdep.data import arrays
from jaxdep.errors import UserError
from jaxdep.inference import exporting
from jaxdep.parity.convert import from_torch

ALONE = """
import pathlib, sys, jax, jax.export, numpy as np
folder = pathlib.Path(sys.argv[1])
program = jax.export.deserialize((folder / "program.bin").read_bytes())
with np.load(folder / "inputs.npz") as stored:
    inputs = dict(stored)
found = program.call(inputs)["depression"]
np.savez(folder / "outputs.npz", **found)
assert not {"jaxdep", "flax", "tensorflow_datasets"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def model(moved):
    return jaxdep.load(moved[0])


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "m"
    return folder, exporting.export(model, folder)


def test_the_program_in_a_process_that_has_jax_alone(model, moved, exported):
    folder, _ = exported
    recordings = model.read(moved[1])
    found = model.predict(recordings).tasks["depression"]
    assert len(recordings) != model.experiment.training.batch_size
    np.savez(folder / "inputs.npz", **model.description.stack(recordings))
    command = [sys.executable, "-c", ALONE, str(folder)]
    subprocess.run(command, check=True, cwd=folder)
    with np.load(folder / "outputs.npz") as outputs:
        np.testing.assert_allclose(outputs["probability"], found.value, rtol=0, atol=1e-6)
        np.testing.assert_allclose(outputs["spread"], found.spread, rtol=0, atol=1e-6)
    for name in ("inputs.npz", "outputs.npz"):
        (folder / name).unlink()


def test_description(exported):
    folder, described = exported
    assert json.loads((folder / "program.json").read_text()) == described
    assert described["free"] == "batch"  # weights of JAMFN fix the length
    assert described["inputs"]["acoustic"] == {"shape": ["batch", "40", "25"], "dtype": "float32"}
    assert described["outputs"]["depression"]["probability"]["shape"] == ["batch", "2"]
    assert described["seeds"] == [0, 1]


def test_weights_are_those_of_pytorch(model, exported):
    for seed, variables in model.variables.items():
        state = load_file(exported[0] / f"weights-seed{seed}.safetensors")
        again = from_torch(model.module, state)
        for name in ("bilstm_a", "classifier"):
            for key, value in variables["params"][name].items():
                np.testing.assert_array_equal(again["params"][name][key], value)


def test_model_card(exported):
    text = (exported[0] / "card.md").read_text()
    for part in (
        "not a diagnostic device",
        "SYNTHETIC",
        "| accuracy |",
        "ECE, temperature-scaled",
        "| depression | gender | female |",
        "planted by the data generator",
        "seeds 0, 1",
        "input `acoustic`: float32 [batch, 40, 25]",
    ):
        assert part in text, part
    assert "/tmp" not in text


def test_nothing_is_overwritten(model, exported):
    with pytest.raises(UserError, match="is not empty; set another --out"):
        exporting.export(model, exported[0])


@pytest.mark.slow
def test_free_lengths(trained, raw, tmp_path):
    """No weight of BiGRU fixes a length: the program takes others than those of training."""
    changes = {
        "corpus.lengths.acoustic": 40,
        "corpus.lengths.visual": 40,
        "model.hidden": 4,
        "training.epochs": 1,
    }
    options = {"manual_dir": raw, "data_dir": trained.parent / "data", "log": lambda line: None}
    run = jaxdep.run("bigru-dvlog", seeds=2, out=tmp_path / "r", overrides=changes, **options)
    model = jaxdep.load(run.folder)
    described = exporting.export(model, tmp_path / "m")
    assert described["free"] == "batch and lengths"
    sizes = {name: each["shape"] for name, each in described["inputs"].items()}
    assert sizes["acoustic"] == ["batch", "length_acoustic", "25"]
    assert sizes["visual_mask"] == ["batch", "length_visual"]
    program = jax.export.deserialize((tmp_path / "m" / "program.bin").read_bytes())
    features: Any = model.description.features
    rng = np.random.default_rng(0)
    for batch, lengths in ((1, {"acoustic": 7, "visual": 12}), (5, {"acoustic": 60, "visual": 3})):
        recordings: list[Any] = [
            {
                name: rng.normal(size=(rng.integers(1, lengths[name] + 1), each.shape[-1]))
                for name, each in features.items()
            }
            for _ in range(batch)
        ]
        inputs = arrays.inputs_of(features, recordings, lengths)
        assert inputs["visual_mask"].shape == (batch, lengths["visual"])
        found = program.call(inputs)["depression"]
        logits = [model.apply(each, inputs)["depression"] for each in model.variables.values()]
        expected = model.calibration["depression"].predict(np.stack(logits), coverage=1.0)
        assert (expected.spread > 1e-3).all()
        np.testing.assert_allclose(found["probability"], expected.value, rtol=0, atol=1e-6)
        np.testing.assert_allclose(found["spread"], expected.spread, rtol=0, atol=1e-6)
