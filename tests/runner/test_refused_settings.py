"""Settings that mean nothing are refused by one message, before anything is read or written."""

from pathlib import Path

import pytest
from small import SMALL

import jaxdep
from jaxdep.errors import UserError
from jaxdep.runner.run import check_seeds, find

FIELDS = [
    ("training.epochs", -1, "of at least 1"),
    ("training.patience", -1, "of at least 0"),
    ("training.buckets", 0, "of at least 1"),
    ("training.batch_size", 0, "of at least 1"),
    ("training.batch_size", -4, "of at least 1"),
    ("training.batch_size", 10**9, "at most 65536"),
    ("training.precision", "foo", "highest, high"),
    ("training.modality_dropout", 1.5, "at most 1"),
    ("training.monitor", "f1", "choose from loss, depression.loss, depression.accuracy"),
    ("training.monitor", "depression.mae", "choose from loss"),
    ("optimizer.learning_rate", -1, "of at least 0"),
    ("optimizer.learning_rate", float("nan"), "a number"),
    ("optimizer.b2", 5, "below 1"),
    ("optimizer.clip_norm", -1, "above 0"),
    ("optimizer.clip_norm", 0, "above 0"),
    ("optimizer.name", "lion", "adam, adamw or sgd"),
    ("optimizer.schedule", "cubic", "step or cosine"),
    ("optimizer.decayed", "biases", "all or matrices"),
    ("model.dropout", 2, "below 1"),
    ("model.dropout", -1, "of at least 0"),
    ("model.layers", 0, "of at least 1"),
    ("model.fusion", "foo", "jaf, add, multiply or concat"),
    ("model.hidden", 0, "of at least 1"),
    ("model.hidden", -8, "of at least 1"),
    ("model.hidden", 10**9, "at most 65536"),
    ("model.channels", 0, "of at least 1"),
    ("model.scales", -1, "an odd integer of at least 1"),
    ("model.scales", (2,), "an odd integer"),
    ("tasks.depression.average", "foo", "weighted, micro, macro or positive"),
    ("tasks.depression.loss", "foo", "unknown loss 'foo'; choose one of cross_entropy"),
    ("tasks.depression.bounds", (0, 63), "predicts classes, which have no bounds"),
    ("tasks.depression.weight", -1, "of at least 0"),
    ("corpus.carve", 5, "at most 0.5"),
    ("corpus.carve", 0, "above 0"),
    ("corpus.lengths.acoustic", -5, "of at least 1"),
    ("corpus.lengths.acoustic", "long", "an integer"),
    ("corpus.validation", "test", "a split may have one role only"),
    ("corpus.train", "../x", "a string of letters"),
    ("name", "../../x", "a string of letters, digits"),
]


@pytest.mark.parametrize(
    ("path", "value", "expected"), FIELDS, ids=[f"{path}={value}" for path, value, _ in FIELDS]
)
@pytest.mark.parametrize("given", ["value", "text"])
def test_a_value_that_a_field_may_not_have(path, value, expected, given):
    value = value if given == "value" else str(value)
    with pytest.raises(UserError) as refused:
        find("jamfn-demo", {path: value})
    assert expected in str(refused.value)
    assert path.rsplit(".", 1)[-1] in str(refused.value) or "loss" in path


def test_settings_are_replaced_all_at_once():
    """Scores have bounds, classes have not: whichever is named first."""
    changes = {"tasks.depression.bounds": "0,63", "tasks.depression.loss": "mse"}
    for order in (changes, dict(reversed(changes.items()))):
        assert find("jamfn-demo", order).tasks["depression"].bounds == (0.0, 63.0)


@pytest.mark.parametrize("seeds", [[2**32], [-1], [], [1, 1], 0])
def test_seeds(seeds):
    with pytest.raises(UserError, match="distinct integers from 0 to 2\\^32 - 1"):
        check_seeds(seeds)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"devices": -1}, "devices=-1: expected an integer of at least 0"),
        ({"devices": -2}, "devices=-2: expected an integer of at least 0"),
        ({"backend": "foo"}, "jit or pmap"),
        ({"signal": float("nan")}, "a number"),
    ],
)
def test_options(options, expected, tmp_path):
    with pytest.raises(UserError, match=expected):
        jaxdep.run("jamfn-demo", out=tmp_path / "r", data_dir=tmp_path / "data", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["out", "data_dir"])
@pytest.mark.parametrize("place", ["a file", "below a file", "read-only"])
def test_folders(option, place, tmp_path):
    file = tmp_path / "file"
    file.touch()
    read_only = Path("/proc/jaxdep")  # also for root, whom permissions do not concern
    folder = {"a file": file, "below a file": file / "x", "read-only": read_only}[place]
    if not folder.parent.exists():
        pytest.skip("needs a folder in which not even root can write")
    folders = {"out": tmp_path / "r", "data_dir": tmp_path / "data"} | {option: folder}
    with pytest.raises(UserError, match=f"^{folder}.*: no files can be created there"):
        jaxdep.run("jamfn-demo", **folders)
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"corpus.lengths.acustic": 40}, "lengths.acustic: dvlog has no such sequence"),
        ({"corpus.synthetic.foo": 1}, "synthetic.foo: the stand-in for dvlog has no such option"),
        ({"corpus.options.foo": 1}, "dvlog has no option foo"),
        (
            {"tasks.depression.loss": "mse"},
            "depression.loss=mse is a loss of scores, but depression of dvlog has classes",
        ),
        ({"training.buckets": 1000}, "buckets=1000: there are only 2 batches per epoch"),
        ({"corpus.carve": 1e-9, "corpus.validation": ""}, "too few to carve"),
    ],
)
def test_what_does_not_fit_the_corpus(changes, expected, data_dir, tmp_path):
    with pytest.raises(UserError, match=expected):
        jaxdep.run(
            "jamfn-demo",
            overrides=SMALL | changes,
            out=tmp_path / "r",
            data_dir=data_dir,
            log=lambda line: None,
        )
    assert not (tmp_path / "r").exists()
