"""Pages: where they are written, and that they need nothing else."""

import json
from html.parser import HTMLParser

import pytest
from fabricate import run_folder

from jaxdep.analysis import report
from jaxdep.errors import UserError


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
