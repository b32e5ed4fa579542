"""Whole sweeps: ranking, test of the best, halving, chunks, resumption, several processes."""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from rich.console import Console
from small import SMALL

import jaxdep
from jaxdep.analysis import table as results_table
from jaxdep.cli import commands
from jaxdep.errors import UserError
from jaxdep.runner import search_space, sweep

AXES = {
    "optimizer.learning_rate": (1e-4, 1e-3, 1e-2),
    "optimizer.weight_decay": (0.0, 1e-3),
}
# Weights of classes are counted in the training split, which a sweep must do as a run does.
SHORT = {"training.epochs": 2, "tasks.depression.balanced": True}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def swept(toy_demo, data_dir):
    """Sweeps in a folder."""

    def run(out, axes=AXES, **options):
        options = {"seeds": 2, "overrides": SHORT, "devices": 2, "log": lambda line: None} | options
        return sweep.sweep(toy_demo, axes, out=out, data_dir=data_dir, **options)

    return run


@pytest.fixture(scope="module")
def whole(tmp_path_factory, swept):
    return swept(tmp_path_factory.mktemp("sweeps") / "s")


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_one_program_for_a_grid_of_numbers(whole):
    assert whole.programs == 1
    assert len(whole.ranking) == 6
    assert all(len(row.scores) == 2 and row.epochs == 2 for row in whole.ranking)


def test_ranked_on_validation(whole):
    means = [row.mean for row in whole.ranking]
    assert means == sorted(means)
    rows = table(whole.folder / "ranking.csv")
    assert [float(row["validation loss"]) for row in rows] == means
    config = json.loads((whole.best.folder / "config.json").read_text())
    best = whole.ranking[0].values
    assert config["optimizer"]["learning_rate"] == best["optimizer.learning_rate"]
    assert config["optimizer"]["weight_decay"] == best["optimizer.weight_decay"]


def test_best_is_said_to_be_chosen(whole):
    said = "chosen among 6 configurations on validation"
    assert whole.best.results["chosen_among"] == 6
    assert (whole.best.folder / "report.html").read_text().count(said) == 2
    text = io.StringIO()
    results_table.show(whole.best.results, Console(file=text, width=100))
    assert said in text.getvalue()
    best = whole.ranking[0].values
    named = f"learning_rate={best['optimizer.learning_rate']}"
    assert named in whole.best.results["title"]
    assert named not in whole.title
    assert whole.title.endswith("; changed: balanced=True")


def test_page_is_written_and_written_again(whole, capsys):
    page = whole.folder / "sweep.html"
    content = page.read_text()
    assert f"<h1>SYNTHETIC: Sweep: {whole.title.removeprefix('SYNTHETIC: ')}</h1>" in content
    page.unlink()
    commands.report((whole.folder,))
    assert page.read_text() == content
    printed = capsys.readouterr().out
    assert "validation data alone" in printed
    assert "chosen among 6 configurations" in printed


def test_best_is_the_run_that_it_would_have_been_alone(whole, toy_demo, data_dir, tmp_path):
    overrides = SHORT | dict(whole.ranking[0].values)
    alone = jaxdep.run(
        toy_demo,
        seeds=2,
        overrides=overrides,
        data_dir=data_dir,
        out=tmp_path / "r",
        log=lambda line: None,
    )
    read = lambda folder: [float(row["probability"]) for row in table(folder / "predictions.csv")]
    assert read(whole.best.folder) == pytest.approx(read(alone.folder), abs=1e-5)
    ours, theirs = (table(x.folder / "validation.csv") for x in (whole.best, alone))
    assert [float(row["probability"]) for row in ours] == pytest.approx(
        [float(row["probability"]) for row in theirs], abs=1e-5
    )
    assert alone.results["hash"] == whole.best.results["hash"]
    lines = (whole.best.folder / "metrics.jsonl").read_text().splitlines()
    assert len(lines) == len((alone.folder / "metrics.jsonl").read_text().splitlines())
    again = jaxdep.evaluate(whole.best.folder, split="test", log=lambda line: None)
    assert read(again.folder) == pytest.approx(read(whole.best.folder), abs=1e-6)
    assert list(jaxdep.load(whole.folder).variables) == [0, 1]


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"devices": 2, "runs_per_device": 2}, marks=pytest.mark.slow),
        pytest.param({"devices": 1}, marks=pytest.mark.slow),
        pytest.param({"devices": 8}, marks=pytest.mark.slow),
        pytest.param({"backend": "pmap"}, marks=pytest.mark.slow),
    ],
)
def test_same_on_other_devices_and_in_parts(whole, swept, tmp_path, how):
    other = swept(tmp_path / "s", **how)
    ours = {row.number: row.scores for row in other.ranking}
    for row in whole.ranking:
        assert ours[row.number] == pytest.approx(row.scores, abs=1e-5)


def test_halving_stops_the_worse_half(swept, tmp_path):
    axes = {"optimizer.learning_rate": (1e-4, 1e-3, 1e-2, 1e9)}
    long = {"overrides": {"training.epochs": 4}}
    found = swept(tmp_path / "h", axes, halving=True, **long)
    assert sorted(row.epochs for row in found.ranking) == [1, 1, 2, 4]
    assert sorted(row.dropped for row in found.ranking) == [0, 1, 1, 2]
    assert found.ranking[0].dropped == 0
    full = swept(tmp_path / "f", axes, **long)
    winner = found.ranking[0]
    same = next(row for row in full.ranking if row.number == winner.number)
    assert winner.scores == pytest.approx(same.scores, abs=1e-6)


def test_rungs():
    assert sweep.rungs(30, 1) == [30]
    assert sweep.rungs(30, 8) == [3, 7, 15, 30]
    assert sweep.rungs(2, 100) == [1, 2]


def test_shapes_make_programs(swept, tmp_path):
    found = swept(tmp_path / "g", {"model.hidden": (3, 4)}, seeds=1)
    assert found.programs == 2


def test_random_draws(swept, tmp_path):
    axes = search_space.parse(["optimizer.learning_rate=log(1e-4,1e-2)"])
    found = swept(tmp_path / "r", axes, random=3, seeds=1)
    assert len({row.values["optimizer.learning_rate"] for row in found.ranking}) == 3


def test_mistakes_write_nothing(swept, tmp_path):
    with pytest.raises(UserError, match="did you mean 'hidden'"):
        swept(tmp_path / "m", {"model.hiden": (3, 4)})
    assert not (tmp_path / "m").exists()


def command(out, data_dir, *more):
    settings = [f"{key}={value}" for key, value in (SMALL | {"training.epochs": 6}).items()]
    words = ["sweep", "jamfn-demo", "--grid", "optimizer.learning_rate=1e-3,1e-2", "--seeds", "2"]
    words += ["--set", *settings, "--out", out, "--data-dir", data_dir, *more]
    return [sys.executable, "-m", "jaxdep", *map(str, words)]


def processes(out, data_dir, *more):
    """Starts two processes with two devices each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = ["--coordinator", f"127.0.0.1:{port}", "--processes", 2]
    # Beside the flags of every test, without which programs round differently.
    flags = f"{os.environ['XLA_FLAGS']} --xla_force_host_platform_device_count=2"
    return [
        subprocess.Popen(
            command(out, data_dir, *more, *cluster, "--process", number),
            env=os.environ | {"XLA_FLAGS": flags},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(2)
    ]


def wait(pair):
    return [(one.communicate(timeout=300)[0], one.returncode) for one in pair]


@pytest.mark.slow
def test_two_processes_and_the_death_of_one(data_dir, tmp_path):
    alone = subprocess.run(command(tmp_path / "a", data_dir), capture_output=True, text=True)
    assert alone.returncode == 0, alone.stderr
    outputs = wait(processes(tmp_path / "b", data_dir))
    assert [code for _, code in outputs] == [0, 0], outputs
    assert "report:" in outputs[0][0]
    assert "report:" not in outputs[1][0]
    ranking = (tmp_path / "a" / "ranking.csv").read_bytes()
    assert (tmp_path / "b" / "ranking.csv").read_bytes() == ranking

    out = tmp_path / "c"
    pair = processes(out, data_dir)
    deadline = time.monotonic() + 200
    while not list(out.glob("checkpoints/*/2")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not (out / "ranking.csv").exists()
    pair[1].send_signal(signal.SIGKILL)
    assert all(code != 0 for _, code in wait(pair))
    outputs = wait(processes(out, data_dir, "--resume"))
    assert [code for _, code in outputs] == [0, 0], outputs
    for name in ("ranking.csv", "best/results.json", "best/predictions.csv", "best/metrics.jsonl"):
        assert (out / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
