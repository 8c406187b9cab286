"""Features of images; those of reals are cached, since all runs of a study are compared with the same."""

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


def remembered(extractor: Extractor, pixels: Pixels, advance: Callable[[int], object]) -> Extracted:
    """What `extractor.extract` gives, from the cache if these images were extracted before."""
    key = f"{FORMAT} {extractor.name} {extractor.weights} {extractor.resize} {pixels.shape}".encode()
    digest = hashlib.blake2b(key + np.ascontiguousarray(pixels).tobytes(), digest_size=20).hexdigest()
    file = cache_dir() / f"features-{digest}.npz"
    try:
        with np.load(file, allow_pickle=False) as kept:
            found = Extracted(kept["features"], kept["probabilities"])
        advance(len(pixels))
        return found
    except Exception:  # not there yet, or damaged in one of the many ways that a zip file can be
        found = extractor.extract(pixels, advance=advance)
    with suppress(InputError):  # a full disk is no reason to lose the figures
        write_atomically(file, partial(_save, found=found))
    return found


def _save(path: Path, found: Extracted) -> None:
    with path.open("wb") as out:
        np.savez(out, features=found.features, probabilities=found.probabilities)
