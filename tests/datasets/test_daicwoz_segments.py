"""DAIC-WOZ by segments: an annotated part of an interview is an item, with its own emotion."""

import json
import os
import shutil
from itertools import pairwise

import jax
import numpy as np
import pytest
from corpus_case import ids
from sklearn.linear_model import LogisticRegression

from jaxdep.data import arrays, corpora, interview_events, opening, preparation, stand_ins
from jaxdep.data import synthetic as data_synthetic
from jaxdep.datasets.daicwoz import emotions, synthetic_emotions
from jaxdep.errors import Faults, UserError
from jaxdep.experiments import EXPERIMENTS

SEGMENTS = {"items": "segments"}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("daic") / "raw"
    stand_ins.synthesize("daicwoz", folder, items=10, mean_seconds=30.0)
    return folder


@pytest.fixture
def folder(stand_in, tmp_path):
    return shutil.copytree(stand_in, tmp_path / "raw")


@pytest.fixture
def prepare(folder, tmp_path):
    def run(options=SEGMENTS, **how):
        messages = []
        data, log = tmp_path / "data", messages.append
        stored = preparation.prepare(
            "daicwoz", folder, options=options, data_dir=data, log=log, **how
        )
        return stored, "\n".join(messages)

    return run


def names_of(folder):
    return sorted(path.name.removesuffix("_P") for path in folder.glob("*_P"))


def times_of(folder, name):
    """Start and end of each answer of an interview."""
    lines = (folder / f"{name}_P" / f"{name}_TRANSCRIPT.csv").read_text().splitlines()
    cells = [line.split("\t") for line in lines if "\tParticipant\t" in line]
    return np.array([[float(cell) for cell in line[:2]] for line in cells])


def annotate(folder, *lines):
    content = ["Participant_ID,start_time,emotion", *lines]
    (folder / "emotion.csv").write_text("\n".join(content) + "\n")


def records(stored):
    """All items of a prepared corpus by id, without padding."""
    found = {}
    for name in arrays.splits_of(stored):
        features, source = arrays.open_split(stored, name)
        for record in source:
            found[record["id"].decode()] = {**record, "split": name}
    assert features
    return found


def in_two(folder):
    """Annotates every interview twice: at its start, and at its second answer."""
    lines = []
    for number, name in enumerate(names_of(folder)):
        later = times_of(folder, name)[1, 0]
        lines += [f"{name},{later},{'sad' if number % 2 else 'Not Sad'}", f"{name},0,SAD"]
    annotate(folder, *lines)


def test_segments_are_the_interview_in_parts(folder, prepare):
    in_two(folder)
    parts, whole = records(prepare()[0]), records(prepare(options={"items": "interviews"})[0])
    assert set(parts) == {f"{name}_{n:04d}" for name in whole for n in (1, 2)}
    for number, (name, interview) in enumerate(sorted(whole.items())):
        first, second = parts[f"{name}_0001"], parts[f"{name}_0002"]
        for stream in ("acoustic", "visual", "text"):  # standardised over the whole interview
            joined = np.concatenate([first[stream], second[stream]])
            np.testing.assert_allclose(joined, interview[stream], rtol=1e-6, atol=1e-6)
        assert (len(first["sentences"]), len(second["sentences"])) == (
            1,
            len(interview["sentences"]) - 1,
        )
        for part in (first, second):
            assert part["sentences"][0, ::2].tolist() == [0, 0, 0]
            assert part["sentences"][-1, 1] == len(part["acoustic"])
            for key in ("depression", "phq8", "split"):
                assert part[key] == interview[key]
        assert (first["emotion"], second["emotion"]) == (1, number % 2)


def test_all_segments_of_a_participant_are_in_one_split(folder):
    in_two(folder)
    builder = corpora.builder_class("daicwoz")
    for split in ("official", "stratified"):
        options = {**vars(builder.OPTIONS), **SEGMENTS, "split": split}
        items = builder.scan(folder, options).items
        assert all(item.id.startswith(f"{item.subject}_") for item in items)
        splits = {item.subject: item.split for item in items}
        assert len(splits) == 10
        assert all(item.split == splits[item.subject] for item in items)


def test_gender_is_known_without_an_encoder_and_embedded_with_one(folder, prepare):
    lines = [
        line.split(",")
        for file in folder.glob("*_split*.csv")
        for line in file.read_text().splitlines()[1:]
    ]
    man = {cells[0]: cells[3] == "1" for cells in lines}
    for encoder in ({}, {"text_encoder": "hashing"}):
        found = records(prepare(options={**SEGMENTS, **encoder})[0])
        genders = {one: item["gender"] for one, item in found.items()}
        apart = {man[one[:3]]: vector for one, vector in genders.items()}
        assert len(apart) == 2
        assert np.abs(apart[True] - apart[False]).max() > 0.01
        for one, vector in genders.items():
            np.testing.assert_array_equal(vector, apart[man[one[:3]]])
            assert vector.shape == ((64,) if encoder else (2,))
            if not encoder:
                assert vector[int(man[one[:3]])] == 1


def test_a_sentence_belongs_where_its_middle_is(folder, prepare):
    name = names_of(folder)[0]
    (start, stop), *rest = times_of(folder, name)
    middle, later = (start + stop) / 2, rest[-1][1]
    # Rounded times do not lose a sentence; nothing is said in the last two segments.
    annotate(
        folder,
        f"{name},{start + 0.2},sad",
        f"{name},{middle + 0.1},not sad",
        f"{name},{later},sad",
        f"{name},{later + 0.05},sad",
        f"{names_of(folder)[1]},0,not sad",
    )
    stored, messages = prepare()
    assert ids(stored) == {f"{name}_0001", f"{name}_0002", f"{names_of(folder)[1]}_0001"}
    assert "repaired: 2 annotated segments without a sentence, left out" in messages
    assert "8 interviews have no annotated segment" in messages
    found = records(stored)
    assert len(found[f"{name}_0001"]["sentences"]) == 1
    assert len(found[f"{name}_0002"]["sentences"]) == len(rest)
    card = json.loads((stored / "corpus.json").read_text())["card"]
    assert card["items"] == "segments"
    split = found[f"{name}_0001"]["split"]
    assert card[split]["segments that are sad"] == 1


def test_sentences_are_limited_in_each_segment(folder, prepare):
    in_two(folder)
    found = records(prepare(options={**SEGMENTS, "max_sentences": 1})[0])
    assert all(len(item["sentences"]) == len(item["text"]) == 1 for item in found.values())
    assert len(found) == 20


def test_words_of_a_segment_are_its_tokens(folder, prepare):
    in_two(folder)
    options = {**SEGMENTS, "text_encoder": "hashing", "text_tokens": True}
    found = records(prepare(options=options)[0])
    name = names_of(folder)[0]
    lines = (folder / f"{name}_P" / f"{name}_TRANSCRIPT.csv").read_text().splitlines()
    answers = [line.split("\t")[3].split() for line in lines if "\tParticipant\t" in line]
    for item, said in ((f"{name}_0001", answers[:1]), (f"{name}_0002", answers[1:])):
        table = found[item]["sentences"][:, 4:]
        assert len(table) == len(said)
        assert table[-1, 1] == len(found[item]["text"])
        assert all(
            end - begin >= len(words) for (begin, end), words in zip(table, said, strict=True)
        )


def test_clips_are_means_of_frames(folder, prepare):
    plain = {"normalize": False}
    name = names_of(folder)[0]
    file = folder / f"{name}_P" / f"{name}_CLNF_gaze.txt"
    rows = [line.split(",") for line in file.read_text().replace("-1.#IND", "0").splitlines()]
    frames = len(rows) - 1
    for number, cells in enumerate(rows[1:]):
        cells[4] = str(number)
    file.write_text("\n".join(",".join(cells) for cells in rows) + "\n")
    column, times = 204 + 20, times_of(folder, name)  # the first value of the gaze
    for size in (1, 10):
        clips = records(prepare(options={**plain, "clip_frames": size})[0])[name]
        rate = 30 / size
        bounds = np.clip(np.rint(times * rate), 0, -(-frames // size)).astype(int)
        taken = np.concatenate([np.arange(*pair) for pair in bounds])
        # Clip k holds the frames 10 k to 10 k + 9, whose mean is 10 k + 4.5.
        expected = taken * size + (size - 1) / 2
        full = taken < frames // size
        np.testing.assert_allclose(clips["visual"][full, column], expected[full], atol=2e-3)


@pytest.mark.parametrize("name", [name for name in EXPERIMENTS if name.startswith("amm-daic")])
def test_experiments_read_the_segments(folder, prepare, name):
    in_two(folder)
    experiment = EXPERIMENTS[name]
    stored, _ = prepare(options=dict(experiment.corpus.options))
    data = opening.open_corpus(stored, experiment.corpus, experiment.labels)
    inputs = data.splits["train"].inputs
    assert (inputs["visual"].shape[1:], inputs["acoustic"].shape[1]) == ((600, 242), 1)
    outputs, variables = jax.eval_shape(
        experiment.model.init_with_output, jax.random.key(0), {k: x[:2] for k, x in inputs.items()}
    )
    assert {task: logits.shape for task, logits in outputs.items()} == dict.fromkeys(
        experiment.tasks, (2, 2)
    )
    # The gender, one of two values without an encoder, follows the hidden features of the text.
    if "t2v" in variables["params"]:
        assert variables["params"]["t2v"]["q"]["kernel"].shape == (768 + 2, 768)


def test_without_the_option_the_annotation_is_not_read(folder, prepare):
    contents = lambda stored: json.loads((stored / "corpus.json").read_text())["contents"]
    before = contents(prepare(options={"speakers": "participant"})[0])
    (folder / "emotion.csv").write_bytes(b"\xff")
    assert contents(prepare(options={"speakers": "participant"})[0]) == before
    (folder / "emotion.csv").unlink()
    stored, _ = prepare(options={"speakers": "participant"})
    assert contents(stored) == before
    assert "emotion" not in arrays.load_split(stored, "train", {}).targets


def test_an_experiments_options_are_its_own(folder, prepare):
    """A later run of SMFL reads interviews, as its user has prepared them."""
    prepare(options={"max_sentences": 2})
    segments, messages = prepare(inherit=True)
    assert "using options of the last preparation: max_sentences=2" in messages
    interviews, messages = prepare(options={"normalize": False}, inherit=True)
    assert "using options of the last preparation: max_sentences=2" in messages
    options = lambda stored: json.loads((stored / "corpus.json").read_text())["options"]
    assert options(segments)["items"] == "segments"
    assert options(interviews)["items"] == "interviews"
    assert options(interviews)["max_sentences"] == 2


HEADER = b"Participant_ID,start_time,emotion\n"
OF_ONE_INTERVIEW = [
    ("unknown participant", "999,1,sad", "'999' is in no split file", "999"),
    ("unknown participant", ",1,sad", "'' is in no split file", "emotion.csv:3"),
    ("unknown label", "301,1,happy", 'emotion "happy"; expected one of not sad, sad', "301"),
    ("unknown label", "301,1,", 'emotion ""', "301"),
    ("wrong time", "301,,sad", "start_time: '' is not a number from 0 to 86400", "301"),
    ("wrong time", "301,nan,sad", "'nan' is not a number", "301"),
    ("wrong time", "301,-1,sad", "'-1' is not a number", "301"),
    ("wrong time", "301,1e5,sad", "'1e5' is not a number", "301"),
    ("wrong time", "301,1_0,sad", "'1_0' is not a number", "301"),
    ("wrong time", '301,"1,5",sad', "'1,5' is not a number", "301"),
    ("wrong time", f"301,{'9' * 10**5},sad", "is not a number", "301"),
    ("duplicate annotation", "301,2.0,not sad", "301 at 2.0 s is also in emotion.csv:2", "301"),
]
OF_THE_FILE = [
    ("missing file", None, "Participant_ID,start_time,emotion"),
    ("wrong header", b"", "expected the columns"),
    ("wrong header", b"Participant_ID,start_time\n301,2\n", "expected the columns"),
    ("wrong header", HEADER.replace(b",", b";"), "expected the columns"),
    ("wrong header", HEADER[:-1] + b",emotion\n301,2,sad,sad\n", "once each"),
    ("no rows", HEADER, "no annotation"),
    ("no rows", HEADER + b"\n,,\n", "no annotation"),
    ("wrong row", HEADER + b"301,2\n", "2 cells"),
    ("wrong row", HEADER + b"301,2,sad,\n", "4 cells"),
    ("not UTF-8", HEADER + b"301,2,sad\xff\n", "save the file as UTF-8"),
    ("unreadable file", HEADER + b"301,2,sad\0\n", "a zero byte"),
    ("unreadable table", HEADER + b'301,2,"sad\n', "missing quote"),
]


@pytest.mark.parametrize(("kind", "line", "detail", "item"), OF_ONE_INTERVIEW)
def test_a_wrong_line_is_one_fault_of_its_interview(tmp_path, kind, line, detail, item):
    annotate(tmp_path, "301,2.0,sad", line, "300,1,not sad")
    faults = Faults()
    found = emotions.read(tmp_path, {"300", "301"}, faults)
    (fault,) = faults.found
    assert (fault.kind, fault.where, fault.item) == (kind, "emotion.csv:3", item)
    assert detail in fault.detail
    assert len(fault.detail) < 500
    assert [segment.emotion for segment in found["300"]] == ["not sad"]


@pytest.mark.parametrize(("kind", "content", "detail"), OF_THE_FILE)
def test_a_wrong_file_is_one_fault_of_the_corpus(tmp_path, kind, content, detail):
    if content is not None:
        (tmp_path / "emotion.csv").write_bytes(content)
    faults = Faults()
    emotions.read(tmp_path, {"300", "301"}, faults)
    (fault,) = faults.fatal
    assert fault.kind == kind
    assert detail in fault.detail
    assert len(faults.found) == 1


def test_a_file_of_a_terabyte_is_refused(tmp_path):
    annotate(tmp_path, "300,1,sad")
    os.truncate(tmp_path / "emotion.csv", 10**12)
    faults = Faults()
    assert emotions.read(tmp_path, {"300"}, faults) == {}
    assert [fault.kind for fault in faults.fatal] == ["file too large"]


def test_columns_in_any_order_and_bytes_as_spreadsheets_write_them(tmp_path):
    content = (
        "\ufeffnote,emotion,start_time,Participant_ID\r\nx, Sad ,12.5, 300\r\n,not sad,3,300\r\n"
    )
    (tmp_path / "emotion.csv").write_bytes(content.encode())
    faults = Faults()
    first, second = emotions.read(tmp_path, {"300"}, faults)["300"]
    assert not faults
    assert (first.id, first.start, first.stop, first.emotion) == ("300_0001", 3, 12.5, "not sad")
    assert (second.id, second.start, second.stop) == ("300_0002", 12.5, float("inf"))
    assert second.where == "emotion.csv:2"


def test_faults_are_refused_together_and_left_out_by_interview(folder, prepare, tmp_path):
    names = names_of(folder)
    in_two(folder)
    with (folder / "emotion.csv").open("a") as file:
        file.write(f"{names[0]},80000,sad\n{names[1]},5,merry\n")
    train = folder / "train_split_Depression_AVEC2017.csv"
    train.write_text(train.read_text() + f"{names[2]},0,3,1\n")
    (folder / f"{names[3]}_P" / f"{names[3]}_CLNF_pose.txt").unlink()
    with pytest.raises(UserError) as refused:
        prepare()
    message = str(refused.value)
    assert "time outside the interview (1)" in message
    assert f"80000 s; interview {names[0]} ends at" in message
    for kind in ("unknown label (1)", "duplicate id (1)", "missing file (1)"):
        assert kind in message
    assert not (tmp_path / "data").exists()
    stored, _ = prepare(skip_bad=True)
    assert ids(stored) == {f"{name}_{n:04d}" for name in names[4:] for n in (1, 2)}
    skipped = json.loads((stored / "corpus.json").read_text())["skipped"]
    assert {fault["item"] for fault in skipped} == set(names[:4])


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "items=segments needs your annotation"), (b"a,b\n", "expected the columns")],
)
def test_no_annotation_cannot_be_left_out(folder, prepare, tmp_path, content, message):
    (folder / "emotion.csv").unlink()
    if content:
        (folder / "emotion.csv").write_bytes(content)
    with pytest.raises(UserError, match=f"{message}(?s:.*)cannot be skipped"):
        prepare(skip_bad=True)
    assert not (tmp_path / "data").exists()


def test_the_released_windows_are_of_interviews(prepare):
    with pytest.raises(UserError, match="set items=interviews"):
        prepare(options={**SEGMENTS, "cut": "released"})


class TestStandIn:
    def test_signs_of_the_first_two_answers_differ(self, stand_in):
        """So that their mean over time is the same whether they fall or rise."""
        segments = emotions.read(stand_in, names_of(stand_in), Faults())
        assert sum(map(len, segments.values())) > 10
        for name, annotated in segments.items():
            words = np.load(stand_in / f"{name}_P" / f"{name}_TEXT.npy")
            starts = times_of(stand_in, name)[:, 0].tolist()
            for segment in annotated:
                first = starts.index(segment.start)
                one, other = words[first], words[first + 1]
                assert np.linalg.norm(one - other) > np.linalg.norm(one + other)

    def test_known_answers_by_hand(self):
        known = synthetic_emotions.bayes()
        assert known["chance"] == pytest.approx(0.725)  # sad: (0.95 + 3 x 0.05) / 4 = 0.275
        # The word bit is right at 0.85. Where the signs rise, "not sad" is right at 0.95; where
        # they fall, the bit's answer is right at 0.85 x 0.95 + 0.15 x 0.05 = 0.815.
        assert known["best_single_modality"]["text"] == pytest.approx((0.95 + 0.815) / 2)
        # Without the order, "sad" has probability 0.5 at most, and "not sad" is always best.
        assert known["best_single_modality"]["visual"] == pytest.approx(0.725)
        # Two of three bits or all are right at 0.85^3 + 3 x 0.85^2 x 0.15 = 0.93925.
        right = 0.93925
        falls = right * 0.95 + (1 - right) * 0.05
        assert known["best_without_voice"] == pytest.approx((0.95 + falls) / 2)
        assert known["bayes_accuracy"] > known["best_without_voice"]

    def test_no_signal_is_chance(self):
        known = synthetic_emotions.bayes(0.0)
        assert known["bayes_accuracy"] == pytest.approx(known["chance"]) == pytest.approx(0.725)

    def test_means_over_time_know_nothing(self):
        rng = np.random.default_rng(0)
        directions = data_synthetic.orthonormal(64, 2, rng)
        means, labels, sad = [], [], []
        for label in np.arange(1000) % 2:
            right = bool(rng.random() < 0.85)
            bits = interview_events.Bits({}, bool(label) == right, True)
            words = interview_events.words(8, bits, directions, rng)
            signs = words @ directions[0 if bits.words else 1] > 0
            segments = synthetic_emotions.segments([*map(float, range(8))], signs)
            bounds = [int(start) for start, _ in segments] + [8]
            means += [words[slice(*pair)].mean(0) for pair in pairwise(bounds)]
            lines = synthetic_emotions.lines("300", label, segments, 1.0, rng)
            sad += [line.endswith(",sad") for line in lines]
            labels += [label] * len(lines)
        means, half = np.stack(means), len(means) // 2
        for target, chance in ((labels, 0.5), (sad, 0.725)):
            model = LogisticRegression(max_iter=1000).fit(means[:half], target[:half])
            assert model.score(means[half:], target[half:]) < chance + 0.06

    @pytest.mark.parametrize("signal", [1.0, 0.5])
    def test_emotions_have_their_rates(self, signal):
        rng, draws = np.random.default_rng(0), 4000
        for label, falls in ((0, False), (0, True), (1, False), (1, True)):
            segments = [(1.0, falls)] * draws
            drawn = synthetic_emotions.lines("300", label, segments, signal, rng)
            sad = np.mean([line == "300,1.000,sad" for line in drawn])
            rate = synthetic_emotions.sad_rates(signal)[label, int(falls)]
            assert abs(sad - rate) < 4 * np.sqrt(rate * (1 - rate) / draws)

    def test_segments_begin_at_every_change_and_share_no_pair(self):
        signs = np.array([1, 1, 0, 0, 1, 0, 1, 1], bool)
        starts = [float(number) for number in range(8)]
        found = synthetic_emotions.segments(starts, signs)
        assert found == [(1.0, True), (3.0, False), (5.0, False)]
        assert synthetic_emotions.segments([1.0], np.array([True])) == []
