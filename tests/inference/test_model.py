"""Trained runs from their folder alone: what they predict, and of which inputs they say what."""

import csv
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from small import SMALL

import jaxdep
from jaxdep.analysis import calibration, predictions
from jaxdep.errors import UserError


def quiet(line):
    pass


@pytest.fixture(scope="module")
def model(moved):
    return jaxdep.load(moved[0])


@pytest.fixture(scope="module")
def recordings(model, moved):
    return model.read(moved[1])


@pytest.fixture(scope="module")
def found(model, recordings):
    return model.predict(recordings, coverage=0.8)


class TestWithoutTheCorpus:
    def test_outputs_are_those_of_evaluate_to_the_byte(self, evaluated, found):
        stored = predictions.read(evaluated / "predictions.csv")["depression"]
        assert list(found.ids) == stored.ids.tolist()
        assert stored.logits is not None
        outputs = found.tasks["depression"].outputs
        assert outputs.dtype == np.float32
        assert outputs.tobytes() == stored.logits.astype(np.float32).tobytes()

    def test_the_order_of_the_recordings_changes_nothing(self, model, recordings, found):
        backwards = model.predict(dict(reversed(recordings.items())))
        assert list(backwards.ids) == list(found.ids)[::-1]
        again = backwards.tasks["depression"].outputs[:, ::-1]
        assert again.tobytes() == found.tasks["depression"].outputs.tobytes()
        np.testing.assert_array_equal(backwards.percentile[::-1], found.percentile)

    def test_one_alone_is_as_among_others(self, model, recordings, found):
        name = found.ids[3]
        alone = model.predict({name: recordings[name]}).tasks["depression"]
        np.testing.assert_allclose(
            alone.outputs[:, 0], found.tasks["depression"].outputs[:, 3], rtol=0, atol=1e-6
        )

    def test_in_another_process(self, moved, found, tmp_path):
        """The command line, where the prepared corpus and the raw files are out of reach."""
        folder, unlabelled = moved
        command = [sys.executable, "-m", "jaxdep", "predict", str(folder), str(unlabelled)]
        out = ["--out", str(tmp_path / "t.csv"), "--coverage", "0.8", "--explain"]
        settings = {**os.environ, "JAXDEP_DATA_DIR": str(tmp_path / "none"), "COLUMNS": "200"}
        settings["XLA_FLAGS"] += " --xla_force_host_platform_device_count=8"
        ran = subprocess.run([*command, *out], env=settings, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        assert "trained on SYNTHETIC data" in ran.stdout
        lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
        with (tmp_path / "t.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [line["id"] for line in lines] == [row["id"] for row in rows] == list(found.ids)
        task = found.tasks["depression"]
        for number, (line, row) in enumerate(zip(lines, rows, strict=True)):
            shown = line["tasks"]["depression"]
            assert list(shown["probability"].values()) == task.value[number].tolist()
            assert shown["prediction"] == task.classes[task.predicted[number]]
            assert shown["abstains"] == task.abstains[number]
            assert float(row["depression.probability.depression"]) == task.value[number, 1]
            assert float(row["depression.low.normal"]) == task.low[number, 0]
            assert float(row["distance_percentile"]) == found.percentile[number]
        assert (tmp_path / "figures" / "t-attention.png").stat().st_size > 10_000


class TestUncertainty:
    def test_temperatures_are_those_of_the_report(self, trained, model):
        results = json.loads((trained / "results.json").read_text())
        reported = results["tasks"]["depression"]["calibration"]["temperature"]["per_run"]
        assert list(model.calibration["depression"].temperatures) == reported

    def test_probabilities_are_means_of_scaled_ones_scaled_again(self, model, found):
        task, temperatures = found.tasks["depression"], model.calibration["depression"].temperatures
        each = [
            np.exp(calibration.log_probabilities(x.astype(float), t))
            for x, t in zip(task.outputs, temperatures, strict=True)
        ]
        again = [
            x ** (1 / model.calibration["depression"].pooled) for x in (*each, np.mean(each, 0))
        ]
        first, second, mean = (x / x.sum(-1, keepdims=True) for x in again)
        np.testing.assert_allclose(task.value, mean, rtol=1e-9)
        np.testing.assert_allclose(task.spread, np.abs(first - second) / np.sqrt(2), rtol=1e-6)
        assert (task.low <= task.value).all()
        assert (task.value <= task.high).all()

    def test_abstains_by_the_validation_split(self, trained, model, found):
        stored = predictions.read(trained / "validation.csv")["depression"]
        assert stored.logits is not None
        temperatures = model.calibration["depression"].temperatures
        pairs = zip(stored.logits, temperatures, strict=True)
        mean = np.mean([calibration.probabilities(x, t) for x, t in pairs], 0)
        pooled = calibration.fit_temperature(np.log(mean), stored.target)
        assert model.calibration["depression"].pooled == pytest.approx(pooled)
        own = calibration.probabilities(np.log(mean), pooled).max(-1)
        accepted = int(np.ceil(0.8 * len(own)))
        threshold = np.sort(own)[-accepted]
        task = found.tasks["depression"]
        np.testing.assert_array_equal(task.abstains, task.value.max(-1) < threshold - 1e-12)

    def test_with_full_coverage_never(self, model, recordings):
        assert not model.predict(recordings).tasks["depression"].abstains.any()

    def test_one_seed_has_no_spread(self, moved, recordings, found):
        alone = jaxdep.load(moved[0], seed=1)
        task = alone.predict(recordings).tasks["depression"]
        assert task.outputs.tobytes() == found.tasks["depression"].outputs[1:].tobytes()
        assert np.isnan(task.spread).all()
        assert np.isnan(task.low).all()
        assert list(alone.variables) == [1]

    def test_distance_grows_away_from_the_training_data(self, model, recordings, found):
        assert (found.percentile >= 0).all()
        assert found.percentile.min() < 90
        far = {
            name: {key: x + 3 for key, x in features.items()}
            for name, features in recordings.items()
        }
        there = model.predict(far)
        assert (there.percentile == 100).all()
        assert (there.distance > found.distance).all()

    def test_distance_is_a_root_mean_square_of_z_scores(self, trained, model, found, raw):
        rows = [line.split(",") for line in (raw / "labels.csv").read_text().split()[1:]]
        names = [row[0] for row in rows if row[4] == "train"]
        of = lambda name: [
            np.load(raw / name / f"{name}_{m}.npy")[:40].astype(np.float64).mean(0)
            for m in ("acoustic", "visual")
        ]
        train = [np.stack(each) for each in zip(*map(of, names), strict=True)]
        here = [np.stack(each) for each in zip(*map(of, found.ids), strict=True)]
        z = [((x - y.mean(0)) / y.std(0)) ** 2 for x, y in zip(here, train, strict=True)]
        expected = np.sqrt((z[0].mean(1) + z[1].mean(1)) / 2)
        np.testing.assert_allclose(found.distance, expected, rtol=1e-4)
        own = [((y - y.mean(0)) / y.std(0)) ** 2 for y in train]
        distances = np.sqrt((own[0].mean(1) + own[1].mean(1)) / 2)
        nearer = [(distances < d).mean() * 100 for d in expected]
        np.testing.assert_allclose(found.percentile, nearer, atol=2)


class TestMistakes:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda x: {"acoustic": x["acoustic"]}, r"(?s)missing feature.*visual"),
            (lambda x: {**x, "visual": x["visual"][:, :5]}, r"expected \[T, 136\], found \[\d+, 5"),
            (lambda x: {**x, "visual": x["visual"] * np.nan}, r"(?s)NaN or infinity.*visual"),
            (lambda x: {**x, "visual": x["visual"][:0]}, r"(?s)no rows.*visual"),
            (lambda x: {**x, "visual": x["visual"].astype(str)}, r"(?s)not numeric.*visual"),
        ],
    )
    def test_features_that_do_not_fit(self, model, recordings, found, change, message):
        name = found.ids[0]
        with pytest.raises(UserError, match=message):
            model.predict({name: change(recordings[name])})

    def test_coverage(self, model, recordings):
        with pytest.raises(UserError, match="above 0 and at most 1"):
            model.predict(recordings, coverage=0)

    def test_no_recordings(self, model):
        with pytest.raises(UserError, match="no recordings"):
            model.predict({})

    def test_files(self, model, moved, tmp_path):
        with pytest.raises(UserError, match="does not exist"):
            model.read(tmp_path / "none")
        (tmp_path / "x.npz").write_bytes(b"PK")
        with pytest.raises(UserError, match="not an archive of arrays"):
            model.read(tmp_path / "x.npz")
        with pytest.raises(UserError, match=r"(?s)missing file.*<id>_acoustic\.npy"):
            model.read(tmp_path)
        one = next(moved[1].iterdir())
        with pytest.raises(UserError, match="in two of the inputs"):
            model.read(one, one)
        with pytest.raises(UserError, match="is not a text"):
            model.read(texts=["hello"])
        copy = shutil.copytree(one, tmp_path / one.name)
        (copy / f"{one.name}_visual.npy").unlink()
        with pytest.raises(UserError, match=r"(?s)missing file.*_visual\.npy"):
            model.read(copy)

    def test_seeds(self, moved):
        with pytest.raises(UserError, match="has no seed 7; choose from 0, 1"):
            jaxdep.load(moved[0], seed=7)

    def test_damaged_or_missing_description(self, moved, tmp_path):
        copy = shutil.copytree(moved[0], tmp_path / "r")
        content = dict(np.load(copy / "inputs.npz"))
        content["percentiles"] = content["percentiles"] + 1
        np.savez(copy / "inputs.npz", **content)
        with pytest.raises(UserError, match="digest does not match"):
            jaxdep.load(copy)
        (copy / "inputs.npz").unlink()
        with pytest.raises(UserError, match="with --resume, which adds the file"):
            jaxdep.load(copy)


def test_a_run_of_an_earlier_version_gets_its_description(trained, raw, tmp_path):
    copy = shutil.copytree(trained, tmp_path / "r")
    (copy / "inputs.npz").unlink()
    options = {"manual_dir": raw, "data_dir": trained.parent / "data", "overrides": SMALL}
    jaxdep.run("jamfn-demo", seeds=2, out=copy, resume=True, log=quiet, **options)
    assert (copy / "inputs.npz").read_bytes() == (trained / "inputs.npz").read_bytes()


def test_arrays_of_a_file_are_the_features(model, recordings, found, tmp_path):
    name = found.ids[0]
    np.savez(tmp_path / f"{name}.npz", **recordings[name])
    again = model.read(tmp_path / f"{name}.npz")
    alone = model.predict({name: recordings[name]}).tasks["depression"]
    assert model.predict(again).tasks["depression"].outputs.tobytes() == alone.outputs.tobytes()


def test_apply_is_the_network(model, recordings, found):
    inputs = model.description.stack(recordings)
    outputs = model.apply(model.variables[1], inputs)["depression"]
    expected = found.tasks["depression"].outputs[1]
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
