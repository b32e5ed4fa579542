"""Measurements as lines of JSON, as a table on the screen, and as a page of tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

_COLUMNS = ("seeds", "batch", "length", "devices", "steps", "cached")
_PAGE = """# What was measured

Made by `jaxdep bench NAME --model M --size S --out benchmarks/results`; do not edit. Times are
medians in seconds after a warm-up, the sides taking turns, each in a process of its own with the
same environment (memory in huge pages: PyTorch gains by them too, and has them here). `ratio` is
PyTorch's time by ours: above 1, ours is faster. `stock` is the paper's reference as PyTorch users
write it; `folded` (JAMFN) is PyTorch with the algebra that ours uses. FLOP/s count matrix products
and convolutions, for ours those of the leanest reference. Peak memory is that of a whole process.

Not measured: anything on a GPU, for want of one. The same commands measure it there.
"""


def line(found: Mapping[str, Any]) -> str:
    """One measurement as one line of JSON."""
    return json.dumps(found)


def show(line: Mapping[str, Any], console: Console) -> None:
    """Prints one measurement."""
    rows = list(_rows(line))
    title = f"{line['bench']}: {line['model']}, {line['size']}"
    table = Table(*rows[0], title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row.values())
    console.print(table)
    for text in _notes(line):
        console.print(text, highlight=False)


def keep(line: Mapping[str, Any], folder: Path) -> Path:
    """Writes one measurement into a folder and makes the folder's page anew."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{line['bench']}-{line['model']}-{line['size']}.json"
    path.write_text(json.dumps(line, indent=1) + "\n")
    lines = [json.loads(found.read_text()) for found in sorted(folder.glob("*.json"))]
    page = folder / "README.md"
    page.write_text("\n".join([_PAGE, *(text for line in lines for text in _section(line))]))
    return page


def _section(line: Mapping[str, Any]) -> Iterator[str]:
    rows = list(_rows(line))
    yield f"## {line['bench']}: {line['model']}, {line['size']}\n"
    yield f"| {' | '.join(rows[0])} |"
    yield f"|{'---|' * len(rows[0])}"
    for row in rows:
        yield f"| {' | '.join(row.values())} |"
    yield ""
    for text in _notes(line):
        yield f"{text}\n"


def _rows(line: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for point in line.get("points", [line]):
        row = {name: str(point[name]) for name in _COLUMNS if name in point}
        for key, value in point.items():
            if key in ("ratio", "theirs_s"):
                head = "PyTorch" if key == "theirs_s" else "ratio to"
                row |= {f"{head} {name}": f"{number:.3g}" for name, number in value.items()}
            elif key == "flops_per_s":
                named = {f"GFLOP/s {name}": f"{number / 1e9:.0f}" for name, number in value.items()}
                row |= named
            elif key.endswith("_s") and isinstance(value, float) and "flops" not in key:
                row[key.removesuffix("_s").replace("_", " ")] = f"{value:.3g}"
            elif key.startswith("share"):
                row[key.replace("_", " ")] = f"{value:.1%}"
        yield row


def _notes(line: Mapping[str, Any]) -> Iterator[str]:
    if "peak_bytes" in line:
        said = ", ".join(f"{name} {_gib(value)}" for name, value in line["peak_bytes"].items())
        yield f"Peak memory: {said}."
    machine = line["machine"]
    where = ", ".join(machine["gpus"]) or f"{machine['cores']} cores of {machine['processor']}"
    yield (
        f"{where}, {machine['memory_gib']} GiB; jax {machine['jax']}, torch {machine['torch']};"
        f" a large matrix product {line['gemm_flops_per_s'] / 1e9:.0f} GFLOP/s;"
        f" medians of {line['repeats']}."
    )


def _gib(count: float) -> str:
    return f"{count / 2**30:.2f} GiB"
