"""The image cache: images are decoded once, to uint8, into a file that is named by a hash of their content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ganvas.data.base import Skipped
from ganvas.data.decode import Unusable
from ganvas.data.items import Item, Listing
from ganvas.data.workers import Workers, start_workers
from ganvas.errors import InputError
from ganvas.imaging.grid import Pixels
from ganvas.untrusted import read_object

Decode = Callable[[bytes | Pixels], Pixels]


def cache_dir() -> Path:
    """The folder of decoded images: $GANVAS_CACHE, or else a folder in the user's cache."""
    # The folder keeps its old name: under a new one everything would be decoded again.
    return Path(os.environ.get("GANVAS_CACHE") or Path.home() / ".cache" / "ganvas" / "pictures")


def decode_images(
    listing: Listing, recipe: str, decode: Decode, *, workers: int, progress: bool
) -> tuple[Path, dict[str, Any]]:
    """Decode the images of a listing into a folder of the cache, one after the other in images.u8, unless it exists.

    Args:
        recipe: identifies what `decode` does; hashed together with the content into the folder's name.

    Returns:
        The folder, and a description of the images: labels, sides (height and width) and skipped files.

    Raises:
        InputError: no image can be decoded, or the cache cannot be written.
    """
    with start_workers(workers, progress=progress) as working:
        folder = cache_dir() / _fingerprint(listing, recipe, working)
        try:
            return folder, _about(folder)
        except FileNotFoundError:
            pass
        except (OSError, InputError, ValueError, KeyError, TypeError):
            # It was complete when it got its name, but has been damaged since.
            shutil.rmtree(folder, ignore_errors=True)
        _decode(listing, folder, working, decode)
        return folder, _about(folder)


def _about(folder: Path) -> dict[str, Any]:
    if not (folder / "about.json").exists():
        raise FileNotFoundError
    about = read_object(folder / "about.json")
    if (folder / "images.u8").stat().st_size != about["bytes"]:
        raise ValueError("truncated")
    about["skipped"] = tuple(Skipped(**entry) for entry in about["skipped"])
    return about


def _fingerprint(listing: Listing, recipe: str, working: Workers) -> str:
    def digest(item: Item) -> bytes:
        try:
            content = item.read()
        except Exception as error:
            content = type(error).__name__.encode()  # its message may contain a path
        kind = f"{item.name}|{item.label}|{getattr(content, 'shape', '')}"
        return hashlib.blake2b(kind.encode() + bytes(content), digest_size=20).digest()

    whole = hashlib.blake2b(recipe.encode(), digest_size=20)
    for one in working.each(digest, listing.items, "reading"):
        whole.update(one)
    return whole.hexdigest()


def _decode(listing: Listing, folder: Path, working: Workers, decode: Decode) -> None:
    def decode_item(item: Item) -> Pixels | Skipped:
        try:
            return decode(item.read())
        except Unusable as error:
            return Skipped(item.name, str(error))
        except Exception as error:  # a damaged member of an archive, an unreadable file
            return Skipped(item.name, f"it cannot be read ({error})")

    skipped: list[dict[str, str]] = []
    labels: list[int | None] = []
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
                    labels.append(item.label)
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
        about = {"bytes": size, "labels": labels, "sides": sides, "skipped": skipped}
        with (part / "about.json").open("w", encoding="utf-8") as file_:
            json.dump(about, file_)
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
