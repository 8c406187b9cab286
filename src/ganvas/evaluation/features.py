"""Features of images, cached: all runs of a study are compared with the same reals, and a model is measured again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from ganvas.data import cache_dir
from ganvas.errors import InputError
from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels
from ganvas.metrics.extractors import Extracted, Extractor

FORMAT = 1  # of the cache; a new number makes every old file unknown
ROOM = 2 * 2**30  # bytes that the cached features may take; those that were not needed for longest go first


def remembered(extractor: Extractor, pixels: Pixels, advance: Callable[[int], object]) -> Extracted:
    """What `extractor.extract` gives, from the cache if these images were extracted before."""
    key = f"{FORMAT} {extractor.name} {extractor.weights} {extractor.resize} {pixels.shape}".encode()
    digest = hashlib.blake2b(key + np.ascontiguousarray(pixels).tobytes(), digest_size=20).hexdigest()
    file = cache_dir() / f"features-{digest}.npz"
    try:
        with np.load(file, allow_pickle=False) as kept:
            found = Extracted(kept["features"], kept["probabilities"])
        with suppress(OSError):
            file.touch()
        advance(len(pixels))
        return found
    except Exception:  # not there yet, or damaged in one of the many ways that a zip file can be
        found = extractor.extract(pixels, advance=advance)
    with suppress(InputError):  # a full disk is no reason to lose the figures
        write_atomically(file, partial(_save, found=found))
        _make_room(file)
    return found


def _make_room(newest: Path) -> None:
    """Delete the files that were needed longest ago beyond `ROOM`, but not the newest."""
    found = []
    for file in newest.parent.glob("features-*.npz"):
        with suppress(OSError):  # another process may have deleted it
            found.append((file.stat().st_mtime, file.stat().st_size, file))
    taken = 0
    for _, size, file in sorted(found, reverse=True):
        taken += size
        if taken > ROOM and file != newest:
            with suppress(OSError):
                file.unlink()


def _save(path: Path, found: Extracted) -> None:
    with path.open("wb") as out:
        np.savez(out, features=found.features, probabilities=found.probabilities)
