"""The way of every text to the terminal: what a stranger named can neither steer it, nor break a line or a batch.

Names of files, classes and runs may hold anything. Everything is printed by `print` or by `console.Console`; both show
whatever a terminal would obey, or what its encoding lacks, as an escape such as ``\\x1b``.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
import unicodedata
from contextlib import suppress
from typing import TextIO

# Marks that turn the direction of the text after them, so that a name could be shown as another.
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
OBEYED = frozenset(("Cc", "Cs", "Zl", "Zp"))  # controls, lone surrogates, separators of lines and paragraphs


def clean(text: str) -> str:
    """A text as one line without anything that a terminal obeys: line breaks and controls become ``\\n``, ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(_escaped(c) if c in TURNING or unicodedata.category(c) in OBEYED else c for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def print(*values: object, sep: str = " ", file: TextIO | None = None) -> None:
    """As the builtin, with every value cleaned; for several lines, give several values and ``sep="\\n"``."""
    builtins.print(*(clean(str(value)) for value in values), sep=sep, file=file)


class _Unheard(io.TextIOWrapper):
    """A stderr that may be full or closed: that nobody reads of the progress is no reason to stop the work."""

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            super().flush()


def prepare() -> None:
    """Let stdout and stderr print every text: what their encoding lacks (Windows' code pages, C) is escaped.

    Of a process's own stderr, errors of writing are ignored.
    """
    if sys.stderr is None or (type(sys.stderr) is io.TextIOWrapper and sys.stderr is sys.__stderr__):
        target: str | int = os.devnull if sys.stderr is None else sys.stderr.fileno()
        binary = open(target, "wb", buffering=0, closefd=isinstance(target, str))  # noqa: SIM115
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        sys.stderr = _Unheard(binary, encoding, "backslashreplace", write_through=True)
    for stream in (sys.stdout, sys.stderr):
        if reconfigure := getattr(stream, "reconfigure", None):  # not every replacement of the two has it
            reconfigure(errors="backslashreplace")
