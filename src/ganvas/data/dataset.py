"""Data in memory. Images are decoded once: uint8 at the training size, in a file of the cache that is named by their
content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ganvas.data.builtin import COUNTS
from ganvas.data.decode import Pixels, Unusable, prepare
from ganvas.data.listing import Item, Listing, open_source
from ganvas.errors import InputError
from ganvas.recipe.sources import Crops, Images, Mixture2D, Source

FORMAT = 1  # part of every fingerprint: a new number makes old caches unknown, and old runs without their data
CHUNK = 1024  # pictures under way at once: bounds the memory


@dataclass(frozen=True)
class Skipped:
    """A file that cannot be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """Decoded pictures, or points of the plane.

    Attributes:
        images: uint8 (N, H, W, C), usually mapped from the cache's file; of points float32 (N, 2).
        labels: int64 (N,), or None where the source has no classes.
        classes: their names.
        skipped: files that could not be used.
        fingerprint: changes with any picture, label, name, and with how they were resized.
        name: of the source.
        kind: what the rows are called in messages.
        rows: which rows of `images` belong to this part, or None for all; `labels` has these rows' labels only.
        unlabelled: why there are no labels, where there seem to be some.
    """

    images: NDArray[Any]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    fingerprint: str = ""
    name: str = ""
    kind: str = "pictures"
    rows: NDArray[np.int64] | None = None
    unlabelled: str = ""

    def __len__(self) -> int:
        return len(self.images) if self.rows is None else len(self.rows)

    def take(self, index: NDArray[np.int64] | slice) -> NDArray[Any]:
        """Copies of some rows of `images`, by their number within this part."""
        return np.array(self.images[index if self.rows is None else self.rows[index]])

    def spread(self, count: int) -> NDArray[Any]:
        """Copies of at most `count` rows of `images`, evenly spaced over this part."""
        return self.take(self._spaced(min(count, len(self))))

    def shares(self, count: int) -> NDArray[np.int64]:
        """`count` labels, each class as often as its share of this part says: those of the rows that `spread` copies.

        Where there are fewer rows than `count`, some stand for several.
        """
        assert self.labels is not None
        return self.labels[self._spaced(count)]

    def of_class(self, label: int) -> NDArray[np.int64]:
        """The numbers within this part of all rows of a class."""
        assert self.labels is not None
        return np.flatnonzero(self.labels == label)

    def _spaced(self, count: int) -> NDArray[np.int64]:
        return np.linspace(0, len(self) - 1, count).round().astype(np.int64)

    def split(self, held_out: float) -> tuple[Dataset, Dataset]:
        """The part to train on, and every k-th picture with k = 1 / `held_out`, which is not trained on."""
        every = _every(held_out, len(self))
        kept = np.arange(len(self)) % every == every - 1
        return self._part(np.flatnonzero(~kept)), self._part(np.flatnonzero(kept))

    def _part(self, index: NDArray[np.int64]) -> Dataset:
        labels = None if self.labels is None else self.labels[index]
        return replace(self, rows=index if self.rows is None else self.rows[index], labels=labels)


def _every(held_out: float, count: int) -> int:
    return round(min(1 / held_out, count + 1)) if held_out else count + 1


def cache_dir() -> Path:
    """Where decoded pictures are kept: $GANVAS_CACHE, else a folder in the user's cache."""
    return Path(os.environ.get("GANVAS_CACHE") or Path.home() / ".cache" / "ganvas" / "pictures")


def open_data(source: Source, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset:
    """The data of any source, each of the given shape: (C, H, W) of pictures, (2,) of points.

    Raises:
        InputError: as `load`.
    """
    if isinstance(source, Crops):
        from ganvas.data.photos import load_photographs

        return load_photographs(source, size=shape[-1], channels=shape[0], workers=workers, progress=progress)
    if isinstance(source, Images):
        return load(source, size=shape[-1], channels=shape[0], workers=workers, progress=progress)
    assert isinstance(source, Mixture2D)
    points = source.sample(source.count)
    digest = hashlib.blake2b(points.tobytes(), digest_size=20).hexdigest()
    return Dataset(points, fingerprint=digest, name=source.shape, kind="points")


def load(pictures: Images, *, size: int, channels: int, workers: int = 0, progress: bool = False) -> Dataset:
    """Decode a source to `size` px and 1 or 3 channels, or take it from the cache if its content was decoded before.

    Args:
        workers: threads; 0 is one per core.
        progress: show bars on stderr.

    Raises:
        InputError: the source is not to be had, or no picture in it can be used.
    """
    listing = open_source(pictures.source)
    how = size, channels, pictures.fit
    recipe = f"{FORMAT} {size} {channels} {pictures.fit} {listing.classes}"
    folder, about = decoded(listing, recipe, lambda content: prepare(content, *how), workers=workers, progress=progress)
    images = np.memmap(folder / "images.u8", np.uint8, "r", shape=(len(about["labels"]), size, size, channels))
    labels = np.array(about["labels"], np.int64) if listing.classes else None
    return Dataset(
        images,
        labels,
        listing.classes,
        about["skipped"],
        folder.name,
        listing.name,
        unlabelled=listing.unlabelled,
    )


def decoded(
    listing: Listing, recipe: str, decode: Callable[[bytes | Pixels], Pixels], *, workers: int, progress: bool
) -> tuple[Path, dict[str, Any]]:
    """The folder of the cache with the pictures of a listing as `decode` makes them, one after the other in images.u8.

    Args:
        recipe: says what `decode` does; with the content it names the folder.

    Returns:
        The folder, and what is known of the pictures: labels, sides (height and width), and the files skipped.

    Raises:
        InputError: none can be decoded, or the cache cannot be written.
    """
    with _workers(workers) as pool, _bar(progress) as bar:
        folder = cache_dir() / _fingerprint(listing, recipe, pool, bar)
        try:
            return folder, _about(folder)
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError):
            # It was whole when it got its name, but has been cut since.
            shutil.rmtree(folder, ignore_errors=True)
        _decode(listing, folder, pool, bar, decode)
        return folder, _about(folder)


def _about(folder: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    if (folder / "images.u8").stat().st_size != about["bytes"]:
        raise ValueError("cut")
    about["skipped"] = tuple(Skipped(**entry) for entry in about["skipped"])
    return about


def count(source: Source, shape: tuple[int, ...]) -> int:
    """How many pictures or points of a source are trained on; named sets are known, others are decoded for it.

    Raises:
        InputError: as `load`.
    """
    known = source.count if isinstance(source, Mixture2D) else COUNTS.get(source.title)
    found = known or len(open_data(source, shape, progress=True))
    return found - found // _every(source.held_out, found)


def _fingerprint(listing: Listing, recipe: str, pool: ThreadPoolExecutor, bar: Progress) -> str:
    def digest(item: Item) -> bytes:
        try:
            content = item.read()
        except Exception as error:
            content = type(error).__name__.encode()  # its message may name the place
        kind = f"{item.name}|{item.label}|{getattr(content, 'shape', '')}"
        return hashlib.blake2b(kind.encode() + bytes(content), digest_size=20).digest()

    whole = hashlib.blake2b(recipe.encode(), digest_size=20)
    for one in _ordered(pool, digest, listing.items, bar, "reading"):
        whole.update(one)
    return whole.hexdigest()


def _decode(
    listing: Listing,
    folder: Path,
    pool: ThreadPoolExecutor,
    bar: Progress,
    decode: Callable[[bytes | Pixels], Pixels],
) -> None:
    def decode_item(item: Item) -> Pixels | Skipped:
        try:
            return decode(item.read())
        except Unusable as error:
            return Skipped(item.name, str(error))
        except Exception as error:  # a damaged member of an archive, a file that may not be read
            return Skipped(item.name, f"it cannot be read ({error})")

    skipped: list[dict[str, str]] = []
    labels: list[int | None] = []
    sides: list[tuple[int, ...]] = []
    part = _new_folder(folder)
    try:
        with (part / "images.u8").open("wb") as file:
            for item, row in zip(
                listing.items, _ordered(pool, decode_item, listing.items, bar, "decoding"), strict=True
            ):
                if isinstance(row, Skipped):
                    skipped.append({"name": row.name, "reason": row.reason})
                else:
                    file.write(row.tobytes())
                    labels.append(item.label)
                    sides.append(row.shape[:2])
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        if not labels:
            first = f"{skipped[0]['name']}: {skipped[0]['reason']}"
            raise InputError(
                f"none of the {len(skipped)} files in {listing.name} can be used ({first}); give a source of pictures."
            )
        about = {"bytes": size, "labels": labels, "sides": sides, "skipped": skipped}
        with (part / "about.json").open("w", encoding="utf-8") as file_:
            json.dump(about, file_)
            file_.flush()
            os.fsync(file_.fileno())
        try:
            part.rename(folder)
        except OSError:
            # Another process was quicker with the same content; its files serve as well.
            if not (folder / "about.json").is_file():
                raise
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _new_folder(beside: Path) -> Path:
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        return Path(mkdtemp(prefix=f".{beside.name}.", dir=beside.parent))
    except OSError as error:
        raise _cannot_write(beside, error) from error


def _cannot_write(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot write decoded pictures to {folder.parent} ({error.strerror}); free some space, or name another"
        " folder in GANVAS_CACHE."
    )


def _ordered(pool: ThreadPoolExecutor, work: Any, items: list[Item], bar: Progress, what: str) -> Iterator[Any]:
    task = bar.add_task(what, total=len(items))
    left = iter(items)
    while chunk := list(islice(left, CHUNK)):
        for result in pool.map(work, chunk):
            yield result
            bar.advance(task)


@contextmanager
def _workers(count: int) -> Iterator[ThreadPoolExecutor]:
    # Pillow warns of bombs, which are refused by the same limit, and of odd metadata, which decide nothing.
    with ThreadPoolExecutor(count or os.cpu_count()) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pool


def _bar(show: bool) -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not (show and console.is_terminal),
    )
