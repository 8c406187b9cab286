"""Every kind of source of images as one list of named items, in a defined order."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ganvas.data.builtin import NAMES, StackedImages, div2k, open_builtin
from ganvas.data.decode import Unusable, is_image
from ganvas.errors import InputError, nearest
from ganvas.imaging.grid import Pixels
from ganvas.machine import free_memory
from ganvas.untrusted import parse_json

FILES = (".zip", ".parquet", ".npz")
CLUTTER = ("Thumbs.db", "desktop.ini")
CLASSES = 2**16  # more would hardly be classes, and every one has a name
LARGEST = 2**30  # bytes; a larger file is hardly an image, and would fill the memory


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


def open_source(source: str) -> Listing:
    """List the items of a builtin dataset, folder, zip, parquet or npz file.

    Raises:
        InputError: the source does not exist, or contains nothing that could be an image.
    """
    if source == "div2k":
        return replace(open_source(str(div2k())), name=source)
    if source in NAMES:
        builtin = open_builtin(source)
        if isinstance(builtin.images, list):
            items = [Item(path.name, path.read_bytes) for path in builtin.images]
            return Listing(source, items)
        return Listing(source, _rows(builtin.images, builtin.labels), builtin.classes)
    expect_source(source)
    path = Path(source)
    if path.is_dir():
        return _listing(path.name, _folder(path))
    readers = {".zip": _zip, ".parquet": _parquet, ".npz": _npz}
    return readers[path.suffix.lower()](path)


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
            " folder, zip, parquet or npz file."
        )
    if path.suffix.lower() not in FILES:
        raise InputError(f"{path} is not a source of images; give a folder, or a .zip, .parquet or .npz file.")


def _folder(path: Path) -> list[tuple[str, Callable[[], bytes]]]:
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
    return [(file.relative_to(path).as_posix(), partial(_read_file, file)) for file in files]


def _read_file(path: Path) -> bytes:
    # Reading from a pipe or a device could block forever.
    if not path.is_file():
        raise Unusable("it is a broken link" if path.is_symlink() else "it is not a regular file")
    _refuse_huge(path.stat().st_size)
    return path.read_bytes()


def _read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    _refuse_huge(archive.getinfo(name).file_size)
    return archive.read(name)


def _refuse_huge(size: int) -> None:
    if size > LARGEST:
        raise Unusable(f"{size:,} bytes exceeds the limit of {LARGEST:,} bytes")


def _zip(path: Path) -> Listing:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise InputError(f"{path} is damaged or not a zip file; create it again, or give a folder of images.") from None
    files = [info.filename for info in archive.infolist() if not info.is_dir() and not _hidden(info.filename)]
    names = files
    # A single folder around everything is packaging, not a class.
    while len({name.partition("/")[0] for name in names}) == 1 and all("/" in name for name in names):
        names = [name.partition("/")[2] for name in names]
    return _listing(path.name, [(n, partial(_read_member, archive, f)) for n, f in zip(names, files, strict=True)])


def _listing(name: str, files: Iterable[tuple[str, Callable[[], bytes]]]) -> Listing:
    """Sort files by name; the first-level folders are the classes if every image is in one of them."""
    visible = [(file, read) for file, read in files if not _hidden(file)]
    if not visible:
        raise InputError(f"{name} contains no files; give a source of images.")
    visible.sort(key=lambda pair: _natural(pair[0]))
    folders = [PurePosixPath(file).parts[0] if "/" in file else "" for file, _ in visible]
    classes = tuple(sorted(set(folders) - {""}, key=_natural))
    # A readme beside the folders does not count.
    outside = [read for (_, read), folder in zip(visible, folders, strict=True) if not folder]
    if len(classes) < 2 or any(map(is_image, outside)):
        some_outside = f"{len(outside):,} of its {len(visible):,} files are outside the class folders"
        why = some_outside if outside else "it has only one folder"
        return Listing(name, [Item(file, read) for file, read in visible], unlabelled=why if classes else "")
    number = {folder: index for index, folder in enumerate(classes)}
    labels = [number.get(folder) for folder in folders]
    return Listing(name, [Item(f, read, label) for (f, read), label in zip(visible, labels, strict=True)], classes)


def _parquet(path: Path) -> Listing:
    try:
        import pyarrow.parquet
    except ImportError:
        raise InputError(f"{path} needs pyarrow, which is not installed; run pip install 'ganvas[parquet]'.") from None
    try:
        table = pyarrow.parquet.read_table(path, memory_map=True)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"{path} is damaged or not a parquet file ({error}); download it again.") from None
    columns: list[str] = table.column_names
    binary = [c for c in columns if _is_image_column(table.schema.field(c).type)]
    if not binary:
        raise InputError(
            f"{path} has no column of images, only {', '.join(columns)}; give a file with a binary column, or one of"
            " bytes with a path."
        )
    images = table.column(binary[0])
    label_column = next((c for c in ("label", "labels", "class", "fine_label") if c in columns), None)
    labels, classes, missing = _labels(table, label_column) if label_column else (None, (), 0)

    def read(index: int) -> bytes:
        value: Any = images[index].as_py()
        content = value["bytes"] if isinstance(value, dict) else value
        return content or b""

    numbers = labels if labels is not None else [None] * len(images)
    items = [Item(f"row {i}", partial(read, i), numbers[i]) for i in range(len(images))]
    why = f"{missing:,} of its {len(items):,} rows have no {label_column}" if missing else ""
    return Listing(path.name, items, classes, why)


def _is_image_column(kind: Any) -> bool:
    import pyarrow.types as types

    if types.is_struct(kind):
        return any(kind.field(i).name == "bytes" for i in range(kind.num_fields))
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _labels(table: Any, column: str) -> tuple[list[int] | None, tuple[str, ...], int]:
    """The label of every row, the names of the classes, and how many rows have no label; if any, there are none."""
    values = table.column(column).to_pylist()
    # The Hub marks the rows of an unlabelled split with -1.
    missing = sum(value is None or value == -1 for value in values)
    if missing:
        return None, (), missing
    about = parse_json((table.schema.metadata or {}).get(b"huggingface", b"{}"))
    names = about.get("info", {}).get("features", {}).get(column, {}).get("names")
    if names and all(isinstance(value, int) for value in values):
        return values, tuple(names), 0
    classes = sorted(set(values), key=lambda value: _natural(str(value)))
    number = {value: index for index, value in enumerate(classes)}
    return [number[value] for value in values], tuple(map(str, classes)), 0


def _npz(path: Path) -> Listing:
    try:
        _expect_room(path)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except InputError:
        raise
    except Exception as error:  # damaged files raise all kinds of errors, even the decompressor's own
        # What NumPy advises for Python objects would run their code.
        reason = "it holds Python objects, which may run code" if "allow_pickle" in str(error) else error
        raise InputError(f"{path} is not a plain npz file ({reason}); save uint8 images with numpy.savez.") from None
    # If a file has both splits, use the training split, whichever was saved first.
    arrays = dict(sorted(arrays.items(), key=lambda entry: "test" in entry[0]))
    images = next((a for a in arrays.values() if a.dtype == np.uint8 and a.ndim in (3, 4)), None)
    if images is None:
        found = ", ".join(f"{name} {a.dtype} {a.shape}" for name, a in arrays.items()) or "nothing"
        raise InputError(f"{path} contains {found}; save the images as one uint8 array (N, H, W) or (N, H, W, C).")
    if images.ndim == 4 and images.shape[3] not in (1, 3) and images.shape[1] in (1, 3):
        images = images.transpose(0, 2, 3, 1)
    if images.ndim == 4 and images.shape[3] not in (1, 3):
        raise InputError(f"{path} has images of {images.shape[3]} channels; save them with 1 (grey) or 3 (RGB).")
    labels = next((a for a in arrays.values() if a.dtype.kind in "iu" and a.shape == (len(images),)), None)
    missing = 0 if labels is None else int((labels < 0).sum())
    if labels is None or not len(labels) or missing:
        why = f"{missing:,} of its {len(images):,} labels are below 0" if missing else ""
        return Listing(path.name, _rows(images, None), unlabelled=why)
    count = int(labels.max()) + 1
    if count > CLASSES:
        raise InputError(
            f"{path} has the label {count - 1:,}, above the limit of {CLASSES - 1:,}; number the classes from 0."
        )
    names = next((a for a in arrays.values() if a.dtype.kind == "U" and a.ndim == 1 and len(a) >= count), None)
    classes = tuple(map(str, range(count) if names is None else names))
    return Listing(path.name, _rows(images, labels), classes)


def _expect_room(path: Path) -> None:
    """Refuse a file that unpacks to more than the free memory; an archive of a few bytes can be one."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    free = free_memory()
    if size > free:
        raise InputError(
            f"{path} unpacks to {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB of memory are free; give a folder or a"
            " zip file of images, which are read one by one."
        )


def _rows(images: Pixels | StackedImages, labels: np.ndarray | None) -> list[Item]:
    def read(index: int) -> Pixels:
        return np.ascontiguousarray(images[index])

    # These names enter every fingerprint: with other names, old runs would lose their data.
    names = [f"picture {i}" for i in range(len(images))]
    return [Item(n, partial(read, i), None if labels is None else int(labels[i])) for i, n in enumerate(names)]


def _hidden(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts) or parts[-1] in CLUTTER


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts image2 before image10."""
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.split(r"(\d+)", name)] + [(2, 0, name)]
