"""Damaged corpora are stored soundly, or refused by one message; `make fuzz` tries many more."""

import gc
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from fuzz import corpora
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jaxdep.data import preparation, stand_ins
from jaxdep.errors import UserError

QUICK = ("dvlog", "ewre", "mgid")


@pytest.fixture(scope="module")
def attempts(tmp_path_factory):
    """Opens a corpus when it is first needed."""
    opened = {}

    def attempt(name):
        if name not in opened:
            opened[name] = corpora.opened(name, tmp_path_factory.mktemp(name))
        return opened[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", None)  # which `opened` sets
        yield attempt


def test_a_few_cases(attempts):
    tried(attempts("dvlog"), 10)


@pytest.mark.slow
@pytest.mark.parametrize("name", corpora.SMALLEST)
def test_many_cases(name, attempts):
    tried(attempts(name), 100 if name in QUICK else 30)


def tried(attempt, cases):
    @settings(
        max_examples=cases,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # a case is found again by its random numbers
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(rng=st.randoms(use_true_random=False))
    def case(rng):
        with suppress(UserError):
            attempt(rng, [])

    case()


@pytest.fixture
def raw(tmp_path):
    stand_ins.synthesize("dvlog", tmp_path / "raw", **corpora.SMALLEST["dvlog"])
    return tmp_path / "raw"


def prepare(raw):
    return preparation.prepare("dvlog", raw, data_dir=raw.parent / "data", log=lambda line: None)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[]", "should be a valid dictionary"),
        (b"{}", "tasks: Field required"),
        (
            b'{"tasks": {"depression": {"chance": "x"}}}',
            "tasks.depression.chance: Input should be a valid number",
        ),
        (b'{"tasks": {}, "parameters": NaN}', "NaN is not a JSON value"),
        (b"[" * 10**5, "nested too deeply"),
        (b"\xff", "can't decode"),
    ],
)
def test_a_damaged_description_of_a_synthetic_corpus_is_refused(content, expected, raw):
    (raw / "synthetic.json").write_bytes(content)
    with pytest.raises(UserError, match="does not describe a synthetic corpus") as refused:
        prepare(raw)
    assert expected in str(refused.value)
    assert not (raw.parent / "data").exists()


def test_a_description_of_a_terabyte_is_refused(raw):
    os.truncate(raw / "synthetic.json", 10**12)
    with pytest.raises(UserError, match="file too large"):
        prepare(raw)


def test_files_whose_names_are_not_utf8(raw):
    (raw / os.fsdecode(b"\xff.txt")).write_text("not a file of the corpus")
    assert (prepare(raw) / "corpus.json").is_file()
    path = raw / "v00001" / "v00001_acoustic.npy"
    path.rename(path.with_name(os.fsdecode(b"\xff") + path.name))
    with pytest.raises(UserError, match=r"v00001_acoustic\.npy"):
        prepare(raw)


def test_messages_quote_files_without_control_characters_and_in_short(raw):
    labels = (raw / "labels.csv").read_text().splitlines()
    first = labels[1].split(",")
    first[1] = "\x1b[31m" + "x" * 100_000
    (raw / "labels.csv").write_text("\n".join([labels[0], ",".join(first), *labels[2:]]))
    with pytest.raises(UserError) as refused:
        prepare(raw)
    assert "\\x1b[31mxxx" in str(refused.value)
    assert len(str(refused.value)) < 1000


def test_a_scan_leaves_no_temporary_files(tmp_path, monkeypatch):
    """TFDS keeps the builder, but nothing that it has read."""
    attempt = corpora.opened("daicwoz", tmp_path)  # with a temporary folder of its own
    gc.collect()
    assert attempt
    assert not list(Path(tempfile.gettempdir()).glob("jaxdep-*"))
    monkeypatch.setattr("tempfile.tempdir", None)
