"""Results, tables and pages: what is counted, what is said, and that pages need nothing else."""

import io
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from fabricate import run_folder
from rich.console import Console

from jaxdep.analysis import compare, report, results, table
from jaxdep.errors import UserError


def printed(found):
    text = io.StringIO()
    table.show(found, Console(file=text, width=110))
    return text.getvalue()


class TestResults:
    def test_summary_is_that_of_the_runs(self, tmp_path):
        found = results.write(run_folder(tmp_path / "r"))
        task = found["tasks"]["depression"]
        values = [run["metrics"]["accuracy"] for run in task["per_run"]]
        assert task["summary"]["accuracy"]["mean"] == pytest.approx(np.mean(values))
        assert task["summary"]["accuracy"]["std"] == pytest.approx(np.std(values, ddof=1))
        assert task["summary"]["accuracy"]["ddof"] == 1
        low, high = task["summary"]["accuracy"]["interval_items"]
        assert low < np.mean(values) < high
        way = (np.mean(values) - 0.5) / 0.4
        assert task["share_of_the_way"] == pytest.approx(way)

    def test_bytes_do_not_depend_on_place_or_time(self, tmp_path):
        first = run_folder(tmp_path / "a")
        shutil.copytree(first, tmp_path / "b")
        results.write(first), results.write(tmp_path / "b")
        content = lambda name: (tmp_path / name / "results.json").read_bytes()
        assert content("a") == content("b")
        assert json.loads(content("a"))["split"]["hash"]

    def test_a_diverged_run_is_named_and_not_counted(self, tmp_path):
        whole = results.write(run_folder(tmp_path / "a"))
        found = results.write(run_folder(tmp_path / "b", diverged=(1,)))
        assert found["excluded"] == [1]
        task = found["tasks"]["depression"]
        assert [run["run"] for run in task["per_run"]] == [0, 2]
        assert task["summary"]["accuracy"]["runs"] == 2
        kept = [whole["tasks"]["depression"]["per_run"][run] for run in (0, 2)]
        assert task["per_run"] == kept
        assert "DIVERGED and not counted: run 1 (seed 1)" in printed(found)
        assert "2 of 3 runs counted" in printed(found)

    def test_all_runs_diverged(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a", seeds=(5,), diverged=(0,)))
        assert found["tasks"]["depression"]["summary"] == {}
        assert "DIVERGED" in printed(found)
        assert "there is no result" in report.write([tmp_path / "a"]).read_text()

    def test_regression(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a", tasks=("score",)))
        assert 0 < found["tasks"]["score"]["summary"]["mae"]["mean"] < 2
        assert "MAE (points)" in printed(found)
        page = report.write([tmp_path / "a"]).read_text()
        assert "Predicted against true score" in page

    def test_not_a_run(self, tmp_path):
        with pytest.raises(UserError, match="not the folder of a finished run"):
            results.write(tmp_path)


class TestSynthetic:
    def test_said_wherever_a_paper_stands(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a"))
        said = printed(found)
        assert said.startswith("SYNTHETIC: ")
        assert re.search(r"paper\s*\n.*ours\s*\n.*SYNTHETIC", said)
        page = report.write([tmp_path / "a"]).read_text()
        assert "<h1>SYNTHETIC: " in page
        assert "paper (ours SYNTHETIC): Table 1" in page
        assert '<p class="banner">SYNTHETIC data' in page

    def test_not_said_of_real_data(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a", synthetic=False))
        assert "SYNTHETIC" not in printed(found)
        assert "SYNTHETIC" not in report.write([tmp_path / "a"]).read_text()
        # JAMFN, Table 1: F1 68.25, printed beside ours.
        assert found["tasks"]["depression"]["paper_figures"]["f1_weighted"] == 0.6825
        assert "0.682" in printed(found)


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.images = [], 0

    def handle_starttag(self, tag, attrs):
        self.images += tag == "img"
        self.links += [value for key, value in attrs if key in ("src", "href")]


class TestPage:
    def test_needs_nothing_else(self, tmp_path):
        page = _Page()
        page.feed(report.write([run_folder(tmp_path / "a")]).read_text())
        assert page.images == 6
        assert all(link.startswith("data:image/png;base64,") for link in page.links)

    def test_says_what_both_intervals_mean_and_what_it_is_not(self, tmp_path):
        text = report.write([run_folder(tmp_path / "a")]).read_text()
        for said in ("over runs:", "over test items:", "no diagnostic device", "hash abab"):
            assert said in text

    def test_user_text_is_escaped(self, tmp_path):
        folder = run_folder(tmp_path / "a")
        meta = json.loads((folder / "meta.json").read_text())
        meta["title"] = "<script>alert(1)</script>"
        (folder / "meta.json").write_text(json.dumps(meta))
        assert "<script>" not in report.write([folder]).read_text()

    def test_attention(self, tmp_path):
        folder = run_folder(tmp_path / "a")
        maps = {
            f"jaf.{k}/{symbol}": np.random.default_rng(k).random((2, 9))
            for k in range(3)
            for symbol in ("A_A", "A_V", "T_A")
        }
        np.savez(
            folder / "attention.npz",
            ids=np.array(["v1", "v2"]),
            targets=[0, 1],
            predictions=[1, 1],
            length=[9, 4],
            **maps,
        )
        report.write([folder])
        assert (folder / "figures" / "attention.png").stat().st_size > 10_000

    def test_several_runs(self, tmp_path):
        first = run_folder(tmp_path / "a", synthetic=False, name="lr", accuracy=0.3)
        second = run_folder(tmp_path / "b", synthetic=False, name="amm", accuracy=0.95, seed=1)
        page = report.write([first, second])
        assert page == tmp_path / "report-comparison.html"
        assert "amm minus lr, depression" in page.read_text()
        pair = compare.paired(second, first, "depression")
        each = [results.compute(run)["tasks"]["depression"]["summary"] for run in (second, first)]
        expected = each[0]["accuracy"]["mean"] - each[1]["accuracy"]["mean"]
        assert pair["difference"] == pytest.approx(expected)
        assert pair["interval_items"][0] > 0

    def test_only_the_same_recordings_are_compared(self, tmp_path):
        first = run_folder(tmp_path / "a", items=20)
        second = run_folder(tmp_path / "b", items=30)
        with pytest.raises(UserError, match="not tested on the same recordings"):
            compare.paired(first, second, "depression")
