"""What a user can put right, and how it is said."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class InputError(Exception):
    """Something the user gave cannot be used.

    The message is one sentence that names the input, says what is wrong with it and how to mend it. The command
    line prints it alone, without a traceback, and exits with code 2.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint such as `` (did you mean 'mlp'?)`` when a known word is close, else an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first few names for a message, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
