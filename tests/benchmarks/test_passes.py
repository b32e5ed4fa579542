"""All rows in one pass: what was measured is kept, what failed is tried again."""

import json

import pytest

from jaxdep.artifacts import environment
from jaxdep.benchmarks import passes, rows, tables
from jaxdep.benchmarks.rows import Row
from jaxdep.errors import UserError

TWO = [Row("train-step", "amm", "tiny"), Row("epoch", "jamfn", "tiny")]
MACHINE = {
    **{"processor": "abacus", "cores": 2, "memory_gib": 1, "gpus": [], "python": "3.12.0"},
    **{"jax": "0.10.2", "torch": "2.13.0", "torch_threads": 2},
}


def line(row, ratio=1.5, **more):
    return {
        **{"bench": row.bench, "model": row.model, "size": row.size, "repeats": row.repeats},
        **{"ours_s": 2.0, "theirs_s": {"stock": 2 * ratio}, "ratio": {"stock": ratio}},
        **{"peak_bytes": {"ours": 2**30, "stock": 2**30}, "gemm_flops_per_s": 1e9},
        **{"machine": MACHINE, **more},
    }


class Bench:
    """Measures rows as planned, and remembers which it was asked for."""

    def __init__(self, *broken):
        self.asked, self.broken = [], broken

    def __call__(self, row):
        self.asked.append(row.name)
        if row.name in self.broken:
            raise passes.RowError("exit code 137, see the output above")
        return line(row)


@pytest.fixture(autouse=True)
def one_commit(monkeypatch):
    monkeypatch.setattr(environment, "commit", lambda: "abc")


def test_a_pass(tmp_path):
    said, bench = [], Bench()
    assert passes.run(TWO, tmp_path / "results", log=said.append, measure=bench) == []
    assert bench.asked == [row.name for row in TWO]
    assert said == ["[1/2] train-step-amm-tiny", "[2/2] epoch-jamfn-tiny"]
    files = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert files == ["README.md", "epoch-jamfn-tiny.json", "train-step-amm-tiny.json"]
    assert json.loads((tmp_path / "results" / files[1]).read_text())["commit"] == "abc"
    passes.run(TWO, tmp_path / "results", log=said.append, measure=bench)
    assert len(bench.asked) == 4  # a finished pass is followed by another one


def test_an_interrupted_pass_goes_on(tmp_path):
    class Stops(Bench):
        def __call__(self, row):
            if row == TWO[1]:
                raise KeyboardInterrupt
            return super().__call__(row)

    with pytest.raises(KeyboardInterrupt):
        passes.run(TWO, tmp_path, log=str, measure=Stops())
    said, bench = [], Bench()
    passes.run(TWO, tmp_path, log=said.append, measure=bench)
    assert bench.asked == ["epoch-jamfn-tiny"]
    assert "kept" in said[0]
    assert not (tmp_path / passes.UNFINISHED).exists()


def test_more_turns_are_another_row(tmp_path):
    first = Bench("epoch-jamfn-tiny")
    passes.run(TWO, tmp_path, log=str, measure=first)
    again, bench = [Row("train-step", "amm", "tiny", repeats=9), TWO[1]], Bench()
    passes.run(again, tmp_path, log=str, measure=bench)
    assert bench.asked == [row.name for row in again]


def test_a_row_that_fails_stops_no_other_and_is_tried_again(tmp_path):
    said = []
    failed = passes.run(TWO, tmp_path, log=said.append, measure=Bench("train-step-amm-tiny"))
    assert failed == [TWO[0]]
    assert said[1] == "[1/2] train-step-amm-tiny: FAILED, exit code 137, see the output above"
    assert not (tmp_path / "train-step-amm-tiny.json").exists()
    bench = Bench()
    assert passes.run(TWO, tmp_path, log=str, measure=bench) == []
    assert bench.asked == ["train-step-amm-tiny"]


def test_commits_are_not_mixed(tmp_path, monkeypatch):
    passes.run(TWO, tmp_path, log=str, measure=Bench("epoch-jamfn-tiny"))
    monkeypatch.setattr(environment, "commit", lambda: "abc+")  # the results are uncommitted
    passes.run(TWO, tmp_path, log=str, measure=Bench("epoch-jamfn-tiny"))
    monkeypatch.setattr(environment, "commit", lambda: "def")
    with pytest.raises(UserError, match="unfinished pass of commit abc, and this is def"):
        passes.run(TWO, tmp_path, log=str, measure=Bench())


def test_a_damaged_note(tmp_path):
    (tmp_path / passes.UNFINISHED).write_text("[]")
    with pytest.raises(UserError, match="damaged; remove it"):
        passes.run(TWO, tmp_path, log=str, measure=Bench())


def test_a_row_that_cannot_be_measured():
    with pytest.raises(passes.RowError, match="exit code 2"):
        passes.in_own_process(Row("train-step", "amm", "huge"))


def test_chosen_rows():
    assert rows.chosen(None, None, None) == list(rows.ROWS)
    assert all(row.repeats >= 5 for row in rows.ROWS)
    assert {row.model for row in rows.chosen("smfl", None, None)} == {"smfl"}
    tiny = rows.chosen(None, "tiny", 1)
    assert {(row.size, row.repeats) for row in tiny} == {("tiny", 1)}
    assert len({row.name for row in tiny}) == len(tiny) < len(rows.ROWS)
    with pytest.raises(UserError, match="no rows of it; choose from jamfn, mddr"):
        rows.chosen("bert", None, None)
    with pytest.raises(UserError, match="--repeats"):
        rows.chosen(None, None, 0)


def test_every_row_exists():
    from jaxdep.benchmarks import measured, measures

    for row in rows.ROWS:
        assert row.bench in measures.MEASURES
        target = measured.find(row.model, row.size)
        assert row.bench != "input" or target.experiment
        measured.find(row.model, "tiny")  # for trials
    assert {name for name, _ in rows.REASONS} <= {row.name for row in rows.ROWS}


def test_a_damaged_result(tmp_path):
    passes.run(TWO, tmp_path, log=str, measure=Bench())
    (tmp_path / "epoch-jamfn-tiny.json").write_text('{"bench": ')
    with pytest.raises(UserError, match=r"epoch-jamfn-tiny\.json is damaged"):
        tables.write_page(tmp_path)
