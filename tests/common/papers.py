"""Rows of the papers' tables, for tests of what is in them."""

import functools
import re

from jaxdep.analysis import published


def key(entry):
    return entry.system, entry.source, entry.corpus, entry.task, entry.row


@functools.cache
def tables():
    """Rows of all tables: key -> metric -> entry, without the averaging of the metric."""
    found: dict[tuple, dict[str, published.Entry]] = {}
    for entry in published.entries():
        name = re.sub("_(positive|weighted|micro)$", "", entry.metric)
        found.setdefault(key(entry), {})[name] = entry
    return found
