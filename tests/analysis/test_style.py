"""Figures as files: each format of every page, and the same bytes for the same figure."""

import pytest
from fabricate import run_folder

from jaxdep.analysis import report
from jaxdep.analysis.style import axes, save

STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


def drawn():
    figure, (axis,) = axes(1, width=3, height=2)
    axis.plot([0, 1], [1, 0], "o-", label="a line")
    axis.set_xlabel("epoch")
    axis.legend()
    return figure


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    save(drawn(), folder, "line.of.r", True)
    return folder / "figures"


@pytest.mark.parametrize(("suffix", "start"), STARTS.items())
def test_the_same_figure_is_the_same_file(saved, tmp_path, suffix, start):
    save(drawn(), tmp_path, "line.of.r", True)
    content = (saved / f"line.of.r.{suffix}").read_bytes()
    assert content.startswith(start)
    assert (tmp_path / "figures" / f"line.of.r.{suffix}").read_bytes() == content
    assert sorted(path.suffix[1:] for path in saved.iterdir()) == sorted(STARTS)


def test_no_dates_and_no_fonts_that_publishers_refuse(saved):
    pdf = (saved / "line.of.r.pdf").read_bytes()
    assert b"/CreationDate" not in pdf
    assert b"/Type3" not in pdf
    assert b"/TrueType" in pdf or b"/CIDFontType2" in pdf
    svg = (saved / "line.of.r.svg").read_text()
    assert "<dc:date>" not in svg
    assert "SYNTHETIC data" in svg  # in the comment that names the text of a group of glyphs


def test_every_figure_of_runs_and_comparisons(tmp_path):
    folders = [
        run_folder(tmp_path / name, seeds=(0, 1), items=20, tasks=("depression",), seed=seed)
        for seed, name in enumerate("ab")
    ]
    pages = [report.write(folders[:1]), report.write(folders)]
    names = ("loss_curves", "seeds", "confusion", "reliability", "coverage", "scores")
    found = [f"{name}_depression" if name != "loss_curves" else name for name in names]
    for folder, page in zip(folders, pages, strict=True):
        files = {path.name for path in (folder / "figures").iterdir()}
        assert files == {f"{name}.{suffix}" for name in found for suffix in STARTS}
        assert "stored as PNG, SVG and PDF" in page.read_text()
    assert pages[1].read_text().count("<img") == 2 * pages[0].read_text().count("<img") == 12
