"""Atomic writes: a kill, a full disk or a power cut leaves either the old file or the new one, never a partial one."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ganvas.errors import InputError

TEMPORARY = ".part"


def expect_plain_name(name: str, what: str) -> None:
    """Reject a name that is a path.

    Raises:
        InputError: the name is empty or contains a path; the message begins with `what`, such as "--name".
    """
    if name in ("", "..") or Path(name).name != name or not name.isprintable():
        raise InputError(f"{what} {name!r} is not a plain name; use one without / or \\.")


def temporary(path: Path) -> Path:
    """The name under which a file is written until it is complete."""
    return path.with_name(f".{path.name}{TEMPORARY}")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk, then rename it to `path`.

    Raises:
        InputError: the disk is full or not writable; an existing file at `path` is left untouched.
    """
    part = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        mode = part.stat().st_mode
        write(part)
        part.chmod(mode)  # safetensors creates files that only the owner may read
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except Exception as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        # Libraries that write through native code wrap the system's error in one of their own.
        if isinstance(error, OSError) or "I/O error" in str(error):
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise InputError(
                f"cannot write {path} ({reason}); free some disk space or choose another location, then run the same"
                " command again."
            ) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write a small text file atomically, as UTF-8; a name that is no UTF-8 is escaped."""
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8", errors="backslashreplace"))


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that a killed process left behind."""
    for leftover in folder.rglob(f".*{TEMPORARY}"):
        leftover.unlink(missing_ok=True)
