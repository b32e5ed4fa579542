"""Ids, titles and texts are shown as text, whatever they contain, and no page loads anything."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import browser
import numpy as np
import pytest
from fabricate import run_folder, sweep_folder
from markdown_it import MarkdownIt
from matplotlib import cbook
from rich.console import Console

from jaxdep.analysis import ranking, report, results, style, subgroups_table, table
from jaxdep.cli import output
from jaxdep.cli.main import print_error
from jaxdep.data.card import card
from jaxdep.plain import visible

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=http://127.0.0.1:9/a.png onerror=alert(1)>',
    "' onclick='alert(1)",
    "<!-- --><style>p{background:url(http://127.0.0.1:9/b.png)}</style>",
    "&amp; &lt;b&gt;",
    "{{7*7}} {{ runs }}",
    "{% raw %}",
    "{# #} %s {0}",
    "[bold]x[/bold]",
    "[/bold] [link=http://127.0.0.1:9]x[/link]",
    "](http://127.0.0.1:9/c.png) ![x](y)",
    "*a* _b_ `c` ~~d~~ | e | \\f",
    "# heading",
    "1. first",
    "- - -",
    "$\\frac{1}{2$",
    "$\\frac{1}{2}$ \\$",
    "🦊 :smile: 悲伤",
    "a\u202eb\u2066c",
    "\x1b[31mred\x07",
    "\ud800 v[1]",
]
HARMLESS = [f"text {number}" for number in range(len(HOSTILE))]


def hostile_run(path, texts):
    """A run in which every text of others is one of these."""
    ids = [name.encode(errors="replace").decode() for name in texts]
    values = [ids[1 + item % 7] for item in range(24)]
    attributes = {ids[0]: values, ids[15]: [ids[8 + item % 2] for item in range(24)]}
    folder = run_folder(path, items=24, seeds=(0, 1), attributes=attributes)
    meta = json.loads((folder / "meta.json").read_text())
    meta |= {"title": " ".join(texts), "selection": texts[0], "experiment": texts[5]}
    meta["classes"] = {"depression": [texts[0], texts[15]], "emotion": texts[16:19]}
    fault = dict(zip(("kind", "where", "detail"), texts, strict=False), item=texts[3])
    meta["corpus"] |= {"warnings": texts, "skipped": [fault] * 2, "label_source": texts[9]}
    meta["corpus"]["words"] = texts
    for number, run in enumerate(meta["runs"]):
        run["hyper"] = dict.fromkeys(texts, float(number))
    (folder / "meta.json").write_text(json.dumps(meta))
    config = json.loads((folder / "config.json").read_text()) | {"texts": texts}
    (folder / "config.json").write_text(json.dumps(config))
    rename(folder / "predictions.csv", ids)
    rename(folder / "recordings.csv", ids)
    rng = np.random.default_rng(0)
    np.savez(
        folder / "attention.npz",
        ids=np.array(ids[:20]),
        targets=np.zeros(20, int),
        predictions=np.ones(20, int),
        length=np.full(20, 9),
        streams=[["A_A", ids[16], "blue"]],
        panels=[["jaf.0", ids[15]]],
        allow_pickle=False,
        **{f"jaf.{scale}/A_A": rng.random((20, 9)) for scale in range(2)},
    )
    np.savez(
        folder / "words.npz",
        targets=np.arange(6) % 2,
        allow_pickle=False,
        **{"words/visual": rng.random((2, 6, len(texts)))},
    )
    return folder


def pair(folder, texts):
    """Two such runs that differ in settings of these names, to these values."""
    runs = [hostile_run(folder / name, texts) for name in "ab"]
    for number, run in enumerate(runs):
        config = json.loads((run / "config.json").read_text())
        values = [*texts[number:], *texts[:number]]
        config["options"] = dict(zip(texts, values, strict=True))
        (run / "config.json").write_text(json.dumps(config))
    return runs


def rename(path, ids):
    with path.open(newline="") as file:
        head, *rows = csv.reader(file)
    numbers = {name: number for number, name in enumerate(dict.fromkeys(row[0] for row in rows))}
    for row in rows:
        number = numbers[row[0]]
        row[0] = f"{ids[number % len(ids)]} {number}"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


class Page(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, content):
        super().__init__()
        self.elements, self.attributes, self.text = [], set(), ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, *sorted(name for name, _ in attrs)))
        self.attributes |= {pair for pair in attrs if pair[0] not in ("alt", "src")}

    def handle_comment(self, data):
        self.elements.append(("comment", data))

    def handle_data(self, data):
        self.text += data

    def shows(self, text):
        return squeezed(visible(text)) in squeezed(self.text)


def squeezed(text):
    return re.sub(r"\s+", "", text)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    name = "<b onclick=x>[bold]$x$ {{7*7}}"
    return hostile_run(tmp_path_factory.mktemp("hostile") / name, HOSTILE)


@pytest.fixture(scope="module")
def content(hostile):
    return report.write([hostile]).read_text(encoding="utf-8")


class TestReport:
    def test_of_one_run(self, content, tmp_path):
        page = Page(content)
        plain = Page(report.write([hostile_run(tmp_path / "run", HARMLESS)]).read_text())
        assert page.elements == plain.elements
        assert page.attributes == plain.attributes
        for text in HOSTILE:
            assert page.shows(text), text
            assert page.shows(f"warning: {text}"), text
        assert page.text.count("alert(1)") > 10
        for attribute in (HOSTILE[0], HOSTILE[15]):
            assert page.shows(f"emotion: {attribute}")
        assert page.shows(f"{HOSTILE[9]} minus {HOSTILE[8]}")

    @pytest.mark.slow
    def test_of_several_runs(self, tmp_path):
        page, expected = (
            Page(report.write(pair(tmp_path / name, texts)).read_text(encoding="utf-8"))
            for name, texts in (("hostile", HOSTILE), ("harmless", HARMLESS))
        )
        assert page.elements == expected.elements
        assert page.attributes == expected.attributes
        for text in HOSTILE:
            assert page.shows(f"options.{text}"), text  # a setting that differs
            assert page.shows(f"warning: {text}"), text

    def test_of_a_sweep(self, tmp_path):
        pages = []
        for name, texts in (("hostile", HOSTILE), ("harmless", HARMLESS)):
            values = dict(zip(texts[:4], texts[::-1], strict=False))
            rows = [
                ranking.Row(number, values | {texts[0]: number}, (0.5, 0.6), True, 0, 4, number)
                for number in range(2)
            ]
            folder = sweep_folder(tmp_path / name, rows, title=" ".join(texts), monitor=texts[0])
            pages.append(Page(report.write([folder]).read_text(encoding="utf-8")))
        page, expected = pages
        assert page.elements == expected.elements
        assert page.attributes == expected.attributes
        assert page.shows(f"SYNTHETIC: Sweep: {' '.join(HOSTILE)}")
        for text in HOSTILE:
            assert page.shows(text), text

    def test_permits_no_source_but_itself(self, content):
        [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', content)
        rules = dict(rule.split(maxsplit=1) for rule in policy.split("; "))
        assert rules.pop("default-src") == "'none'"
        assert rules.pop("img-src") == "data:"
        assert rules.pop("style-src") == "'unsafe-inline'"
        assert set(rules.values()) == {"'none'"}
        # A policy holds for what follows it.
        assert content.index(policy) < content.index("<style>")


@pytest.mark.slow
@pytest.mark.skipif(not browser.installed(), reason=f"needs one of {', '.join(browser.NAMES)}")
class TestInBrowser:
    def test_nothing_is_requested(self, hostile, tmp_path):
        page = report.write([hostile])
        requested, blocked, content = browser.requests(page, tmp_path)
        assert requested == [page.resolve().as_uri()]
        assert blocked == []
        assert "<script" not in content

    def test_what_a_page_might_request_is_blocked(self, hostile, tmp_path):
        """Elements that no report has, to see that its policy and this log work."""
        page = report.write([hostile])
        address = "http://127.0.0.1:9"
        harm = (
            f'<img src="{address}/a.png"><script>fetch("{address}/b")</script><img src="c.png">'
            f'<link rel="stylesheet" href="{address}/d.css"><iframe src="{address}/e"></iframe>'
        )
        harmed = page.with_name("harmed.html")
        content = page.read_text(encoding="utf-8").replace("<h1>", f"{harm}<h1>")
        harmed.write_text(content, encoding="utf-8")
        requested, blocked, _ = browser.requests(harmed, tmp_path / "with")
        assert requested == [harmed.resolve().as_uri()]
        assert len(blocked) >= 3
        harmed.write_text(re.sub(r"<meta http-equiv=[^>]*>", "", content), encoding="utf-8")
        requested, blocked, _ = browser.requests(harmed, tmp_path / "without")
        assert {f"{address}/{name}" for name in ("a.png", "b", "d.css", "e")} <= set(requested)
        assert blocked == []


class TestTerminal:
    def test_results(self, hostile):
        text = io.StringIO()
        console = Console(file=text, width=300, force_terminal=True)
        table.show(results.compute(hostile), console)
        subgroups_table.show(results.compute(hostile), console)
        printed = re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue())  # rich's own
        assert squeezed(visible(" ".join(HOSTILE))) in squeezed(printed)
        for text in HOSTILE:
            assert f"  warning: {visible(text)}\n" in printed
        for text in HOSTILE[1:8]:
            assert f"  {visible(text)}: " in printed

    @pytest.mark.parametrize("content", HOSTILE)
    def test_ranking(self, content):
        row = ranking.Row(0, {content: content}, (0.5, 0.6), True, 0, 4, 0)
        text = io.StringIO()
        ranking.show([row], content, "accuracy", Console(file=text, width=300))
        title, *lines = text.getvalue().splitlines()
        assert title.rstrip() == visible(content).rstrip()
        assert visible(content) in "\n".join(lines)

    @pytest.mark.parametrize("content", HOSTILE)
    def test_messages_and_errors(self, capsys, content):
        output.say(content)
        print_error(content)
        out, err = capsys.readouterr()
        assert out == f"{visible(content)}\n"
        assert err == f"jaxdep: {visible(content)}\n"


def test_card_of_a_corpus():
    render = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render

    def page(texts):
        metadata = {"name": texts[0], "synthetic": None, "label_source": texts[1]}
        known = {**dict(zip(texts, texts, strict=True)), texts[2]: {texts[3]: texts}}
        return Page(render(card({**metadata, "warnings": texts, "card": known})))

    hostile, harmless = page(HOSTILE), page(HARMLESS)
    assert hostile.elements == harmless.elements
    for text in HOSTILE:
        assert hostile.text.count(visible(text)) >= 2


@pytest.mark.parametrize("content", HOSTILE)
def test_figures(content):
    shown = style.legible(content)
    assert not cbook.is_math_text(shown)
    if content.isascii() and content.isprintable():
        assert shown.replace(r"\$", "$") == content
    figure, (axis,) = style.axes(1, width=12, height=3)
    axis.set_title(shown)
    axis.set_yticks([0.5], [shown])
    figure.savefig(io.BytesIO())


def test_characters_without_a_glyph_can_be_told_apart():
    assert style.legible("🦊, 悲伤, é") == r"\U0001f98a, \u60b2\u4f24, é"
