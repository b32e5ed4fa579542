"""Configurations in order: the better first, half a configuration last."""

import csv
import io

import numpy as np
import pytest
from rich.console import Console

from jaxdep.analysis import ranking


def row(number, scores, diverged=0, higher=False, dropped=0):
    values = {"optimizer.learning_rate": 10.0**-number}
    return ranking.Row(number, values, tuple(scores), higher, diverged, 5, dropped)


def test_what_a_row_says():
    two = row(0, (1.0, 3.0))
    assert two.mean == 2
    assert two.std == pytest.approx(np.sqrt(2))
    assert two.interval is not None
    alone = row(0, (1.0,))
    assert alone.std is None
    assert alone.interval is None
    assert np.isnan(row(0, (1.0,), diverged=1).mean)
    assert np.isnan(row(0, ()).mean)


@pytest.mark.parametrize("higher", [False, True])
def test_order(higher):
    rows = [
        row(0, (2.0, 2.0), higher=higher),
        row(1, (1.0, 1.0), higher=higher),
        row(2, (0.1,), diverged=1, higher=higher),
        row(3, (0.0, 9.0), higher=higher, dropped=2),
        row(4, (0.0, 9.0), higher=higher, dropped=4),
    ]
    scores = [0, 1] if higher else [1, 0]
    assert [each.number for each in ranking.rank(rows)] == [*scores, 2, 4, 3]


def test_written_and_shown():
    rows = ranking.rank([row(0, (2.0, 4.0)), row(1, (1.0,), diverged=1, dropped=3)])
    lines = list(csv.DictReader(io.StringIO(ranking.to_csv(rows, "loss"))))
    assert lines[0]["validation loss"] == "3.0"
    assert lines[0]["seeds"] == "2"
    assert lines[1]["validation loss"] == ""
    assert (lines[1]["diverged"], lines[1]["seeds"], lines[1]["dropped_after"]) == ("1", "2", "3")
    text = io.StringIO()
    ranking.show(rows, "a sweep", "loss", Console(file=text, width=120), max_rows=1)
    assert "3.000" in text.getvalue()
    assert "1 more in ranking.csv" in text.getvalue()
    assert "validation data alone" in text.getvalue()
