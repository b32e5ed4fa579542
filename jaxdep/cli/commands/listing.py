"""Commands that list what there is: `list` and `show`."""

from __future__ import annotations

from tyro.conf import Positional

from jaxdep.cli import output
from jaxdep.cli.options import Set, flat


def list_() -> None:
    """Lists the experiments, corpora and models."""
    from rich.table import Table

    from jaxdep.data.corpora import CORPORA
    from jaxdep.experiments import EXPERIMENTS
    from jaxdep.models import MODELS

    rows = {
        "experiments": {name: each.title for name, each in EXPERIMENTS.items()},
        "corpora": {name: corpus.title for name, corpus in CORPORA.items()},
        "models": {name: (cls.__doc__ or "").split("\n")[0] for name, cls in MODELS.items()},
    }
    for title, entries in rows.items():
        table = Table(title=title, title_justify="left", show_header=False, box=None)
        for name, summary in entries.items():
            table.add_row(name, summary)
        output.console.print(table)


def show(experiment: Positional[str], set_: Set = ()) -> None:
    """Shows the settings of an experiment, and what each may be.

    Args:
        experiment: Name of an experiment, as listed by `jaxdep list`.
    """
    from rich.table import Table

    from jaxdep.overrides import settings_of
    from jaxdep.runner.run import find
    from jaxdep.settings.checking import describe

    table = Table("setting", "value", "expected", box=None, title_justify="left")
    for setting in settings_of(find(experiment, flat(set_))):
        table.add_row(setting.path, str(setting.value), describe(setting.kind))
    output.console.print(table)
