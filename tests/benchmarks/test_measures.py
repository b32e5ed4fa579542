"""Every measurement runs, says what it should, and counts arithmetic rightly; none is judged."""

import json

import pytest
from rich.console import Console

from jaxdep.benchmarks import flops, measured, measures, tables
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


POINTS = {"length": 5, "batch": 4, "devices": 4, "compile": 2}


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
