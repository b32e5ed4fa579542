"""Whole runs: a folder's files, kill and resume, seeds, evaluation of another split, mistakes."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from small import SMALL

import jaxdep
from jaxdep.analysis import narrative, published
from jaxdep.data import stand_ins
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.overrides import to_json

FILES = ["config.json", "environment.json", "meta.json", "metrics.jsonl"]
FILES += ["predictions.csv", "validation.csv", "results.json"]
FILES += ["recordings.csv", "validation_recordings.csv"]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def run(out, data_dir, **options):
    options = {"seeds": 2, "overrides": SMALL, "log": lambda line: None} | options
    return jaxdep.run("jamfn-demo", out=out, data_dir=data_dir, **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, data_dir):
    return run(tmp_path_factory.mktemp("runs") / "r", data_dir)


def lines(folder, name="metrics.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def predictions(folder, seed):
    """Lines of a seed, without the number of the run."""
    with (folder / "predictions.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["seed"] == str(seed)]
    return [{**row, "run": ""} for row in rows]


class TestFolder:
    def test_holds_what_it_promises(self, finished):
        for name in [*FILES, "report.html", "attention.npz", "figures/loss_curves.png"]:
            assert (finished.folder / name).is_file(), name
        assert list((finished.folder / "checkpoints").iterdir())
        assert not list(finished.folder.rglob("*.part"))

    def test_results_say_where_numbers_come_from(self, finished):
        found = finished.results
        assert found["synthetic"] is True
        assert found["split"]["name"] == "test"
        assert len(found["split"]["hash"]) == 64
        assert found["selection"].startswith("lowest validation loss")
        assert [each["seed"] for each in found["runs"]] == [0, 1]
        assert found["tasks"]["depression"]["summary"]["accuracy"]["ddof"] == 1

    def test_title_names_what_was_changed(self, finished):
        meta = json.loads((finished.folder / "meta.json").read_text())
        expected = {path: value for path, value in SMALL.items()}
        expected["model.scales"] = [1]
        assert {path: after for path, (_, after) in meta["changed"].items()} == expected
        assert meta["changed"]["model.hidden"] == [32, 4]
        assert meta["title"].startswith("JAMFN on D-Vlog, demo: a small model; changed: ")
        assert (
            f"<h1>SYNTHETIC: {meta['title']}</h1>" in (finished.folder / "report.html").read_text()
        )

    def test_predictions_are_of_the_test_split_alone(self, finished):
        with (finished.folder / "predictions.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert {row["split"] for row in rows} == {"test"}
        assert len(rows) == 2 * finished.results["split"]["items"]

    def test_recordings_are_those_of_the_test_split(self, finished):
        with (finished.folder / "recordings.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["id", "subject", "duration", "gender"]
        assert [row["id"] for row in rows] == [row["id"] for row in predictions(finished.folder, 0)]
        assert {row["gender"] for row in rows} == {"female", "male"}
        assert finished.results["split"]["subjects"] == len(rows)
        assert finished.results["subjects"] == "unknown"

    def test_validation_predictions_are_of_the_best_epoch(self, finished):
        splits = finished.results["splits"]
        with (finished.folder / "validation.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert {row["split"] for row in rows} == {splits["validation"]["name"]}
        assert len(rows) == 2 * splits["validation"]["items"]
        for run in finished.results["runs"]:
            own = [row for row in rows if row["run"] == str(run["run"])]
            right = np.mean([int(row["target"]) == int(row["prediction"]) for row in own])
            at = (run["run"], run["best_epoch"])
            [line] = [x for x in lines(finished.folder) if (x["run"], x["epoch"]) == at]
            assert right == pytest.approx(line["validation"]["depression.accuracy"], abs=1e-6)
        found = finished.results["tasks"]["depression"]["calibration"]
        assert found["validation_items"] == splits["validation"]["items"]

    def test_logits_restore_the_probabilities(self, finished):
        with (finished.folder / "predictions.csv").open() as file:
            for row in csv.DictReader(file):
                first, second = map(float, row["logits"].split())
                expected = 1 / (1 + np.exp(first - second))
                assert float(row["probability"]) == pytest.approx(expected, rel=1e-6)

    def test_a_line_for_each_run_and_epoch(self, finished):
        found = [(line["run"], line["epoch"]) for line in lines(finished.folder)]
        assert sorted(found) == [(run, epoch) for run in (0, 1) for epoch in (1, 2, 3)]

    def test_attention_sums_to_one(self, finished):
        with np.load(finished.folder / "attention.npz") as stored:
            np.testing.assert_allclose(stored["jaf.0/A_A"].sum(1), 1, rtol=1e-5)
            assert len(stored["ids"]) == 4


class TestSeeds:
    @pytest.mark.slow
    def test_alone_as_together(self, finished, data_dir, tmp_path):
        alone = run(tmp_path / "r", data_dir, seeds=[1], devices=1)
        ours = [line for line in lines(finished.folder) if line["seed"] == 1]
        for together, here in zip(ours, lines(alone.folder), strict=True):
            for part in ("train", "validation"):
                assert here[part]["loss"] == pytest.approx(together[part]["loss"], abs=1e-5)

    @pytest.mark.parametrize("wrong", [0, [1, 1], [-1]])
    def test_mistakes(self, data_dir, tmp_path, wrong):
        with pytest.raises(UserError, match="seeds must be distinct"):
            run(tmp_path / "r", data_dir, seeds=wrong)
        assert not (tmp_path / "r").exists()


class TestDeterministic:
    @pytest.mark.slow
    def test_a_seed_is_the_same_in_any_company(self, data_dir, tmp_path):
        exactly = {"data_dir": data_dir, "deterministic": True}
        alone = run(tmp_path / "alone", seeds=[1], devices=1, **exactly)
        together = run(tmp_path / "together", seeds=[0, 1, 2], devices=2, **exactly)
        of_seed = lambda folder: [{**line, "run": 0} for line in lines(folder) if line["seed"] == 1]
        assert of_seed(alone.folder) == of_seed(together.folder)
        assert predictions(alone.folder, 1) == predictions(together.folder, 1)
        again = jaxdep.evaluate(together.folder, log=lambda line: None)
        assert predictions(again.folder, 1) == predictions(alone.folder, 1)
        assert "neither on the devices" in " ".join(narrative.notes(alone.results))

    def test_otherwise_the_layout_is_named(self, finished):
        assert "bits depend on the layout" in " ".join(narrative.notes(finished.results))


class TestSettingsThatDoNotFit:
    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"model.scales": (2,)}, r"model\.scales=\(2,\): .*an odd integer"),
            ({"training.monitor": "f1"}, r"training\.monitor=f1: unknown metric"),
        ],
    )
    def test_nothing_is_written(self, data_dir, tmp_path, wrong, message):
        with pytest.raises(UserError, match=message):
            run(tmp_path / "r", data_dir, overrides=SMALL | wrong)
        assert not (tmp_path / "r").exists()


class TestEvaluate:
    def test_the_same_split_gives_the_same_predictions(self, finished):
        again = jaxdep.evaluate(finished.folder, log=lambda line: None)
        same = lambda folder: (folder / "predictions.csv").read_text()
        ours, theirs = (
            list(csv.reader(same(f).splitlines())) for f in (finished.folder, again.folder)
        )
        assert [row[:7] for row in ours] == [row[:7] for row in theirs]
        test = lambda found: found.results["tasks"]["depression"]["calibration"]["temperature"]
        assert test(again)["mean"] == pytest.approx(test(finished)["mean"], rel=1e-3)

    def test_another_split(self, finished):
        found = jaxdep.evaluate(finished.folder, split="validation", log=lambda line: None)
        assert found.folder.name == "evaluate-validation"
        ours, theirs = (
            (folder / "recordings.csv").read_text() for folder in (finished.folder, found.folder)
        )
        assert len(theirs.splitlines()) == 1 + found.results["split"]["items"]
        assert not set(ours.splitlines()[1:]) & set(theirs.splitlines()[1:])
        assert found.results["split"]["name"] == "valid"
        accuracy = found.results["tasks"]["depression"]["per_run"][0]["metrics"]["accuracy"]
        kept = finished.results["runs"][0]["best_epoch"]
        [line] = [x for x in lines(finished.folder) if (x["run"], x["epoch"]) == (0, kept)]
        assert accuracy == pytest.approx(line["validation"]["depression.accuracy"], abs=1e-6)

    def test_without_a_training_history(self, finished, tmp_path):
        copy = Path(shutil.copytree(finished.folder, tmp_path / "r"))
        (copy / "metrics.jsonl").unlink()
        assert jaxdep.evaluate(copy, log=lambda line: None).results["tasks"]
        (copy / "metrics.jsonl").write_bytes(b"\xff")
        with pytest.raises(UserError, match=r"damaged in line 1 .* remove the file"):
            jaxdep.evaluate(copy, log=lambda line: None)

    def test_mistakes(self, finished, tmp_path):
        with pytest.raises(UserError, match="choose from train, validation, test"):
            jaxdep.evaluate(finished.folder, split="dev")
        with pytest.raises(UserError, match="not a run directory"):
            jaxdep.evaluate(tmp_path)


class TestResume:
    @pytest.mark.slow
    def test_killed_in_the_middle(self, tmp_path, data_dir):
        """`kill -9` while it trains; what it leaves after `--resume` is the same to the byte."""
        settings = [f"{key}={value}" for key, value in SMALL.items()]
        settings[-1] = "training.epochs=8"
        command = [sys.executable, "-m", "jaxdep", "run", "jamfn-demo", "--seeds", "2"]
        command += ["--data-dir", str(data_dir), "--set", *settings]
        whole, killed = tmp_path / "whole", tmp_path / "killed"
        subprocess.run([*command, "--out", str(whole)], check=True, capture_output=True)

        process = subprocess.Popen([*command, "--out", str(killed)], stdout=subprocess.DEVNULL)
        wait_for(lambda: (killed / "checkpoints" / "3").exists(), process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not (killed / "predictions.csv").exists()

        resume = [*command, "--out", str(killed), "--resume"]
        subprocess.run(resume, check=True, capture_output=True)
        for name in ("results.json", "predictions.csv", "metrics.jsonl"):
            assert (killed / name).read_bytes() == (whole / name).read_bytes(), name

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"seeds": 3}, r"seeds: existing \[0, 1\], requested \[0, 1, 2\]"),
            ({"overrides": SMALL | {"model.hidden": 5}}, "model.hidden: existing 4, requested 5"),
            ({"signal": 0.5}, "identity.contents"),
            ({"deterministic": True}, "deterministic: existing False, requested True"),
        ],
    )
    def test_another_run_is_refused_and_what_differs_is_named(
        self, finished, data_dir, options, named
    ):
        before = sorted(finished.folder.rglob("*"))
        with pytest.raises(UserError, match=named):
            run(finished.folder, data_dir, resume=True, **options)
        assert sorted(finished.folder.rglob("*")) == before

    def test_another_version_is_named(self, finished, data_dir, tmp_path):
        folder = shutil.copytree(finished.folder, tmp_path / "r")
        begun = json.loads((folder / "environment.json").read_text())
        begun["packages"]["jax"] = "0.1"
        (folder / "environment.json").write_text(json.dumps(begun))
        said = []
        run(folder, data_dir, resume=True, log=said.append)
        warnings = [line for line in said if "begun with" in line]
        assert len(warnings) == 1
        assert "jax: 0.1, now" in warnings[0]

    def test_a_run_on_given_files_does_not_go_on_with_the_stand_in(self, tmp_path, data_dir):
        """Where shapes match: forget `--manual-dir`, and it is refused."""
        manual = tmp_path / "corpus"
        stand_ins.synthesize("dvlog", manual, items=60, seed=5, mean_length=40)
        run(tmp_path / "r", data_dir, manual_dir=manual)
        with pytest.raises(UserError, match=r"(?s)identity\.contents.*identity\.splits"):
            run(tmp_path / "r", data_dir, resume=True)
        assert run(tmp_path / "r", data_dir, manual_dir=manual, resume=True).folder.is_dir()

    def test_finished_run_is_left_alone(self, finished, data_dir):
        before = (finished.folder / "predictions.csv").read_bytes()
        again = run(finished.folder, data_dir, resume=True)
        assert again.results == finished.results
        assert (finished.folder / "predictions.csv").read_bytes() == before

    def test_nothing_is_overwritten(self, finished, data_dir):
        with pytest.raises(UserError, match="not empty"):
            run(finished.folder, data_dir)

    def test_nothing_to_resume(self, tmp_path, data_dir):
        with pytest.raises(UserError, match="nothing to resume"):
            run(tmp_path / "new", data_dir, resume=True)


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
def test_pmap_equals_jit(finished, data_dir, tmp_path):
    other = run(tmp_path / "r", data_dir, backend="pmap")
    for ours, theirs in zip(lines(finished.folder), lines(other.folder), strict=True):
        assert ours["validation"]["loss"] == pytest.approx(theirs["validation"]["loss"], abs=1e-5)


def test_no_signal_is_chance(data_dir, tmp_path):
    found = run(tmp_path / "r", data_dir, signal=0.0)
    task = found.results["tasks"]["depression"]
    assert task["attainable"] == pytest.approx(0.5)
    assert task["share_of_the_way"] is None


def test_a_diverged_run_is_named(data_dir, tmp_path):
    found = run(tmp_path / "r", data_dir, overrides=SMALL | {"optimizer.learning_rate": 1e38})
    assert found.results["excluded"] == [0, 1]
    assert found.results["tasks"]["depression"]["summary"] == {}


def test_baseline_runs_through_the_same_report(data_dir, tmp_path):
    found = jaxdep.run(
        "lr-mgid-text",
        out=tmp_path / "r",
        data_dir=data_dir,
        overrides={"corpus.synthetic.items": 200},
        seeds=3,
        log=lambda line: None,
    )
    assert len(found.results["runs"]) == 1
    assert (Path(found.folder) / "report.html").is_file()
    for name, role in (("validation.csv", "validation"), ("predictions.csv", "test")):
        with (found.folder / name).open() as file:
            rows = list(csv.DictReader(file))
        split = found.results["splits"][role]
        assert {row["split"] for row in rows} == {split["name"]}
        assert len(rows) == split["items"]
    # The loss that the penalty was selected by is that of the validation predictions.
    with (found.folder / "validation.csv").open() as file:
        logits = [
            (list(map(float, row["logits"].split())), int(row["target"]))
            for row in csv.DictReader(file)
        ]
    loss = np.mean([-values[target] for values, target in logits])
    selected = found.results["runs"][0]["hyper"]["validation_loss"]
    assert loss == pytest.approx(selected, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["amm-daic", "amm-daic-text", "amm-daic-image"])
def test_segments_of_interviews_are_items_with_two_labels(name, data_dir, tmp_path):
    """AMM on a stand-in for DAIC-WOZ, whose depression and emotion are predicted together."""
    small = {"text_hidden": 4, "visual_hidden": 4, "features": 4, "heads": 2, "task_hidden": 4}
    overrides = {f"model.{field}": size for field, size in small.items()}
    overrides |= {"corpus.synthetic.items": 20, "corpus.synthetic.mean_seconds": 45.0}
    overrides |= {"corpus.options.clip_frames": 15, "training.epochs": 2}
    options = {"overrides": overrides, "log": lambda line: None}
    found = jaxdep.run(name, out=tmp_path / "r", data_dir=data_dir, seeds=2, **options)
    tasks = found.results["tasks"]
    assert {task: result["classes"] for task, result in tasks.items()} == {
        "depression": ["normal", "depression"],
        "emotion": ["not sad", "sad"],
    }
    assert not tasks["depression"]["paper_figures"]  # other widths than the paper's
    assert any(line.startswith("model.heads") for line in found.results["withheld"])
    row = to_json(EXPERIMENTS[name])["paper"]
    expected = {"amm-daic": 0.685, "amm-daic-text": 0.672, "amm-daic-image": 0.64}[name]
    figures = published.figures(row, "daicwoz", "depression")
    assert figures["f1_micro"] == pytest.approx(expected)
    assert tasks["emotion"]["chance"] == pytest.approx(0.725)
    names = {line["id"] for line in predictions(tmp_path / "r", 0)}
    people = {name.partition("_")[0] for name in names}
    assert len(names) > len(people) > 2
