"""The commands: each parses its arguments, calls one function and prints the result."""

import tyro

from jaxdep.cli.commands.benchmarks import bench
from jaxdep.cli.commands.checks import parity
from jaxdep.cli.commands.corpora import init, prepare, synthesize
from jaxdep.cli.commands.extraction import extract
from jaxdep.cli.commands.inference import export, predict
from jaxdep.cli.commands.listing import list_, show
from jaxdep.cli.commands.results import evaluate, missing, report
from jaxdep.cli.commands.training import cross_validate, reproduce, run, sweep

COMMANDS = {
    "list": list_,
    "show": show,
    "extract": extract,
    "synthesize": synthesize,
    "init": init,
    "prepare": prepare,
    "run": run,
    "sweep": sweep,
    "cross-validate": cross_validate,
    "reproduce": reproduce,
    "evaluate": evaluate,
    "missing": missing,
    "report": report,
    "predict": predict,
    "export": export,
    "parity": parity,
    "bench": bench,
}
"""The commands by name, in the order in which `jaxdep --help` lists them."""

app = tyro.extras.SubcommandApp()
for _name, _command in COMMANDS.items():
    app.command(_command, name=_name)
