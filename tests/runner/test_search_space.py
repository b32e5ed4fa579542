"""Which configurations a sweep tries, and which of them share a program."""

import numpy as np
import pytest
from toy import Toy, experiment

from jaxdep.errors import UserError
from jaxdep.overrides import value_of
from jaxdep.runner import search_space


def test_parse_reads_values_and_ranges():
    assignments = ["optimizer.learning_rate=1e-3,1e-4", "model.scales=(1,3),(1,3,5)"]
    assignments += ["optimizer.name=adam,sgd", "model.dropout=uniform(0, 0.5)", "x=log(1e-5,1e-1)"]
    assert search_space.parse(assignments) == {
        "optimizer.learning_rate": (1e-3, 1e-4),
        "model.scales": ((1, 3), (1, 3, 5)),
        "optimizer.name": ("adam", "sgd"),
        "model.dropout": search_space.Uniform(0, 0.5, log=False),
        "x": search_space.Uniform(1e-5, 1e-1, log=True),
    }


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (["x"], "KEY=V1,V2"),
        (["x="], "KEY=V1,V2"),
        (["x=1", "x=2"], "twice"),
        (["x=log(0,1)"], "LOW > 0"),
        (["x=uniform(2,1)"], "LOW < HIGH"),
        (["x=uniform(a,1)"], "LOW < HIGH"),
    ],
)
def test_parse_refuses(assignments, message):
    with pytest.raises(UserError, match=message):
        search_space.parse(assignments)


def test_grid_has_every_combination():
    points = search_space.grid({"a": (1, 2), "b": ("x", "y", "z")})
    assert len(points) == len({tuple(p.values()) for p in points}) == 6
    assert points[1] == {"a": 1, "b": "y"}
    with pytest.raises(UserError, match="--random N"):
        search_space.grid({"a": search_space.Uniform(0, 1, log=False)})


def test_draws_follow_their_seed_and_range():
    axes = {"a": search_space.Uniform(1e-5, 1e-1, log=True), "b": (1, 2, 3)}
    points = search_space.sample(axes, 400, seed=1)
    assert (
        points == search_space.sample(axes, 400, seed=1) != search_space.sample(axes, 400, seed=2)
    )
    logs = np.log10([p["a"] for p in points])
    assert logs.min() >= -5
    assert logs.max() <= -1
    assert abs(logs.mean() + 3) < 4 * (4 / np.sqrt(12)) / np.sqrt(400)
    assert {p["b"] for p in points} == {1, 2, 3}


def test_numbers_share_a_program_and_shapes_do_not():
    axes = {"optimizer.learning_rate": (1e-2, 1), "model.dropout": (0.0, 0.3)}
    axes["tasks.emotion.weight"] = (0.5, 1.0)
    assert len(search_space.group(experiment(), search_space.grid(axes))) == 1
    axes["model.hidden"] = (4, 8)
    groups = search_space.group(experiment(), search_space.grid(axes))
    assert [value_of(g.experiment, "model.hidden") for g in groups] == [4, 8]
    members = [number for g in groups for number in g.members]
    assert sorted(members) == list(range(16))
    hyper = groups[1].hyper[-1]
    assert hyper == {
        "optimizer.learning_rate": 1.0,
        "model.dropout": 0.3,
        "tasks.emotion.weight": 1.0,
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model.hiden": 3}, "did you mean 'hidden'"),
        ({"optimizer.learning_rate": "fast"}, "expected a number"),
        ({"corpus.carve": 0.2}, "changes the data"),
    ],
)
def test_group_refuses(values, message):
    with pytest.raises(UserError, match=message):
        search_space.group(experiment(Toy()), [values])


def test_what_is_off_is_another_program():
    """None is structural: no clipping is not a clipping to norm 0."""
    values = (None, 0.5, 2)
    points = search_space.grid({"optimizer.clip_norm": values})
    off, on = search_space.group(experiment(), points)
    assert value_of(off.experiment, "optimizer.clip_norm") is None
    assert (off.members, on.members) == ((0,), (1, 2))
    assert on.hyper == ({"optimizer.clip_norm": 0.5}, {"optimizer.clip_norm": 2.0})
    with pytest.raises(UserError, match="clip_norm=0: expected a number above 0"):
        search_space.group(experiment(), search_space.grid({"optimizer.clip_norm": (0, 1)}))
