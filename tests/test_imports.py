"""Imports go one way, and training never drags in torch, TensorFlow or plotting."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACES = {"datasets": "jaxdep.datasets", "experiments": "jaxdep.experiments"}

# What each package may import of the others.
ALLOWED = {
    "nn": set(),
    "losses": set(),
    "plugins": set(),
    "models": {"nn", "losses", "data", "plugins"},
    "data": {"plugins", "artifacts"},
    "artifacts": set(),
    "analysis": {"artifacts"},
    "experiment": {"models", "losses", "data"},
    "overrides": {"experiment", "models"},
    "tables": set(),
    "train": {"models", "losses", "data", "experiment", "overrides"},
    "runner": {
        *("models", "losses", "data", "artifacts", "analysis", "experiment", "overrides", "train"),
        *("experiments", "tables", "inference"),
    },
    "inference": {
        *("models", "data", "artifacts", "analysis", "experiment", "overrides", "train", "parity"),
        "extract",
    },
    "experiments": {"experiment", "overrides", "tables", "models", "data", "plugins"},
    "datasets": {"data"},
    "extract": {"data", "artifacts"},
    "parity": {"models", "train", "experiment", "overrides"},
    "testing": {"models", "overrides", "parity"},
    "benchmarks": {
        *("nn", "models", "data", "train", "runner", "experiment", "experiments", "parity"),
        *("artifacts", "analysis", "extract"),
    },
    "cli": {
        *("models", "data", "artifacts", "analysis", "experiment", "overrides", "train", "runner"),
        *("experiments", "tables", "parity", "benchmarks", "extract", "inference"),
    },
}
# `datasets` is imported by name only.
EVERYWHERE = {"errors", "plain", "types", "random", "scales", "settings", "datasets"}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "jaxdep":
                yield from (f"jaxdep.{alias.name}" for alias in node.names)
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def files_of(part):
    for base in (ROOT / "jaxdep" / part, ROOT / part):
        if base.is_dir():
            yield from base.rglob("*.py")
    if (ROOT / "jaxdep" / f"{part}.py").is_file():
        yield ROOT / "jaxdep" / f"{part}.py"


@pytest.mark.parametrize("part", ALLOWED)
def test_one_way(part):
    files = list(files_of(part))
    assert files
    for path in files:
        for name in imported(path):
            head, _, rest = name.partition(".")
            other = rest.split(".")[0]
            if head == "jaxdep" and other and other != part:
                assert other in ALLOWED[part] | EVERYWHERE, f"{path} imports {name}"


def test_only_commands_and_tests_import_parity():
    parts = ("parity", "testing", "inference")
    for path in (ROOT / "jaxdep").rglob("*.py"):
        relative = path.relative_to(ROOT / "jaxdep")
        if relative.parts[0] in parts or relative == Path("__init__.py"):
            continue
        if relative != Path("cli", "commands", "checks.py"):
            assert not [n for n in imported(path) if n.startswith("jaxdep.parity")], path


@pytest.mark.parametrize("module", ["jaxdep.train.runs", "jaxdep.experiments", "jaxdep.models"])
def test_training_is_light(module):
    heavy = "{'torch', 'tensorflow', 'matplotlib', 'transformers'}"
    code = f"import sys, {module}; print(sorted(set(sys.modules) & {heavy}))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_every_file_says_its_job():
    for top in ("jaxdep", "datasets", "experiments"):
        for path in (ROOT / top).rglob("*.py"):
            doc = ast.get_docstring(ast.parse(path.read_text()))
            assert (doc or "").partition("\n")[0].endswith((".", ":")), path
