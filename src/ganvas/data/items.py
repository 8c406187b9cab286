"""Items that have not been decoded yet, and what their names say: their order, classes and part of the data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TypeVar

from ganvas.data.decode import Unusable, is_image
from ganvas.errors import InputError, listed
from ganvas.imaging.grid import Pixels

CLUTTER = ("Thumbs.db", "desktop.ini")
LARGEST = 2**30  # bytes; a larger file is hardly an image, and would fill the memory
LONGEST = 1000  # digits of a number in a name; Python refuses to convert more than 4,300
TRAIN = ("train", "training")
HELD_OUT = ("val", "valid", "validation", "test", "testing", "dev", "eval", "t10k")
_TRAIN, _HELD_OUT = (
    re.compile(rf"(?<![a-z])[xy]?({'|'.join(words)})(set|data|images|labels)?[xy]?(?![a-z])")
    for words in (TRAIN, HELD_OUT)
)

T = TypeVar("T")


@dataclass(frozen=True)
class Item:
    """An image that has not been decoded yet."""

    name: str
    read: Callable[[], bytes | Pixels]
    label: int | None = None


@dataclass(frozen=True)
class Listing:
    """All images of a source."""

    name: str
    items: list[Item]
    classes: tuple[str, ...] = ()
    unlabelled: str = ""
    """Why there are no classes although there seem to be some."""
    notes: tuple[str, ...] = ()
    """Choices that were made for the user, such as between several arrays."""


@dataclass(frozen=True)
class Choice:
    """What to read of a file that holds several things; empty for the first that fits."""

    column: str = ""
    """Column of a parquet file, or array of an npz file, with the images."""
    labels: str = ""
    """The one with their labels."""


def by_folders(name: str, files: Iterable[tuple[str, Callable[[], bytes]]]) -> Listing:
    """Sort files by name; the first-level folders are the classes if every image is in one of them.

    Folders called train and val or test are parts of the data instead, of which only the first is read.

    Args:
        name: of the source.
        files: path within the source, with / as separator, and how to read the file.

    Raises:
        InputError: there are no files.
    """
    visible = [(file, read) for file, read in files if not is_hidden(file)]
    if not visible:
        raise InputError(f"{name} contains no files; give a source of images.")
    visible.sort(key=lambda pair: natural(pair[0]))
    training, notes = _training_part(visible)
    if notes:
        return replace(by_folders(name, training), notes=notes)
    folders = [PurePosixPath(file).parts[0] if "/" in file else "" for file, _ in visible]
    classes = tuple(sorted(set(folders) - {""}, key=natural))
    # A readme beside the folders does not count.
    outside = [read for (_, read), folder in zip(visible, folders, strict=True) if not folder]
    if len(classes) < 2 or any(map(is_image, outside)):
        some_outside = f"{len(outside):,} of its {len(visible):,} files are outside the class folders"
        why = some_outside if outside else "it has only one folder"
        return Listing(name, [Item(file, read) for file, read in visible], unlabelled=why if classes else "")
    number = {folder: index for index, folder in enumerate(classes)}
    labels = [number.get(folder) for folder in folders]
    return Listing(name, [Item(f, read, label) for (f, read), label in zip(visible, labels, strict=True)], classes)


def _training_part(
    files: Sequence[tuple[str, Callable[[], bytes]]],
) -> tuple[list[tuple[str, Callable[[], bytes]]], tuple[str, ...]]:
    """The files in the folder train beside val or test, by their paths in it, and a note; no note if there is none."""
    inner = list(zip(without_packaging([file for file, _ in files]), (read for _, read in files), strict=True))
    folders = {file.partition("/")[0] for file, _ in inner if "/" in file}
    train = [folder for folder in folders if folder.lower() in TRAIN]
    others = sorted(folders - set(train))
    if len(train) != 1 or not others or any(folder.lower() not in HELD_OUT for folder in others):
        return [], ()
    if any(is_image(read) for file, read in inner if "/" not in file):
        return [], ()
    start = f"{train[0]}/"
    note = f"of its folders only {train[0]} is read, not {listed(others)}"
    return [(file.removeprefix(start), read) for file, read in inner if file.startswith(start)], (note,)


def without_packaging(names: Sequence[str]) -> list[str]:
    """The paths without the single folders around everything, which are packaging and not a class."""
    names = list(names)
    while len({name.partition("/")[0] for name in names}) == 1 and all("/" in name for name in names):
        names = [name.partition("/")[2] for name in names]
    return names


def part_of(name: str) -> int:
    """Rank of a file or array by the part of the data that its name says: 0 train, 1 none, 2 validation or test."""
    lower = name.lower()
    return 0 if _TRAIN.search(lower) else 2 if _HELD_OUT.search(lower) else 1


def training_files(files: Sequence[T], name: Callable[[T], str]) -> list[T]:
    """The files of the training part, if their names tell it from others; else all."""
    ranks = [part_of(name(file)) for file in files]
    return [file for file, rank in zip(files, ranks, strict=True) if rank == min(ranks)]


def refuse_huge(size: int) -> None:
    """Refuse a file of more bytes than an image has.

    Raises:
        Unusable: it is larger.
    """
    if size > LARGEST:
        raise Unusable(f"{size:,} bytes exceeds the limit of {LARGEST:,} bytes")


def is_hidden(name: str) -> bool:
    """Whether a path is hidden, or left behind by a file manager."""
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or parts[-1] in CLUTTER


def natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts image2 before image10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(p), "") if p.isdecimal() and len(p) < LONGEST else (1, 0, p) for p in parts] + [(2, 0, name)]


def code_of(names: Iterable[bytes]) -> str:
    """The code in which all of these names are: utf-8, gbk, or empty if it is neither.

    Programs on Chinese Windows write names in GBK, into zip files and from there onto disks, without saying so. Some
    short names are valid in both codes, so that only all of them together tell.
    """
    foreign = [name for name in names if not name.isascii()]
    for code in ("utf-8", "gbk"):
        try:
            text = "".join(name.decode(code) for name in foreign)
        except UnicodeDecodeError:
            continue
        # The bytes of many a code decode as GBK, but to rare characters; in names, most are among GB 2312's 6,763.
        wide = [character for character in text if not character.isascii()]
        if code == "utf-8" or len("".join(wide).encode("gb2312", "ignore")) >= len(wide):
            return code
    return ""
