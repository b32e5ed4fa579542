"""What is decided about a run after it has ended."""

import pytest
from fabricate import run_folder

from jaxdep.analysis import results
from jaxdep.artifacts.run_dir import RunDir
from jaxdep.errors import UserError
from jaxdep.runner import reporting


def test_scores_of_one_session_are_averaged_if_asked_for(tmp_path):
    sessions = {f"v{item:03d}": f"s{item}" for item in range(6)}
    folder = run_folder(tmp_path / "r", items=6, tasks=("score",), sessions=sessions)
    each = results.write(folder)
    reporting.merge_tasks(RunDir.at(folder), True)
    merged = results.write(folder)
    assert merged["merged"]
    assert not each["merged"]
    # Every session has one recording: the same scores, in the order of the sessions.
    assert merged["tasks"]["score"]["summary"]["mae"]["mean"] == pytest.approx(
        each["tasks"]["score"]["summary"]["mae"]["mean"]
    )
    reporting.merge_tasks(RunDir.at(folder), False)
    assert results.write(folder) == each


def test_a_corpus_without_sessions_has_nothing_to_merge(tmp_path):
    folder = run_folder(tmp_path / "r")
    with pytest.raises(UserError, match="no sessions of several recordings"):
        reporting.merge_tasks(RunDir.at(folder), True)
