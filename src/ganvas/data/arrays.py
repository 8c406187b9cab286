"""Arrays of images: npz files, and the IDX files of MNIST."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ganvas.data.idx import read_idx, unpacked_or_packed
from ganvas.data.items import Choice, Item, Listing, part_of
from ganvas.errors import InputError, listed, nearest
from ganvas.imaging.grid import Pixels
from ganvas.machine import free_memory

MOST_CLASSES = 2**20  # a larger number is no class, and the names of so many would fill the memory


class Images(Protocol):
    """An array uint8 (N, H, W) or (N, H, W, C), or what makes such rows on access."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Pixels: ...


@dataclass(frozen=True)
class _Kind:
    """What the header of an array says."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"


def open_npz(path: Path, choice: Choice) -> Listing:
    """List the rows of an npz file's array of images, with the labels in another; only these are read.

    Raises:
        InputError: it is damaged, or has no array of images, or not the one that is asked for.
    """
    try:
        kinds = _kinds(path)
    except Exception as error:  # damaged files raise all kinds of errors, even the decompressor's own
        raise _damaged(path, error) from None
    # If a file has several parts, use the training part, whichever was saved first.
    kinds = dict(sorted(kinds.items(), key=lambda entry: part_of(entry[0])))
    name = _images(path, kinds, choice.column)
    count = kinds[name].shape[0]
    labels = _labels(path, kinds, choice.labels, count)
    names = [n for n, kind in kinds.items() if kind.dtype.kind == "U" and len(kind.shape) == 1]
    _expect_room(path, sum(math.prod(kinds[n].shape) * kinds[n].dtype.itemsize for n in {name, labels, *names} - {""}))
    try:
        with np.load(path, allow_pickle=False) as archive:
            pixels, numbers = archive[name], archive[labels].reshape(-1) if labels else None
            texts = [archive[n] for n in names]
    except Exception as error:
        raise _damaged(path, error) from None
    images, note = _as_bytes(pixels, f"{path}'s array {name}")
    unused = [n for n in kinds if n not in (name, labels, *names)]
    if unused:
        labelled = f", labels from {labels}" if labels else ""
        note = f"images from array {name}{labelled}; not read: {listed(unused)}" + (f"; {note}" if note else "")
    notes = (note,) if note else ()
    if numbers is None or not len(numbers):
        return Listing(path.name, rows(images, None), notes=notes)
    missing = int((~(numbers >= 0)).sum())  # NaN too
    count = 0 if missing else int(numbers.max()) + 1
    if missing or count > MOST_CLASSES or (numbers % 1).any():
        some = f"{missing:,} of its {len(numbers):,} labels are below 0"
        why = some if missing else "its labels are no class numbers"
        return Listing(path.name, rows(images, None), unlabelled=why, notes=notes)
    named = next((one for one in texts if len(one) >= count), None)
    classes = tuple(map(str, range(count) if named is None else named))
    return Listing(path.name, rows(images, numbers), classes, notes=notes)


def _expect_room(path: Path, size: int) -> None:
    """Refuse arrays of more than the free memory; an archive of a few bytes can unpack to any number."""
    free = free_memory()
    if size > free:
        raise InputError(
            f"{path} unpacks to {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB of memory are free; give a folder or a"
            " zip file of images, which are read one by one."
        )


def rows(images: Images, labels: NDArray[Any] | None) -> list[Item]:
    """An item for each row of an array."""

    def read(index: int) -> Pixels:
        return np.ascontiguousarray(images[index])

    # These names enter every fingerprint: with other names, old runs would lose their data.
    names = [f"picture {i}" for i in range(len(images))]
    return [Item(n, partial(read, i), None if labels is None else int(labels[i])) for i, n in enumerate(names)]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows that become bytes on access, so that no second copy of the array is needed."""

    array: NDArray[Any]
    to_bytes: Callable[[NDArray[Any]], Pixels]

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: int) -> Pixels:
        return self.to_bytes(self.array[index])


def _kinds(path: Path) -> dict[str, _Kind]:
    """The arrays of an npz file by their names, without reading them."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    found = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            with archive.open(info) as file:
                try:
                    reader = readers.get(np.lib.format.read_magic(file))
                    shape, _, dtype = reader(file) if reader else ((), False, np.dtype(object))
                except ValueError:  # a file that is no array
                    continue
            # Nothing is allocated for a header that claims more than there is.
            if dtype.hasobject or math.prod(shape) * dtype.itemsize <= info.file_size:
                found[info.filename.removesuffix(".npy")] = _Kind(dtype, shape)
    return found


def _images(path: Path, kinds: Mapping[str, _Kind], wanted: str) -> str:
    """The name of the array of images: bytes before other numbers, as labels or features may be in these."""
    numeric = [name for name, kind in kinds.items() if kind.dtype.kind in "uif" and len(kind.shape) in (3, 4)]
    numeric.sort(key=lambda name: kinds[name].dtype != np.uint8)
    if wanted and wanted not in numeric:
        raise InputError(
            f"{path} has no array of images {wanted!r}{nearest(wanted, numeric)}; give --data.column one of"
            f" {listed(numeric) or 'none'}."
        )
    if not numeric:
        found = ", ".join(f"{name} {kind}" for name, kind in kinds.items()) or "no arrays"
        raise InputError(f"{path} contains {found}; save the images as one uint8 array (N, H, W) or (N, H, W, C).")
    return wanted or numeric[0]


def _labels(path: Path, kinds: Mapping[str, _Kind], wanted: str, count: int) -> str:
    """The name of the array of labels; empty if there is none."""
    columns = [name for name, kind in kinds.items() if kind.shape in ((count,), (count, 1))]
    if wanted:
        fitting = [name for name in columns if kinds[name].dtype.kind in "iuf"]
        if wanted not in fitting:
            raise InputError(
                f"{path} has no labels {wanted!r}{nearest(wanted, fitting)} for its {count:,} images; give"
                f" --data.labels one of {listed(fitting) or 'none'}."
            )
        return wanted
    return next((name for name in columns if kinds[name].dtype.kind in "iu"), "")


def _as_bytes(array: NDArray[Any], what: str) -> tuple[Images, str]:
    """Images (N, H, W) or (N, H, W, C) as bytes, and a note on the range that was assumed of other numbers."""
    if array.ndim == 4 and array.shape[3] not in (1, 3) and array.shape[1] in (1, 3):
        array = array.transpose(0, 2, 3, 1)
    if array.ndim == 4 and array.shape[3] not in (1, 3):
        raise InputError(f"{what} has {array.shape[3]} channels; save images with 1 (grey) or 3 (RGB).")
    if array.dtype == np.uint8 or not array.size:
        return array.astype(np.uint8, copy=False), ""
    low, high = float(array.min()), float(array.max())
    whole = array.dtype.kind != "f"
    if low >= 0 and high <= 1 and not whole:
        scale, offset, shown = 255.0, 0.0, "0..1"
    elif low >= -1 and high <= 1 and not whole:
        scale, offset, shown = 127.5, 127.5, "-1..1"
    elif low >= 0 and high <= 255:
        scale, offset, shown = 1.0, 0.0, "0..255"
    elif array.dtype == np.uint16:
        scale, offset, shown = 1 / 257, 0.0, "0..65535"
    else:  # NaN and infinity too
        raise InputError(
            f"{what} holds {array.dtype} numbers from {low:g} to {high:g}, whose range is not one of 0..1, -1..1 and"
            " 0..255; save it as uint8."
        )

    def to_bytes(row: NDArray[Any]) -> Pixels:
        return (row.astype(np.float64) * scale + offset).round().astype(np.uint8)

    return _Rows(array, to_bytes), f"its {array.dtype} numbers from {low:g} to {high:g} are taken as {shown}"


def _damaged(path: Path, error: Exception) -> InputError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return InputError(f"{path} is not a plain npz file ({reason}); save uint8 images with numpy.savez.")


def open_idx(path: Path) -> Listing:
    """List the images of an IDX file, with the labels in the file beside it: ...-labels-idx1-ubyte, possibly packed.

    Raises:
        InputError: it is damaged, or holds no images.
    """
    array = read_idx(path)
    if array.ndim not in (3, 4):
        raise InputError(f"{path} is an IDX file of shape {array.shape}, not of images; give the one of images.")
    images, note = _as_bytes(array, str(path))
    notes = (note,) if note else ()
    beside = unpacked_or_packed(path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1")))
    if beside is None or beside == path:
        return Listing(path.name, rows(images, None), notes=notes)
    labels = read_idx(beside)
    fitting = labels.shape == (len(array),) and labels.dtype.kind in "iu"
    if not fitting or labels.min(initial=0) < 0 or labels.max(initial=0) >= MOST_CLASSES:
        why = f"{beside.name} has not the number of a class for each image"
        return Listing(path.name, rows(images, None), unlabelled=why, notes=notes)
    classes = tuple(map(str, range(int(labels.max(initial=0)) + 1)))
    return Listing(path.name, rows(images, labels), classes, notes=notes)
