"""Trained on one corpus and tested on another: features, labels, people, and what is written."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

import jaxdep
from jaxdep.data import crossing, preparation, stand_ins
from jaxdep.data.arrays import load_split
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.experiments.small import small
from jaxdep.overrides import override
from jaxdep.runner import across
from jaxdep.runner.input_pipeline import open_experiment
from jaxdep.runner.options import RunOptions

quiet = lambda line: None


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Small stand-ins; people of E-DAIC are in part those of DAIC-WOZ."""
    root = tmp_path_factory.mktemp("across")
    sizes = {
        "daicwoz": {"items": 20, "mean_seconds": 30},
        "edaic": {"items": 20, "mean_seconds": 30},
        "dvlog": {"items": 40, "mean_length": 40},
        "lmvd": {"items": 40, "mean_length": 40},
        "avec2013": {"items": 12, "mean_seconds": 8},
        "avec2014": {"items": 12, "mean_seconds": 8},
    }
    for name, size in sizes.items():
        stand_ins.synthesize(name, root / name, **size)
    return root


def opened(data, name, to, changes=(), **options):
    experiment = override(small(EXPERIMENTS[name]), dict(changes))
    own = experiment.corpus.name
    folders = {own: data / own, to: data / to}
    given = RunOptions(manual_dir=folders, test_on=to, data_dir=data / "prepared", **options)
    return open_experiment(experiment, given, quiet)


FACE = {"model.modalities": ("visual",)}


class TestFeatures:
    def test_what_both_have_is_read(self, data):
        found = opened(data, "lr-dvlog", "lmvd", FACE).data
        assert found.splits["train"].name == "train"
        assert found.splits["test"].name == "test of lmvd"
        assert len(found.splits["test"]) == 8
        assert set(found.identity["tested_on"]) == {"corpus", "contents", "synthetic"}
        assert found.description["label_source"].startswith("dvlog: ")
        assert "; lmvd: " in found.description["label_source"]
        assert found.description["synthetic"] == {"tasks": {}}

    def test_other_widths_are_refused_with_what_is_shared(self, data):
        message = r"acoustic: 25 features and 128\. .* model\.modalities=visual"
        with pytest.raises(UserError, match=message):
            opened(data, "jamfn", "lmvd")
        message = r"acoustic: 79 features and 23; visual: 242 features and 49\. .*=text"
        with pytest.raises(UserError, match=message):
            opened(data, "smfl-daicwoz", "edaic", leave_out_shared=True)

    def test_recordings_on_disk_have_the_same_check(self, data):
        folders = {name: data / name for name in ("dvlog", "lmvd")}
        given = RunOptions(manual_dir=folders, test_on="lmvd", data_dir=data / "prepared")
        with pytest.raises(UserError, match="acoustic: 25 features and 128"):
            open_experiment(small(EXPERIMENTS["jamfn"]), given, quiet, stream=True)

    def test_texts_of_two_encoders_are_refused(self):
        first, second = (
            {"name": name, "options": {"text_encoder": encoder}}
            for name, encoder in (("daicwoz", None), ("edaic", "bert-base-uncased"))
        )
        with pytest.raises(UserError, match=r"daicwoz has text of TEXT\.npy, edaic of bert-base"):
            crossing.check_options(first, second, ["text"])
        crossing.check_options(first, second, ["visual"])

    def test_the_other_corpus_is_prepared_as_this_one(self, data):
        changes = {"corpus.options.max_sentences": 1}
        found = opened(data, "smfl-daicwoz-text", "edaic", changes, leave_out_shared=True).data
        assert found.splits["test"].inputs["text_mask"].sum(1).max() == 1


class TestLabels:
    def test_what_is_declared(self):
        assert crossing.label_of("daicwoz", "edaic", "phq8") == "phq8"
        assert crossing.label_of("avec2013", "avec2014", "severity") == "severity"
        assert crossing.label_of("dvlog", "lmvd", "depression") == "depression"

    @pytest.mark.parametrize(
        ("trained", "tested", "label", "message"),
        [
            ("dvlog", "edaic", "depression", r"depression \(PHQ-8 total of 10 or more\), phq8"),
            ("avec2014", "edaic", "depression", r"\(BDI-II total\) is not measured in edaic"),
            ("daicwoz", "edaic", "emotion", r"emotion of daicwoz \(not declared\)"),
            ("dvlog", "mgid", "depression", "none declared"),
        ],
    )
    def test_a_mapping_that_is_not_declared_is_refused(self, trained, tested, label, message):
        with pytest.raises(UserError, match=message):
            crossing.label_of(trained, tested, label)

    def test_a_run_is_refused_before_training(self, data):
        with pytest.raises(UserError, match="not measured in lmvd"):
            opened(data, "smfl-daicwoz-text", "lmvd")

    def test_classes_have_the_same_names(self, data):
        split = opened(data, "lr-dvlog", "lmvd", FACE).data.splits["train"]
        other = replace(split, classes={"depression": ("depression", "normal")})
        with pytest.raises(UserError, match="has the classes"):
            crossing.check_classes(split, other, ["depression"])


class TestPeople:
    """DAIC-WOZ's test split has people of E-DAIC's training split, and reverse."""

    @pytest.mark.parametrize(
        ("name", "to"), [("smfl-daicwoz-text", "edaic"), ("mha-bilstm-edaic-text", "daicwoz")]
    )
    def test_are_refused_or_left_out(self, name, to, data):
        own = EXPERIMENTS[name].corpus.name
        prepared = lambda corpus: preparation.prepare(
            corpus, data / corpus, data_dir=data / "prepared", log=quiet
        )
        subjects = lambda corpus, *splits: {
            person
            for split in splits
            for person in load_split(prepared(corpus), split, {}).subjects.tolist()
        }
        shared = subjects(own, "train", "dev") & subjects(to, "test")
        people = len(subjects(to, "test"))
        if to == "edaic":  # whose test split has new people only
            assert not shared
            found = opened(data, name, to).data
            assert len(found.splits["train"]) == 11
            return
        assert 0 < len(shared) < len(subjects(own, "train", "dev"))
        message = (
            rf"{len(shared)} of {people} people of test of daicwoz are also .*--leave-out-shared"
        )
        with pytest.raises(UserError, match=message):
            opened(data, name, to)
        found = opened(data, name, to, leave_out_shared=True).data
        kept = {*found.splits["train"].subjects, *found.splits["validation"].subjects}
        assert kept == subjects(own, "train", "dev") - shared
        assert set(found.splits["test"].subjects) == subjects(to, "test")
        text = f"{len(shared)} of {people} people of test of daicwoz were left out of training on"
        assert found.description["warnings"][-1].startswith(text)

    def test_equal_ids_of_other_corpora_mean_nothing(self, data):
        split = opened(data, "lr-dvlog", "lmvd", FACE).data.splits["test"]
        same = replace(split, name="train")
        assert len(crossing.shared_people("dvlog", "lmvd", [same], split)) == 0
        assert len(crossing.shared_people("daicwoz", "edaic", [same], split)) == len(split)

    def test_nobody_is_left(self, data):
        split = opened(data, "lr-dvlog", "lmvd", FACE).data.splits["test"]
        with pytest.raises(UserError, match="nobody is left"):
            crossing.left_out(split, split.subjects)

    def test_sessions_of_avec2013_and_avec2014(self, data):
        """Both have the people of the same sessions, whose parts are the same as well."""
        found = opened(data, "svm-avec2013", "avec2014", leave_out_shared=True).data
        own = {*found.splits["train"].subjects, *found.splits["validation"].subjects}
        assert not own & {*found.splits["test"].subjects}
        assert found.splits["test"].name == "testing of avec2014"


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"train_on": "lmvd"}, "jamfn trains on dvlog; choose an experiment on lmvd"),
            ({"train_on": "lmvdd"}, "did you mean 'lmvd'"),
            ({"test_on": "dvlog"}, "--test-on dvlog: jamfn is trained on it"),
            ({"test_on": "lvmd"}, "did you mean 'lmvd'"),
            ({"leave_out_shared": True}, "--leave-out-shared needs --test-on"),
        ],
    )
    def test_what_does_not_go_together(self, options, message):
        with pytest.raises(UserError, match=message):
            across.experiment(EXPERIMENTS["jamfn"], RunOptions(**options))

    def test_what_is_said_needlessly(self):
        jamfn = EXPERIMENTS["jamfn"]
        assert across.experiment(jamfn, RunOptions(train_on="dvlog")) == jamfn

    def test_the_setting_alone_is_checked(self):
        with pytest.raises(UserError, match="the corpus is that of training"):
            override(EXPERIMENTS["jamfn"], {"corpus.tested_on": "dvlog"})

    def test_folders(self):
        corpus = replace(EXPERIMENTS["jamfn"].corpus, tested_on="lmvd")
        assert across.folders(corpus, None) == (None, None)
        assert across.folders(corpus, {"lmvd": "/b", "dvlog": "/a"}) == ("/a", "/b")
        with pytest.raises(UserError, match=r"no folder for lmvd.* dvlog=FOLDER lmvd=FOLDER"):
            across.folders(corpus, "/a")
        with pytest.raises(UserError, match="reads dvlog and lmvd only"):
            across.folders(corpus, {"mgid": "/a"})
        assert across.folders(EXPERIMENTS["jamfn"].corpus, "/a") == ("/a", None)

    def test_folders_from_the_command_line(self):
        assert across.parse_folders([]) is None
        assert across.parse_folders(["/a=b"]) == "/a=b"
        assert across.parse_folders(["dvlog=/a", "lmvd=/b"]) == {"dvlog": "/a", "lmvd": "/b"}
        with pytest.raises(UserError, match="name the corpus of each folder"):
            across.parse_folders(["/a", "/b"])
        with pytest.raises(UserError, match="given twice"):
            across.parse_folders(["dvlog=/a", "dvlog=/b"])


TEXT = {"model.modalities": ("text",), "model.cmjat_targets": ()}


@pytest.mark.parametrize(
    ("name", "to", "changes", "metric"),
    [
        ("smfl-daicwoz", "edaic", TEXT, "accuracy"),
        pytest.param(
            *("bigru-dvlog", "lmvd", {**FACE, "model.hidden": 4}, "accuracy"),
            marks=pytest.mark.slow,
        ),
        pytest.param("mddr-avec2013", "avec2014", {}, "mae", marks=pytest.mark.slow),
    ],
)
def test_a_run_says_what_it_was_trained_and_tested_on(data, tmp_path, name, to, changes, metric):
    experiment = override(small(EXPERIMENTS[name]), changes | {"training.epochs": 1})
    own = experiment.corpus.name
    result = jaxdep.run(
        experiment,
        manual_dir={corpus: data / corpus for corpus in (own, to)},
        test_on=to,
        leave_out_shared=to == "avec2014",  # both have people of the same sessions
        out=tmp_path / "run",
        data_dir=data / "prepared",
        log=quiet,
    )
    said = f"trained on {own}, tested on {to}"
    assert f"; {said}; changed: " in result.results["title"]
    assert said in (tmp_path / "run" / "report.html").read_text()
    assert not result.results["tasks"]["depression"]["paper_figures"]
    split = {"avec2014": "testing"}.get(to, "test")
    assert result.results["splits"]["test"]["name"] == f"{split} of {to}"
    prepared = preparation.prepare(to, data / to, data_dir=data / "prepared", log=quiet)
    with (tmp_path / "run" / "recordings.csv").open() as lines:
        tested = {row["id"] for row in csv.DictReader(lines)}
    assert tested == {*load_split(prepared, split, {}).ids.tolist()}
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["identity"]["tested_on"]["corpus"] == to
    # Evaluated again from the run's folder, on the same recordings.
    again = jaxdep.evaluate(tmp_path / "run", log=quiet).results
    assert again["splits"]["test"] == result.results["splits"]["test"]
    ours, theirs = (
        each["tasks"]["depression"]["summary"][metric]["mean"] for each in (result.results, again)
    )
    np.testing.assert_allclose(ours, theirs)


def test_without_files_both_are_stand_ins(tmp_path):
    synthetic = {"tested_synthetic": {"items": 20, "mean_length": 40}}
    base = override(small(EXPERIMENTS["lr-dvlog"]), FACE)
    base = replace(base, corpus=replace(base.corpus, **synthetic))
    given = RunOptions(test_on="lmvd", data_dir=tmp_path)
    found = open_experiment(base, given, quiet).data
    assert found.identity["tested_on"]["synthetic"]
    assert len(found.splits["test"]) == 4
