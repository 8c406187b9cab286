"""What a folder of results knows of how each was made: one line of JSON a file, safe from kills."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ganvas.files import temporary

NAME = ".ganvas-upscale.jsonl"

Line = dict[str, Any]


class Manifest:
    """The lines of a folder; of no folder, nothing is kept.

    Attributes:
        path: the file of lines, or None.
    """

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else folder / NAME
        self._by_source: dict[str, Line] = {}
        self._by_result: dict[str, Line] = {}
        if self.path and self.path.exists():
            for text in self.path.read_bytes().splitlines():
                try:
                    line = json.loads(text)
                    self._remember(line)
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue  # a kill or a full disk cut it off

    def made_from(self, source: str) -> Line | None:
        """The last line on what was made of a photo, by its name in its folder."""
        return self._by_source.get(source)

    def makes(self, result: str) -> Line | None:
        """The last line on a result, by its name in the folder of results."""
        return self._by_result.get(result)

    def add(self, line: Line) -> None:
        """Append a line, on the disk when this returns."""
        self._remember(line)
        if self.path is None:
            return
        text = json.dumps(line, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"
        with self.path.open("ab+", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            torn = end and file.read(1) != b"\n"
            file.write(b"\n" * bool(torn) + text)  # one call, so that a line is there whole or torn, never mixed
            os.fsync(file.fileno())

    def _remember(self, line: Line) -> None:
        if line["status"] == "done":
            self._by_source[line["source"]] = self._by_result[line["result"]] = line


def adopt(line: Line, result: Path) -> bool:
    """Whether the file that a line tells of is there, whole; one that a kill kept from its name is given it.

    The line is written when the file is whole and not yet renamed, so that nothing is ever made twice.
    """
    part = temporary(result)
    if part.is_file() and part.stat().st_size == line["bytes"]:
        part.replace(result)
    return result.is_file() and result.stat().st_size == line["bytes"]
