"""Every kind of source of images as one list of named items, in a defined order."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from ganvas.data.archives import open_zip
from ganvas.data.arrays import open_idx, open_npz, rows
from ganvas.data.builtin import NAMES, builtin_paths, celeba, div2k, open_builtin
from ganvas.data.decode import Unusable, is_image
from ganvas.data.idx import is_idx, is_idx_labels
from ganvas.data.items import (
    Choice,
    Listing,
    by_folders,
    code_of,
    is_hidden,
    natural,
    refuse_huge,
    training_files,
)
from ganvas.data.pairs import beside
from ganvas.data.tables import open_parquet
from ganvas.errors import InputError, listed, nearest

FILES = (".zip", ".parquet", ".npz")


def open_source(source: str, column: str = "", labels: str = "", after: str = "", scale: int = 1) -> Listing:
    """List the items of a builtin dataset, folder, zip, parquet, npz or IDX file.

    Args:
        column: column of a parquet file, or array of an npz file, with the images; empty for the first that fits.
        labels: the one with their labels.
        after: another source, whose images are put to the right of those of their names; empty for none.
        scale: how many times larger those are.

    Raises:
        InputError: the source does not exist, or contains nothing that could be an image.
    """
    if after:
        # By their paths: the last part of both may be the same.
        names = _shown([str(Path(source)), str(Path(after))])
        small = replace(open_source(source, column, labels), name=names[0])
        return beside(small, replace(open_source(after), name=names[1]), scale)
    choice = Choice(column, labels)
    if source in NAMES:
        _expect_no_choice(Path(source), choice)
    if source == "div2k":
        return replace(open_source(str(div2k())), name=source)
    if source == "celeba":
        place, training = celeba()
        faces = [
            replace(face, name=PurePosixPath(face.name).name, label=None) for face in open_source(str(place)).items
        ]
        return Listing(source, [face for face in faces if face.name in training])
    if source in NAMES:
        builtin = open_builtin(source)
        return Listing(source, rows(builtin.images, builtin.labels), builtin.classes)
    expect_source(source)
    path = Path(source)
    found = _folder(path, choice) if path.is_dir() else _file(path, choice)
    if not found.items:
        raise InputError(f"{path} contains no images; give another source.")
    return found


def source_files(source: str) -> list[Path]:
    """The files on which it depends what `open_source` gives; none where that is not known beforehand.

    Args:
        source: name of a builtin dataset, or path.
    """
    path = Path(source)
    paths = builtin_paths(source) if source in NAMES else [path]
    if path.is_file() and is_idx(path.name):  # the labels lie beside
        paths = [beside for beside in path.parent.glob("*") if is_idx(beside.name)]
    return [file for path in paths for file in (_walk(path) if path.is_dir() else [path])]


def expect_source(source: str) -> None:
    """Refuse what is neither the name of a builtin dataset nor a path that may hold images; opens nothing.

    Raises:
        InputError: it is neither.
    """
    path = Path(source)
    if source in NAMES or path.is_dir():
        return
    if not path.exists():
        raise InputError(
            f"there is no dataset {source!r}{nearest(source, NAMES)}; give one of {', '.join(NAMES)}, or the path of a"
            " folder, zip, parquet, npz or IDX file."
        )
    if not path.is_file():
        raise InputError(f"{path} is not a regular file; give a folder, or a .zip, .parquet, .npz or IDX file.")
    if not _is_packed(path):
        raise InputError(f"{path} is not a source of images; give a folder, or a .zip, .parquet, .npz or IDX file.")


def _is_packed(path: Path) -> bool:
    """Whether a file holds several images, by its name."""
    return path.suffix.lower() in FILES or is_idx(path.name)


def _file(path: Path, choice: Choice) -> Listing:
    ending = path.suffix.lower()
    if ending == ".parquet":
        return open_parquet([path], _title(path), choice)
    if ending == ".npz":
        found = open_npz(path, choice)
    else:
        _expect_no_choice(path, choice)
        found = open_zip(path) if ending == ".zip" else open_idx(path)
    return replace(found, name=_title(path))


def _folder(path: Path, choice: Choice) -> Listing:
    """List a folder's files; if there is no image among them, what is packed into zip, parquet, npz or IDX files."""
    walked = _walk(path)
    files = list(zip(_shown([file.relative_to(path).as_posix() for file in walked]), walked, strict=True))
    visible = [(name, file) for name, file in files if not is_hidden(name)]
    packed = [(name, file) for name, file in visible if _is_packed(file) and file.is_file()]
    others = (file for _, file in visible if not _is_packed(file))
    title = _title(path)
    if packed and not any(is_image(partial(_read_file, file)) for file in others):
        return replace(_packed(path, packed, choice), name=title)
    _expect_no_choice(path, choice)
    return by_folders(title, [(name, partial(_read_file, file)) for name, file in files])


def _packed(path: Path, files: list[tuple[str, Path]], choice: Choice) -> Listing:
    """List the training part of a folder's packed files: parts of one table, or a single file."""
    # Labels hold no images; and of a file beside its packed version only one is read.
    images = [(name, file) for name, file in files if not is_idx_labels(file.name)]
    there = {file for _, file in images}
    images = [(name, file) for name, file in images if file.suffix != ".gz" or file.with_suffix("") not in there]
    images.sort(key=lambda pair: natural(pair[0]))
    chosen = training_files(images, lambda pair: pair[0]) if images else []
    names, left = [name for name, _ in chosen], [name for name, _ in images if (name, _) not in chosen]
    if chosen and all(file.suffix.lower() == ".parquet" for _, file in chosen):
        found = open_parquet([file for _, file in chosen], _title(path), choice)
    elif len(chosen) == 1:
        found = _file(chosen[0][1], choice)
    else:
        raise InputError(
            f"{path} holds {len(chosen)} files of images ({listed(names) or 'only labels'}); give the path of one."
        )
    note = f"read from {listed(names, 3)}" + (f", not {listed(left, 3)}" if left else "")
    return replace(found, notes=(note, *found.notes))


def _expect_no_choice(path: Path, choice: Choice) -> None:
    if choice != Choice():
        raise InputError(
            f"{path} is no parquet or npz file, of which --data.column and --data.labels name parts; leave them out."
        )


def _title(path: Path) -> str:
    return _shown([path.name or path.resolve().name])[0]


def _walk(path: Path) -> list[Path]:
    files = []
    visited = set()
    # Follow linked folders too, except one that links back to a parent and would never end.
    for folder, inner, names in os.walk(path, followlinks=True):
        inner.sort()
        real = os.path.realpath(folder)
        if real in visited:
            inner.clear()
            continue
        visited.add(real)
        files += [Path(folder, name) for name in names]
    return files


def _shown(names: Sequence[str]) -> list[str]:
    """Paths as text: names on a disk are bytes, which need not be UTF-8."""
    raw = [os.fsencode(name) for name in names]
    code = code_of(raw) or "utf-8"
    return [name.decode(code, "backslashreplace") for name in raw]


def _read_file(path: Path) -> bytes:
    # Reading from a pipe or a device could block forever.
    if not path.is_file():
        raise Unusable("it is a broken link" if path.is_symlink() else "it is not a regular file")
    refuse_huge(path.stat().st_size)
    return path.read_bytes()
