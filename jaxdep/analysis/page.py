"""Renders self-contained pages: one style, one policy, and every text shown as text."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from jaxdep.artifacts.files import check_writable, write_text
from jaxdep.errors import UserError
from jaxdep.plain import visible


def write(template: str, target: Path, values: Mapping[str, Any]) -> Path:
    """Renders a template of this package into a file.

    Args:
      template: name of a template, which extends `page.html`.
      target: file to write; its folder is created if missing.
      values: variables of the template, among them `title` and `synthetic`.

    Returns:
      The file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    write_text(target, _ENVIRONMENT.get_template(template).render(values))
    return target


def place(out: str | Path | None, default: Path) -> Path:
    """The file to write a page to.

    Args:
      out: file whose name ends in `.html`, or a folder; None for the default.
      default: default file, whose name is also used in another folder.

    Raises:
      UserError: no files can be created there.
    """
    if out is None:
        return default
    out = Path(out)
    if out.suffix.lower() != ".html" or out.is_dir():
        if out.exists() and not out.is_dir():
            raise UserError(f"--out {out}: expected a folder, or a file that ends in .html")
        out = out / default.name
    check_writable(out.parent)
    return out


def encoded(folder: Path, name: str) -> str:
    """Content of a figure that `style.save` wrote into a folder, for the address of its element.

    Pages show the PNG, whose size is bounded: an SVG of attention over long recordings has several
    megabytes.
    """
    return base64.b64encode((folder / "figures" / f"{name}.png").read_bytes()).decode()


def _source(name: str) -> str:
    return resources.files("jaxdep.analysis").joinpath(name).read_text("utf-8")


def _visible(value: Any) -> Any:
    is_text = isinstance(value, str) and not isinstance(value, Markup)  # such as that of a macro
    return visible(value) if is_text else value


_ENVIRONMENT = Environment(
    loader=FunctionLoader(_source),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    finalize=_visible,
)
