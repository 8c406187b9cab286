"""Render pages from the templates beside this file, escaping all values."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ganvas import __version__
from ganvas.reports.table import interval

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, **values: Any) -> str:
    """Render a template; a missing value is an error, not an empty string."""
    text = _environment(template.endswith(".md")).get_template(template).render(version=__version__, **values)
    text = CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return text.encode(errors="backslashreplace").decode()  # names of files that are no UTF-8


@cache
def _environment(markdown: bool = False) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_of_markdown if markdown else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.globals["source"] = _source
    environment.filters["interval"] = interval
    environment.filters["code"] = _code
    return environment


def _of_markdown(value: Any) -> Markup:
    """A value as one line of Markdown, in which it marks up nothing: no table, no link, no HTML."""
    if isinstance(value, Markup):
        return value
    line = " ".join(_printable(str(value)).split())
    return Markup(re.sub(r"([\\`*_\[\]|~$])", r"\\\1", str(escape(line))))


def _code(text: str) -> Markup:
    """Lines as an indented block of Markdown, in which nothing is markup."""
    return Markup("\n".join(f"    {_printable(line)}" for line in text.splitlines()))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _source(name: str) -> Markup:
    """One of our own scripts or styles, unchanged: its braces are not placeholders."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))
