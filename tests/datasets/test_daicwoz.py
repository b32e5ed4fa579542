"""DAIC-WOZ: its known faults are survived, repaired and counted; its stand-in reads like it."""

import json
import re
import shutil

import numpy as np
import pytest
from corpus_case import ids

from jaxdep.data import arrays, corpora, functionals, interview_events, preparation, stand_ins
from jaxdep.errors import UserError
from jaxdep.models import baselines

SECONDS = 40.0


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("daic") / "raw"
    stand_ins.synthesize("daicwoz", folder, items=10, mean_seconds=SECONDS)
    return folder


@pytest.fixture
def folder(stand_in, tmp_path):
    """A copy to spoil, which does not say that it is synthetic."""
    shutil.copytree(stand_in, tmp_path / "raw")
    (tmp_path / "raw" / "synthetic.json").unlink()
    return tmp_path / "raw"


@pytest.fixture
def prepare(folder, tmp_path):
    def run(**how):
        messages = []
        options = how.pop("options", {})
        stored = preparation.prepare(
            "daicwoz",
            folder,
            data_dir=tmp_path / "data",
            log=messages.append,
            options=options,
            **how,
        )
        return stored, "\n".join(messages)

    return run


def first(folder):
    return sorted(folder.glob("*_P"))[0].name.removesuffix("_P")


def rewrite(path, change):
    path.write_text(change(path.read_text()))


def test_streams_and_sentences(folder, prepare):
    stored, messages = prepare()
    split = arrays.load_split(stored, "train", {})
    assert "repaired" in messages
    assert split.classes == {"depression": ("normal", "depression")}
    assert split.inputs["acoustic"].shape[2] == 79
    assert split.inputs["visual"].shape[2] == 242
    assert split.inputs["text"].shape[2] == 768
    table, real = split.inputs["sentences"], split.inputs["sentences_mask"]
    assert table.dtype == np.int32
    for row, name in enumerate(split.ids):
        counted = real[row].sum()
        lines = (folder / f"{name}_P" / f"{name}_TRANSCRIPT.csv").read_text().splitlines()
        answers = [line.split("\t") for line in lines if "\tParticipant\t" in line]
        assert counted == len(answers)
        times = np.array([[float(cell) for cell in line[:2]] for line in answers])
        for column, (modality, rate) in enumerate((("acoustic", 100), ("visual", 30))):
            windows = table[row, :counted, 2 * column : 2 * column + 2]
            sizes = windows[:, 1] - windows[:, 0]
            spans = np.diff(np.rint(times * rate), axis=1)[:, 0]
            assert np.abs(sizes - spans).max() <= 1  # the last frame may be missing
            assert (windows[1:, 0] == windows[:-1, 1]).all()
            assert windows[-1, 1] == split.inputs[f"{modality}_mask"][row].sum()
        np.testing.assert_array_equal(table[row, :counted, 4], np.arange(counted))
    frames = split.inputs["acoustic"][0][split.inputs["acoustic_mask"][0]]
    np.testing.assert_allclose(frames.mean(0), 0, atol=1e-3)
    card = json.loads((stored / "corpus.json").read_text())["card"]
    assert card["repairs"]["COVAREP values that are not finite"] > 0
    assert card["speakers"] == "participant"
    assert "padding, if all are padded to the longest" in card


def test_options(prepare):
    both, _ = prepare(options={"speakers": "both", "text_encoder": "hashing"})
    one, _ = prepare(options={"max_sentences": 2})
    released, _ = prepare(options={"cut": "released"})
    tokens, _ = prepare(options={"text_encoder": "hashing", "text_tokens": True})
    load = lambda stored: arrays.load_split(stored, "train", {}).inputs
    assert load(one)["sentences_mask"].sum(1).max() == 2
    assert load(both)["sentences_mask"].sum() > 2 * load(one)["sentences_mask"].sum()
    table, real = load(tokens)["sentences"], load(tokens)["sentences_mask"]
    assert (table[..., 5] - table[..., 4])[real].min() > 1
    table, real = load(released)["sentences"], load(released)["sentences_mask"]
    windows = table[0, real[0]]
    np.testing.assert_array_equal(windows[:3, 0], [0, 100, 200])  # seconds counted in sentences
    assert (windows[1:, 2] == windows[:-1, 3]).all()


def test_stratified_split_is_8_to_2(prepare):
    stored, _ = prepare(options={"split": "stratified", "split_seed": 3})
    sizes = {split: len(arrays.load_split(stored, split, {})) for split in ("train", "test")}
    assert sizes == {"train": 8, "test": 2}
    assert set(arrays.load_split(stored, "test", {}).targets["depression"]) == {0, 1}


def test_known_faults_of_labels_are_repaired_and_said(folder, prepare):
    name = first(folder)
    file = folder / "train_split_Depression_AVEC2017.csv"
    items = [
        "NoInterest",
        "Depressed",
        "Sleep",
        "Tired",
        "Appetite",
        "Failure",
        "Concentrating",
        "Moving",
    ]
    header = "Participant_ID,PHQ8_Binary,PHQ8_Score,Gender," + ",".join(f"PHQ8_{i}" for i in items)
    lines = file.read_text().splitlines()[1:]
    rows = [line + ",1,1,1,1,1,1,1,1" for line in lines]
    rows[0] = f"{name},0,10,1,1,1,,1,1,1,1,1"
    file.write_text("\ufeff" + "\n".join([header, *rows]) + "\n")
    stored, messages = prepare()
    assert f"{name}: labelled 0 with a score of 10; changed to 1" in messages
    assert f"{name}: PHQ8_Sleep is empty; the score implies 3" in messages
    split = arrays.load_split(stored, "train", {})
    assert split.targets["depression"][split.ids.tolist().index(name)] == 1


def test_further_columns_but_scores_are_attributes(folder, prepare):
    file = folder / "train_split_Depression_AVEC2017.csv"
    header, *lines = file.read_text().splitlines()
    header += ",age,PHQ8_Sleep,PTSD Severity,id,"
    further = lambda *cells: "\n".join([header, *(f"{line},{','.join(cells)}" for line in lines)])
    file.write_text(further("20 to 29", "1", "28.0", "7", "x"))
    split = arrays.load_split(prepare()[0], "train", {})
    assert set(split.attributes) == {"gender", "age"}
    assert set(split.attributes["age"]) == {"20 to 29"}
    assert arrays.load_split(prepare()[0], "dev", {}).attributes.keys() == {"gender"}
    file.write_text(further("\x1b", "1", "28.0", "7", "x"))
    with pytest.raises(UserError, match=r"bad attribute \(\d+\)(?s:.*)control characters"):
        prepare()


def test_rows_without_numbers_are_the_rows_before_them(folder, prepare):
    name = first(folder)
    session = folder / f"{name}_P"
    (session / f"{name}_CLNF_AUs.txt").rename(
        session / f"{name}_CLNF_AUs.csv"
    )  # as the manual has it
    messages = prepare()[1]
    what = "CLNF gaze rows"
    before = int(messages.split(what)[0].split()[-1]) if what in messages else 0
    gaze = session / f"{name}_CLNF_gaze.txt"

    def spoil(text):
        lines = text.splitlines()
        cells = lines[50].split(",")
        lines[50] = ",".join([*cells[:4], *[" -1.#IND"] * (len(cells) - 4)])
        return "\n".join(lines) + "\n"

    spoiled = "-1.#IND" not in gaze.read_text().splitlines()[50]
    rewrite(gaze, spoil)
    assert f"repaired: {before + spoiled} CLNF gaze rows" in prepare()[1]


def test_all_faults_at_once(folder, prepare, tmp_path):
    names = sorted(path.name.removesuffix("_P") for path in folder.glob("*_P"))
    file_of = lambda name, what: folder / f"{name}_P" / f"{name}_{what}"
    file_of(names[0], "COVAREP.csv").unlink()
    rewrite(file_of(names[1], "FORMANT.csv"), lambda text: text.replace(",", ";"))
    rewrite(file_of(names[2], "CLNF_pose.txt"), lambda text: text.splitlines()[0] + "\n")
    rewrite(file_of(names[3], "TRANSCRIPT.csv"), lambda text: text + "late\tlater\tEllie\thm\n")
    rewrite(file_of(names[4], "TRANSCRIPT.csv"), lambda text: text.replace("\t", ","))
    np.save(file_of(names[5], "TEXT.npy"), np.zeros((1, 768), np.float32))
    rewrite(folder / "dev_split_Depression_AVEC2017.csv", lambda text: text + "999,2,5,1\n")
    shutil.rmtree(folder / f"{names[6]}_P")
    with pytest.raises(UserError) as refused:
        prepare()
    message = str(refused.value)
    for part in (
        f"{names[0]}_P/{names[0]}_COVAREP.csv",
        f"{names[1]}_P/{names[1]}_FORMANT.csv",
        f"{names[2]}_P/{names[2]}_CLNF_pose.txt",
        "bad line",
        "wrong header",
        "1 rows,",
        "unknown label",
        f"{names[6]}_P",
    ):
        assert part in message
    assert not (tmp_path / "data").exists()


def test_skipped_interviews_are_listed(folder, prepare):
    name = first(folder)
    (folder / f"{name}_P" / f"{name}_COVAREP.csv").unlink()
    stored, _ = prepare(skip_bad=True)
    about = json.loads((stored / "corpus.json").read_text())
    assert [fault["item"] for fault in about["skipped"]] == [name]


def spoiled(what, change):
    """Damages a text file of an interview."""
    return lambda folder, name: rewrite(folder / f"{name}_P" / f"{name}_{what}", change)


def missing(what):
    return lambda folder, name: (folder / f"{name}_P" / f"{name}_{what}").unlink()


def saved(what, content):
    return lambda folder, name: np.save(folder / f"{name}_P" / f"{name}_{what}", content)


def labelled(change):
    """Changes the line of an interview in its split file."""

    def damage(folder, name):
        for file in folder.glob("*.csv"):
            of = re.compile(f"^{name},.*\n", re.MULTILINE)
            rewrite(file, lambda text: of.sub(lambda line: change(line[0]), text))  # noqa: B023

    return damage


def scored_by_item(folder, name):
    """One item of the questionnaire of one interview is no number."""
    file = folder / "train_split_Depression_AVEC2017.csv"
    header, *lines = file.read_text().splitlines()
    lines = [line + (",x" if line.startswith(f"{name},") else ",1") for line in lines]
    file.write_text("\n".join([f"{header},PHQ8_Sleep", *lines]) + "\n")


OF_ONE_INTERVIEW = [
    ("missing file", lambda folder, name: shutil.rmtree(folder / f"{name}_P")),
    ("missing file", missing("COVAREP.csv")),
    ("wrong shape", spoiled("FORMANT.csv", lambda text: text.replace(",", ";"))),
    ("not numeric", spoiled("FORMANT.csv", lambda text: text.replace("1,", "one,"))),
    ("lengths differ", spoiled("COVAREP.csv", lambda text: text[: text.index("\n", 9000) + 1])),
    ("missing file", missing("CLNF_gaze.txt")),
    ("no rows", spoiled("CLNF_pose.txt", lambda text: text.splitlines()[0] + "\n")),
    ("missing file", missing("TRANSCRIPT.csv")),
    ("unreadable file", spoiled("TRANSCRIPT.csv", lambda text: text + "\0")),
    ("wrong header", spoiled("TRANSCRIPT.csv", lambda text: text.replace("\t", ","))),
    ("bad line", spoiled("TRANSCRIPT.csv", lambda text: text + "late\tlater\tEllie\thm\n")),
    ("no rows", spoiled("TRANSCRIPT.csv", lambda text: text.replace("Participant", "Ellie"))),
    ("missing file", missing("TEXT.npy")),
    ("wrong shape", saved("TEXT.npy", np.zeros((1, 768), np.float32))),
    ("NaN or infinity", saved("TEXT.npy", np.full((99, 768), np.nan))),
    ("unknown label", labelled(lambda line: line.split(",")[0] + "\n")),
    ("unknown label", labelled(lambda line: line.split(",")[0] + ",1,25,1\n")),
    ("unknown label", labelled(lambda line: line[line.index(",") :])),
    ("unknown label", scored_by_item),
    ("duplicate id", labelled(lambda line: line + line)),
]


@pytest.mark.parametrize(("kind", "damage"), OF_ONE_INTERVIEW)
def test_a_fault_of_one_interview_leaves_out_that_one(folder, prepare, kind, damage):
    said = lambda path: len((path / f"{path.name[:-2]}_TRANSCRIPT.csv").read_text())
    trained = (folder / "train_split_Depression_AVEC2017.csv").read_text()
    everyone = {path.name.removesuffix("_P"): said(path) for path in folder.glob("*_P")}
    name = max((name for name in everyone if f"\n{name}," in trained), key=everyone.__getitem__)
    damage(folder, name)
    stored, _ = prepare(skip_bad=True)
    skipped = json.loads((stored / "corpus.json").read_text())["skipped"]
    assert kind in {fault["kind"] for fault in skipped}
    assert ids(stored) == everyone.keys() - {name}


def train_split(content):
    def damage(folder):
        path = folder / "train_split_Depression_AVEC2017.csv"
        path.write_bytes(content(path.read_bytes()))

    return damage


OF_ALL = [
    ("wrong header", train_split(lambda text: text.replace(b"PHQ8_Score", b"Score"))),
    ("wrong header", train_split(lambda text: text.replace(b",", b";"))),
    ("wrong header", train_split(lambda text: b"")),
    ("not UTF-8", train_split(lambda text: text + b"\xff")),
    ("unreadable table", train_split(lambda text: text + b'"')),
    ("missing file", lambda folder: [path.unlink() for path in folder.glob("*.csv")]),
]


@pytest.mark.parametrize("split", ["official", "stratified"])
@pytest.mark.parametrize(("kind", "damage"), OF_ALL)
def test_a_fault_of_the_corpus_cannot_be_left_out(folder, prepare, tmp_path, kind, damage, split):
    damage(folder)
    with pytest.raises(UserError, match=f"{kind} (?s:.*)cannot be skipped"):
        prepare(skip_bad=True, options={"split": split})
    assert not (tmp_path / "data").exists()


def test_too_few_interviews_for_random_splits(folder, prepare, tmp_path):
    for file in folder.glob("*.csv"):
        kept = 2 if file.name.startswith("train") else 1
        file.write_text("\n".join(file.read_text().splitlines()[:kept]) + "\n")
    with pytest.raises(UserError, match=r"too few interviews (?s:.*)of label 1"):
        prepare(options={"split": "stratified"}, skip_bad=True)
    assert not (tmp_path / "data").exists()


def test_interrupted_interviews_lose_what_was_said_meanwhile(folder, prepare):
    old, new = first(folder), "444"
    session = folder / f"{old}_P"
    for path in session.iterdir():
        path.rename(session / path.name.replace(old, new))
    session.rename(folder / f"{new}_P")
    for file in folder.glob("*.csv"):
        rewrite(file, lambda text: text.replace(f"{old},", f"{new},"))
    transcript = folder / f"{new}_P" / f"{new}_TRANSCRIPT.csv"
    late = "290.0\t292.0\tParticipant\tsorry\n"
    rewrite(transcript, lambda text: text.replace("\n", f"\n{late}", 1))
    vectors = np.load(folder / f"{new}_P" / f"{new}_TEXT.npy")
    vectors = np.concatenate([np.full((1, 768), 9, np.float32), vectors])
    np.save(folder / f"{new}_P" / f"{new}_TEXT.npy", vectors)
    stored, messages = prepare()
    assert "repaired: 1 transcript lines of an interruption, left out" in messages
    split = arrays.load_split(stored, "train", {})
    words = split.inputs["text"][split.ids.tolist().index(new)]
    np.testing.assert_allclose(words[0], vectors[1], rtol=1e-6)  # rows are counted with what went


@pytest.mark.parametrize("option", [{"speakers": "ellie"}, {"cut": "x"}, {"split": "random"}])
def test_unknown_choice(prepare, option):
    with pytest.raises(UserError, match=r"daicwoz\.\w+=\w+: expected \w+ or \w+"):
        prepare(options=option)


def test_time_averages_know_nothing(stand_in, tmp_path):
    """Events are to one side as often as to the other."""
    names = sorted(stand_in.glob("*_P"))
    for path in names[:2]:
        words = np.load(path / f"{path.name.removesuffix('_P')}_TEXT.npy")
        spread = np.abs(words.mean(0)).max() * np.sqrt(len(words))
        assert spread < 8  # an event is longer, and there is one in every row


def test_what_tells_people_apart_is_stored_from_before_normalisation(prepare):
    """Normalised frames have mean 0; the functionals are those of the answers as recorded."""
    stored, _ = prepare(options={"normalize": True})
    raw, _ = prepare(options={"normalize": False})
    split = lambda folder: arrays.load_split(folder, "train", {})
    normal, plain = split(stored), split(raw)
    columns = baselines.feature_columns(normal.inputs, functionals.FUNCTIONALS)
    expected = baselines.feature_columns(plain.inputs, functionals.FUNCTIONALS)
    np.testing.assert_allclose(columns, expected, rtol=1e-4, atol=1e-4)
    assert np.median(columns.std(0)) > 0.05


def test_voice_as_the_paper_has_it(folder, prepare):
    """25 descriptors that a user extracts, in place of COVAREP."""
    with pytest.raises(UserError, match=r"EGEMAPS\.npy"):
        prepare(options={"acoustic": "egemaps"})
    for path in folder.glob("*_P"):
        name = path.name.removesuffix("_P")
        frames = np.random.default_rng(0).normal(size=(int(SECONDS * 100), 25))
        np.save(path / f"{name}_EGEMAPS.npy", frames.astype(np.float32))
    stored, _ = prepare(options={"acoustic": "egemaps"})
    assert arrays.load_split(stored, "train", {}).inputs["acoustic"].shape[-1] == 25


def test_known_answers():
    known = interview_events.bayes()
    assert known["bayes_accuracy"] > 0.95
    assert known["best_single_modality"] == pytest.approx(
        {"acoustic": 0.85, "visual": 0.85, "text": 0.85}
    )
    assert interview_events.bayes(0.0)["bayes_accuracy"] == pytest.approx(0.5)


def test_the_same_seed_writes_the_same_files(stand_in, tmp_path):
    stand_ins.synthesize("daicwoz", tmp_path / "again", items=10, mean_seconds=SECONDS)
    paths = sorted(path.relative_to(stand_in) for path in stand_in.rglob("*") if path.is_file())
    assert len(paths) == 10 * 8 + 5
    for path in paths[::7]:
        assert (stand_in / path).read_bytes() == (tmp_path / "again" / path).read_bytes()


def test_options_of_the_command_line():
    given = {"speakers": "both", "max_sentences": "5", "text_tokens": "True"}
    expected = {"speakers": "both", "max_sentences": 5, "text_tokens": True}
    assert corpora.parse_options("daicwoz", given) == expected
    for key, value in (("max_sentences", "few"), ("text_tokens", "1"), ("speaker", "both")):
        with pytest.raises(UserError, match=key):
            corpora.parse_options("daicwoz", {key: value})
