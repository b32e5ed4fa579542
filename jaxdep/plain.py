"""Shows ids, titles and texts of others, and sizes, as text, in messages, pages and Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tabs and line ends, breaks and changes of direction, lone surrogates."""

_MARKDOWN = re.compile(r"[\\`*_\[\]<>&|~$]|^\s*(?:[#+-]|\d+[.)])")


def visible(text: str) -> str:
    r"""Replaces characters that would act on what follows them by escapes, such as `\x1b`."""
    return _UNSEEN.sub(_escaped, text)


def one_line(text: str, longest: int = 400) -> str:
    """Quotes a text in a message: shortened, with line ends and tabs as escapes too."""
    short = text if len(text) <= longest else text[: longest - 3] + "..."
    return re.sub(r"[\n\t]", _escaped, visible(short))


def listed(items: Sequence[str], longest: int = 60) -> str:
    """Joins texts by commas; a long list is cut after some of them, with the number of the others.

    Args:
      items: at least one text.
      longest: maximum number of characters of what is listed; the first text is always listed.
    """
    shown = 1
    while shown < len(items) and len(", ".join(items[: shown + 1])) <= longest:
        shown += 1
    more = f" and {len(items) - shown} more" if shown < len(items) else ""
    return ", ".join(items[:shown]) + more


def markdown(text: str) -> str:
    """Escapes a text for one line of Markdown."""
    line = " ".join(visible(text).split())
    return _MARKDOWN.sub(lambda found: f"{found[0][:-1]}\\{found[0][-1]}", line)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def gib(size: float) -> str:
    """A number of bytes, such as `5.1 GiB`."""
    return f"{size / 2**30:.{2 if size < 10 * 2**30 else 3}g} GiB"
