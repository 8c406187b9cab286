"""Errors that a user can fix, and helpers for wording them."""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path


class InputError(Exception):
    """Invalid input from the user.

    The message is one sentence: the input, what is wrong with it, and how to fix it. The command line prints it without
    a traceback and exits with code 2.
    """


def expect_path(value: object, what: str) -> None:
    """Refuse what is neither a text nor a path.

    Args:
        what: what it should be, as in "the name of a recipe, such as 'dcgan-digits'".

    Raises:
        InputError: it is of another type.
    """
    if not isinstance(value, str | Path):
        raise InputError(f"{value!r:.80} is of type {type(value).__name__}; give {what}.")


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint such as `` (did you mean 'mlp'?)`` if a known word is close, else an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first `most` names, comma-separated, followed by the number of those left out."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def failure(error: BaseException, file: Path) -> str:
    """What went wrong in somebody's Python file, and where: ``NameError: name 'x' is not defined, line 3``."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    line = lines[-1] if lines else getattr(error, "lineno", None)
    try:
        what = f"{type(error).__name__}: {error}"
    except Exception:  # its own text is somebody's code, too
        what = type(error).__name__
    return what + (f", line {line}" if line else "")
