"""The manifest of a folder of results: one JSON line per file on how it was made, safe against kills."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ganvas.files import temporary
from ganvas.untrusted import is_count, read_lines

NAME = ".ganvas-upscale.jsonl"

Line = dict[str, Any]


class Manifest:
    """The manifest of a folder; without a folder, nothing is written.

    Attributes:
        path: the manifest file, or None.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else folder / NAME
        self._sources: dict[str, Line] = {}
        self._results: dict[str, Line] = {}
        for line in read_lines(self.path) if self.path else ():
            self._remember(line)

    def by_source(self, source: str) -> Line | None:
        """The last line for a photo, by its name in its folder."""
        return self._sources.get(source)

    def by_result(self, result: str) -> Line | None:
        """The last line for a result, by its name in the folder of results."""
        return self._results.get(result)

    def add(self, line: Line) -> None:
        """Append a line; it is on disk when this returns."""
        self._remember(line)
        if self.path is None:
            return
        text = json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"
        with self.path.open("ab+", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            torn = end and file.read(1) != b"\n"
            file.write(b"\n" * bool(torn) + text)  # one call, so that lines may be truncated but never mixed
            os.fsync(file.fileno())

    def _remember(self, line: Line) -> None:
        source, result = line.get("source"), line.get("result")
        if not isinstance(source, str) or not isinstance(result, str):
            return
        # A result outside its folder was not made by ganvas.
        if Path(result).is_absolute() or ".." in Path(result).parts:
            return
        if line.get("status") == "done" and is_count(line.get("bytes")) and "settings" in line:
            self._sources[source] = self._results[result] = line


def recover(line: Line, result: Path) -> bool:
    """Whether the file that a line describes exists and is complete; rename it if a kill came before its renaming.

    The line is written after the file is complete and before it is renamed, so that no file is ever made twice.
    """
    part = temporary(result)
    if part.is_file() and part.stat().st_size == line["bytes"]:
        part.replace(result)
    return result.is_file() and result.stat().st_size == line["bytes"]
