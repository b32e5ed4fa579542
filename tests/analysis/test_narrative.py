"""What is said beside the results: synthetic data, the paper's figures, the choice of settings."""

import json
import re

import pytest
from fabricate import run_folder
from terminal import printed

from jaxdep.analysis import report, results


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
        assert "…" not in printed(found, width=80)

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

    def test_what_contradicts_a_row_elsewhere_in_the_paper_is_said(self, tmp_path):
        how = {"paper": ("SMFL", "Table 3", "SMFL"), "average": "positive", "corpus": "daicwoz"}
        folder = run_folder(tmp_path / "a", synthetic=False, tasks=("depression",), **how)
        said = "depression: the paper contradicts itself here: precision 0.93 in Table 4"
        assert said in printed(results.write(folder))
        assert said in report.write([folder]).read_text()
        sound = run_folder(tmp_path / "b", synthetic=False, tasks=("depression",))
        assert "contradicts" not in printed(results.write(sound))

    def test_another_split_is_said(self, tmp_path):
        how = {"paper": ("AMM", "Table IV", "MTL T"), "average": "micro", "corpus": "mgid"}
        found = results.write(run_folder(tmp_path / "a", synthetic=False, split="dev", **how))
        assert "(on its test split, ours on dev)" in printed(found)

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


def test_said_of_the_best_of_a_sweep(tmp_path):
    folder = run_folder(tmp_path / "a")
    meta = json.loads((folder / "meta.json").read_text())
    said = "chosen among {} configurations on validation"
    for number in (1, 12):
        (folder / "meta.json").write_text(json.dumps(meta | {"chosen_among": number}))
        page = report.write([folder]).read_text()
        assert page.count(said.format(number)) == (2 if number > 1 else 0)
        assert (said.format(number) in printed(results.compute(folder))) == (number > 1)
