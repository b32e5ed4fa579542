"""What remains of a trained run if modalities are absent, on a model of two of them."""

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import seen
from small import SMALL

import jaxdep
from jaxdep.analysis import missing_matrix
from jaxdep.data.opening import open_corpus
from jaxdep.errors import UserError
from jaxdep.experiment import Task
from jaxdep.overrides import from_json
from jaxdep.runner.missing import without_bounds
from jaxdep.runner.missing_matrix import missing_of_several
from jaxdep.runner.run import find

QUICK = {key: value for key, value in SMALL.items() if not key.startswith("model.")}
SEEDS = [4, 7]


def quiet(line):
    pass


@pytest.fixture(scope="module", autouse=True)
def models():
    with seen.registered():
        yield


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data_dir):
    """Trains a model on a small stand-in."""

    def train(model, **changes):
        experiment = replace(find("jamfn-demo"), model=model, paper=None)
        out = tmp_path_factory.mktemp("runs") / type(model).__name__
        options = {"seeds": SEEDS, "data_dir": data_dir, "overrides": QUICK | changes}
        return jaxdep.run(experiment, out=out, log=quiet, **options).folder

    return train


@pytest.fixture(scope="module")
def folder(trained):
    return trained(seen.Seen())


@pytest.fixture(scope="module")
def found(folder):
    return jaxdep.missing(folder, log=quiet)


def predicted(path):
    with (path / "predictions.csv").open() as file:
        return [(row["run"], row["id"], row["prediction"]) for row in csv.DictReader(file)]


def rows_of(results):
    return results["tasks"]["depression"]["rows"]


class TestRows:
    def test_every_subset_from_all_to_each_alone(self, found):
        present = [row["present"] for row in rows_of(found.results)]
        assert present == [["acoustic", "visual"], ["acoustic"], ["visual"]]
        assert found.results["modalities"] == ["acoustic", "visual"]
        assert found.results["modality_dropout"] == 0
        assert found.results["synthetic"] is True

    def test_all_modalities_are_the_evaluation_itself(self, folder, found):
        evaluated = jaxdep.evaluate(folder, log=quiet)
        here = (found.folder / "acoustic+visual" / "predictions.csv").read_bytes()
        assert here == (evaluated.folder / "predictions.csv").read_bytes()
        task = found.results["tasks"]["depression"]
        assert task["rows"][0]["summary"] == evaluated.results["tasks"]["depression"]["summary"]
        assert task["rows"][0]["differences"] is None

    @pytest.mark.parametrize("alone", ["acoustic", "visual"])
    def test_alone_is_the_model_on_zeros(self, folder, found, alone):
        """Recomputed from the weights of each seed, on inputs emptied by hand."""
        experiment = from_json(json.loads((folder / "config.json").read_text()))
        prepared = json.loads((folder / "environment.json").read_text())["prepared_corpus"]
        test = open_corpus(Path(prepared), experiment.corpus, experiment.labels).splits["test"]
        inputs = dict(test.inputs)
        other = "visual" if alone == "acoustic" else "acoustic"
        inputs[other] = np.zeros_like(inputs[other])
        inputs[f"{other}_mask"] = np.zeros(inputs[other].shape[:2], bool)
        expected, accuracies = [], []
        for run, seed in enumerate(SEEDS):
            model = jaxdep.load(folder, seed=seed)
            answers = model.apply(model.variables[seed], inputs)["depression"].argmax(-1)
            expected += [(str(run), i, str(a)) for i, a in zip(test.ids, answers, strict=True)]
            accuracies.append((answers == test.targets["depression"]).mean())
        assert predicted(found.folder / alone) == expected
        [row] = [row for row in rows_of(found.results) if row["present"] == [alone]]
        assert row["summary"]["accuracy"]["mean"] == pytest.approx(np.mean(accuracies))
        assert (row["folder"], row["not_finite"], row["without_frames"]) == (alone, [], 0)

    def test_files(self, found):
        assert json.loads((found.folder / "results.json").read_text()) == json.loads(
            json.dumps(found.results)
        )
        page = (found.folder / "report.html").read_text()
        assert "SYNTHETIC data." in page
        assert "has not learned to do without a modality" in page
        assert "calibration" not in page

    def test_a_row_is_a_run_directory_that_says_what_was_present(self, found):
        from jaxdep.analysis import results

        row = results.compute(found.folder / "visual")
        assert row["title"].endswith("; visual present")
        assert row["tasks"]["depression"]["paper"] is None

    def test_another_split(self, folder):
        found = jaxdep.missing(folder, split="validation", log=quiet)
        assert found.folder.name == "missing-validation"
        assert found.results["split"]["name"] == "valid"


def test_recordings_without_a_frame_are_counted(folder, tmp_path, monkeypatch):
    """As where a corpus has recordings without a face."""
    from jaxdep.runner import missing

    restore = missing.restore

    def faceless(source):
        *rest, splits = restore(source)
        inputs = dict(splits["test"].inputs)
        inputs["visual_mask"] = inputs["visual_mask"].copy()
        inputs["visual_mask"][:3] = False
        return *rest, {**splits, "test": replace(splits["test"], inputs=inputs)}

    monkeypatch.setattr(missing, "restore", faceless)
    copy = Path(shutil.copytree(folder, tmp_path / "r"))
    found = jaxdep.missing(copy, log=quiet)
    assert [row["without_frames"] for row in rows_of(found.results)] == [0, 0, 3]
    assert "3 recordings have no frame of visual" in (found.folder / "report.html").read_text()


def test_several_runs(folder, found, tmp_path):
    """Each keeps its own report; the page has a row for each, here twice the same."""
    copy = Path(shutil.copytree(folder, tmp_path / "again"))
    several = missing_of_several([folder, copy], out=tmp_path / "both", log=quiet)
    assert several.page == tmp_path / "both" / "report-missing.html"
    assert "all runs were tested on the same recordings" in several.page.read_text()
    assert [run.folder for run in several.runs] == [folder / "missing", copy / "missing"]
    assert all((run.folder / "report.html").is_file() for run in several.runs)
    [accuracy, *_] = missing_matrix.of_runs(several.runs)
    assert accuracy.columns == ["acoustic, visual", "acoustic", "visual"]
    (_, first, _), (_, second, _) = accuracy.rows
    assert first == second
    means = [row["summary"]["accuracy"]["mean"] for row in rows_of(found.results)]
    assert [float(lines[0]) for lines in first] == pytest.approx(means, abs=5e-4)


class TestNotFinite:
    def test_it_is_reported_as_such(self, trained):
        found = jaxdep.missing(trained(seen.Fragile()), log=quiet)
        everything, voice, face = rows_of(found.results)
        assert voice["not_finite"] == [0, 1]
        assert (voice["summary"], voice["differences"], voice["folder"]) == (None, None, None)
        assert everything["summary"]
        assert face["summary"]["accuracy"]["runs"] == 2
        assert not (found.folder / "acoustic").exists()
        page = (found.folder / "report.html").read_text()
        assert re.findall(r"<strong>not finite</strong> \((.*?)\)", page) == ["runs 0, 1"]

    def test_bounds_do_not_hide_it(self):
        """Clipped to a scale, an infinite score would be its largest."""
        base = seen.experiment()
        bounded = replace(base, tasks={"depression": Task(loss="mse", bounds=(0.0, 63.0))})
        assert without_bounds(bounded).tasks["depression"] == Task(loss="mse")


class TestMistakes:
    def test_one_modality(self, trained):
        folder = trained(seen.Seen(modalities=("acoustic",)))
        with pytest.raises(UserError, match="Seen reads acoustic alone"):
            jaxdep.missing(folder, log=quiet)
        assert not (folder / "missing").exists()

    def test_no_modalities(self, trained):
        folder = trained(seen.Seen(modalities=()))
        with pytest.raises(UserError, match=r"declares no modalities: .* ModelSpec\.modalities"):
            jaxdep.missing(folder, log=quiet)

    def test_every_run_diverged(self, folder, tmp_path):
        copy = Path(shutil.copytree(folder, tmp_path / "r"))
        meta = json.loads((copy / "meta.json").read_text())
        meta["runs"] = [{**run, "status": "diverged"} for run in meta["runs"]]
        (copy / "meta.json").write_text(json.dumps(meta))
        with pytest.raises(UserError, match="every run diverged"):
            jaxdep.missing(copy, log=quiet)

    def test_a_run_less_than_there_are_seeds(self, folder, tmp_path):
        copy = Path(shutil.copytree(folder, tmp_path / "r"))
        meta = json.loads((copy / "meta.json").read_text())
        (copy / "meta.json").write_text(json.dumps({**meta, "runs": meta["runs"][:1]}))
        for command in (jaxdep.missing, jaxdep.evaluate):
            with pytest.raises(UserError, match=r"config.json and meta.json list different seeds"):
                command(copy, log=quiet)

    def test_split_and_folder(self, folder, tmp_path):
        with pytest.raises(UserError, match="choose from train, validation, test"):
            jaxdep.missing(folder, split="dev", log=quiet)
        with pytest.raises(UserError, match="not a run directory"):
            jaxdep.missing(tmp_path, log=quiet)
