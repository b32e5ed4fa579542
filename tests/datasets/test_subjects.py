"""Who was recorded survives preparation, and what users state of the subjects is checked."""

import csv
import json
import shutil

import numpy as np
import pytest
from fuzz.corpora import OPTIONS, SMALLEST

from jaxdep.data import arrays, preparation, stand_ins, subjects
from jaxdep.data.builder import Item
from jaxdep.errors import Faults, UserError


def prepare(name, raw, data_dir, log=lambda line: None):
    return preparation.prepare(name, raw, data_dir=data_dir, options=OPTIONS.get(name), log=log)


def of_table(path, key, column):
    """A column of a table by another, in all files of a pattern."""
    found = {}
    for file in path.parent.glob(path.name):
        with file.open(encoding="utf-8") as lines:
            found |= {row[key]: row[column] for row in csv.DictReader(lines)}
    return found


def of_avec(name, raw):
    subject = name.split("_")[0]
    gender = of_table(raw / "subjects.csv", "subject", "gender")[subject]
    return subject, {"gender": gender}


def of_avec2014(name, raw):
    subject, known = of_avec(name, raw)
    return subject, known | {"task": name.split("_")[2]}


def of_mmd2023(name, raw):
    return name, {"gender": of_table(raw / "subjects.csv", "subject", "gender")[name]}


def of_daicwoz(name, raw):
    subject = name.split("_")[0]  # of a segment of an interview
    sex = of_table(raw / "*_split*.csv", "Participant_ID", "Gender")[subject]
    return subject, {"gender": ["female", "male"][int(sex)]}


def of_dvlog(name, raw):
    of = lambda column: of_table(raw / "labels.csv", "video_id", column)[name]
    return name, {"gender": {"f": "female", "m": "male"}[of("gender")], "duration": of("duration")}


def of_edaic(name, raw):
    sex = of_table(raw / "labels" / "*_split.csv", "Participant_ID", "Gender")[name]
    return name, {"gender": sex, "agent": "autonomous" if int(name) > 599 else "wizard"}


def of_folder(name, raw):
    of = lambda column: of_table(raw / "recordings.csv", "id", column)[name]
    return of("subject"), {column: of(column) for column in ("age", "gender")}


def of_unknown(name, raw):
    return name, {}


KNOWN = {
    "avec2013": of_avec,
    "avec2014": of_avec2014,
    "daicwoz": of_daicwoz,
    "dvlog": of_dvlog,
    "edaic": of_edaic,
    "ewre": of_unknown,
    "folder": of_folder,
    "lmvd": of_unknown,
    "mgid": of_unknown,
    "mmd2023": of_mmd2023,
}
UNNAMED = ("dvlog", "ewre", "lmvd", "mgid")
"""Corpora whose files do not say who was recorded."""


@pytest.mark.parametrize("name", SMALLEST)
def test_subjects_and_attributes_are_kept(name, tmp_path):
    raw = tmp_path / "raw"
    stand_ins.synthesize(name, raw, **SMALLEST[name])
    folder = prepare(name, raw, tmp_path / "data")
    counts = []
    for split in arrays.splits_of(folder):
        found = arrays.load_split(folder, split, {})
        for row, recording in enumerate(found.ids.tolist()):
            known = {key: texts[row] for key, texts in found.attributes.items()}
            assert (found.subjects[row], known) == KNOWN[name](recording, raw)
        assert not {"subject", "attributes", "id"} & (found.targets.keys() | found.inputs.keys())
        counts += np.unique(found.subjects, return_counts=True)[1].tolist()
    assert max(counts) == {"avec2013": 2, "avec2014": 4, "daicwoz": 2}.get(name, 1)
    assert json.loads((folder / "corpus.json").read_text())["subjects_known"] is (
        name not in UNNAMED
    )


@pytest.fixture
def raw(tmp_path):
    stand_ins.synthesize("avec2013", tmp_path / "raw", **SMALLEST["avec2013"])
    return tmp_path / "raw"


class TestTable:
    def test_columns_of_ones_own(self, raw, tmp_path):
        lines = ["subject,gender,age group", "201,female,", '202,,"30, or more"', "999,male,20"]
        (raw / "subjects.csv").write_text("\ufeff" + "\n".join(lines))
        messages = []
        split = arrays.load_split(
            prepare("avec2013", raw, tmp_path / "data", messages.append), "training", {}
        )
        of = lambda name: dict(zip(split.subjects, split.attributes[name], strict=True))
        assert of("gender") == {"201": "female", "202": "", "203": ""}
        assert of("age group") == {"201": "", "202": "30, or more", "203": ""}
        text = "\n".join(messages)
        assert "subjects.csv has no line for 7 of 9 subjects." in text
        assert "subjects.csv describes 1 subjects that the corpus does not have." in text

    def test_is_optional(self, raw, tmp_path):
        (raw / "subjects.csv").unlink()
        split = arrays.load_split(prepare("avec2013", raw, tmp_path / "data"), "training", {})
        assert split.attributes == {}
        assert split.subjects.tolist() == ["201", "202", "203", "203"]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "wrong header"),
            (b"gender,subject\nf,201\n", "expected subject and names of attributes"),
            (b"subject\n201\n", "expected subject and names of attributes"),
            (b"subject,gender,\n201,f,1\n", "a name is empty"),
            (b"subject,gender,gender\n201,f,f\n", "gender occurs twice"),
            (b"subject,id\n201,f\n", "id is a column of the corpus itself"),
            (b"subject,task\n201,f\n", "task is a column of the corpus itself"),
            (b"subject,gender\n201\n", "found 1; the header has 2"),
            (b"subject,gender\n201,f\n201,f\n", "201 is also in a line before"),
            (b"subject,gender\n,f\n", "bad id"),
            (b"subject,gender\n../201,f\n", "a path, not a name"),
            (b"subject,gender\n201,f\x1b[31m\n", "has control characters"),
            (b'subject,gender\n201,"a\nb"\n', "has control characters"),
            (b"subject,gender\n201," + b"x" * 300, "is longer than 200 bytes"),
            (b"subject,gender\n201,\xff\n", "not UTF-8"),
            (b'subject,gender\n201,"f\n', "unreadable table"),
        ],
    )
    def test_faults(self, content, message, tmp_path):
        (tmp_path / "subjects.csv").write_bytes(content)
        faults = Faults()
        subjects.read(tmp_path, faults, taken=("task",))
        assert faults.fatal == faults.found
        with pytest.raises(UserError) as refused:
            faults.raise_if_any("", "")
        assert message in str(refused.value)
        assert "subjects.csv" in str(refused.value)

    @pytest.mark.parametrize("name", ["avec2013", "mmd2023"])
    def test_faults_are_those_of_the_corpus(self, name, tmp_path):
        stand_ins.synthesize(name, tmp_path / "raw", **SMALLEST[name])
        (tmp_path / "raw" / "subjects.csv").write_text("name,gender\n201,f\n")
        with pytest.raises(UserError, match=r"wrong header \(1\):\n +subjects\.csv:1"):
            prepare(name, tmp_path / "raw", tmp_path / "data")
        assert not (tmp_path / "data").exists()


def test_an_attribute_cannot_have_the_name_of_a_column():
    with pytest.raises(ValueError, match="r1: no attribute may be called subject"):
        Item("r1", "train", dict, attributes={"subject": "p1", "gender": "female"})


def test_what_an_earlier_version_prepared_is_not_misread(tmp_path):
    stand_ins.synthesize("dvlog", tmp_path / "raw", **SMALLEST["dvlog"])
    folder = prepare("dvlog", tmp_path / "raw", tmp_path / "data")
    stored = json.loads((folder / "features.json").read_text())
    del stored["featuresDict"]["features"]["subject"]
    earlier = shutil.copytree(folder, tmp_path / "earlier")
    (earlier / "features.json").write_text(json.dumps(stored))
    with pytest.raises(UserError, match=r"prepared by an earlier version .* prepare the corpus"):
        arrays.load_split(earlier, "train", {})
