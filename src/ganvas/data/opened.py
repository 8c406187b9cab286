"""What opening a source gave, kept for as long as its files stay as they are."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ganvas import files
from ganvas.errors import InputError
from ganvas.untrusted import Json, read_object

RULES = 1  # a new number forgets everything; needed when a source could open as something else than before
FRESH = 2 * 10**9  # ns; a file changed so recently could change again and yet keep its time (FAT counts in 2 s)


def state_of(paths: Sequence[Path], *words: str) -> str:
    """A hash of the names, sizes and times of files; empty if one is too fresh, or there is none.

    Args:
        words: also hashed.
    """
    latest = time.time_ns() - FRESH
    state = hashlib.blake2b(repr((RULES, words)).encode("utf-8", "surrogateescape"), digest_size=20)
    for path in paths:
        try:
            about = path.stat()
        except (OSError, ValueError):  # such as a broken link, which is skipped
            state.update(os.fsencode(path.absolute()))
            continue
        if about.st_mtime_ns > latest:
            return ""
        # The time at which the entry changed, too: a copy may keep the time of the content.
        facts = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
        state.update(os.fsencode(path.absolute()) + repr(facts).encode())
    return state.hexdigest() if paths else ""


def recall(folder: Path, state: str) -> Json | None:
    """What was kept in a folder for this state; None if there is nothing."""
    try:
        return read_object(_file(folder, state)) if state else None
    except InputError:
        return None


def keep(folder: Path, state: str, facts: Json) -> None:
    """Keep what opening a source in this state gave, if there is room for it."""
    if state:
        with suppress(InputError):
            files.write_text(_file(folder, state), json.dumps(facts))


def _file(folder: Path, state: str) -> Path:
    return folder / "opened" / f"{state}.json"
