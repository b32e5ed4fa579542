"""All tables of JAMFN with all baselines, small: killed at several moments, and continued."""

import random
import subprocess
import sys
import time
from contextlib import suppress

import pytest

WRITTEN = ("tables.md", "tables.tex", "tables.csv", "tables.json", "report.html")
KILLS = 4


@pytest.mark.slow
def test_killed_and_continued_to_the_same_bytes(tmp_path):
    """The page names the command of each run, so both reproductions are given the same one."""
    words = ["reproduce", "jamfn", "--small", "--seeds", "2", "--out", "out"]
    command = [sys.executable, "-m", "jaxdep", *words, "--data-dir", str(tmp_path / "data")]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole, killed):
        folder.mkdir()
    began = time.monotonic()
    done = subprocess.run(command, cwd=whole, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    seconds = time.monotonic() - began

    rng = random.Random(0)
    for _ in range(KILLS):
        with subprocess.Popen(command, cwd=killed, stdout=subprocess.DEVNULL) as process:
            with suppress(subprocess.TimeoutExpired):  # it may be through before
                process.wait(rng.uniform(0.05, 0.5) * seconds)
            process.kill()
    done = subprocess.run(command, cwd=killed, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in WRITTEN:
        assert (killed / "out" / name).read_bytes() == (whole / "out" / name).read_bytes(), name
    assert "Depression Detector" in (whole / "out" / "tables.md").read_text()
