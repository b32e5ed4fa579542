"""Experiments on a corpus of one's own: what is kept, what is replaced, and what does not fit."""

import shutil
from typing import Any

import numpy as np
import pytest

import jaxdep
from jaxdep.data import stand_ins
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.overrides import from_json, to_json
from jaxdep.runner import own_corpus
from jaxdep.runner.options import RunOptions
from jaxdep.runner.run import requested

FEATURES = {
    "acoustic": '{files: "a/{id}.npy", rate: 2}',
    "visual": '{files: "v/{id}.npy", rate: 3}',
    "text": '{files: "t/{id}.npy"}',
    "pose": '{files: "p/{id}.npy", rate: 3}',
}
BOTH = "{depression: {classes: ['no', 'yes']}, phq8: {score: [0, 24]}}"
PAPERS = ("D-Vlog", "AVEC", "DAIC", "MMD", "EWRE", "MGID", "Table")


@pytest.fixture
def described(tmp_path):
    """Writes `corpus.yaml`; the files that it names are not read to adapt an experiment."""

    def write(modalities=tuple(FEATURES), tasks=BOTH, rest="align: 1", sentences=True):
        lines = ["name: mine", "recordings: table.csv", f"tasks: {tasks}", rest, "modalities:"]
        lines += [f"  {name}: {FEATURES[name]}" for name in modalities]
        if sentences:
            lines.append('sentences: {files: "s/{id}.csv"}')
        (tmp_path / "corpus.yaml").write_text("\n".join(lines))
        return tmp_path / "corpus.yaml"

    return write


def fitted(name, path, task=""):
    experiment = own_corpus.adapted(EXPERIMENTS[name], path, task)
    own_corpus.check(experiment, path)
    return experiment


def test_every_experiment_fits_a_corpus_that_has_everything(described):
    path = described()
    for name, registered in EXPERIMENTS.items():
        experiment = fitted(name, path)
        assert experiment.corpus.name == "folder"
        assert experiment.paper is None
        assert "mine" in experiment.title
        assert not [word for word in PAPERS if word in experiment.title]
        assert experiment.optimizer == registered.optimizer
        assert from_json(to_json(experiment)) == experiment


def test_tasks_losses_and_classes(described):
    path = described()
    jamfn = fitted("jamfn", path)
    assert list(jamfn.tasks) == ["depression"]
    assert jamfn.title == "jamfn on mine"
    mddr = fitted("mddr-avec2014", path)  # the first that it can predict
    assert (mddr.model.task, mddr.tasks["phq8"].loss) == ("phq8", "huber")
    assert mddr.tasks["phq8"].bounds == (0, 24)
    assert mddr.training.monitor == "phq8.mae"
    scores = fitted("mult-dvlog", path, "phq8")
    assert (scores.model.classes, scores.tasks["phq8"].loss) == (None, "mse")
    head = fitted("smfl-daicwoz-head", path)
    assert head.labels == {"depression": "depression", "cmjat_visual": "depression"}
    assert head.tasks["depression"].average == "positive"
    bdi = described(tasks="{bdi: {score: [0, 63]}}")
    assert fitted("mddr-avec2014", bdi).tasks["bdi"].loss == "dr"  # the scale that it knows
    three = described(tasks="{severity: {classes: [mild, moderate, severe]}}")
    assert fitted("jamfn", three).model.classes == 3
    smfl = fitted("smfl-daicwoz", three)
    assert (smfl.model.classes, smfl.tasks["severity"].average) == (3, "weighted")
    two = described(tasks="{mood: {classes: [low, high]}, sleep: {classes: [bad, fair, good]}}")
    assert fitted("amm-mgid", two).model.tasks == {"mood": 2, "sleep": 3}
    assert fitted("amm-mgid-depression", two).model.tasks == {"mood": 2}


@pytest.mark.parametrize(
    ("name", "description", "message"),
    [
        ("jamfn", {"modalities": ["acoustic"]}, "JAMFN reads visual; the corpus has acoustic"),
        ("jamfn", {"rest": ""}, "align: JAMFN reads acoustic and visual frame by frame"),
        ("tamfn-dvlog", {"rest": ""}, "align: TAMFN reads"),
        ("smfl-demo", {"sentences": False}, "sentences: SMFL reads interviews sentence by"),
        ("mddr-avec2014", {"modalities": ["visual"]}, "Set model.modalities=visual to read"),
        ("mult-mgid", {"modalities": ["pose"]}, "Set model.modalities=pose to read these alone"),
        ("jamfn", {"tasks": "{x: {score: [0, 9]}}"}, "x: a score, and it predicts classes"),
        ("lr-dvlog", {"tasks": "{x: {score: [0, 9]}}"}, "add a task with classes"),
        ("mddr-demo", {"tasks": "{x: {classes: [a, b]}}"}, "add a task with score"),
        ("depformer-ewre-released", {"tasks": "{x: {classes: [a, b]}}"}, "call the task so"),
    ],
)
def test_what_does_not_fit_is_named(described, name, description, message):
    with pytest.raises(UserError) as error:
        fitted(name, described(**description))
    assert message in str(error.value)
    assert f"{name} cannot be trained on mine" in str(error.value)


def test_all_that_is_missing_is_one_message(described):
    path = described(["text"], "{x: {score: [0, 9]}}", rest="", sentences=False)
    with pytest.raises(UserError) as error:
        fitted("smfl-demo", path)
    for part in ("x: a score", "SMFL reads acoustic, visual", "sentences: SMFL"):
        assert part in str(error.value)


def test_other_modalities_are_chosen_by_a_setting(described):
    path = described(["text"], rest="")
    options = RunOptions(corpus=path, overrides=["model.modalities=text"])
    experiment, base, chosen = requested("mult-mgid", options)
    assert experiment.model.modalities == ("text",)
    assert base.model.modalities == ("text", "visual")
    assert chosen.manual_dir == path


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"corpus": "x", "manual_dir": "y"}, "omit --manual-dir"),
        ({"task": "phq8"}, "give both"),
    ],
)
def test_contradicting_options(options, message):
    with pytest.raises(UserError, match=message):
        RunOptions(**options)


def test_unknown_tasks_and_files(described, tmp_path):
    with pytest.raises(UserError, match="did you mean 'phq8'"):
        own_corpus.adapted(EXPERIMENTS["jamfn"], described(), "phq9")
    with pytest.raises(UserError, match="there is no such file; `jaxdep init DIR`"):
        jaxdep.run("jamfn", corpus=tmp_path / "nowhere")


def test_a_table_with_splits_but_none_for_validation(tmp_path):
    folder = tmp_path / "raw"
    stand_ins.synthesize("folder", folder, items=20)
    path = folder / "corpus.yaml"
    assert fitted("jamfn", path).corpus.validation == "validation"
    lines = (folder / "recordings.csv").read_text().splitlines()
    splits = ["split", *(["train"] * 15), *(["test"] * 5)]
    table = "\n".join(f"{line},{split}" for line, split in zip(lines, splits, strict=True))
    (folder / "recordings.csv").write_text(table)
    assert fitted("jamfn", path).corpus.validation == ""  # carved from train


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own") / "raw"
    stand_ins.synthesize("folder", folder, items=20, mean_seconds=10)
    return folder


def test_a_baseline_of_scores_in_python(example, tmp_path):
    quiet: dict[str, Any] = {"log": lambda line: None, "data_dir": tmp_path / "data"}
    result = jaxdep.run(
        "rf-avec2014",
        corpus=example,
        task="phq8",
        overrides=["model.modalities=acoustic,text", "model.trees=5"],
        out=tmp_path / "run",
        **quiet,
    )
    assert result.results["title"].startswith("rf-avec2014 on example; changed: ")
    assert result.results["corpus_title"] == "example"
    assert "phq8" in result.results["tasks"]
    report = (result.folder / "report.html").read_text()
    assert "SYNTHETIC example" in report
    shutil.rmtree(tmp_path / "data")


def test_a_sweep(example, tmp_path):
    axes: dict[str, Any] = {"optimizer.learning_rate": [1e-3, 1e-2]}
    result = jaxdep.sweep(
        "jamfn-demo",
        axes,
        corpus=example,
        overrides=["model.hidden=4", "training.epochs=2"],
        out=tmp_path / "sweep",
        data_dir=tmp_path / "data",
        log=lambda line: None,
    )
    assert len(result.ranking) == 2
    assert result.title.startswith("SYNTHETIC: jamfn-demo on example; changed: ")
    assert result.best.results["corpus_title"] == "example"
    assert (result.folder / "sweep.html").is_file()


def test_a_prediction_has_the_classes_of_the_table(example, tmp_path):
    from jaxdep.data import arrays, preparation

    folder = preparation.prepare("folder", example, data_dir=tmp_path, log=lambda line: None)
    split = arrays.load_split(folder, "test", {})
    assert split.classes["depression"] == ("normal", "depression")
    assert np.isin(split.attributes["gender"], ["female", "male"]).all()
