"""The image cache: images are decoded once, to uint8, into a file that is named by a hash of their content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from numpy.typing import NDArray

from ganvas.data.base import Skipped
from ganvas.data.decode import Unusable
from ganvas.data.items import Item, Listing
from ganvas.data.listing import open_source, source_files
from ganvas.data.opened import keep, recall, state_of
from ganvas.data.workers import Workers, start_workers
from ganvas.errors import InputError
from ganvas.files import kept_in
from ganvas.imaging.grid import Pixels
from ganvas.untrusted import Json, read_object

Decode = Callable[[bytes | Pixels], Pixels]


def cache_dir() -> Path:
    """The folder of decoded images: $GANVAS_CACHE, or else a folder in the user's cache."""
    # The folder keeps its old name: under a new one everything would be decoded again.
    return kept_in("GANVAS_CACHE", "pictures")


@dataclass(frozen=True)
class Decoded:
    """The decoded images of a source.

    Attributes:
        pixels: path of a file with the uint8 pixels of one image after the other.
        fingerprint: changes with any image, label or name, and with how the images were decoded.
        labels: int64 (N,), or None if the source has no classes.
        sides: int64 (N, 2), height and width of each image.
        skipped: files that cannot be used.
        name, classes, unlabelled, notes: see `Listing`.
    """

    pixels: Path
    fingerprint: str
    labels: NDArray[np.int64] | None
    sides: NDArray[np.int64]
    skipped: tuple[Skipped, ...]
    name: str
    classes: tuple[str, ...]
    unlabelled: str
    notes: tuple[str, ...]


def decode_source(
    source: str,
    column: str,
    labels: str,
    manner: str,
    decode: Decode,
    *,
    after: str = "",
    scale: int = 1,
    workers: int,
    progress: bool,
) -> Decoded:
    """Decode the images of a source into a file of the cache, unless it exists.

    A source that has been opened before, and whose files have not changed since, is not even read.

    Args:
        source, column, labels, after, scale: see `open_source`.
        manner: identifies what `decode` does, with ``{classes}`` where the names of the classes matter; hashed together
            with the content into the fingerprint.

    Raises:
        InputError: the source is not available, no image can be decoded, or the cache cannot be written.
    """
    paths = [*source_files(source), *(source_files(after) if after else ())]
    state = state_of(paths, source, column, labels, manner, *filter(None, [after, str(scale) * (scale > 1)]))
    if found := _find(recall(cache_dir(), state)):
        return found
    listing = open_source(source, column, labels, after, scale)
    with start_workers(workers, progress=progress) as working:
        fingerprint, readable = _fingerprint(listing, manner.format(classes=listing.classes), working)
        facts: Json = {"fingerprint": fingerprint, "name": listing.name, "classes": listing.classes}
        facts |= {"unlabelled": listing.unlabelled, "notes": listing.notes}
        found = _find(facts)
        if not found:
            # It was complete when it got its name, but may have been damaged since.
            shutil.rmtree(_folder(fingerprint), ignore_errors=True)
            _decode(listing, _folder(fingerprint), working, decode)
            found = _find(facts)
    if not found:
        raise InputError(
            f"{_folder(fingerprint)} holds damaged images and cannot be replaced; remove it, or set GANVAS_CACHE to"
            " another folder."
        )
    if readable:
        keep(cache_dir(), state, facts)
    return found


def count_items(source: str, column: str = "", labels: str = "") -> int:
    """The number of files or rows of a source, whether they are usable images or not.

    Args:
        source, column, labels: see `open_source`.

    Raises:
        InputError: the source is not available.
    """
    state = state_of(source_files(source), source, column, labels)
    kept = (recall(cache_dir(), state) or {}).get("count")
    if isinstance(kept, int):
        return kept
    count = len(open_source(source, column, labels).items)
    keep(cache_dir(), state, {"count": count})
    return count


def _folder(fingerprint: str) -> Path:
    # Another number for another format, as versions of ganvas may share the cache.
    return cache_dir() / f"{fingerprint}-2"


def _find(facts: Json | None) -> Decoded | None:
    try:
        return _decoded(**facts) if facts else None
    except Exception:  # whatever a damaged file makes its reader raise; it is made again
        return None


def _decoded(fingerprint: str, name: str, classes: Sequence[str], unlabelled: str, notes: Sequence[str]) -> Decoded:
    folder = _folder(fingerprint)
    about = read_object(folder / "about.json")
    if (folder / "images.u8").stat().st_size != about["bytes"]:
        raise ValueError("truncated")
    labels, sides = (np.load(folder / f"{array}.npy", allow_pickle=False) for array in ("labels", "sides"))
    return Decoded(
        folder / "images.u8",
        fingerprint,
        labels if classes else None,
        sides,
        tuple(Skipped(**entry) for entry in about["skipped"]),
        name,
        tuple(classes),
        unlabelled,
        tuple(notes),
    )


def _fingerprint(listing: Listing, manner: str, working: Workers) -> tuple[str, bool]:
    """A hash of the content, and whether the system could read all of it: if not, it may the next time."""
    failed: list[str] = []

    def digest(item: Item) -> bytes:
        try:
            content = item.read()
        except Exception as error:
            content = type(error).__name__.encode()  # its message may contain a path
            if isinstance(error, OSError | MemoryError):
                failed.append(item.name)
        kind = f"{item.name}|{item.label}|{getattr(content, 'shape', '')}"
        return hashlib.blake2b(kind.encode() + bytes(content), digest_size=20).digest()

    whole = hashlib.blake2b(manner.encode(), digest_size=20)
    for one in working.each(digest, listing.items, "reading"):
        whole.update(one)
    return whole.hexdigest(), not failed


def _decode(listing: Listing, folder: Path, working: Workers, decode: Decode) -> None:
    def decode_item(item: Item) -> Pixels | Skipped:
        try:
            return decode(item.read())
        except Unusable as error:
            return Skipped(item.name, str(error))
        except Exception as error:  # a damaged member of an archive, an unreadable file
            return Skipped(item.name, f"it cannot be read ({error})")

    skipped: list[dict[str, str]] = []
    labels: list[int] = []
    sides: list[tuple[int, ...]] = []
    part = _new_folder(folder)
    try:
        with (part / "images.u8").open("wb") as file:
            rows = working.each(decode_item, listing.items, "decoding")
            for item, row in zip(listing.items, rows, strict=True):
                if isinstance(row, Skipped):
                    skipped.append({"name": row.name, "reason": row.reason})
                else:
                    file.write(row.tobytes())
                    labels.append(-1 if item.label is None else item.label)
                    sides.append(row.shape[:2])
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        if not labels:
            first = f"{skipped[0]['name']}: {skipped[0]['reason']}"
            raise InputError(
                f"{listing.name} has {len(skipped)} files, but none is a usable image ({first}); give a source of"
                " images."
            )
        np.save(part / "labels.npy", np.array(labels, np.int64))
        np.save(part / "sides.npy", np.array(sides, np.int64))
        with (part / "about.json").open("w", encoding="utf-8") as file_:
            json.dump({"bytes": size, "skipped": skipped}, file_)
            file_.flush()
            os.fsync(file_.fileno())
        try:
            part.rename(folder)
        except OSError:
            # Another process was faster with the same content; its files are the same.
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
        f"cannot write decoded images to {folder.parent} ({error.strerror}); free some space, or set GANVAS_CACHE to"
        " another folder."
    )
