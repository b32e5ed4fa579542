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

from jaxdep.analysis import (
    attention,
    calibration,
    compare,
    predictions,
    published,
    report,
    results,
    table,
)
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
            (r"(v003,test,depression,1,1,.,.),[^,]*", r"\1,", "a probability is not between"),
            (r"depression,2,2,", "depression,9,2,", "no lines for run 2"),
        ],
    )
    def test_what_cannot_be_is_refused(self, tmp_path, pattern, new, message):
        folder = run_folder(tmp_path / "a", items=9)
        path = folder / "predictions.csv"
        path.write_text(re.sub(pattern, new, path.read_text()))
        with pytest.raises(UserError, match=message):
            results.write(folder)


class TestCalibration:
    def test_in_the_results(self, tmp_path):
        folder = run_folder(tmp_path / "r")
        found = results.write(folder)["tasks"]["depression"]["calibration"]
        test, validation = (
            predictions.read(folder / name)["depression"]
            for name in ("predictions.csv", "validation.csv")
        )
        assert test.logits is not None
        assert validation.logits is not None
        fitted = [calibration.fit_temperature(x, validation.target) for x in validation.logits]
        assert found["temperature"]["per_run"] == pytest.approx(fitted)
        assert found["temperature"]["mean"] == pytest.approx(np.mean(fitted))
        brier = [(p - test.target) ** 2 for p in test.probability]
        assert found["summary"]["brier"]["mean"] == pytest.approx(np.mean(brier), abs=1e-6)
        low, high = found["summary"]["brier"]["interval_items"]
        assert low < np.mean(brier) < high
        scaled = [calibration.probabilities(x, t) for x, t in zip(test.logits, fitted, strict=True)]
        ece = [calibration.error(p, test.target) for p in scaled]
        assert found["summary"]["ece_scaled"]["mean"] == pytest.approx(np.mean(ece))
        assert found["summary"]["ece_scaled"]["std"] == pytest.approx(np.std(ece, ddof=1))
        assert found["validation_items"] == 60

    def test_test_data_do_not_change_the_temperature(self, tmp_path):
        first, second = (run_folder(tmp_path / name, seed=0) for name in "ab")
        other = run_folder(tmp_path / "c", seed=7, accuracy=0.2)
        shutil.copy(other / "predictions.csv", second / "predictions.csv")
        one, two = (results.compute(x)["tasks"]["emotion"]["calibration"] for x in (first, second))
        assert one["temperature"] == two["temperature"]
        assert one["summary"]["ece"] != two["summary"]["ece"]

    def test_shown(self, tmp_path):
        folder = run_folder(tmp_path / "r")
        found = results.write(folder)
        mean = found["tasks"]["emotion"]["calibration"]["summary"]["brier"]["mean"]
        assert f"emotion: Brier score {mean:.3f}, ECE" in printed(found)
        assert "(mean over runs), fitted on validation data" in printed(found)
        page = report.write([folder]).read_text()
        assert "Brier score, temperature-scaled" in page
        assert "points below it are overconfident".replace(" ", "") in page.replace(" ", "")
        for name in ("reliability_emotion", "coverage_depression"):
            assert (folder / "figures" / f"{name}.png").stat().st_size > 10_000

    def test_of_the_split_that_temperatures_are_fitted_on(self, tmp_path):
        folder = run_folder(tmp_path / "r")
        meta = json.loads((folder / "meta.json").read_text())
        meta["splits"]["test"] = meta["splits"]["validation"]
        (folder / "meta.json").write_text(json.dumps(meta))
        assert "fitted on the SAME data, so the scaled values" in printed(results.write(folder))

    def test_runs_that_diverged_do_not_count(self, tmp_path):
        found = results.compute(run_folder(tmp_path / "r", diverged=(1,)))
        calibrated = found["tasks"]["depression"]["calibration"]
        assert calibrated["summary"]["ece"]["runs"] == 2
        found = results.compute(run_folder(tmp_path / "s", seeds=(5,), diverged=(0,)))
        assert found["tasks"]["depression"]["calibration"] is None

    def test_earlier_versions_kept_no_validation_predictions(self, tmp_path):
        folder = run_folder(tmp_path / "r", tasks=("depression", "score"))
        (folder / "validation.csv").unlink()
        found = results.write(folder)
        assert found["tasks"]["depression"]["calibration"] is None
        assert "depression: calibration not computed" in printed(found)
        assert "score: calibration" not in printed(found)
        assert "reliability" not in report.write([folder]).read_text()

    def test_damaged_validation_predictions(self, tmp_path):
        folder = run_folder(tmp_path / "r")
        path = folder / "validation.csv"
        path.write_text(path.read_text().replace("depression,2,2,", "depression,9,2,"))
        with pytest.raises(UserError, match=r"validation\.csv cannot be read .*no lines for run 2"):
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

    def test_daic_of_amm_is_shown_beside_daicwoz(self):
        # AMM, Table III, DAIC: micro-F1 68.5. SMFL's paper calls its corpus DAIC-WOZ, as we do.
        amm = {"system": "AMM", "source": "Table III", "row": "AMM"}
        assert published.figures(amm, "daicwoz", "depression")["f1_micro"] == pytest.approx(0.685)
        assert published.figures(amm, "mgid", "depression")["f1_micro"] == pytest.approx(0.741)
        smfl = {"system": "SMFL", "source": "Table 3", "row": "SMFL"}
        assert published.figures(smfl, "daicwoz", "depression")["accuracy"] == 0.89

    def test_shown_if_only_open_settings_were_changed(self, tmp_path):
        entries = ["model.readout", "model.hidden=100", "tasks.*.weight", "corpus.lengths.*"]
        changed = {
            "model.readout": ["sum", "mean"],
            "model.hidden": [200, 100],
            "tasks.emotion.weight": [1.0, 0.5],
            "corpus.lengths.visual": [596, None],
            "corpus.synthetic.items": [961, 60],
        }
        folder = run_folder(tmp_path / "a", synthetic=False, changed=changed, open_=entries)
        found = results.write(folder)
        assert found["withheld"] == []
        assert "f1_weighted" in found["tasks"]["depression"]["paper_figures"]
        notes = printed(found)
        assert "changed settings: model.readout from sum to mean, model.hidden" in notes
        assert "figures are not shown" not in notes

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"training.epochs": [30, 3]}, "training.epochs was changed from 30 to 3"),
            ({"model.hidden": [200, 16]}, "model.hidden was changed from 200 to 16"),
            ({"tasks.a.options.weight": [0.1, 1]}, "tasks.a.options.weight was changed"),
            ({"paper.row": ["JAMFN", "LR"]}, "paper.row was changed from JAMFN to LR"),
        ],
    )
    def test_withheld_if_another_setting_was_changed(self, tmp_path, changed, reason):
        entries = ["model.hidden=100", "tasks.*.weight", "paper.*"]
        folder = run_folder(tmp_path / "a", synthetic=False, changed=changed, open_=entries)
        found = results.write(folder)
        assert found["tasks"]["depression"]["paper_figures"] == {}
        for text in (printed(found), report.write([folder]).read_text()):
            assert f"the paper&#39;s figures are not shown: {reason}" in text.replace("'", "&#39;")
            assert ">paper<" not in text
            assert "OUTSIDE" not in text

    def test_withheld_if_changes_were_not_recorded(self, tmp_path):
        folder = run_folder(tmp_path / "a", synthetic=False)
        meta = json.loads((folder / "meta.json").read_text())
        del meta["changed"]
        (folder / "meta.json").write_text(json.dumps(meta))
        assert "does not record which settings were changed" in printed(results.write(folder))

    def test_nothing_is_withheld_where_the_paper_has_nothing(self, tmp_path):
        changed = {"training.epochs": [30, 3]}
        without = run_folder(tmp_path / "a", changed=changed, paper=None)
        elsewhere = run_folder(tmp_path / "b", changed=changed, corpus="mgid")
        for folder in (without, elsewhere):
            assert "not shown" not in printed(results.write(folder))

    def test_percent_and_fractions(self):
        # AMM prints percent (Table IV, emotion, MTL T+V: 58.1), SMFL fractions (Table 2: 0.91).
        amm = {"system": "AMM", "source": "Table IV", "row": "MTL T+V"}
        assert published.figures(amm, "mgid", "emotion")["f1_micro"] == pytest.approx(0.581)
        smfl = {"system": "SMFL", "source": "Table 2", "row": "SMFL"}
        assert published.figures(smfl, "mmd2023", "depression")["accuracy"] == 0.91


class TestChoice:
    def test_said_of_the_best_of_a_sweep(self, tmp_path):
        folder = run_folder(tmp_path / "a")
        meta = json.loads((folder / "meta.json").read_text())
        said = "chosen among {} configurations on validation"
        for number in (1, 12):
            (folder / "meta.json").write_text(json.dumps(meta | {"chosen_among": number}))
            page = report.write([folder]).read_text()
            assert page.count(said.format(number)) == (2 if number > 1 else 0)
            assert (said.format(number) in printed(results.compute(folder))) == (number > 1)


class TestPlace:
    def test_of_one_run(self, tmp_path):
        folder = run_folder(tmp_path / "a")
        assert report.write([folder]) == folder / "report.html"
        assert report.write([folder], tmp_path / "new" / "x.html").is_file()
        assert report.write([folder], tmp_path / "other") == tmp_path / "other" / "report.html"

    def test_of_several(self, tmp_path):
        folders = [run_folder(tmp_path / name, tasks=("depression",)) for name in "ab"]
        assert report.write(folders) == tmp_path / "report-comparison.html"
        there = report.write(folders, tmp_path / "other")
        assert there == tmp_path / "other" / "report-comparison.html"

    def test_a_file_that_is_no_page_is_not_replaced(self, tmp_path):
        folder = run_folder(tmp_path / "a")
        with pytest.raises(UserError, match=r"meta.json: expected a folder, or a file that ends"):
            report.write([folder], folder / "meta.json")


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
        assert page.images == 10
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

    def test_difference_of_two_runs(self, tmp_path):
        first = run_folder(tmp_path / "a", synthetic=False, name="lr", accuracy=0.3)
        second = run_folder(tmp_path / "b", synthetic=False, name="amm", accuracy=0.95, seed=1)
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
