"""Several runs side by side: which may be compared, in what they differ, and what is marked."""

import io
import json
import re
import sys
from html.parser import HTMLParser

import pytest
from fabricate import run_folder
from rich.console import Console

from jaxdep.analysis import comparison, report, results, titles
from jaxdep.cli import output
from jaxdep.cli.main import main


class Tables(HTMLParser):
    """Rows of each table, as lists of the texts of their cells."""

    def __init__(self, content):
        super().__init__()
        self.tables, self.headings = {}, [""]
        self._open: list[str] | None = None
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
            self._open = self.headings
        elif tag == "table":
            self.tables[self.headings[-1]] = []
        elif tag == "tr":
            self.tables[self.headings[-1]].append([])
        elif tag in ("td", "th"):
            row = self.tables[self.headings[-1]][-1]
            row.append("")
            self._open = row
        elif tag == "span" and self._open is not None:
            self._open[-1] += " | "

    def handle_endtag(self, tag):
        if tag in ("h1", "h2", "h3", "td", "th"):
            self._open = None

    def handle_data(self, data):
        if self._open is not None:
            self._open[-1] += data


def text_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r'"data:[^"]*"', "", page)).split())


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A real run, one with a changed setting and another F1, and one on a stand-in."""
    folder = tmp_path_factory.mktemp("mixed")
    runs = [
        run_folder(folder / "a", synthetic=False, accuracy=0.6, model={"hidden": 200}),
        run_folder(
            folder / "b",
            synthetic=False,
            accuracy=0.9,
            seed=1,
            average="macro",
            model={"hidden": 16},
            title="A made-up run; changed: hidden=16",
            changed={"model.hidden": [200, 16]},
        ),
        run_folder(folder / "c", seed=2, model={"hidden": 200}, tasks=("depression",)),
    ]
    return runs, report.write(runs).read_text()


class TestMixed:
    def test_differences_are_tested_and_corrected_together(self, mixed):
        head, *rows = Tables(mixed[1]).tables["Tests"]
        assert head[0] == "runs"
        # C is on a stand-in: only B and A were tested on the same recordings.
        assert {row[0] for row in rows} == {"B minus A"}
        assert {row[1] for row in rows} == {"depression", "emotion"}
        assert [row[2].partition(":")[0] for row in rows if row[1] == "depression"] == [
            "paired bootstrap",
            "McNemar",
            "DeLong",
            "Wilcoxon",
        ]
        tested = [(float(row[5]), float(row[6])) for row in rows if row[5] != "-"]
        assert len(tested) >= 5
        assert all(p <= corrected <= 1 for p, corrected in tested)
        smallest = min(p for p, _ in tested)
        assert min(corrected for _, corrected in tested) == pytest.approx(
            min(1.0, smallest * len(tested)), rel=0.01
        )

    def test_synthetic_is_marked_for_its_run_alone(self, mixed):
        _, page = mixed
        assert "<h1>Comparison of runs</h1>" in page
        assert 'class="banner"' not in page
        head = Tables(page).tables["Side by side"][0]
        assert head[1:] == [
            "A A made-up run",
            "B A made-up run; changed: hidden=16",
            "C SYNTHETIC: A made-up run",
        ]
        assert "C has SYNTHETIC data" in page
        assert "A has SYNTHETIC data" not in page

    def test_recordings_that_differ_are_named(self, mixed):
        _, page = mixed
        assert "All runs were tested on the same recordings" not in page
        assert "recordings: A and C (depression); B and C (depression)." in page

    def test_means_stand_side_by_side_with_intervals_below(self, mixed):
        runs, page = mixed
        rows = Tables(page).tables["Side by side"]
        assert [row[0] for row in rows if len(row) == 1] == ["depression", "emotion"]
        accuracy = next(row for row in rows if row[0] == "accuracy")
        for cell, run in zip(accuracy[1:], runs, strict=True):
            summary = results.compute(run)["tasks"]["depression"]["summary"]["accuracy"]
            value, std, over_runs, over_items = cell.split(" | ")
            assert value == f"{summary['mean']:.3f}"
            assert std == f"std {summary['std']:.3f}, 3 seeds"
            low, high = summary["interval_runs"]
            assert over_runs == f"over runs [{low:.3f}, {high:.3f}]"
            low, high = summary["interval_items"]
            assert over_items == f"over items [{low:.3f}, {high:.3f}]"
        emotion = rows[rows.index(["emotion"]) :]
        assert next(row for row in emotion if row[0] == "accuracy")[3] == "-"

    def test_paper_stands_only_below_an_unchanged_real_run(self, mixed):
        _, page = mixed
        rows = Tables(page).tables["Side by side"]
        cells = next(row for row in rows if row[0] == "F1, weighted")[1:]
        assert ["paper 0.682" in cell for cell in cells] == [True, False, False]
        assert "figures are not shown: model.hidden was changed from 200 to 16" in page

    def test_differences_are_in_the_papers_metrics_and_among_the_same_recordings(self, mixed):
        _, page = mixed
        rows = Tables(page).tables["Differences from A"]
        assert [cell[:1] for cell in rows[0][1:]] == ["B", "C"]
        task = rows[1 : rows.index(["emotion"])]
        assert [row[0] for row in task[1:]] == ["accuracy", "F1, weighted", "F1, macro"]
        assert all(re.match(r"\+0\.\d{3} \| over runs \[", row[1]) for row in task[1:])
        assert all(row[2] == "-" for row in task[1:])
        assert "over runs, Welch" in page

    def test_only_settings_that_differ_are_listed(self, mixed):
        _, page = mixed
        rows = dict((row[0], row[1:]) for row in Tables(page).tables["Settings that differ"][1:])
        assert rows["model.hidden"] == ["200", "16", "200"]
        assert rows["tasks.depression.average"] == ["weighted", "macro", "weighted"]
        assert rows["data"] == ["real", "real", "SYNTHETIC"]
        assert rows["stand-in.signal"] == ["-", "-", "1.0"]
        assert "seeds" not in rows
        assert "test recordings" not in rows

    def test_figures_of_the_same_name_are_abreast(self, mixed):
        _, page = mixed
        groups = re.findall(r'<div class="abreast">(.*?)</div>', page, re.DOTALL)
        letters = [re.findall(r"<figcaption>(\w)\.", group) for group in groups]
        assert letters[0] == ["A", "B", "C"]
        assert ["A", "B"] in letters  # of the task that the third run lacks


class TestRecordings:
    def page(self, tmp_path, *options):
        usual = {"items": 24, "tasks": ("depression",)}
        runs = [
            run_folder(tmp_path / f"r{number}", **usual | each)
            for number, each in enumerate(options)
        ]
        return report.write(runs).read_text()

    def test_the_same(self, tmp_path):
        page = self.page(tmp_path, {}, {"seeds": (5, 6)}, {"accuracy": 0.3})
        assert "All runs were tested on the same recordings." in page
        assert "Differences from A" in page
        assert "<h1>SYNTHETIC: Comparison of runs</h1>" in page

    def test_another_stand_in_with_the_same_ids_and_labels(self, tmp_path):
        page = self.page(tmp_path, {}, {"signal": 0.0})
        assert "Not tested on the same recordings: A and B (depression)." in page
        assert "Differences from A" not in page

    def test_all_pairs_count(self, tmp_path):
        page = self.page(tmp_path, {}, {"items": 30}, {"items": 30})
        assert "recordings: A and B (depression); A and C (depression)." in page

    def test_no_task_in_common(self, tmp_path):
        page = self.page(tmp_path, {}, {"tasks": ("score",)})
        assert "recordings: A and B (no task in common)." in page
        assert "Differences from A" not in page

    def test_scores(self, tmp_path):
        page = self.page(tmp_path, {"tasks": ("score",)}, {"tasks": ("score",), "seed": 3})
        rows = Tables(page).tables["Differences from A"]
        assert [row[0] for row in rows[2:]] == ["MAE (points)", "RMSE (points)"]

    def test_a_run_without_a_result(self, tmp_path):
        page = self.page(tmp_path, {}, {"diverged": (0, 1, 2)})
        rows = Tables(page).tables["Side by side"]
        assert next(row for row in rows if row[0] == "accuracy")[2] == "-"
        assert "Differences from A" not in page


VARIANTS = {
    "the same": {},
    "seeds": {"seeds": (4, 5)},
    "more seeds": {"seeds": (0, 1)},
    "signal": {"signal": 0.0},
    "items": {"items": 25},
    "real": {"synthetic": False},
    "corpus": {"corpus": "mgid"},
    "split": {"split": "dev"},
    "option": {"model": {"hidden": 4}},
    "another option": {"model": {"hidden": 4, "layers": 2}},
    "long option": {"model": {"encoder": "x" * 99 + "1"}},
    "longer option": {"model": {"encoder": "x" * 99 + "2"}},
    "spaces": {"title": "A made-up  run"},
    "a title with a number": {"title": "A made-up run #1"},
    "hostile": {"title": "<script>{{7*7}}</script> {% raw %}"},
    "as hostile": {"title": "<script>{{7*7}}</script> {% raw %}", "seeds": (1, 2)},
}


@pytest.fixture(scope="module")
def variants(tmp_path_factory):
    folder = tmp_path_factory.mktemp("variants")
    found = {}
    for name, options in VARIANTS.items():
        options = {"items": 20, "seeds": (0, 1, 2), "tasks": ("depression",)} | options
        path = run_folder(folder / name.replace(" ", "-"), **options)
        found[name] = titles.read(path, results.write(path))
    return found


class TestTitles:
    def test_two_runs_never_have_one(self, variants):
        both = [*variants.values(), *variants.values()]
        for chosen in (list(variants.values()), both, [*both, *both]):
            found = titles.distinct(chosen)
            shown = {" ".join(title.split()) for title in found}
            assert len(shown) == len(chosen)
            for run, title in zip(chosen, found, strict=True):
                assert title.startswith("SYNTHETIC: ") == run.results["synthetic"]

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("seeds", ["A made-up run; seeds=0-2", "A made-up run; seeds=4,5"]),
            ("signal", ["A made-up run; signal=1.0", "A made-up run; signal=0.0"]),
            ("option", ["A made-up run; hidden=None", "A made-up run; hidden=4"]),
            ("real", ["A made-up run", "A made-up run"]),
            ("the same", ["A made-up run (the-same) #1", "A made-up run (the-same) #2"]),
        ],
    )
    def test_what_differs_is_appended(self, variants, name, expected):
        found = titles.distinct([variants["the same"], variants[name]])
        assert [title.removeprefix("SYNTHETIC: ") for title in found] == expected
        assert found[0] != found[1]

    def test_values_that_are_shown_alike_do_not_tell_runs_apart(self, variants):
        found = titles.distinct([variants["long option"], variants["longer option"]])
        assert [title.partition(" (")[2] for title in found] == ["long-option)", "longer-option)"]

    def test_of_one_run_is_its_own(self, variants):
        assert titles.distinct([variants["hostile"]]) == [
            "SYNTHETIC: <script>{{7*7}}</script> {% raw %}"
        ]


def test_letters():
    assert comparison.letters(3) == ["A", "B", "C"]
    assert len(set(comparison.letters(60))) == 60


def test_a_sweep_stands_for_its_best_run(tmp_path):
    alone = run_folder(tmp_path / "a", tasks=("depression",))
    best = run_folder(tmp_path / "s" / "best", tasks=("depression",), seeds=(7, 8))
    meta = json.loads((best / "meta.json").read_text()) | {"chosen_among": 9}
    (best / "meta.json").write_text(json.dumps(meta))
    (tmp_path / "s" / "sweep.json").write_text("{}")
    page = report.write([alone, tmp_path / "s"]).read_text()
    assert "chosen among 9 configurations on validation" in page
    rows = dict((row[0], row[1:]) for row in Tables(page).tables["Settings that differ"][1:])
    assert rows["chosen among"] == ["1", "9"]


def test_command_names_runs_apart_and_writes_where_it_is_told(tmp_path, monkeypatch):
    folders = [
        str(run_folder(tmp_path / name, tasks=("depression",), seeds=seeds))
        for name, seeds in (("a", (0, 1)), ("b", (2, 3)))
    ]
    out = tmp_path / "new" / "both.html"
    text = io.StringIO()
    monkeypatch.setattr(output, "console", Console(file=text, width=200))
    monkeypatch.setattr("jaxdep.cli.hugepages.use", lambda: None)
    monkeypatch.setattr(sys, "argv", ["jaxdep", "report", *folders, "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    printed = text.getvalue()
    assert "SYNTHETIC: A made-up run; seeds=0,1: depression" in printed
    assert "SYNTHETIC: A made-up run; seeds=2,3: depression" in printed
    assert f"report: {out}" in printed
    assert "seeds=2,3" in text_of(out.read_text())
