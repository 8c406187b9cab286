"""Files that anyone may have written: regular files of bounded size, and JSON of bounded depth and integers.

A pipe or a device is never opened, since reading it could block for ever.
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from pathlib import Path
from typing import Any

from ganvas.errors import InputError

LARGEST = 2**30  # bytes of a file that is read whole
DEPTH = 64  # nesting of JSON, so that whatever walks it may recurse
WHOLE = 2**63  # integers lie below, so that they fit 64 bits

Json = dict[str, Any]


class Unreadable(ValueError):
    """A file, or a text in it, cannot be read; the message is the reason: "it is a folder"."""


def expect_file(path: Path, most: int | None = None) -> None:
    """Refuse whatever is not a regular file.

    Args:
        most: bytes that it may have; None for any number.

    Raises:
        FileNotFoundError: there is nothing.
        Unreadable: it is a folder, a pipe or a device, is larger than `most`, or its path cannot be followed.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise Unreadable(f"it cannot be opened ({getattr(error, 'strerror', None) or error})") from None
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("it is a pipe or a device")
    if most is not None and status.st_size > most:
        raise Unreadable(f"its {status.st_size:,} bytes exceed the limit of {most:,}")


def open_regular(path: Path) -> int:
    """A descriptor for reading a regular file, for whoever reads only a part of it or passes it on.

    Raises:
        OSError: it cannot be read, or it is a folder, a device or a named pipe.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return descriptor


def read_bytes(path: Path, most: int = LARGEST) -> bytes:
    """The content of a regular file.

    Raises:
        FileNotFoundError, Unreadable: see `expect_file`; or reading it is not permitted.
    """
    expect_file(path, most)
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(f"it cannot be opened ({error.strerror or error})") from None


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text; bytes are UTF-8, with or without a byte order mark.

    An integer beyond 64 bits becomes a float, and so is no whole number to its reader.

    Raises:
        Unreadable: it is not JSON, or is nested more than `DEPTH` levels.
    """
    try:
        text = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        value = json.loads(text, parse_int=_integer)
    except RecursionError:
        raise Unreadable(f"it is nested more than {DEPTH} levels") from None
    except ValueError as error:  # of the JSON or of its encoding
        raise Unreadable(f"it is not valid JSON ({error})") from None
    if text.count("[") + text.count("{") > DEPTH:
        _expect_shallow(value)
    return value


def _integer(text: str) -> int | float:
    small = len(text) <= len(str(-WHOLE)) and -WHOLE <= int(text) < WHOLE
    return int(text) if small else float(text)


def _expect_shallow(value: Any) -> None:
    level = [value]
    for _ in range(DEPTH):
        parents = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [child for children in parents for child in children]
        if not level:
            return
    raise Unreadable(f"it is nested more than {DEPTH} levels")


def is_number(value: Any) -> bool:
    """Whether a value read from JSON is a finite number."""
    return type(value) in (int, float) and math.isfinite(value)


def is_count(value: Any) -> bool:
    """Whether a value read from JSON is a whole number of at least 0."""
    return type(value) is int and value >= 0


def count_in(text: str) -> int | None:
    """The whole number that a text is, if it is decimal digits and fits 64 bits; Python refuses to read thousands."""
    return int(text) if text.isdecimal() and len(text) < len(str(WHOLE)) else None


def read_object(path: Path, missing: str = "") -> Json:
    """The JSON object in a file.

    Args:
        missing: what to do if there is no such file, as the end of a sentence.

    Raises:
        InputError: there is no such file, or it holds anything else.
    """
    try:
        found = parse_json(read_bytes(path))
        if isinstance(found, dict):
            return found
        reason = "it is not a JSON object"
    except FileNotFoundError:
        raise InputError(f"{path} does not exist{missing and '; '}{missing}.") from None
    except Unreadable as error:
        reason = str(error)
    raise InputError(f"{path} cannot be read: {reason}; repair it or restore it from a backup.") from None


def read_lines(path: Path) -> list[Json]:
    """The JSON objects on the lines of a file, without the lines that are none; empty if there is no such file.

    Raises:
        InputError: there is something that is not a readable file.
    """
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        return []
    except Unreadable as error:
        raise InputError(f"{path} cannot be read: {error}; remove it or restore it from a backup.") from None
    found = []
    for text in content.split(b"\n"):
        try:
            # File names need not be valid UTF-8.
            line = parse_json(text.decode("utf-8", "surrogateescape")) if text.strip() else None
        except Unreadable:
            continue
        if isinstance(line, dict):
            found.append(line)
    return found
