"""Where one case happens, and what a case is."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .stock import Stock

CANARY = "this file is none of ganvas's business\n"


@dataclass(frozen=True)
class Attack:
    """One bad input and the command line that meets it."""

    what: str
    """The input in words."""
    argv: Sequence[str]
    owns: Sequence[str] = ()
    """Paths below the place whose existing files the command may change, such as the run that it resumes."""
    environment: Mapping[str, str] = field(default_factory=dict)
    encoding: str = "utf-8"
    """Of stdout and stderr."""


@dataclass(frozen=True)
class Ground:
    """The folders of one case. All of it is watched; the command may write only below `place` and to its cache.

    The place lies two folders below the root, so that ``../../x`` is still seen.
    """

    root: Path
    stock: Stock

    @property
    def place(self) -> Path:
        """The current folder of the command, with the input in it."""
        return self.root / "user" / "place"

    @property
    def outside(self) -> Path:
        """A folder of somebody else, for links to point at."""
        return self.root / "outside"

    @property
    def home(self) -> Path:
        """$HOME"""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """$TMPDIR"""
        return self.root / "tmp"

    def prepare(self) -> None:
        """Make the folders, with canaries outside of the place."""
        for folder in (self.place, self.outside / "folder", self.home / ".cache", self.temporary):
            folder.mkdir(parents=True)
        for folder in (self.root, self.root / "user", self.outside, self.outside / "folder", self.home):
            for name in ("canary.txt", "canary.png", "recipe.json"):
                (folder / name).write_text(CANARY, encoding="utf-8")

    def run(self, kind: str = "digits", name: str = "r") -> str:
        """Copy a sound run of the stock to ``runs/NAME``; its path relative to the place."""
        shutil.copytree(self.stock.run(kind), self.place / "runs" / name)
        return f"runs/{name}"

    def copy(self, made: Path, name: str | None = None) -> Path:
        """Copy a sound file or folder of the stock into the place."""
        target = self.place / (name or made.name)
        if made.is_dir():
            shutil.copytree(made, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(made, target)
        return target

    def write(self, name: str, content: bytes | str) -> str:
        """Write a file below the place; its name, as a command is given it."""
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        path.write_bytes(data)
        return name
