"""A command begins anew with huge pages once, and only where they are for programs to choose."""

import os
import subprocess
import sys

import pytest

from jaxdep.cli import hugepages


@pytest.mark.parametrize(
    ("mode", "tunables", "expected"),
    [
        ("always [madvise] never", "", True),
        ("always [madvise] never", "glibc.malloc.check=0", True),
        ("always [madvise] never", "glibc.malloc.hugetlb=0", False),
        ("[always] madvise never", "", False),
        ("always madvise [never]", "", False),
        (None, "", False),
    ],
)
def test_wanted(tmp_path, monkeypatch, mode, tunables, expected):
    file = tmp_path / "enabled"
    if mode:
        file.write_text(mode + "\n")
    monkeypatch.setattr(hugepages, "_MODE", file)
    assert hugepages.wanted({"GLIBC_TUNABLES": tunables}) is expected


def test_it_begins_anew_once(tmp_path):
    """The arguments and the process's number stay, and the second one does not begin a third."""
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    script = tmp_path / "command.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "from jaxdep.cli import hugepages\n"
        f"hugepages._MODE = pathlib.Path({str(tmp_path / 'enabled')!r})\n"
        "print('begun', os.getpid(), sys.argv[1:], flush=True)\n"
        "hugepages.use()\n"
        "print(os.environ['GLIBC_TUNABLES'])\n"
    )
    lines = subprocess.run(
        [sys.executable, script, "run", "x y"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "GLIBC_TUNABLES": "glibc.malloc.check=0"},
    ).stdout.splitlines()
    assert lines[0] == lines[1]
    assert lines[0].endswith("['run', 'x y']")
    assert lines[2:] == ["glibc.malloc.check=0:glibc.malloc.hugetlb=1"]
