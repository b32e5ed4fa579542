"""The papers' figures: complete, known by name, and as printed."""

import csv
from collections import Counter
from dataclasses import FrozenInstanceError
from importlib import resources

import numpy as np
import pytest
from papers import key, tables

from jaxdep.analysis import metrics, published
from jaxdep.experiments import EXPERIMENTS


class TestTable:
    def test_every_line_is_read(self):
        text = resources.files("jaxdep.analysis").joinpath("paper_results.csv").read_text()
        lines = [line for line in csv.reader(text.splitlines()) if not line[0].startswith("#")]
        columns = "system source corpus task row metric value std unit note"
        assert lines[0] == columns.split()
        assert {len(line) for line in lines} == {10}
        assert len(published.entries()) == len(lines) - 1 == 365
        for line, entry in zip(lines[1:], published.entries(), strict=True):
            divisor = 100 if line[8] == "%" else 1
            assert [*key(entry), entry.note] == [*line[:5], line[9]]
            assert entry.value * divisor == pytest.approx(float(line[6]))
            assert (entry.std is None) == (line[7] == "")
        assert published.entries() is published.entries()
        with pytest.raises(FrozenInstanceError):
            published.entries()[0].value = 1.0  # pyright: ignore[reportAttributeAccessIssue]

    def test_metrics_and_names_are_known(self):
        zero_one = np.array([0, 1])
        classes = metrics.classification(zero_one, zero_one, zero_one.astype(float), 2)
        points = metrics.regression(zero_one, zero_one, graded=True)
        for entry in published.entries():
            assert entry.metric in {**classes, **points}
            assert entry.metric in points or 0 < entry.value < 1
            assert entry.std is None or 0 < entry.std < entry.value
        corpora = {"dvlog", "avec2013", "avec2014", "mgid", "mmd2023", "daicwoz", "ewre"}
        assert {entry.corpus for entry in published.entries()} == corpora
        assert {entry.task for entry in published.entries()} == {"depression", "emotion"}

    def test_no_duplicates(self):
        assert len({(*key(e), e.metric) for e in published.entries()}) == len(published.entries())

    def test_sizes(self):
        figures = Counter((entry.system, entry.source) for entry in published.entries())
        rows = Counter(where[:2] for where in {(*where[:2], where[4]) for where in tables()})
        assert {source: (rows[source], figures[source]) for source in figures} == {
            ("JAMFN", "Table 1"): (12, 12 * 3),
            ("JAMFN", "Table 2"): (2, 2 * 3),
            ("JAMFN", "Table 3"): (3, 3 * 3),
            ("JAMFN", "Table 4"): (4, 4 * 3),
            ("MDDR", "Table 1"): (14, 14 * 4 - 2 * 2),  # two methods on AVEC2014 only
            ("MDDR", "Table 2"): (3, 3 * 4),
            ("MDDR", "Table 3"): (4, 4 * 4),
            ("MDDR", "Table 4"): (3, 3 * 4),
            ("MDDR", "Figure 4"): (2, 2),
            ("AMM", "Table III"): (11, 11 * 2 * 3),
            ("AMM", "Table IV"): (6, 6 * 2 * 2),
            ("AMM", "Table V"): (4, 4 * 2 * 2),
            ("SMFL", "Table 2"): (5, 5 * 5),
            ("SMFL", "Table 3"): (9, 9 * 5),
            ("SMFL", "Table 4"): (6, 6 * 5),
            ("DEP-Former", "abstract"): (1, 2),
        }

    @pytest.mark.parametrize(
        ("where", "printed"),
        [
            ("JAMFN/Table 1/dvlog/KNN-Fusion", "precision .5786 recall .5943 f1 .5425"),
            ("JAMFN/Table 2/dvlog/with MG", "precision .6818 recall .6839 f1 .6825"),
            ("JAMFN/Table 3/dvlog/w|o k=5", "precision .6018 recall .6084 f1 .6028"),
            ("JAMFN/Table 4/dvlog/JAF", "precision .6818 recall .6839 f1 .6825"),
            ("MDDR/Table 1/avec2013/LPQ + Geo", "mae 7.86 rmse 9.72"),
            ("MDDR/Table 1/avec2014/Concat+LSTM", "mae 7.91 rmse 9.98"),
            ("MDDR/Table 1/avec2014/Two-DCNN", "mae 7.47 rmse 9.55"),
            ("MDDR/Table 1/avec2014/C3D+RNN", "mae 7.22 rmse 9.20"),
            ("MDDR/Table 1/avec2013/Two-Stream [20]", "mae 7.04 rmse 8.93"),
            ("MDDR/Table 1/avec2013/Two-stream", "mae 5.96 rmse 7.97"),
            ("MDDR/Table 1/avec2014/C3D+atten", "mae 6.78 rmse 8.42"),
            ("MDDR/Table 1/avec2013/C3D+Pool", "mae 6.40 rmse 8.26"),
            ("MDDR/Table 1/avec2013/LGA-CNN", "mae 6.59 rmse 8.39"),
            ("MDDR/Table 1/avec2014/ResNet + atten", "mae 6.37 rmse 8.43"),
            ("MDDR/Table 1/avec2014/ResNet+distribution", "mae 6.15 rmse 8.23"),
            ("MDDR/Table 2/avec2014/no pre-training", "mae 9.45 rmse 10.93"),
            ("MDDR/Table 3/avec2013/a", "mae 8.55 rmse 10.25"),
            ("MDDR/Figure 4/avec2014/Huber loss", "severity_outliers 47"),
            ("AMM/Table III/daicwoz/SVM", "precision .513 recall .497 f1 .501"),
            ("AMM/Table III/daicwoz/RCNN-RoBERTa", "precision .673 recall .669 f1 .671"),
            ("AMM/Table III/mgid/Image-AMM", "precision .645 recall .647 f1 .646"),
            ("AMM/Table III/mgid/AMM", "precision .744 recall .740 f1 .741"),
            ("AMM/Table IV/mgid/STL V", "f1 .650 balanced_accuracy .650"),
            ("AMM/Table V/daicwoz/No attention", "f1 .644 balanced_accuracy .643"),
            (
                "SMFL/Table 2/mmd2023/TCN + Self-Attention + Cross-Attention",
                "f1 .85 specificity .84 precision .88 recall .84 accuracy .86",
            ),
            (
                "SMFL/Table 3/daicwoz/Zou et al.",
                "f1 .87 specificity .79 precision .94 recall .81 accuracy .86",
            ),
            (
                "SMFL/Table 3/daicwoz/C-CNN",
                "f1 .77 specificity .56 precision .71 recall .83 accuracy .70",
            ),
            (
                "SMFL/Table 4/daicwoz/MMFL + Cross-Attention",
                "f1 .85 specificity .83 precision .87 recall .90 accuracy .85",
            ),
            ("DEP-Former/abstract/ewre/DEP-Former", "accuracy .95 f1 .9499"),
        ],
    )
    def test_as_printed(self, where, printed):
        system, source, corpus, row = (part.replace("|", "/") for part in where.split("/"))
        found = tables()[system, source, corpus, "depression", row]
        words = printed.split()
        pairs = zip(words[::2], map(float, words[1::2]), strict=True)
        assert {name: entry.value for name, entry in found.items()} == pytest.approx(dict(pairs))

    def test_deviations(self):
        found = tables()
        # SMFL, Table 3: TCN + LSTM + Self-Attention, 0.84 ± 0.05 and so on; none for cited rows.
        row = found["SMFL", "Table 3", "daicwoz", "depression", "TCN + LSTM + Self-Attention"]
        order = ("f1", "specificity", "precision", "recall", "accuracy")
        assert [row[name].std for name in order] == [0.05, 0.04, 0.03, 0.04, 0.05]
        with_std = {where[:2] for where, row in found.items() if any(e.std for e in row.values())}
        assert with_std == {("SMFL", "Table 2"), ("SMFL", "Table 3")}
        assert found["SMFL", "Table 3", "daicwoz", "depression", "C-CNN"]["f1"].std is None

    def test_experiments_refer_to_rows(self):
        rows = {(entry.system, entry.source, entry.row) for entry in published.entries()}
        papers = [experiment.paper for experiment in EXPERIMENTS.values() if experiment.paper]
        assert papers
        assert {(paper.system, paper.source, paper.row) for paper in papers} <= rows


class TestLookup:
    def test_figures_of_a_row(self):
        row = {"system": "SMFL", "source": "Table 3", "row": "C-CNN"}
        assert published.figures(row, "daicwoz", "depression") == {
            "f1_positive": 0.77,
            "specificity": 0.56,
            "precision_positive": 0.71,
            "recall_positive": 0.83,
            "accuracy": 0.70,
        }
        assert published.figures(row, "mmd2023", "depression") == {}
        assert published.notes(row, "daicwoz", "depression") == []

    def test_notes_of_a_row(self):
        row = {"system": "SMFL", "source": "Table 3", "row": "TCN (sentence)"}
        assert published.notes(row, "daicwoz", "depression") == [
            "precision and recall give an F1 of 0.77",
            "precision 0.75 in Table 4",
            "recall 0.85 in Table 4",
            "accuracy below both recall and specificity",
            "accuracy 0.79 in Table 4",
        ]
        assert published.notes(row, "mmd2023", "depression") == []
        assert published.notes(None, "daicwoz", "depression") == []

    def test_a_note_on_several_figures_is_named_once(self):
        row = {"system": "MDDR", "source": "Table 1", "row": "Two-DCNN"}
        assert published.notes(row, "avec2013", "depression") == ["MAE above RMSE"]
        assert published.notes(row, "avec2014", "depression") == []

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

    def test_percent_and_fractions(self):
        # AMM prints percent (Table IV, emotion, MTL T+V: 58.1), SMFL fractions (Table 2: 0.91).
        amm = {"system": "AMM", "source": "Table IV", "row": "MTL T+V"}
        assert published.figures(amm, "mgid", "emotion")["f1_micro"] == pytest.approx(0.581)
        smfl = {"system": "SMFL", "source": "Table 2", "row": "SMFL"}
        assert published.figures(smfl, "mmd2023", "depression")["accuracy"] == 0.91
