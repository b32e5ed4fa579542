"""Reads and validates the CSV files of MGID as distributed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jaxdep.data.formats import names, text
from jaxdep.errors import BadFileError, Faults

SPLITS = {"train": 3500, "dev": 500, "test": 1000}
"""Split -> published number of rows."""

COLUMNS = ("Depression Label", "Emotion Label", "Title", "Text", "Image URL")
DEPRESSION = ("not depressed", "depressed")
EMOTIONS = ("neutral", "happiness", "fear", "surprise", "depressed", "anger")
SUFFIX = " - stock photo"


@dataclass(frozen=True)
class Row:
    """One item of the corpus.

    Attributes:
      id: split and row number from 1, such as "train_00001".
      split: "train", "dev" or "test".
      depression: one of `DEPRESSION`.
      emotion: one of `EMOTIONS`.
      text: title and text combined, see `join`.
      url: URL of the image; may be empty.
      image: expected path of the user's copy of the image, relative to the corpus folder.
    """

    id: str
    split: str
    depression: str
    emotion: str
    text: str
    url: str
    image: str


def read(folder: Path, faults: Faults, keep_suffix: bool = False) -> list[Row]:
    """Reads all available splits, in the order of the files.

    Args:
      folder: folder given by the user. `train` is required; other splits may be missing together
        with their folder.
      faults: receives the faults of the files.
      keep_suffix: see `join`.
    """
    rows: list[Row] = []
    for split in SPLITS:
        name = f"{split}/{split}.csv"
        if (folder / name).is_file():
            for number, (where, cells) in enumerate(_cells(folder, name, faults), start=1):
                row = _row(cells, split, number, where, keep_suffix, faults)
                rows += [row] if row else []
        elif split == "train" or (folder / split).exists():
            faults.add("missing file", name)
    return rows


def join(title: str, description: str, keep_suffix: bool = False) -> str:
    """Combines title and text into "title. text", or whichever is not empty.

    Unless `keep_suffix` is set, the suffix " - stock photo" is removed from titles: it depends on
    the search page that a row was copied from, and in the development split 20 of 250 depressed
    rows have it, but 232 of 250 others. Whitespace is collapsed to single spaces.
    """
    title = " ".join(title.split())
    if not keep_suffix:
        # The leading space makes a title empty that consists of the suffix only.
        title = f" {title}".removesuffix(SUFFIX).strip()
    return ". ".join(part for part in (title, " ".join(description.split())) if part)


def warnings(rows: Sequence[Row], published: bool = True) -> list[str]:
    """Returns warnings about valid rows: missing splits, sizes, and leakage between splits.

    Args:
      rows: rows from `read`.
      published: whether to compare the sizes of the splits with the published ones.
    """
    count = Counter(row.split for row in rows)
    found = [f"The {split} split is missing." for split in SPLITS if not count[split]]
    for split, number in SPLITS.items():
        if published and count[split] not in (0, number):
            found.append(f"{split} has {count[split]} rows; the published corpus has {number}.")
    for attribute, key in (
        ("a text", lambda row: row.text.lower()),
        ("an image URL", lambda row: row.url),
    ):
        for earlier, later, shared in _shared(rows, key):
            found.append(
                f"{shared} rows of {later} have {attribute} that is also in {earlier}: "
                "information leaks between the splits."
            )
    for split, repeated, differ in _repeated(rows):
        found.append(
            f"{repeated} rows of {split} repeat the text of an earlier row"
            + (f"; {differ} texts have more than one depression label." if differ else ".")
        )
    return found


def card(rows: Sequence[Row]) -> dict:
    """Computes statistics for the corpus card.

    Returns:
      "depression" and "emotion": split -> class -> number of rows; "emotion_shift": split -> total
      variation distance of its emotion frequencies from those of train, 0 to 1.
    """
    splits = [split for split in SPLITS if any(row.split == split for row in rows)]
    table = lambda names, of: {
        split: {name: sum(r.split == split and of(r) == name for r in rows) for name in names}
        for split in splits
    }
    emotion = table(EMOTIONS, lambda row: row.emotion)
    shares = {
        split: {name: number / max(sum(counts.values()), 1) for name, number in counts.items()}
        for split, counts in emotion.items()
    }
    return {
        "depression": table(DEPRESSION, lambda row: row.depression),
        "emotion": emotion,
        "emotion_shift": {
            split: round(sum(abs(s[e] - shares["train"][e]) for e in EMOTIONS) / 2, 4)
            for split, s in shares.items()
            if split != "train" and "train" in shares
        },
    }


def texts(path: Path, faults: Faults, keep_suffix: bool = False) -> dict[str, str]:
    """Reads texts without labels, by id; see `join` for how titles are combined with them.

    Args:
      path: `.txt`, one text a line; `.csv` with a column `Text`, optionally `Title` and `id`; or a
        folder with such files at any depth. Without a column `id`, a text is called after its file
        and its number there, from 1, such as "train_00001", as in `read`.
      faults: receives the faults of the files.
      keep_suffix: see `join`.
    """
    root = path if path.is_dir() else path.parent
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix in (".txt", ".csv"))
    found: dict[str, str] = {}
    for file in files:
        where = str(file.relative_to(root))
        try:
            named = _unlabelled(file, root, where, faults)
        except BadFileError as error:
            faults.add_file(error, where)
            continue
        for number, (name, title, words) in enumerate(named, start=1):
            name, joined = name or f"{file.stem}_{number:05d}", join(title, words, keep_suffix)
            if problem := names.fault_of(name):
                faults.add("bad id", where, f"{name!r}: {problem}", name)
            elif not joined:
                faults.add("empty text", where, name, name)
            elif name in found:
                faults.add("duplicate id", where, name, name)
            else:
                found[name] = joined
    if not found and not faults:
        faults.add("no rows", path, "expected .txt, one text a line, or .csv with a column Text")
    return found


def _unlabelled(file: Path, root: Path, where: str, faults: Faults) -> list[tuple[str, str, str]]:
    """Id (empty if there is none), title and text of each row of a file."""
    content = text.read(file, root)
    if file.suffix != ".csv":
        return [("", "", line) for line in content.split("\n") if line.strip()]
    rows = [(line, cells) for line, cells in text.rows(content) if any(cells)]
    header = rows[0][1] if rows else []
    if header.count("Text") != 1:
        faults.add("missing column", f"{where}:1", f'"Text"; the header is {", ".join(header)}')
        return []
    named = []
    for line, cells in rows[1:]:
        if len(cells) != len(header):
            faults.add(
                "wrong row", f"{where}:{line}", f"{len(cells)} cells; the header has {len(header)}"
            )
            continue
        cell = dict(zip(header, cells, strict=True))
        named.append((cell.get("id", ""), cell.get("Title", ""), cell["Text"]))
    return named


def _cells(folder: Path, name: str, faults: Faults) -> list[tuple[str, dict[str, str] | int]]:
    """Reads the rows of a file: location and cells by column, or their number if it is wrong.

    A truncated file is a fault; the rows before the truncation are still returned, so that their
    faults are reported too.
    """
    found: list[tuple[str, dict[str, str] | int]] = []
    try:
        rows = text.rows(text.read(folder / name, folder))
        _, header = next(rows, (1, []))
        if not _check_header(header, name, faults):
            return []
        for line, cells in rows:
            if cells:
                complete = len(cells) == len(header)
                row = dict(zip(header, cells, strict=True)) if complete else len(cells)
                found.append((f"{name}:{line}", row))
    except BadFileError as error:
        faults.add_file(error, name)
        return found
    if not found:
        faults.add("no rows", name, "only the header")
    return found


def _check_header(header: list[str], name: str, faults: Faults) -> bool:
    before = len(faults.found)
    if not header:
        faults.add("no rows", name, "the file is empty")
        return False
    for column in COLUMNS:
        if header.count(column) != 1:
            kind = "duplicate column" if column in header else "missing column"
            faults.add(kind, f"{name}:1", f'"{column}"; the header is {", ".join(header)}')
    return len(faults.found) == before


def _row(
    cell: dict[str, str] | int,
    split: str,
    number: int,
    where: str,
    keep_suffix: bool,
    faults: Faults,
) -> Row | None:
    item = f"{split}_{number:05d}"
    if isinstance(cell, int):
        faults.add("wrong row", where, f"{cell} cells; expected as many as in the header", item)
        return None
    before = len(faults.found)
    depressed = {"true": True, "false": False}.get(cell["Depression Label"].strip().lower())
    if depressed is None:
        detail = f'Depression Label "{cell["Depression Label"]}"; expected TRUE or FALSE'
        faults.add("unknown label", where, detail, item)
    emotion = cell["Emotion Label"].strip().lower()
    if emotion not in EMOTIONS:
        detail = f'Emotion Label "{cell["Emotion Label"]}"; expected one of {", ".join(EMOTIONS)}'
        faults.add("unknown label", where, detail, item)
    words = join(cell["Title"], cell["Text"], keep_suffix)
    if not words:
        faults.add("empty text", where, "Title and Text are both empty", item)
    if len(faults.found) > before:
        return None
    return Row(
        id=item,
        split=split,
        depression=DEPRESSION[bool(depressed)],
        emotion=emotion,
        text=words,
        url=cell["Image URL"].strip(),
        image=f"images/{split}/{split}_{number}.jpg",
    )


def _shared(rows: Sequence[Row], key: Callable[[Row], str]) -> Iterable[tuple[str, str, int]]:
    """For each pair of splits (earlier, later): number of later rows with a key of the earlier."""
    keys: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        keys[row.split] += [key(row)] if key(row) else []
    names = [split for split in SPLITS if split in keys]
    for i, earlier in enumerate(names):
        for later in names[i + 1 :]:
            known = set(keys[earlier])
            if shared := sum(k in known for k in keys[later]):
                yield earlier, later, shared


def _repeated(rows: Sequence[Row]) -> Iterable[tuple[str, int, int]]:
    """For each split: number of rows with repeated text, and of texts with both labels."""
    for split in SPLITS:
        labels: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            if row.split == split:
                labels[row.text.lower()].append(row.depression)
        repeated = sum(len(group) - 1 for group in labels.values())
        if repeated:
            yield split, repeated, sum(len(set(group)) > 1 for group in labels.values())
