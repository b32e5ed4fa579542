"""The scaling law: lines through measurements, costs by hand, and a page of the results alone."""

from pathlib import Path

import numpy as np
import pytest

from jaxdep.benchmarks import law, law_page, rows, tables
from jaxdep.benchmarks.law import Assumptions, Basis

RESULTS = Path("benchmarks") / "results"
ROOT = Path(__file__).parents[2]


def line(bench, points, size="paper", gpus=()):
    machine = {
        **{"processor": "abacus", "cores": 2, "memory_gib": 1, "gpus": list(gpus)},
        **{"jax": "0.10.2", "torch": "2.13.0"},
    }
    identity = {"bench": bench, "model": "jamfn", "size": size, "repeats": 5}
    common = {"machine": machine, "gemm_flops_per_s": 1e9}
    return identity | points[0] | common | ({"points": points} if len(points) > 1 else {})


def sides(ours, stock):
    return {"ours_s": ours, "theirs_s": {"stock": stock}, "ratio": {"stock": stock / ours}}


SEEDS = line(
    "seed-counts",
    [{"seeds": n, "steps": 2, **sides(10 + 2 * n, 5 * n)} for n in (1, 2, 4, 8, 16)],
)
COMPILE = line("compile", [{"cached": cached, **sides(40.0, 30.0)} for cached in (False, True)])
EPOCH = line("epoch", [{"steps": 2, **sides(32 * (2 + 1 / 3) * 0.5, 100.0)}])


def test_a_line_is_found_again():
    ours, stock = law.fits(SEEDS, "seeds")
    assert (ours.side, stock.side) == ("ours", "stock")
    np.testing.assert_allclose([ours.fixed, ours.each, ours.error], [10, 2, 0], atol=1e-9)
    np.testing.assert_allclose([stock.fixed, stock.each], [0, 5], atol=1e-9)


def test_deviations_are_relative():
    """With equal units, the fit is the harmonic-like mean that minimises relative squares."""
    found = law.fit("ours", [1, 1, 2, 2], [1.0, 2.0, 1.0, 2.0])
    # Minimises (a - 1)^2 + (a / 2 - 1)^2 at each unit: a = (1 + 1/2) / (1 + 1/4) = 1.2.
    np.testing.assert_allclose([found.fixed, found.each], [1.2, 0], atol=1e-12)
    np.testing.assert_allclose(found.error, 0.4)  # 1.2 against 2


def test_measurements_are_put_in_order():
    shuffled = line("length", [{"length": n, **sides(n / 100, n / 50)} for n in (596, 149, 2384)])
    assert law.fits(shuffled, "length")[0].units == (149, 596, 2384)


def test_the_basis_is_an_epoch_of_a_run():
    found = law.basis([COMPILE, EPOCH])
    assert found is not None
    assert (found.row, found.together, found.first) == ("epoch-jamfn-paper", 1, 40.0)
    np.testing.assert_allclose(found.recording, 0.5)


def test_the_basis_is_the_largest_number_of_seeds_where_measured():
    found = law.basis([COMPILE, EPOCH, SEEDS])
    assert found is not None
    assert (found.row, found.together) == ("seed-counts-jamfn-paper", 16)
    np.testing.assert_allclose(found.recording, (10 + 32) / 16 / (32 * (2 + 1 / 3)))


@pytest.mark.parametrize("lines", [[COMPILE], [EPOCH], []])
def test_no_basis(lines):
    assert law.basis(lines) is None


def test_costs_by_hand():
    given = Assumptions(runs=10, train=90, validation=30, epochs=2, devices=(1, 4))
    found = Basis("epoch", 1, recording=0.1, first=20.0)
    assert found.run(given) == pytest.approx(2 * 100 * 0.1)
    one, four = law.costs(found, given)
    assert (one.each, one.seconds, one.efficiency) == (10, pytest.approx(220), pytest.approx(1))
    assert (four.each, four.seconds) == (3, pytest.approx(80))
    assert four.efficiency == pytest.approx(220 / 320)


def test_two_passes_write_the_same_bytes(tmp_path):
    lines = [COMPILE, EPOCH, SEEDS]
    written = []
    for name in ("a", "b"):
        page = law_page.write(lines, RESULTS, tmp_path / name)
        assert page == tmp_path / name / "scaling.md"
        written.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert written[0] == written[1]
    assert set(written[0]) == {"scaling.md", "scaling-seeds.svg"}
    page = written[0]["scaling.md"].decode()
    assert "| jamfn, paper | ours | 1 to 16 | 10 | 2 | 0% | 12 to 2.62 |" in page
    assert "![Seeds](scaling-seeds.svg)" in page
    assert "By the number of recordings (`jaxdep bench recordings`), batch" in page
    assert "## Devices" not in page


def test_devices_are_shown_as_measured(tmp_path):
    points = [{"devices": n, "ours_s": 8.0, "peak_bytes": {"ours": 2**30}} for n in (1, 2)]
    shares = [{"devices": n, "bytes_per_device": 2**29, "difference": 1e-7} for n in (1, 2)]
    lines = [line("devices", points, "medium"), line("spread", shares, "medium")]
    page = law_page.write(lines, RESULTS, tmp_path).read_text()
    assert "| 2 | 8 | 1.00 GiB |" in page
    assert "| 2 | 0.50 GiB | 1.0e-07 |" in page
    assert "Not worked out: `epoch` and `compile`" in page


def test_the_committed_page_is_of_the_committed_results(tmp_path):
    lines = tables.read(ROOT / RESULTS)
    page = law_page.write(lines, RESULTS, tmp_path)
    assert page.read_text() == (ROOT / "docs" / "scaling.md").read_text()
    plots = {path.name for path in (ROOT / "docs").glob("scaling-*.svg")}
    assert plots == {path.name for path in tmp_path.glob("*.svg")}


def test_every_quantity_is_a_row_of_a_pass():
    assert set(law.AXES.values()) <= {row.bench for row in rows.ROWS}
