"""Writing files so that a kill, a full disk or a power cut leaves the old file or the new one, never half of either."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ganvas.errors import InputError

TEMPORARY = ".part"


def expect_plain_name(name: str, what: str) -> None:
    """Refuse a name that leads out of its folder.

    Raises:
        InputError: it is empty, or more than a name; the message begins with `what`, such as "--name".
    """
    if name in ("", "..") or Path(name).name != name or not name.isprintable():
        raise InputError(f"{what} {name!r} is not a plain name; give one without / or \\.")


def temporary(path: Path) -> Path:
    """The name under which a file is written until it is whole."""
    return path.with_name(f".{path.name}{TEMPORARY}")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to the disk, then rename it to `path`.

    Raises:
        InputError: the disk is full or may not be written; what stood at `path` before is untouched.
    """
    part = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
        mode = part.stat().st_mode
        write(part)
        part.chmod(mode)  # safetensors makes files that nobody else may read
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except Exception as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        # Libraries that write through native code report the system's error as one of their own.
        if isinstance(error, OSError) or "I/O error" in str(error):
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise InputError(
                f"cannot write {path} ({reason}); free some space or give another place, then run the same command"
                " again."
            ) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write a small text file atomically, as UTF-8."""
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that a killed process left."""
    for leftover in folder.rglob(f".*{TEMPORARY}"):
        leftover.unlink(missing_ok=True)
