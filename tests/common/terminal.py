"""What the terminal shows of results."""

import io

from rich.console import Console

from jaxdep.analysis import table


def printed(found, width=110):
    """The table of a run, as text."""
    text = io.StringIO()
    table.show(found, Console(file=text, width=width))
    return text.getvalue()
