"""The manifest of a folder of results: one JSON line per file on how it was made, safe against kills."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

from ganvas.errors import InputError
from ganvas.files import append_line, is_temporary
from ganvas.untrusted import is_count, read_lines

Line = dict[str, Any]


class Manifest:
    """The manifest of a folder; without a folder, nothing is written.

    Attributes:
        path: the manifest file, or None.

    Raises:
        InputError: the manifest is a link, or cannot be read.
    """

    def __init__(self, folder: Path | None, verb: str) -> None:
        """`verb` is the command that writes the folder, such as upscale."""
        self.path = None if folder is None else folder / f".ganvas-{verb}.jsonl"
        self._sources: dict[str, Line] = {}
        self._results: dict[str, Line] = {}
        if self.path and self.path.is_symlink():
            raise InputError(f"{self.path} is a symbolic link, through which results would be recorded; remove it.")
        for line in read_lines(self.path) if self.path else ():
            if _is_sound(line):
                self._remember(line)

    def by_source(self, source: str) -> Line | None:
        """The last line for a photo, by its name in its folder."""
        return self._sources.get(source)

    def by_result(self, result: str) -> Line | None:
        """The last line for a result, by its name in the folder of results."""
        return self._results.get(result)

    def add(self, line: Line) -> None:
        """Append a line; it is on disk when this returns.

        Raises:
            OSError: it cannot be written, or the manifest is a link.
        """
        self._remember(line)
        if self.path is not None:
            text = json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogateescape")
            append_line(self.path, text, sync=True)

    def _remember(self, line: Line) -> None:
        if line["status"] == "done":
            self._sources[line["source"]] = self._results[line["result"]] = line


def recover(line: Line, result: Path) -> bool:
    """Whether the file that a line describes exists and is complete; rename it if a kill came before its renaming.

    The line is written after the file is complete and before it is renamed, so that no file is ever made twice.
    """
    if beside := line.get("beside"):
        recover(beside, result.parent / PurePath(beside["result"]).name)
    part = result.parent / line.get("part", "")
    if is_temporary(part, result) and part.is_file() and part.stat().st_size == line["bytes"]:
        part.replace(result)
    return is_unchanged(line, result)


def is_unchanged(line: Line, result: Path) -> bool:
    """Whether the file that a line describes exists, and is as large as it was."""
    return result.is_file() and result.stat().st_size == line["bytes"]


def _is_sound(line: Line) -> bool:
    """Whether a line is one of ours: a folder from elsewhere must not have files renamed outside of it."""
    if line.get("status") != "done" or "settings" not in line or not _is_name(line.get("source")):
        return False
    beside = line.get("beside")
    return _is_sound_file(line) and (beside is None or (isinstance(beside, dict) and _is_sound_file(beside)))


def _is_sound_file(line: Line) -> bool:
    if not is_count(line.get("bytes")) or not _is_name(line.get("result")) or not _is_name(line.get("part", "")):
        return False
    result, part = PurePath(line["result"]), line.get("part", "")
    return PurePath(part).name == part and not result.is_absolute() and ".." not in result.parts and bool(result.name)


def _is_name(name: object) -> bool:
    return isinstance(name, str) and "\0" not in name
