"""Embedded sentences: a row for each line of words, which a corpus of one's own reads with it."""

import csv
import json

import numpy as np
import pytest
import recordings

from jaxdep.data import text
from jaxdep.data.dialogue import windows
from jaxdep.datasets.folder import raw
from jaxdep.errors import UserError
from jaxdep.extract import Settings, extract, extract_file, words

SECONDS = {"anna": 4.0, "bert": 40.0}  # Whisper sees 30 at once

DESCRIPTION = """\
name: mine
recordings: recordings.csv
tasks:
  depression: {classes: [normal, depression]}
modalities:
  acoustic: {files: "acoustic/{id}.npy", rate: 10}
  text: {files: "text/{id}.npy"}
sentences: {files: "words/{id}.csv", columns: [start, stop]}
"""


@pytest.fixture(scope="module")
def settings(whisper):
    streams = ("acoustic", "words", "text")
    models = {"recogniser": whisper, "text_encoder": "hashing"}
    return Settings(like="folder", streams=streams, rate=10.0, language="en", **models)


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    for seed, (name, seconds) in enumerate(SECONDS.items()):
        recordings.write(folder / f"{name}.wav", None, recordings.voice(seconds, seed=seed))
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, media, settings):
    out = tmp_path_factory.mktemp("corpus") / "mine"
    extract([media], out, settings, workers=1, log=str)
    return out


def sentences_of(corpus, name):
    with (corpus / "words" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_is_the_mean_over_the_tokens_of_a_line(corpus):
    encoder = text.encoder("hashing")
    for name in SECONDS:
        rows = np.load(corpus / "text" / f"{name}.npy")
        lines = [line["text"] for line in sentences_of(corpus, name)]
        assert (rows.dtype, rows.shape) == (np.float32, (len(lines), encoder.width))
        for row, line in zip(rows, lines, strict=True):
            np.testing.assert_allclose(row, encoder.encode([line])[0].mean(0), atol=1e-6)


def test_a_corpus_of_one_s_own_reads_sentences_and_text(corpus):
    (corpus / "corpus.yaml").write_text(DESCRIPTION)
    table = "id,subject,split,depression\nanna,a,train,normal\nbert,b,test,depression\n"
    (corpus / "recordings.csv").write_text(table)
    found = raw.scan(corpus, "corpus.yaml")
    assert not found.faults.found
    counts = []
    for item in found.items:
        arrays, lines = item.load(), sentences_of(corpus, item.id)
        times = np.array([(line["start"], line["stop"]) for line in lines], float)
        order = np.arange(len(lines))
        voice, face, spoken = np.split(arrays["sentences"], 3, 1)
        np.testing.assert_array_equal(voice, windows(times, 10, len(arrays["acoustic"])))
        np.testing.assert_array_equal(face, np.zeros_like(face))
        np.testing.assert_array_equal(spoken, np.stack([order, order + 1], 1))
        np.testing.assert_array_equal(arrays["text"], np.load(corpus / "text" / f"{item.id}.npy"))
        counts.append(len(lines))
    assert max(counts) > 1


def test_the_provenance_names_the_encoder(corpus):
    note = json.loads((corpus / "extraction" / "anna.json").read_text())
    assert note["recipe"]["text_encoder"]["name"] == "hashing"
    assert len(note["recipe"]["text_encoder"]["sha256"]) == 64
    assert note["arrays"]["text"] == [*note["arrays"]["words"], 64]


def test_a_recording_without_a_sentence_is_a_fault(media, settings, monkeypatch, tmp_path):
    nothing = lambda self, samples: words.as_records([], 4.0)
    monkeypatch.setattr(words.Recogniser, "recognise", nothing)
    with pytest.raises(UserError, match=r"no sentence \(1\):\n.*anna\.wav: none was recognised"):
        extract_file(media / "anna.wav", settings)
    with pytest.raises(UserError, match=r"no sentence \(2\)"):
        extract([media], tmp_path, settings, workers=1, log=str)
    assert not list(tmp_path.rglob("*.*"))
