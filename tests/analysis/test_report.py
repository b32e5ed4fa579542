"""Results, tables and pages: what is counted, what is said, and that pages need nothing else."""

import io
import json
import re
import shutil
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from fabricate import run_folder
from rich.console import Console

from jaxdep.analysis import attention, compare, published, report, results, table
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
        results.write(first)
        results.write(tmp_path / "b")
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

    def test_scores_of_the_bdi(self, tmp_path):
        """Categories of severity are counted, and what is attainable is said."""
        folder = run_folder(tmp_path / "r", tasks=("score",), bounds=(0.0, 63.0))
        found = results.write(folder)["tasks"]["score"]
        assert found["summary"]["severity_outliers"]["mean"] > 0
        assert (
            found["constant"]["severity_outliers"] > found["summary"]["severity_outliers"]["mean"]
        )
        assert found["known"] == "mae"
        reached = (8.0 - found["summary"]["mae"]["mean"]) / (8.0 - 0.5)
        assert found["share_of_the_way"] == pytest.approx(reached)
        page = report.write([folder]).read_text()
        assert "severity outliers" in page
        assert "another category than the true score" in page

    def test_regression(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a", tasks=("score",)))
        assert 0 < found["tasks"]["score"]["summary"]["mae"]["mean"] < 2
        assert "MAE (points)" in printed(found)
        page = report.write([tmp_path / "a"]).read_text()
        assert "Predicted against true score" in page

    def test_not_a_run(self, tmp_path):
        with pytest.raises(UserError, match="not the directory of a finished run"):
            results.write(tmp_path)

    def test_one_run(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a", seeds=(7,)))
        of = found["tasks"]["depression"]["summary"]["accuracy"]
        assert of["interval_runs"] is None
        assert of["std"] is None
        assert "says nothing about other seeds" in report.write([tmp_path / "a"]).read_text()
        exact = run_folder(tmp_path / "b", seeds=(0,), deterministic=True)
        assert "fit is deterministic" in report.write([exact]).read_text()

    def test_a_split_that_was_trained_on_is_not_called_unseen(self, tmp_path):
        folder = run_folder(tmp_path / "a")
        meta = json.loads((folder / "meta.json").read_text())
        meta["splits"]["test"] = meta["splits"]["train"]
        (folder / "meta.json").write_text(json.dumps(meta))
        text = printed(results.write(folder))
        assert "THE SAME data as used for training" in text
        page = report.write([folder]).read_text()
        assert "not used for training" not in page

    @pytest.mark.parametrize(
        ("pattern", "new", "message"),
        [
            (r"(v003,test,depression,.,.),.", r"\1,inf", "a target is not a finite number"),
            (
                r"(v003,test,depression,1,1,.),.",
                r"\1,7",
                "a prediction is not a class index from 0 to 1",
            ),
            (r"(v003,test,depression,1,1,.,.),[^\n]*", r"\1,", "a probability is not between"),
            (r"depression,2,2,", "depression,9,2,", "no lines for run 2"),
        ],
    )
    def test_what_cannot_be_is_refused(self, tmp_path, pattern, new, message):
        folder = run_folder(tmp_path / "a", items=9)
        path = folder / "predictions.csv"
        path.write_text(re.sub(pattern, new, path.read_text()))
        with pytest.raises(UserError, match=message):
            results.write(folder)


class TestSynthetic:
    def test_said_wherever_a_paper_stands(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a"))
        printout = printed(found)
        assert printout.startswith("SYNTHETIC: ")
        assert re.search(r"paper;\s*\n.*ours\s*\n.*SYNTHETIC", printout)
        assert "ours is SYNTHETIC, so the two are not comparable" in printout
        page = report.write([tmp_path / "a"]).read_text()
        assert "<h1>SYNTHETIC: " in page
        assert '<th class="number">paper; ours SYNTHETIC</th>' in page
        assert '<p class="banner"><strong>SYNTHETIC data.</strong>' in page
        # In a terminal of 80 columns the word is still whole.
        text = io.StringIO()
        table.show(found, Console(file=text, width=80))
        assert "…" not in text.getvalue()

    def test_not_said_of_real_data(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a", synthetic=False))
        assert "SYNTHETIC" not in printed(found)
        assert "SYNTHETIC" not in report.write([tmp_path / "a"]).read_text()
        # JAMFN, Table 1: F1 68.25, printed beside ours.
        assert found["tasks"]["depression"]["paper_figures"]["f1_weighted"] == 0.6825
        assert ".682" in printed(found)


class TestPaper:
    def test_outside_both_intervals_is_said(self, tmp_path):
        found = results.write(run_folder(tmp_path / "a", synthetic=False, accuracy=0.95))
        assert "F1, weighted (below ours)" in printed(found)
        near = results.write(run_folder(tmp_path / "b", synthetic=False, accuracy=0.4))
        assert "within at least one of our intervals" in printed(near)

    def test_another_split_is_said(self, tmp_path):
        how = {"paper": ("AMM", "Table IV", "MTL T"), "average": "micro", "corpus": "mgid"}
        found = results.write(run_folder(tmp_path / "a", synthetic=False, split="dev", **how))
        assert "(on its test split, ours on dev)" in printed(found)

    def test_a_figure_of_another_corpus_is_none(self):
        # MDDR, Table 1: MAE 5.98 on AVEC2013, 5.75 on AVEC2014, in points.
        row = {"system": "MDDR", "source": "Table 1", "row": "MDDR"}
        assert published.figures(row, "avec2013", "depression") == {"mae": 5.98, "rmse": 7.80}
        assert published.figures(row, "avec2014", "depression") == {"mae": 5.75, "rmse": 7.12}
        assert published.figures(row, "dvlog", "depression") == {}
        assert published.figures(None, "dvlog", "depression") == {}

    def test_percent_and_fractions(self):
        # AMM prints percent (Table IV, emotion, MTL T+V: 58.1), SMFL fractions (Table 2: 0.91).
        amm = {"system": "AMM", "source": "Table IV", "row": "MTL T+V"}
        assert published.figures(amm, "mgid", "emotion")["f1_micro"] == pytest.approx(0.581)
        smfl = {"system": "SMFL", "source": "Table 2", "row": "SMFL"}
        assert published.figures(smfl, "mmd2023", "depression")["accuracy"] == 0.91


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
        for phrase in ("over runs:", "over test items:", "not a diagnostic device", "hash abab"):
            assert phrase in text

    def test_user_text_is_escaped(self, tmp_path):
        folder = run_folder(tmp_path / "a")
        meta = json.loads((folder / "meta.json").read_text())
        meta["title"] = "<script>alert(1)</script>"
        (folder / "meta.json").write_text(json.dumps(meta))
        assert "<script>" not in report.write([folder]).read_text()

    def test_attention(self, tmp_path):
        folder = run_folder(tmp_path / "a")
        maps: Any = {
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
            streams=[["A_A", "voice", "blue"], ["A_V", "face", "orange"]],
            panels=np.zeros((0, 2), str),
            **maps,
        )
        report.write([folder])
        assert (folder / "figures" / "attention.png").stat().st_size > 10_000

    @pytest.mark.parametrize("individual", [0.0, 1.0])
    def test_attention_that_follows_the_position_is_called_so(self, individual):
        rng = np.random.default_rng(0)
        weights = rng.random(9) + individual * rng.random((3, 9)) * 3
        stored = {"A_A": weights, "ids": np.array(list("abc")), "length": np.array([9, 5, 7])}
        stored |= {"targets": np.array([0, 1, 1]), "predictions": np.array([0, 1, 0])}
        stored |= {"streams": np.array([["A_A", "voice", "blue"]]), "panels": np.zeros((0, 2), str)}
        drawn = attention.attention(stored, ["no", "yes"])
        assert drawn is not None
        _, caption = drawn
        assert ("between recordings is 1.00: they follow the position" in caption) == (
            individual == 0
        )

    def test_several_runs(self, tmp_path):
        first = run_folder(tmp_path / "a", synthetic=False, name="lr", accuracy=0.3)
        second = run_folder(tmp_path / "b", synthetic=False, name="amm", accuracy=0.95, seed=1)
        page = report.write([first, second])
        assert page == tmp_path / "report-comparison.html"
        assert "amm (b) minus lr" in page.read_text()
        pair = compare.paired(second, first, "depression")
        each = [results.compute(run)["tasks"]["depression"]["summary"] for run in (second, first)]
        expected = each[0]["accuracy"]["mean"] - each[1]["accuracy"]["mean"]
        assert pair["difference"] == pytest.approx(expected)
        assert pair["interval_items"][0] > 0

    def test_difference_over_runs(self, tmp_path):
        first = run_folder(tmp_path / "a", seeds=range(6), accuracy=0.9)
        other = run_folder(tmp_path / "b", seeds=range(5), accuracy=0.3, seed=1)
        exact = run_folder(tmp_path / "c", seeds=(0,), accuracy=0.3, seed=2, deterministic=True)
        lone = run_folder(tmp_path / "d", seeds=(0,), accuracy=0.3, seed=2)
        for second, runs in ((other, [6, 5]), (exact, [6, 1])):
            pair = compare.paired(first, second, "depression", "f1_weighted")
            low, high = pair["interval_runs"]
            assert 0 < low < pair["difference"] < high
            assert pair["runs"] == runs
        # One seed of a fit that draws at random says nothing of others.
        assert compare.paired(first, lone, "depression")["interval_runs"] is None
        assert compare.paired(exact, exact, "depression")["interval_runs"] is None

    def test_a_run_less_itself_is_nothing(self, tmp_path):
        first = run_folder(tmp_path / "a")
        pair = compare.paired(first, first, "emotion", "f1_macro")
        assert pair["difference"] == 0
        assert pair["interval_items"] == (0, 0)

    def test_only_the_same_recordings_are_compared(self, tmp_path):
        first = run_folder(tmp_path / "a", items=20)
        second = run_folder(tmp_path / "b", items=30)
        with pytest.raises(UserError, match="not tested on the same recordings"):
            compare.paired(first, second, "depression")
