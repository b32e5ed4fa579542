"""The command line: what it prints, and exit codes without tracebacks."""

import subprocess
import sys

import pytest

from jaxdep.cli import hugepages
from jaxdep.cli.main import main
from jaxdep.cli.options import parse_seeds
from jaxdep.errors import UserError
from jaxdep.experiments import EXPERIMENTS


def jaxdep(*arguments):
    command = [sys.executable, "-m", "jaxdep", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def test_list_names_everything():
    result = jaxdep("list")
    assert result.returncode == 0
    for name in [*EXPERIMENTS, "dvlog", "mgid"]:
        assert name in result.stdout


def test_synthesize_then_prepare(tmp_path):
    written = jaxdep("synthesize", "dvlog", tmp_path / "raw", "--items", 20, "--seed", 3)
    assert written.returncode == 0
    assert "20 SYNTHETIC recordings" in written.stdout
    built = jaxdep("prepare", "dvlog", "--manual-dir", tmp_path / "raw", "--data-dir", tmp_path)
    assert built.returncode == 0, built.stderr
    assert "stored 20 recordings of dvlog (SYNTHETIC)" in built.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "jamfn", "--set", "model.hiden=3"), "did you mean 'hidden'"),
        (("run", "jamfn", "--set", "x"), "--set expects KEY=VALUE"),
        (("run", "jamfn", "--seeds", "x"), "--seeds x"),
        (("run", "jamfn", "--devices", "99"), "--devices 99"),
        (("run", "jamfn", "--manual-dir", "/nowhere"), "/nowhere is not a folder"),
        (("run", "jamfn", "--set", "corpus.fold=1"), "set corpus.folds too"),
        (("cross-validate", "jamfn", "--folds", "1"), "--folds 1: set at least 2"),
        (("cross-validate", "jamfn", "--repeats", "0"), "--repeats 0: set at least 1"),
        (("cross-validate", "jamfn", "--set", "corpus.folds=3"), "--set corpus.folds"),
        (("cross-validate", "jamfn", "--manual-dir", "/nowhere"), "/nowhere is not a folder"),
        (("prepare", "dvlg", "--manual-dir", "/nowhere"), "did you mean 'dvlog'"),
        (("synthesize", "dvlog", "new", "--items", "1"), "items must be at least 10"),
        (("evaluate", "/nowhere"), "not a run directory"),
        (("missing", "/nowhere"), "not a run directory"),
        (("missing", "/nowhere", "/elsewhere"), "not a run directory"),
        (("missing", "/nowhere", "--out", "x"), "--out is for several runs"),
        (("missing", "/nowhere", "/nowhere"), "/nowhere is given twice"),
        (("missing",), "no run directory given"),
        (("report", "/nowhere"), "not the directory of a finished run"),
        (
            ("reproduce", "jamfn", "--text-encoder", "x"),
            "no row of jamfn is on a corpus whose texts",
        ),
        (("report",), ""),
        (("parity", "vgg"), "choose one of jamfn, amm"),
        (("dance",), "dance"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAXDEP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(hugepages, "use", lambda: None)
    monkeypatch.setattr(sys, "argv", ["jaxdep", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    printed = capsys.readouterr()
    assert message in printed.out + printed.err
    assert not list(tmp_path.iterdir())


def test_a_mistake_ends_the_process_without_a_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = jaxdep("run", "jamfn-dmo")
    assert result.returncode == 2
    assert "did you mean" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_seeds():
    assert parse_seeds("8") == 8
    assert parse_seeds("3,5") == [3, 5]
    assert parse_seeds("2-4") == [2, 3, 4]
    with pytest.raises(UserError, match="expected a number"):
        parse_seeds("two")
