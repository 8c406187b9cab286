"""Several runs of one dataset, read together. Imports no torch."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ganvas.errors import InputError
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record

VIEW = ("system.size", "system.channels", "data.fit")  # decide what is seen of the images, and so their fingerprint


def read_records(paths: Iterable[str | Path], unfinished: bool = False) -> tuple[Record, ...]:
    """Read runs; a folder that holds runs stands for all of them.

    Args:
        paths: folders of runs.
        unfinished: take runs that are still training as they stand.

    Raises:
        InputError: one is no run, cannot be read, is still training, or learned from other images than the first.
    """
    unique: dict[Path, RunFolder] = {}
    for folder in (folder for path in paths for folder in _expand(Path(path))):
        unique.setdefault(folder.path.resolve(), folder)
    folders = list(unique.values())
    for folder in folders:
        if not unfinished and folder.is_training():
            raise InputError(
                f"the run {folder.path} is still training; wait for its end, or give --unfinished to compare what is"
                " there."
            )
    records = tuple(_read(folder, name) for folder, name in zip(folders, _names(folders), strict=True))
    for record in records[1:]:
        _refuse_other_data(records[0], record)
    return records


def _expand(path: Path) -> list[RunFolder]:
    if RunFolder(path).exists():
        return [RunFolder(path)]
    below = sorted((recipe.parent for recipe in path.glob("*/recipe.json")), key=_natural)
    if not below:
        raise InputError(f"{path} is no run and holds none; give the folder of a run, as ganvas runs lists them.")
    return [RunFolder(folder) for folder in below]


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _names(folders: Sequence[RunFolder]) -> list[str]:
    # Two runs of one name are told apart by their paths.
    count = Counter(folder.path.resolve().name for folder in folders)
    return [f.path.resolve().name if count[f.path.resolve().name] == 1 else str(f.path) for f in folders]


def _read(folder: RunFolder, name: str) -> Record:
    record = Record(folder, name)
    if not {"system.type", "data.type"} <= record.recipe.keys():
        raise InputError(f"{folder.recipe} is no recipe of ganvas; restore it from a copy, or leave this run out.")
    return record


def _refuse_other_data(first: Record, other: Record) -> None:
    alike = all(first.recipe.get(key) == other.recipe.get(key) for key in VIEW)
    if alike and first.fingerprint and other.fingerprint:
        same = first.fingerprint == other.fingerprint
    else:
        same = os.path.normpath(first.source) == os.path.normpath(other.source)
    if not same:
        raise InputError(
            f"the run {first.name} learned from {first.source} and {other.name} from {other.source}, other"
            " data, so that no figure of one says anything about the other; compare runs of one data set."
        )
