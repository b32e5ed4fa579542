"""MMD2023: read as the published loader reads it, its faults only where they are asked for."""

import json
import pickle
import shutil
from typing import Any

import kaldiio
import numpy as np
import openpyxl
import pytest
from corpus_case import ids
from PIL import Image

from jaxdep.data import arrays, corpora, preparation, stand_ins
from jaxdep.datasets.mmd2023 import raw, streams, transcripts
from jaxdep.errors import UserError

RATES = {"acoustic": 172, "visual": 30}


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mmd") / "raw"
    stand_ins.synthesize("mmd2023", folder, items=10, mean_seconds=30.0)
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
        stored = preparation.prepare(
            "mmd2023", folder, data_dir=tmp_path / "data", log=messages.append, **how
        )
        return stored, "\n".join(messages)

    return run


def answers(folder, name):
    lines = (folder / "txt_csv" / f"{name}.csv").read_text().splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    return np.array(
        [
            [transcripts.seconds(cell) for cell in (start, stop)]
            for speaker, start, stop in cells
            if speaker == "患者"
        ]
    )


def ark(folder) -> dict[str, Any]:
    return dict(kaldiio.load_ark(str(folder / "text" / "text.ark")))


def rewrite(path, change):
    path.write_text(change(path.read_text()))


def test_streams_and_sentences(folder, prepare):
    stored, messages = prepare()
    split = arrays.load_split(stored, "train", {})
    widths = {name: split.inputs[name].shape[2] for name in ("acoustic", "visual", "text")}
    assert widths == {"acoustic": 513, "visual": 204, "text": 768}
    assert len(split) == 8
    assert "train has 8 recordings; the published corpus has 80" in messages
    table, real = split.inputs["sentences"], split.inputs["sentences_mask"]
    words = ark(folder)
    for row, name in enumerate(split.ids):
        times = answers(folder, name)
        assert real[row].sum() == len(times) == len(words[name])
        np.testing.assert_allclose(split.inputs["text"][row, : len(times)], words[name])
        for column, rate in enumerate(RATES.values()):
            windows = table[row, : len(times), 2 * column : 2 * column + 2]
            spans = np.diff(times * rate, axis=1)[:, 0]
            assert np.abs(windows[:-1, 1] - windows[:-1, 0] - spans[:-1]).max(initial=0) <= 1
    about = json.loads((stored / "corpus.json").read_text())
    assert about["card"]["depressed"] == "HAMD totals from 8 on"
    assert about["card"]["train"]["interviews"] == 8


def test_the_published_loader(folder, prepare):
    """Face in 0..1 by axis, rows without numbers gone; windows by seconds of speech so far."""
    name = (folder / "train_set").read_text().split()[0]
    rewrite(
        folder / "face3d" / f"{name}.txt",
        lambda text: text.replace(text.splitlines()[3], "3" + ",-1.#IND" * 204),
    )
    stored, _ = prepare(options={"cut": "released"})
    split = arrays.load_split(stored, "train", {})
    row = split.ids.tolist().index(name)
    lines = (folder / "face3d" / f"{name}.txt").read_text().splitlines()[1:]
    good = np.array([line.split(",")[1:] for line in lines if "IND" not in line], float)
    whole = np.zeros((len(lines), 204))
    whole[: len(good)] = good  # zeros at the end, which the scale counts
    by_axis = [np.split(whole, 3, axis=1)[axis] for axis in range(3)]
    scaled = np.hstack([(x - x.min()) / (x.max() - x.min()) for x in by_axis])
    kept = split.inputs["visual_mask"][row].sum()
    expected = np.pad(scaled, ((0, max(kept - len(scaled), 0)), (0, 0)))[:kept]
    np.testing.assert_allclose(split.inputs["visual"][row, :kept], expected, atol=1e-6)
    table = split.inputs["sentences"][row][split.inputs["sentences_mask"][row]]
    times = answers(folder, name)
    seconds = np.diff(times, axis=1)[:, 0].cumsum()
    assert len(table) > 1
    np.testing.assert_array_equal(table[:, 0], 172 * np.arange(len(table)))
    np.testing.assert_array_equal(table[:2, 3], seconds[:2] * 30)


def test_legacy_channel_order(prepare):
    """Face: the words' first 204 columns; words: their others, then the face's rows."""
    right, _ = prepare(options={"cut": "released"})
    wrong, _ = prepare(options={"cut": "released", "legacy_channel_order": True})
    right, wrong = (arrays.load_split(stored, "train", {}).inputs for stored in (right, wrong))
    count = int(right["sentences_mask"][0].sum())
    np.testing.assert_array_equal(right["acoustic"], wrong["acoustic"])
    np.testing.assert_array_equal(wrong["visual"][0, :count], right["text"][0, :count, :204])
    assert not wrong["visual"][0, count:].any()
    np.testing.assert_array_equal(wrong["text"][0, :count, :564], right["text"][0, :count, 204:])
    np.testing.assert_array_equal(wrong["text"][0, :count, 564:], right["visual"][0, :count])


def test_who_says_nothing(folder, prepare):
    """The published network then reads the face alone; the paper's has nothing to read."""
    name = (folder / "train_set").read_text().split()[0]
    (folder / "txt_csv" / f"{name}.csv").unlink()
    with pytest.raises(UserError, match=f"txt_csv/{name}.csv"):
        prepare()
    stored, _ = prepare(options={"cut": "released"})
    split = arrays.load_split(stored, "train", {})
    row = split.ids.tolist().index(name)
    assert split.inputs["visual"][row].any()
    assert not split.inputs["sentences"][row].any()


def test_numeric_ids_and_hours(folder, prepare):
    """Ids are compared as text, whatever the spreadsheet makes of them."""
    names = (folder / "train_set").read_text().split() + (folder / "test_set").read_text().split()
    book: Any = openpyxl.load_workbook(folder / "label.xlsx")
    for row in book["hamd"].iter_rows(min_row=2):
        row[0].value = float(row[0].value[1:]) if row[0].value[1:] != "000" else 0
    book.save(folder / "label.xlsx")
    words = ark(folder)
    kaldiio.save_ark(
        str(folder / "text" / "text.ark"), {str(int(n[1:])): x for n, x in words.items()}
    )
    for place, end in (("audio_png", "png"), ("face3d", "txt"), ("txt_csv", "csv")):
        for name in names:
            (folder / place / f"{name}.{end}").rename(folder / place / f"{int(name[1:])}.{end}")
    for file in ("train_set", "test_set"):
        rewrite(folder / file, lambda text: "".join(f"{int(n[1:])}\n" for n in text.split()))
    stored, _ = prepare()
    assert set(arrays.load_split(stored, "test", {}).ids) <= {str(n) for n in range(10)}
    assert transcripts.seconds("01:02:03") == 3723


def test_all_faults_at_once(folder, prepare, tmp_path):
    words = ark(folder)
    names = (folder / "train_set").read_text().split()
    names.sort(key=lambda name: len(words[name]))  # the last ones have sentences to lose
    (folder / "audio_png" / f"{names[0]}.png").write_bytes(b"no picture")
    (folder / "face3d" / f"{names[1]}.txt").unlink()
    rewrite(folder / "face3d" / f"{names[2]}.txt", lambda text: text.replace(",", ";"))
    rewrite(folder / "txt_csv" / f"{names[3]}.csv", lambda text: text.replace(":", "-"))
    rewrite(folder / "txt_csv" / f"{names[4]}.csv", lambda text: text.replace("speaker", "who"))
    rewrite(folder / "test_set", lambda text: text + f"{names[5]}\nnobody\n")
    words[names[6]] = words[names[6]][:1]
    words[names[7]] = words[names[7]] * np.float32(np.nan)
    kaldiio.save_ark(str(folder / "text" / "text.ark"), words)
    (folder / "id.weights").write_text("1\n")
    with pytest.raises(UserError) as refused:
        prepare()
    message = str(refused.value)
    for part in (
        f"audio_png/{names[0]}.png",
        f"face3d/{names[1]}.txt",
        f"face3d/{names[2]}.txt",
        f"txt_csv/{names[3]}.csv",
        f"txt_csv/{names[4]}.csv",
        f"{names[5]} is also in train",
        "no total for nobody",
        f"1 rows for {names[6]}",
        f"{names[7]}: ",
    ):
        assert part in message
    assert not (tmp_path / "data").exists()


def test_an_archive_that_would_be_unpickled_is_refused(folder, prepare):
    """`kaldiio.load_ark` runs what such an entry says."""

    class Harm:
        def __reduce__(self):
            return (open, (str(folder / "harmed"), "w"))

    (folder / "text" / "text.ark").write_bytes(b"p000 PKL" + pickle.dumps(Harm()))
    with pytest.raises(UserError, match="p000 is not a binary matrix"):
        prepare()
    assert not (folder / "harmed").exists()


def test_labels_that_are_none(folder, prepare):
    book = openpyxl.load_workbook(folder / "label.xlsx")
    book["hamd"]["B3"] = "many"
    book.save(folder / "label.xlsx")
    with pytest.raises(UserError, match="the total of p001 is 'many'"):
        prepare()
    book["hamd"].title = "phq"
    book.save(folder / "label.xlsx")
    with pytest.raises(UserError, match="hamd; found phq"):
        prepare()
    (folder / "label.xlsx").write_bytes(b"no table")
    with pytest.raises(UserError, match=r"label\.xlsx"):
        prepare()


def spoiled(pattern, change):
    """Damages a text file, which the name of an interview completes."""
    return lambda folder, name: rewrite(folder / pattern.format(name), change)


def archived(change):
    """Damages the entry of an interview in the archive of the words."""

    def damage(folder, name):
        entries = ark(folder)
        entries[name] = change(entries[name])
        kaldiio.save_ark(str(folder / "text" / "text.ark"), entries)

    return damage


def left_out_of_the_archive(folder, name):
    entries = ark(folder)
    del entries[name]
    kaldiio.save_ark(str(folder / "text" / "text.ark"), entries)


def twice_in_the_archive(folder, name):
    with (folder / "text" / "text.ark").open("ab") as file:
        kaldiio.save_ark(file, {name: ark(folder)[name]})


def labelled(change):
    """Changes the sheet of totals at the row of an interview."""

    def damage(folder, name):
        book = openpyxl.load_workbook(folder / "label.xlsx")
        sheet: Any = book["hamd"]
        [row] = [cells[0].row for cells in sheet.iter_rows() if cells[0].value == name]
        change(sheet, row)
        book.save(folder / "label.xlsx")

    return damage


def listed(line):
    """Replaces the line of an interview in the list of the training split."""
    return lambda folder, name: rewrite(
        folder / "train_set", lambda text: text.replace(f"{name}\n", line.format(name))
    )


OF_ONE_INTERVIEW = [
    ("missing file", lambda folder, name: (folder / f"audio_png/{name}.png").unlink()),
    ("unreadable image", lambda folder, name: (folder / f"audio_png/{name}.png").write_bytes(b"x")),
    ("wrong shape", lambda folder, name: picture(folder / f"audio_png/{name}.png", (9, 512))),
    ("missing file", lambda folder, name: (folder / f"face3d/{name}.txt").unlink()),
    ("wrong shape", spoiled("face3d/{}.txt", lambda text: text.replace(",", ",0,", 300))),
    ("not numeric", spoiled("face3d/{}.txt", lambda text: text.replace("1,", "one,"))),
    ("no rows", spoiled("face3d/{}.txt", lambda text: text.splitlines()[0] + "\n")),
    ("missing file", lambda folder, name: (folder / f"txt_csv/{name}.csv").unlink()),
    ("unreadable file", spoiled("txt_csv/{}.csv", lambda text: text + "\0")),
    ("wrong header", spoiled("txt_csv/{}.csv", lambda text: text.replace("speaker", "who"))),
    ("bad line", spoiled("txt_csv/{}.csv", lambda text: text.replace(":", "-"))),
    ("no rows", spoiled("txt_csv/{}.csv", lambda text: text.replace("患者", "who"))),
    ("missing array", left_out_of_the_archive),
    ("duplicate id", twice_in_the_archive),
    ("wrong shape", archived(lambda rows: rows[:, :700])),
    ("NaN or infinity", archived(lambda rows: rows * np.float32(np.nan))),
    ("unknown label", labelled(lambda sheet, row: sheet.delete_rows(row))),
    ("unknown label", labelled(lambda sheet, row: sheet.cell(row, 2, "many"))),
    ("unknown label", labelled(lambda sheet, row: sheet.cell(row, 2, 77))),
    ("duplicate id", labelled(lambda sheet, row: sheet.append([sheet.cell(row, 1).value, 7]))),
    ("duplicate id", listed("{0}\n{0}\n")),
    ("bad id", listed("../{}\n")),
]


def picture(path, size):
    Image.new("L", size).save(path)


@pytest.mark.parametrize(("kind", "damage"), OF_ONE_INTERVIEW)
def test_a_fault_of_one_interview_leaves_out_that_one(folder, prepare, kind, damage):
    listed = [(folder / file).read_text().split() for file in ("train_set", "test_set")]
    name = max(listed[0], key=lambda name: len(answers(folder, name)))
    damage(folder, name)
    stored, _ = prepare(skip_bad=True)
    skipped = json.loads((stored / "corpus.json").read_text())["skipped"]
    assert kind in {fault["kind"] for fault in skipped}
    assert ids(stored) == {*listed[0], *listed[1]} - {name}


def retitled(folder):
    book = openpyxl.load_workbook(folder / "label.xlsx")
    book["hamd"].title = "phq"
    book.save(folder / "label.xlsx")


def renamed_column(folder):
    book: Any = openpyxl.load_workbook(folder / "label.xlsx")
    book["hamd"]["B1"] = "total"
    book.save(folder / "label.xlsx")


def broken_off(path):
    path.write_bytes(path.read_bytes()[:-5])


OF_ALL = [
    ("missing file", lambda folder: (folder / "label.xlsx").unlink()),
    ("unreadable table", lambda folder: (folder / "label.xlsx").write_bytes(b"no table")),
    ("missing sheet", retitled),
    ("wrong header", renamed_column),
    ("missing file", lambda folder: (folder / "test_set").unlink()),
    ("not UTF-8", lambda folder: (folder / "train_set").write_bytes(b"p\xff\n")),
    ("missing file", lambda folder: (folder / "text/text.ark").unlink()),
    ("unreadable or truncated array", lambda folder: broken_off(folder / "text/text.ark")),
]


@pytest.mark.parametrize(("kind", "damage"), OF_ALL)
def test_a_fault_of_the_corpus_cannot_be_left_out(folder, prepare, tmp_path, kind, damage):
    damage(folder)
    with pytest.raises(UserError, match=f"{kind} (?s:.*)cannot be skipped"):
        prepare(skip_bad=True)
    assert not (tmp_path / "data").exists()


def test_options(prepare):
    strict, _ = prepare(options={"hamd_from": 40})
    assert not arrays.load_split(strict, "train", {}).targets["depression"].any()
    slow, _ = prepare(options={"acoustic_rate": 86.0, "max_sentences": 1})
    inputs = arrays.load_split(slow, "train", {}).inputs
    assert inputs["sentences_mask"].sum(1).max() == 1
    for option in ({"legacy_channel_order": True}, {"cut": "x"}):
        with pytest.raises(UserError, match="mmd2023"):
            prepare(options=option)
    assert corpora.parse_options("mmd2023", {"acoustic_rate": "100"}) == {"acoustic_rate": 100.0}


def test_what_is_not_read_is_said(folder, prepare):
    (folder / "run_scaler_text.pth").write_bytes(b"")
    _, messages = prepare()
    assert "run_scaler_text.pth is ignored: it is a pickle" in messages


def test_rates_and_widths_are_the_published_ones():
    assert raw.Settings().rates == RATES
    assert streams.ACOUSTIC + streams.VISUAL + streams.EMBEDDING == 1485
