"""Render pages from the templates beside this file, escaping all values."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ganvas import __version__
from ganvas.reports.table import interval

TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Render a template; a missing value is an error, not an empty string."""
    return _environment().get_template(template).render(version=__version__, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.globals["source"] = _source
    environment.filters["interval"] = interval
    return environment


def _source(name: str) -> Markup:
    """One of our own scripts or styles, unchanged: its braces are not placeholders."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))
