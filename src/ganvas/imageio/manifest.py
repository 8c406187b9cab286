"""The manifest of a folder of results: one JSON line per file on how it was made, safe against kills."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ganvas.files import temporary

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
        if self.path and self.path.exists():
            for text in self.path.read_bytes().splitlines():
                try:
                    line = json.loads(text)
                    self._remember(line)
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue  # truncated by a kill or a full disk

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
        if line["status"] == "done":
            self._sources[line["source"]] = self._results[line["result"]] = line


def recover(line: Line, result: Path) -> bool:
    """Whether the file that a line describes exists and is complete; rename it if a kill came before its renaming.

    The line is written after the file is complete and before it is renamed, so that no file is ever made twice.
    """
    part = temporary(result)
    if part.is_file() and part.stat().st_size == line["bytes"]:
        part.replace(result)
    return result.is_file() and result.stat().st_size == line["bytes"]
