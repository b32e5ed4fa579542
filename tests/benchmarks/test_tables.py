"""The overview page: committed results, what is behind first, and two passes side by side."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from jaxdep.benchmarks import behind, compared, goals, rows, tables
from jaxdep.errors import UserError

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def line(bench="train-step", **more):
    machine = {
        **{"processor": "abacus", "cores": 2, "memory_gib": 1, "gpus": []},
        **{"jax": "0.10.2", "torch": "2.13.0"},
    }
    identity = {"bench": bench, "model": "jamfn", "size": "tiny", "repeats": 5}
    return {**identity, "machine": machine, "gemm_flops_per_s": 1e9, **more}


def sides(ours, stock):
    return {"ours_s": ours, "theirs_s": {"stock": stock}, "ratio": {"stock": stock / ours}}


def test_the_committed_page_is_of_the_committed_results():
    assert tables.page(tables.read(RESULTS)) == (RESULTS / "README.md").read_text()


def test_committed_results_are_rows_of_a_pass():
    names = {row.name for row in rows.ROWS}
    assert {path.stem for path in RESULTS.glob("*.json")} <= names


def test_what_is_behind_comes_first():
    slow = line(**sides(2.0, 1.9), peak_bytes={"ours": 125, "stock": 100, "folded": 110})
    page = tables.page([line("epoch", **sides(1.0, 1.0)), slow])
    first = page.index("## ")
    assert page[first:].startswith("## Behind")
    listed = [row for row in page[first : page.index("## epoch")].split("\n") if row[:1] == "|"]
    assert listed[2:] == [
        "| train-step: jamfn, tiny |  | time | ratio 0.95 to stock | not known |",
        "| train-step: jamfn, tiny |  | memory | 1.25 times stock | not known |",
    ]


def test_each_measurement_is_judged_by_itself_and_has_its_reason():
    points = [{"batch": 8, **sides(2.0, 1.0)}, {"batch": 4, **sides(1.0, 2.0)}]
    given = line("batch", points=points) | {"size": "medium"}
    _, head, _, *listed, _ = behind.section([given])
    assert head == "| row | measurement | behind in | ours | reason |"
    reason = rows.REASONS["batch-jamfn-medium", "time"]
    assert listed == [f"| batch: jamfn, medium | batch 8 | time | ratio 0.5 to stock | {reason} |"]


def test_nothing_behind():
    assert "None." in "\n".join(behind.section([line(**sides(1.0, 1.0))]))


def test_the_page_says_where_nothing_was_measured():
    on_cpu = line(**sides(1.0, 1.0))
    on_gpu = on_cpu | {"machine": on_cpu["machine"] | {"gpus": ["NVIDIA X"]}}
    assert "Nothing here was measured on a GPU" in tables.page([on_cpu])
    assert "Nothing here was measured on a GPU" not in tables.page([on_gpu])


def test_changes_above_15_percent_are_unstable():
    points = lambda *ratios: [
        {"batch": number, **sides(1.0, ratio)} for number, ratio in enumerate(ratios)
    ]
    first = [line("batch", points=points(1.0, 1.0, 1.0, 1.16)), line("devices", ours_s=1.0)]
    second = [line("batch", points=points(1.15, 1.16, 0.87, 1.0)), line("epoch", **sides(1, 1))]
    found = compared.compare(first, second)
    assert [pair.unstable for pair in found.pairs] == [False, True, False, True]
    assert found.alone == ["epoch-jamfn-tiny stock"]
    assert found.machines
    shown = io.StringIO()
    compared.show(found, Console(width=120, file=shown))
    text = shown.getvalue()
    assert "2 of 4 ratios changed by more than 15%" in text
    assert text.count("unstable") == 2


def test_machines_are_compared():
    other = line(**sides(1.0, 1.0))
    other["machine"] = other["machine"] | {"processor": "another"}
    found = compared.compare([line(**sides(1.0, 1.0))], [other])
    assert not found.machines


def test_no_results(tmp_path):
    with pytest.raises(UserError, match="no results; jaxdep bench all --out"):
        tables.read(tmp_path)


def test_a_result_is_kept_whole(tmp_path):
    given = line(**sides(1.0, 1.0), commit="0123456789abcdef")
    page = tables.keep(given, tmp_path)
    assert json.loads((tmp_path / "train-step-jamfn-tiny.json").read_text()) == given
    assert "medians of 5; commit 0123456789." in page.read_text()


def test_goals_on_a_gpu():
    points = {
        "seed-counts": [{"seeds": 8, **sides(1, 9)}, {"seeds": 16, **sides(1.0, 5.9)}],
        "precision": [
            {"precision": "float32", **sides(3.0, 1.0)},
            {"precision": "bfloat16", **sides(2.0, 1.0)},
        ],
        "correctness": [
            {"how": "jit", "precision": "float32", "outputs": 1e-5, "gradients": 2e-4},
            {"how": "jit", "precision": "bfloat16", "outputs": 1e-2, "gradients": 1e-2},
        ],
    }
    lines = [line(bench, points=found) for bench, found in points.items()]
    assert "Goals" not in tables.page(lines)
    for each in lines:
        each["machine"] = each["machine"] | {"gpus": ["NVIDIA X"]}
    _, *listed, _ = goals.section(lines)
    assert [row.split(" | ")[2:] for row in listed[2:]] == [
        ["5.9", "NO |"],
        ["1.5", "yes |"],
        ["0.0002", "NO |"],
    ]
