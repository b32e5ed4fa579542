"""The page of a sweep: its ranking, its figures, and where configurations were stopped."""

import json
import re

import numpy as np
import pytest
from fabricate import sweep_folder

from jaxdep.analysis import ranking, report, sweep_figures
from jaxdep.errors import UserError

RATES = (1e-4, 1e-3, 1e-2, 1e-1)


def configurations(dropped=(0, 4, 2, 2), diverged=()):
    return [
        ranking.Row(
            number,
            {"optimizer.learning_rate": rate, "model.fusion": "jaf" if number % 2 else "add"},
            scores=() if number in diverged else (0.5 + 0.1 * number, 0.6 + 0.1 * number),
            higher_is_better=False,
            diverged=2 if number in diverged else 0,
            epochs=dropped[number] or 8,
            dropped=dropped[number],
        )
        for number, rate in enumerate(RATES)
    ]


def test_page_has_the_ranking_the_halving_and_the_warning(tmp_path):
    folder = sweep_folder(tmp_path / "s", configurations())
    assert report.write([folder]) == folder / "sweep.html"
    assert (folder / "best" / "report.html").is_file()
    page = (folder / "sweep.html").read_text()
    assert "<h1>SYNTHETIC: Sweep: A made-up sweep</h1>" in page
    assert ranking.OPTIMISTIC in page
    rows = re.findall(r"<tr>(.*?)</tr>", page.partition("<h2>Ranking</h2>")[2], re.DOTALL)
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in rows]
    assert cells[0][2:5] == ["learning_rate", "fusion", "validation loss"]
    assert cells[1][:6] == ["1", "0", "0.0001", "add", "0.550", "0.071"]
    assert cells[1][6] == "[-0.085, 1.185]"  # 0.55 +- 12.706 * 0.05
    assert [row[-1] for row in cells[1:5]] == [
        "",
        "stopped after epoch 4",
        "stopped after epoch 2",
        "stopped after epoch 2",
    ]
    assert cells[6:8] == [["2", "2, 3", "2"], ["4", "1", "1"]]
    assert page.count("<img") == 3
    assert sorted(path.name for path in (folder / "figures").iterdir()) == [
        f"{name}.{suffix}"
        for name in ("halving", "setting_0", "setting_1")
        for suffix in ("pdf", "png", "svg")
    ]


def test_without_halving(tmp_path):
    folder = sweep_folder(tmp_path / "s", configurations(dropped=(0,) * 4))
    page = report.write([folder], tmp_path / "x.html").read_text()
    assert not (folder / "sweep.html").exists()
    assert "halving" not in page.lower()
    assert page.count("<img") == 2


def drawn(rows, path):
    """Positions and colours of the points of a figure, and the labels of its axis."""
    figure, caption = sweep_figures.by_setting(rows, path, "loss")
    [axis] = figure.axes
    points = [line for line in axis.lines if line.get_marker() in ("o", "x")]
    places = {float(np.ravel(line.get_xdata())[0]): line for line in points}
    return axis, places, caption


class TestFigures:
    def test_few_values_have_equal_distances_in_order(self):
        axis, places, caption = drawn(configurations()[::-1], "optimizer.learning_rate")
        labels = [label.get_text() for label in axis.get_xticklabels()]
        assert labels == ["0.0001", "0.001", "0.01", "0.1"]
        assert sorted(places) == [0, 1, 2, 3]
        assert "lower is better" in caption

    def test_many_numbers_are_to_scale(self):
        values = np.geomspace(1e-5, 1e-1, 12).tolist()
        rows = [ranking.Row(i, {"x": v}, (v,), True, 0, 3, 0) for i, v in enumerate(values)]
        axis, places, caption = drawn(rows, "x")
        assert axis.get_xscale() == "log"
        assert sorted(places) == pytest.approx(values)
        assert "higher is better" in caption
        near = [ranking.Row(i, {"x": 1 + v}, (v,), True, 0, 3, 0) for i, v in enumerate(values)]
        assert drawn(near, "x")[0].get_xscale() == "linear"

    def test_best_stopped_and_diverged_are_told_apart(self):
        rows = configurations(diverged=(3,))
        _, places, _ = drawn(rows, "optimizer.learning_rate")
        assert places[0].get_color() == sweep_figures.ORANGE
        assert places[1].get_markerfacecolor() == "white"
        assert places[3].get_marker() == "x"

    @pytest.mark.parametrize("value", [None, [1, 3], "$x$ <b>", 10**400, 1e308, True])
    def test_any_value_can_be_drawn(self, value, tmp_path):
        rows = [ranking.Row(i, {"x": v}, (0.5,), True, 0, 3, 0) for i, v in enumerate((value, 1))]
        figure, _ = sweep_figures.by_setting(rows, "x", "loss")
        figure.savefig(tmp_path / "x.png")

    def test_lines_end_where_configurations_stopped(self):
        figure, _ = sweep_figures.halving(configurations())
        [axis] = figure.axes
        places = [np.asarray(line.get_xdata()).tolist() for line in axis.lines]
        assert places == [[0, 8], [0, 4], [0, 2], [0, 2], [2, 2], [4, 4]]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.pop("ranking"),
        lambda content: content.update(ranking=[]),
        lambda content: content["ranking"][0].update(values={"other": 1}),
        lambda content: content["ranking"][0].update(scores=["x"]),
        lambda content: content["ranking"][0].update(more=1),
        lambda content: content.update(title=None),
    ],
)
def test_a_damaged_sweep_is_refused(damage, tmp_path):
    folder = sweep_folder(tmp_path / "s", configurations())
    content = json.loads((folder / "sweep.json").read_text())
    damage(content)
    (folder / "sweep.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"sweep\.json cannot be read"):
        report.write([folder])
