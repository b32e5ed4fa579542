"""Damage to a folder: files changed, removed, or replaced by what they should not be."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random

from fuzz import damage

Place = Callable[[Path, Path], object]
"""Damages a file below a root; links lead to a folder `outside` next to the root."""


def damaged(rng: Random, root: Path, times: int = 3) -> list[str]:
    """Damages up to `times` files of a folder.

    Args:
      rng: generator of all choices.
      root: folder to damage.
      times: maximum number of damages.

    Returns:
      What was done, one line each.
    """
    return [_one(rng, root) for _ in range(rng.randint(1, times))]


def listing(root: Path) -> dict[str, tuple[int, int]]:
    """Sizes and modification times of everything below a folder."""
    found = {}
    for where, folders, files in os.walk(root):
        for name in folders + files:
            status = os.lstat(os.path.join(where, name))
            found[os.path.join(where, name)] = (status.st_size, status.st_mtime_ns)
    return found


def _one(rng: Random, root: Path) -> str:
    # Labels are few and features many: first the kind of file, then the file.
    kinds = defaultdict(list)
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 10**9:
            kinds[path.suffix].append(path)
    if not kinds:
        return "no files are left"
    path = rng.choice(kinds[rng.choice(sorted(kinds))])
    if rng.random() < 0.7:
        done, content = damage.any_content(rng, path.name, path.read_bytes())
        path.write_bytes(content)
    else:
        place = rng.choice(PLACES)
        done = place.__name__
        place(path, root)
    return f"{os.fsencode(path.relative_to(root))!r}: {done.replace('_', ' ')}"


def removed(path: Path, root: Path) -> None:
    path.unlink()


def empty(path: Path, root: Path) -> None:
    path.write_bytes(b"")


def a_folder_in_its_place(path: Path, root: Path) -> None:
    path.unlink()
    path.mkdir()


def link_out(path: Path, root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir(exist_ok=True)
    path.symlink_to(shutil.move(path, outside / str(len(list(outside.iterdir())))))


def link_to_itself(path: Path, root: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def link_to_nothing(path: Path, root: Path) -> None:
    path.unlink()
    path.symlink_to("nothing")


def sparse_terabyte(path: Path, root: Path) -> None:
    os.truncate(path, 10**12)


def pipe(path: Path, root: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def unreadable(path: Path, root: Path) -> None:
    path.chmod(0)  # the superuser reads it all the same


def name_not_utf8(path: Path, root: Path) -> None:
    path.rename(path.with_name(os.fsdecode(b"\xff") + path.name))


def name_with_controls(path: Path, root: Path) -> None:
    path.rename(path.with_name("\x1b[31m\n" + path.name))


def name_in_upper_case(path: Path, root: Path) -> None:
    path.rename(path.with_name(path.name.upper()))


def a_copy_beside(path: Path, root: Path) -> None:
    shutil.copyfile(path, path.with_name("0" + path.name))


def folder_renamed(path: Path, root: Path) -> None:
    if path.parent != root:
        path.parent.rename(path.parent.with_name("0" + path.parent.name))


PLACES: tuple[Place, ...] = (
    removed,
    empty,
    a_folder_in_its_place,
    link_out,
    link_to_itself,
    link_to_nothing,
    sparse_terabyte,
    pipe,
    unreadable,
    name_not_utf8,
    name_with_controls,
    name_in_upper_case,
    a_copy_beside,
    folder_renamed,
)
