"""The mgid corpus: what it reads, what it builds, and every fault that it must name."""

import csv
import json

import numpy as np
import pytest
from corpus_case import check, ids
from tiny_encoders import tiny_bert, tiny_efficientnet

from jaxdep.data import preparation, text
from jaxdep.data.arrays import load_split, splits_of
from jaxdep.data.formats import image
from jaxdep.datasets.mgid import raw, synthetic
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS
from jaxdep.overrides import digest_of, override, to_json
from jaxdep.runner import labels
from jaxdep.runner.input_pipeline import open_experiment
from jaxdep.runner.options import RunOptions

HEADER = list(raw.COLUMNS)
HASHING = {"text_encoder": "hashing"}


def random_rows(seed, count):
    """Rows with labels in the distributor's spelling and texts that differ."""
    rng = np.random.default_rng(seed)
    words = ["grey", "river", "table", "wide", "view", "lamp", "cup", "road", "stone", "cloud"]
    sentence = lambda: " ".join(rng.choice(words, size=rng.integers(2, 9))).capitalize()
    rows = []
    for number in range(count):
        emotion = ("depressed", "Neutral", "Surprise", "Anger", "Fear", "Happiness")[number % 6]
        title = f"{sentence()} {seed}{number}" + (raw.SUFFIX if number % 2 else "")
        body = "" if number % 5 == 4 else f'{sentence()}, "{sentence()}"\r\n{sentence()}'
        url = f"https://example.org/{seed}/{number}.jpg"
        rows.append(["TRUE" if number % 2 else "FALSE", emotion, title, body, url])
    return rows


def write(folder, split, rows, header=HEADER, encoding="utf-8-sig"):
    file = folder / split / f"{split}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding=encoding, newline="") as stream:
        out = csv.writer(stream, lineterminator="\r\n")
        out.writerow(header)
        out.writerows(rows)
    return file


@pytest.fixture
def folder(tmp_path):
    """Three small splits without a fault."""
    for seed, (split, count) in enumerate({"train": 14, "dev": 6, "test": 8}.items()):
        write(tmp_path / "mgid", split, random_rows(seed, count))
    return tmp_path / "mgid"


@pytest.fixture
def prepare(folder, tmp_path, monkeypatch):
    """Prepares the folder; a UserError must leave nothing written."""
    monkeypatch.setenv("JAXDEP_CACHE_DIR", str(tmp_path / "cache"))

    def run(**options):
        skip_bad = options.pop("skip_bad", False)
        messages = []
        built = preparation.prepare(
            "mgid",
            folder,
            data_dir=tmp_path / "prepared",
            skip_bad=skip_bad,
            options={**HASHING, **options},
            log=messages.append,
        )
        return built, json.loads((built / "corpus.json").read_text())

    return run


def refused(prepare, tmp_path, *messages, **options):
    """Asserts that preparing fails with all these messages and writes nothing."""
    with pytest.raises(UserError) as error:
        prepare(**options)
    for message in messages:
        assert message in str(error.value)
    written = [p for p in (tmp_path / "prepared").rglob("*") if p.is_file()]
    assert written == []
    return str(error.value)


def edit(folder, split, number, column, value):
    """Changes one cell of a split; rows count from 1."""
    file = folder / split / f"{split}.csv"
    with file.open(encoding="utf-8-sig", newline="") as stream:
        _, *rows = csv.reader(stream)
    rows[number - 1][HEADER.index(column)] = value
    write(folder, split, rows)


def test_what_is_built_is_what_was_written(folder, prepare):
    built, corpus = prepare()
    check(built, {"train": 14, "dev": 6, "test": 8})
    encoder = text.encoder("hashing")
    for seed, (name, count) in enumerate({"train": 14, "dev": 6, "test": 8}.items()):
        split = load_split(built, name, {})
        assert split.ids.tolist() == [f"{name}_{n:05d}" for n in range(1, count + 1)]
        assert split.classes == {"depression": raw.DEPRESSION, "emotion": raw.EMOTIONS}
        for i, (label, emotion, title, body, _) in enumerate(random_rows(seed, count)):
            assert split.targets["depression"][i] == (label == "TRUE")
            assert raw.EMOTIONS[split.targets["emotion"][i]] == emotion.lower()
            joined = title.removesuffix(raw.SUFFIX) + (". " + body if body else "")
            (expected,) = encoder.encode([joined])
            assert split.inputs["text_mask"][i].sum() == len(expected)
            np.testing.assert_array_equal(split.inputs["text"][i, : len(expected)], expected)
    counts = {"train": 3500, "dev": 500, "test": 1000}
    for name, published in counts.items():
        assert any(name in w and str(published) in w for w in corpus["warnings"])


@pytest.mark.parametrize(
    ("title", "body", "joined"),
    [
        ("Grey river - stock photo", "Wide view", "Grey river. Wide view"),
        ("Grey  river\n - stock photo ", "", "Grey river"),
        (
            "Grey river - stock photo - lamp",
            "Wide\r\nview",
            "Grey river - stock photo - lamp. Wide view",
        ),
        (" - stock photo", "Wide view", "Wide view"),
        ("- stock photo", " ", ""),
        ("A stock photo", "", "A stock photo"),
    ],
)
def test_title_and_text_are_joined(title, body, joined):
    assert raw.join(title, body) == joined


def test_the_ending_can_be_kept():
    assert raw.join("Lamp - stock photo", "View", keep_suffix=True) == "Lamp - stock photo. View"


def test_a_file_without_byte_order_mark_and_in_other_spelling_is_read(folder, prepare):
    first, _ = prepare()
    rows = random_rows(0, 14)
    for row in rows:
        row[0], row[1] = row[0].lower(), f" {row[1].upper()}"
    write(folder, "train", [[*row[::-1], "x"] for row in rows], [*HEADER[::-1], "more"], "utf-8")
    second, _ = prepare()
    assert first != second
    a, b = load_split(first, "train", {}), load_split(second, "train", {})
    assert a.digest == b.digest
    np.testing.assert_array_equal(a.inputs["text"], b.inputs["text"])


def test_train_and_dev_alone_build_with_a_warning(folder, prepare):
    (folder / "test/test.csv").unlink()
    (folder / "test").rmdir()
    built, corpus = prepare()
    assert sorted(splits_of(built)) == ["dev", "train"]
    assert any("test" in w and "missing" in w for w in corpus["warnings"])


def test_the_shift_of_emotions_is_in_the_card(folder, prepare):
    rows = random_rows(7, 10)
    for number, row in enumerate(rows):
        row[1] = "Neutral" if number < 9 else "depressed"
    write(folder, "dev", rows)
    _, corpus = prepare()
    card = corpus["card"]
    assert card["emotion"]["dev"]["neutral"] == 9
    assert card["depression"]["train"] == {"not depressed": 7, "depressed": 7}
    # train 3, 3, 2, 2, 2, 2 of 14 (depressed, neutral, ...), dev 1 and 9 of 10.
    expected = (abs(0.1 - 3 / 14) + abs(0.9 - 3 / 14) + 4 * 2 / 14) / 2
    assert card["emotion_shift"]["dev"] == pytest.approx(expected, abs=1e-4)


def test_leaks_and_repeats_are_counted(folder, prepare):
    for number in (2, 5):
        for column, cell in zip(HEADER[2:], random_rows(0, 14)[number - 1][2:], strict=True):
            edit(folder, "dev", number, column, cell.upper() if column == "Text" else cell)
    edit(folder, "train", 9, "Title", random_rows(0, 14)[7][2])
    edit(folder, "train", 9, "Text", random_rows(0, 14)[7][3])
    _, corpus = prepare()
    warnings = "\n".join(corpus["warnings"])
    assert "2 rows of dev have a text that is also in train" in warnings
    assert "2 rows of dev have an image URL that is also in train" in warnings
    assert "1 rows of train repeat the text of an earlier row; 1 texts have more" in warnings


EVERYTHING = {
    f"{split}_{number:05d}"
    for split, count in {"train": 14, "dev": 6, "test": 8}.items()
    for number in range(1, count + 1)
}


FAULTS = {
    "label": (("train", 3, "Depression Label", "maybe"), 'Depression Label "maybe"'),
    "empty label": (("train", 3, "Depression Label", ""), 'Depression Label ""'),
    "emotion": (("dev", 2, "Emotion Label", "joyful"), 'Emotion Label "joyful"'),
    "no text": (("test", 5, "Title", " - stock photo"), "Title and Text are both empty"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_bad_cell_is_refused_or_left_out(folder, prepare, tmp_path, case):
    (split, number, column, value), message = FAULTS[case]
    edit(folder, split, number, column, value)
    refused(prepare, tmp_path, message, f"{split}/{split}.csv:")
    built, corpus = prepare(skip_bad=True)
    assert ids(built) == EVERYTHING - {f"{split}_{number:05d}"}
    assert [fault["item"] for fault in corpus["skipped"]] == [f"{split}_{number:05d}"]


def test_the_line_of_a_fault_counts_lines_of_the_file(folder, prepare, tmp_path):
    edit(folder, "train", 3, "Emotion Label", "joyful")
    content = (folder / "train/train.csv").read_bytes()
    line = content[: content.index(b"joyful")].count(b"\n") + 1
    refused(prepare, tmp_path, f"train/train.csv:{line}: ")


def test_all_faults_are_told_at_once(folder, prepare, tmp_path):
    edit(folder, "train", 3, "Depression Label", "maybe")
    edit(folder, "train", 8, "Emotion Label", "joyful")
    edit(folder, "test", 1, "Emotion Label", "bored")
    (folder / "dev/dev.csv").unlink()
    message = refused(prepare, tmp_path, "maybe", "joyful", "bored", "dev/dev.csv")
    assert "unknown label (3)" in message
    assert "missing file (1)" in message


def test_an_empty_folder_is_refused(folder, prepare, tmp_path):
    for split in raw.SPLITS:
        (folder / split / f"{split}.csv").unlink()
        (folder / split).rmdir()
    refused(prepare, tmp_path, "is empty", "{train,dev,test}/{train,dev,test}.csv")


@pytest.mark.parametrize("column", HEADER)
def test_a_missing_column_is_refused(folder, prepare, tmp_path, column):
    keep = [i for i, name in enumerate(HEADER) if name != column]
    rows = [[row[i] for i in keep] for row in random_rows(0, 14)]
    write(folder, "train", rows, [HEADER[i] for i in keep])
    refused(prepare, tmp_path, "missing column (1)", "train/train.csv:1", f'"{column}"')
    refused(prepare, tmp_path, "missing column", skip_bad=True)


def test_a_column_twice_is_refused(folder, prepare, tmp_path):
    rows = [[*row, row[3]] for row in random_rows(0, 14)]
    write(folder, "train", rows, [*HEADER, "Text"])
    refused(prepare, tmp_path, "duplicate column", '"Text"')
    refused(prepare, tmp_path, "duplicate column", "cannot be skipped", skip_bad=True)


def test_bytes_that_are_not_utf8_are_refused(folder, prepare, tmp_path):
    file = folder / "train/train.csv"
    content = file.read_bytes()
    at = content.index(b"stock photo")
    file.write_bytes(content[:at] + b"\xe9" + content[at:])
    line = content[:at].count(b"\n") + 1
    refused(prepare, tmp_path, "not UTF-8", f"train/train.csv:{line}", f"0xe9 at offset {at}")
    file.write_bytes(content.decode("utf-8-sig").encode("utf-16"))
    refused(prepare, tmp_path, "not UTF-8", "train/train.csv:1", "0xff")
    refused(prepare, tmp_path, "not UTF-8", "cannot be skipped", skip_bad=True)
    file.write_bytes(content[:at] + b"\0" + content[at:])
    refused(prepare, tmp_path, "a zero byte", f"train/train.csv:{line}")


def test_a_file_that_breaks_off_in_a_quoted_cell_is_refused(folder, prepare, tmp_path):
    file = folder / "test/test.csv"
    content = file.read_bytes()
    last = content.rindex(b'"')  # the quote that ends the last quoted cell
    file.write_bytes(content[: last - 4])
    row = content[:last].rindex(b"\r\nTRUE,") + 2
    line = content[:row].count(b"\n") + 1
    refused(prepare, tmp_path, "unreadable table", f"test/test.csv:{line}", "truncated")
    refused(prepare, tmp_path, "unreadable table", skip_bad=True)


def test_a_row_that_lacks_cells_is_refused_or_left_out(folder, prepare, tmp_path):
    rows = random_rows(2, 8)
    rows[3] = rows[3][:3]
    write(folder, "test", rows)
    refused(prepare, tmp_path, "wrong row", "3 cells")
    built, _ = prepare(skip_bad=True)
    assert ids(built) == EVERYTHING - {"test_00004"}


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", ",".join(HEADER).encode() + b"\r\n"])
def test_a_file_without_rows_is_refused(folder, prepare, tmp_path, content):
    (folder / "dev/dev.csv").write_bytes(content)
    refused(prepare, tmp_path, "no rows", "dev/dev.csv")
    refused(prepare, tmp_path, "no rows", "cannot be skipped", skip_bad=True)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_a_missing_file_of_a_split_is_refused(folder, prepare, tmp_path, split):
    (folder / f"{split}/{split}.csv").unlink()
    refused(prepare, tmp_path, "missing file", "cannot be skipped", skip_bad=True)


def test_the_synthetic_stand_in_builds_without_options(tmp_path):
    synthetic.write(tmp_path / "mgid", items=60, seed=4)
    built = preparation.prepare(
        "mgid", tmp_path / "mgid", data_dir=tmp_path / "prepared", log=print
    )
    train = load_split(built, "train", {})
    assert train.inputs["text"].shape[::2] == (42, 64)
    assert (built / "synthetic.json").is_file()
    assert json.loads((built / "corpus.json").read_text())["warnings"] == []


def test_without_options_as_prepared_last(folder, prepare, tmp_path):
    prepare()
    messages = []
    again = preparation.prepare("mgid", folder, data_dir=tmp_path / "prepared", log=messages.append)
    assert again == prepare()[0]
    assert "using options of the last preparation: text_encoder=hashing" in messages


def test_what_an_earlier_version_prepared_is_prepared_anew(folder, prepare, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr(preparation, "_LAYOUT_VERSION", 1)
        before, _ = prepare()
    after, _ = prepare()
    assert after != before
    assert "contents" in json.loads((after / "corpus.json").read_text())


def test_inherited_options_are_part_of_the_run(folder, prepare, tmp_path):
    """They are settings like those that were named: in `config.json`, and in the digest."""
    base = override(EXPERIMENTS["amm-mgid-text"], {"corpus.validation": "dev"})
    digests = []
    for suffix in (False, True):
        prepare(keep_suffix=suffix)
        options = RunOptions(manual_dir=folder, data_dir=tmp_path / "prepared")
        run = open_experiment(base, options, lambda _: None).experiment
        assert run.corpus.options["keep_suffix"] is suffix
        assert to_json(run)["corpus"]["options"]["text_encoder"] == "hashing"
        digests.append(digest_of(run))
    assert len({digest_of(base), *digests}) == 3


def test_options_given_to_a_run_are_changes_of_it(folder, tmp_path):
    """Also if the corpus was prepared for this run, where later ones must not inherit them."""
    base = override(EXPERIMENTS["amm-mgid-text"], {"corpus.validation": "dev"})
    given = {"corpus.options.text_encoder": "hashing", "corpus.options.max_tokens": "20"}
    options = RunOptions(manual_dir=folder, data_dir=tmp_path / "prepared")
    opened = open_experiment(override(base, given), options, lambda _: None)
    assert dict(labels.label(opened, base).changed) == {
        "corpus.options.text_encoder": (None, "hashing"),
        "corpus.options.max_tokens": (128, 20),
    }


def test_an_unknown_encoder_is_a_users_mistake(prepare, tmp_path):
    refused(prepare, tmp_path, "There is no folder", text_encoder=str(tmp_path / "absent"))


def test_images_become_zones_and_colours(folder, prepare, tmp_path):
    from PIL import Image

    from jaxdep.data.images import ZoneEncoder, hsv_histogram

    encoder = tiny_efficientnet(tmp_path / "encoder")
    refused(prepare, tmp_path, "missing file", "images", image_encoder=str(encoder))
    rng = np.random.default_rng(0)
    for split, count in {"train": 14, "dev": 6, "test": 8}.items():
        (folder / "images" / split).mkdir(parents=True)
        for number in range(1, count + 1):
            pixels = rng.integers(0, 256, size=(30 + number, 40, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"images/{split}/{split}_{number}.jpg")
    options = {"image_encoder": str(encoder), "zones": 2}
    built, _ = prepare(**options)
    train = load_split(built, "train", {})
    assert prepare(**options)[0] == built
    pixels = image.read(folder / "images/train/train_3.jpg", folder, "RGB")
    (expected,) = ZoneEncoder(encoder, zones=2).encode([pixels])
    np.testing.assert_allclose(train.inputs["visual"][2], expected, atol=1e-5)
    np.testing.assert_array_equal(train.inputs["color"][2], hsv_histogram(pixels))

    (folder / "images/dev/dev_2.jpg").unlink()
    (folder / "images/test/test_4.jpg").write_bytes(b"no image")
    for message in ("images/dev/dev_2.jpg", "images/test/test_4.jpg: not a PNG or JPEG image"):
        with pytest.raises(UserError) as refused_images:
            prepare(**options)
        assert message in str(refused_images.value)
    built, _ = prepare(**options, skip_bad=True)
    assert ids(built) == EVERYTHING - {"dev_00002", "test_00004"}


def test_an_encoder_that_changed_in_its_folder_prepares_anew(folder, prepare, tmp_path):
    encoder = tiny_bert(tmp_path / "encoder", seed=0)
    options = {"text_encoder": str(encoder), "max_tokens": 20}
    first, _ = prepare(**options)
    assert prepare(**options)[0] == first
    tiny_bert(encoder, seed=1)
    second, corpus = prepare(**options)
    assert second != first
    a, b = (load_split(built, "dev", {}).inputs["text"] for built in (first, second))
    assert a.shape == b.shape == (6, 20, 12)
    assert not np.allclose(a, b)
    assert any("more than 20 tokens" in warning for warning in corpus["warnings"])
