"""Texts typed by hand, or in files: embedded as the corpus was, with the run's own encoder."""

import csv

import numpy as np
import pytest

import jaxdep
from jaxdep.analysis import predictions
from jaxdep.errors import UserError

SMALL = {
    "corpus.synthetic.items": 120,
    "model.text_hidden": 4,
    "model.features": 4,
    "model.heads": 2,
    "model.task_hidden": 4,
    "training.epochs": 2,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("texts")
    options = {"data_dir": base / "data", "overrides": SMALL, "log": lambda line: None}
    return jaxdep.run("amm-mgid-text", seeds=2, out=base / "r", **options).folder


@pytest.fixture(scope="module")
def model(folder):
    return jaxdep.load(folder)


def test_the_texts_of_the_test_split(folder, model, tmp_path):
    """Their predictions are those that the run itself wrote, read again without the labels."""
    [source] = (folder.parent / "data" / "synthetic").glob("mgid-*/test/test.csv")
    with source.open() as old, (tmp_path / "test.csv").open("w", newline="") as new:
        writer = csv.DictWriter(new, ["Title", "Text"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(csv.DictReader(old))
    found = model.predict(model.read(tmp_path / "test.csv"))
    evaluated = jaxdep.evaluate(folder, log=lambda line: None).folder
    for task, stored in predictions.read(evaluated / "predictions.csv").items():
        assert list(found.ids) == stored.ids.tolist()
        assert stored.logits is not None
        expected = stored.logits.astype(np.float32).tobytes()
        assert found.tasks[task].outputs.tobytes() == expected
    assert found.tasks["emotion"].value.shape == (len(found.ids), 6)


def test_by_hand_as_in_files(model, tmp_path):
    texts = ["A grey river under a wide sky.", "The lamp on the table - stock photo"]
    typed = model.read(texts=texts)
    assert list(typed) == ["text_00001", "text_00002"]
    (tmp_path / "mine.txt").write_text("\n\n".join(texts) + "\n")
    (tmp_path / "mine.csv").write_text(f'id,Text\nfirst,"{texts[0]}"\nsecond,"{texts[1]}"\n')
    lines, rows = (model.read(tmp_path / name) for name in ("mine.txt", "mine.csv"))
    assert list(lines) == ["mine_00001", "mine_00002"]
    assert list(rows) == ["first", "second"]
    for first, second, third in zip(*(x.values() for x in (typed, lines, rows)), strict=True):
        np.testing.assert_array_equal(first["text"], second["text"])
        np.testing.assert_array_equal(first["text"], third["text"])
    assert typed["text_00001"]["text"].shape == (8, 64)  # with the full stop
    assert len(model.predict(typed).ids) == 2


def test_mistakes(model, tmp_path):
    with pytest.raises(UserError, match="empty text"):
        model.read(texts=[" "])
    for content, message in (
        ("Title,Body\na,b\n", r'missing column.*\n.*mine\.csv:1: "Text"'),
        ("Text,Title\na\n", r"wrong row.*\n.*mine\.csv:2: 1 cells; the header has 2"),
        ("Text,id\na,x\nb,x\n", r"duplicate id"),
        ("Text,id\na,../x\n", r"bad id.*\n.*a path, not a name"),
        ("Text\n", r"no rows"),
    ):
        (tmp_path / "mine.csv").write_text(content)
        with pytest.raises(UserError, match=message):
            model.read(tmp_path / "mine.csv")


def test_another_encoder_is_refused(model):
    with pytest.raises(UserError, match=r"not the text_encoder of the run.*--set text_encoder"):
        model.read(texts=["hello"], options={"max_tokens": 5})
    with pytest.raises(UserError, match="has no option encoder"):
        model.read(texts=["hello"], options={"encoder": "x"})
