"""Reading several runs of one dataset. Imports no torch."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ganvas.errors import InputError, expect_path
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record

VIEW = (
    "system.size",
    "system.channels",
    "data.fit",
)  # determine the preprocessing of the images, and so their fingerprint


def read_records(paths: Iterable[str | Path] | str | Path, unfinished: bool = False) -> tuple[Record, ...]:
    """Read runs; a folder of runs stands for all of them.

    Args:
        paths: run folders, or folders of runs; or a single one.
        unfinished: accept runs that are still training.

    Raises:
        InputError: one is not a run, is damaged, is still training, or was trained on other images than the first.
    """
    paths = (paths,) if isinstance(paths, str | Path) or not isinstance(paths, Iterable) else tuple(paths)
    for path in paths:
        expect_path(path, "the folder of a run, or a list of such folders")
    unique: dict[Path, RunFolder] = {}
    for folder in (folder for path in paths for folder in _expand(Path(path))):
        unique.setdefault(folder.path.resolve(), folder)
    folders = list(unique.values())
    for folder in folders:
        if not unfinished and folder.is_training():
            raise InputError(
                f"the run {folder.path} is still training; wait until it ends, or use --unfinished to compare its"
                " current state."
            )
    records = tuple(_read(folder, name) for folder, name in zip(folders, _names(folders), strict=True))
    for record in records[1:]:
        _reject_other_data(records[0], record)
    return records


def _expand(path: Path) -> list[RunFolder]:
    if RunFolder(path).exists():
        return [RunFolder(path)]
    below = sorted((recipe.parent for recipe in path.glob("*/recipe.json")), key=_natural)
    if not below:
        raise InputError(f"{path} is not a run and contains none; give the folder of a run (see ganvas runs).")
    return [RunFolder(folder) for folder in below]


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _names(folders: Sequence[RunFolder]) -> list[str]:
    # Runs of the same name are distinguished by their paths.
    count = Counter(folder.path.resolve().name for folder in folders)
    return [f.path.resolve().name if count[f.path.resolve().name] == 1 else str(f.path) for f in folders]


def _read(folder: RunFolder, name: str) -> Record:
    record = Record(folder, name)
    if not {"system.type", "data.type"} <= record.recipe.keys():
        raise InputError(f"{folder.recipe} is not a ganvas recipe; restore it from a backup, or omit this run.")
    return record


def _reject_other_data(first: Record, other: Record) -> None:
    alike = all(first.recipe.get(key) == other.recipe.get(key) for key in VIEW)
    if alike and first.fingerprint and other.fingerprint:
        same = first.fingerprint == other.fingerprint
    else:
        same = os.path.normpath(first.source) == os.path.normpath(other.source)
    if not same:
        raise InputError(
            f"the run {first.name} was trained on {first.source} and {other.name} on {other.source}, which are not"
            " comparable; compare runs of one dataset."
        )
