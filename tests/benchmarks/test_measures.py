"""Every measurement runs, says what it should, and counts arithmetic rightly; none is judged."""

import json

import pytest
from rich.console import Console

from jaxdep.benchmarks import flops, measured, measures, sides, tables
from jaxdep.errors import UserError
from jaxdep.models import SPECS


@pytest.mark.slow
@pytest.mark.parametrize("model", [name for name, spec in SPECS.items() if spec.measured])
def test_train_step(model, tmp_path):
    line = measures.run("train-step", model, "tiny", repeats=1, seeds=2)
    references = set(measured.find(model, "tiny").references)
    assert line["ours_s"] > 0
    assert set(line["theirs_s"]) == set(line["ratio"]) == references
    assert line["ratio"]["stock"] == line["theirs_s"]["stock"] / line["ours_s"]
    assert set(line["flops_per_s"]) == set(line["peak_bytes"]) == {"ours", *references}
    assert min(line["peak_bytes"].values()) > 1e8
    assert line["gemm_flops_per_s"] > max(line["flops_per_s"].values()) > 0
    assert json.loads(tables.line(line)) == line
    page = tables.keep(line, tmp_path).read_text()
    assert f"train-step: {model}, tiny" in page
    tables.show(line, Console(quiet=True))


# What needs a GPU refuses to run without one, see below.
OTHERS = [name for name in measures.MEASURES if name not in ("train-step", "cudnn")]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_the_others(name, tmp_path):
    line = measures.run(name, "jamfn", "tiny", repeats=1, seeds=2)
    assert line["bench"] == name
    assert len(line.get("points", [line])) == POINTS.get(name, 1)
    assert tables.keep(line, tmp_path).is_file()


POINTS = {
    **{"length": 5, "batch": 4, "recordings": 4, "devices": 4, "spread": 4, "compile": 2},
    **{"seed-counts": 2, "precision": 3, "capacity": 2, "correctness": 5},
}


@pytest.mark.slow
@pytest.mark.parametrize("model", [name for name, spec in SPECS.items() if spec.measured])
def test_correctness(model):
    """A CPU differs from PyTorch and from itself by rounding; bfloat16 by more."""
    points = measures.run("correctness", model, "tiny", repeats=1)["points"]
    differences = {
        precision: [
            max(point["outputs"], point["gradients"])
            for point in points
            if point["precision"] == precision
        ]
        for precision in ("float32", "bfloat16")
    }
    assert max(differences["float32"]) < 1e-4
    assert min(differences["bfloat16"]) > 1e-4
    assert max(differences["bfloat16"]) < 0.5


@pytest.mark.slow
def test_a_device_has_its_runs_memory_however_many_devices():
    points = measures.run("spread", "jamfn", "tiny", repeats=1)["points"]
    assert [point["devices"] for point in points] == [1, 2, 4, 8]
    needed = [point["bytes_per_device"] for point in points]
    assert max(needed) < 1.01 * min(needed)  # apart from bytes that tell the devices apart
    assert max(point["difference"] for point in points) < 1e-5


@pytest.mark.slow
def test_runs_that_do_not_fit_train_in_parts():
    case = measured.find("jamfn", "tiny").case
    whole = sides.our_epoch(case, case.batch, seeds=3)
    parts = sides.our_epoch(case, case.batch, seeds=3, devices=1, runs_per_device=2)
    for call in (whole, parts):
        call()
        call()


@pytest.mark.slow
def test_a_device_is_filled():
    alone, full = measures.run("capacity", "jamfn", "tiny", repeats=1, seeds=3)["points"]
    assert (alone["seeds"], full["seeds"]) == (1, 3)
    assert full["per_run_s"] == full["ours_s"] / 3
    assert full["bytes_per_device"] > alone["bytes_per_device"] > 0


def test_arithmetic_is_counted_by_hand():
    """An LSTM's two products a frame, there and twice back; the head's on top."""
    target = measured.find("jamfn", "tiny")
    counted = flops.of_step(target.case, target.references["stock"])
    hidden, frames = 8, 12 * 4
    lstm = sum(2 * 3 * 2 * frames * 4 * hidden * (width + hidden) for width in (25, 136))
    assert lstm < counted < 1.5 * lstm


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (("speed", "jamfn", "tiny", 1), "bench speed"),
        (("epoch", "bert", "tiny", 1), "--model bert"),
        (("epoch", "jamfn", "huge", 1), "--size huge"),
        (("epoch", "jamfn", "tiny", 0), "--repeats"),
        (("input", "amm", "tiny", 1), "no corpus on disk"),
        (("cudnn", "jamfn", "tiny", 1), "needs a CUDA GPU"),
    ],
)
def test_mistakes(wanted, message):
    with pytest.raises(UserError, match=message):
        measures.run(*wanted)
