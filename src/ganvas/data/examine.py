"""Examine a source before training: sizes, modes, classes, and everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from PIL import Image, ImageOps

from ganvas.data.base import Skipped
from ganvas.data.decode import Unusable, float_range, open_image, strips, to_mode
from ganvas.data.items import Item, Listing
from ganvas.data.listing import open_source
from ganvas.data.pairs import halves
from ganvas.data.workers import start_workers
from ganvas.imaging.grid import Pixels, grid, label_rows

TILE = 48  # side in pixels of an image on the contact sheet


@dataclass
class Examination:
    """The findings about one source."""

    name: str
    files: int
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """Width and height of every usable image, upright; of a pair, those of either picture."""
    modes: Counter[str] = field(default_factory=Counter)
    """Format and colour mode, as in ``JPEG RGB``."""
    labels: Counter[str] = field(default_factory=Counter)
    """Number of usable images in every class; empty if there are no classes."""
    skipped: list[Skipped] = field(default_factory=list)
    """Files that cannot be used."""
    notes: tuple[str, ...] = ()
    """Choices that were made for the user, such as between several arrays of a file."""
    duplicates: list[list[str]] = field(default_factory=list)
    """Groups of names of images with equal pixels."""
    mean: tuple[float, ...] = ()
    """Mean of red, green and blue, 0 to 255, with equal weight for every image."""
    spread: tuple[float, ...] = ()
    """Standard deviation of red, green and blue over all images."""
    sheet: Pixels | None = None
    """Contact sheet, uint8 (H, W, 3): a named row for each class, or images evenly spaced over the source."""
    tiles: Pixels | None = None
    """The images on the contact sheet, uint8 (N, TILE, TILE, 3); pairs are twice as wide."""

    @property
    def usable(self) -> int:
        """The number of images that can be trained on."""
        return sum(self.sizes.values())


@dataclass(frozen=True)
class _ImageFacts:
    size: tuple[int, int]
    mode: str
    digest: bytes
    moments: Pixels
    tile: Pixels


def examine(
    source: str,
    *,
    column: str = "",
    labels: str = "",
    after: str = "",
    pairs: bool = False,
    scale: int = 1,
    workers: int = 0,
    progress: bool = False,
) -> Examination:
    """Open every image of a source once and report what was found.

    Args:
        column: column of a parquet file, or array of an npz file, with the images; empty for the first that fits.
        labels: the one with their labels.
        after: another source, with the right picture of every pair; empty for none.
        pairs: every image holds two pictures side by side.
        scale: how many times larger the right picture is than the left one.

    Raises:
        InputError: a source does not exist, or has no such column or array.
    """
    listing = open_source(source, column, labels, after, scale)
    found = Examination(listing.name, len(listing.items), notes=listing.notes)
    found.labels.update(dict.fromkeys(listing.classes, 0))  # in label order, including empty classes
    names: dict[bytes, list[str]] = defaultdict(list)
    moments = []
    tiles: dict[int, list[Pixels]] = defaultdict(list)
    wanted = _wanted(listing)
    with start_workers(workers, progress=progress) as working:
        examined = working.each(partial(_examine_item, pairs=pairs or bool(after)), listing.items, "examining")
        for index, (item, facts) in enumerate(zip(listing.items, examined, strict=True)):
            if isinstance(facts, Skipped):
                found.skipped.append(facts)
                continue
            found.sizes[facts.size] += 1
            found.modes[facts.mode] += 1
            if item.label is not None:
                found.labels[listing.classes[item.label]] += 1
            names[facts.digest].append(item.name)
            moments.append(facts.moments)
            if index in wanted:
                tiles[item.label or 0].append(facts.tile)
    found.duplicates = [group for group in names.values() if len(group) > 1]
    if moments:
        mean, square = np.mean(moments, axis=0)
        found.mean, found.spread = tuple(mean), tuple(np.sqrt(np.maximum(square - mean**2, 0)))
        columns = 10
        rows = [row for _, row in sorted(tiles.items())]
        found.tiles = np.stack([tile for row in rows for tile in row])
        if len(rows) > 1:
            blank = np.full_like(found.tiles[0], 255)
            rows = [row + [blank] * (columns - len(row)) for row in rows]
        row_names = [listing.classes[label] for label in sorted(tiles)] if listing.classes else []
        found.sheet = label_rows(grid(np.stack([tile for row in rows for tile in row]), columns), row_names)
    return found


def _examine_item(item: Item, pairs: bool) -> _ImageFacts | Skipped:
    try:
        image = open_image(item.read())
        kind = f"{image.format or 'array'} {image.mode}"
        if image.mode == "F":
            kind += f", taken as {float_range(image)}"
        frames = getattr(image, "n_frames", 1)
        upright = to_mode(image, 3)
        pictures = _pictures(upright, pairs)
    except Unusable as error:
        return Skipped(item.name, str(error))
    except Exception as error:  # a damaged member of an archive, an unreadable file
        return Skipped(item.name, f"it cannot be read ({error})")
    width, height = upright.size
    shares = np.reshape(upright.histogram(), (3, 256)) / (width * height)
    values = np.arange(256.0)
    moments = np.stack([shares @ values, shares @ values**2])
    digest = hashlib.blake2b(str((height, width, 3)).encode(), digest_size=16)
    for strip in strips(upright):
        digest.update(strip.tobytes())
    tiles = [np.asarray(ImageOps.fit(one, (TILE, TILE), Image.Resampling.LANCZOS)) for one in pictures]
    several = f", {frames} frames" if frames > 1 else ""
    return _ImageFacts((width // len(pictures), height), kind + several, digest.digest(), moments, np.hstack(tiles))


def _pictures(image: Image.Image, pairs: bool) -> list[Image.Image]:
    if not pairs:
        return [image]
    return [Image.fromarray(one) for one in np.split(halves(np.asarray(image)), 2, axis=2)]


def _wanted(listing: Listing) -> set[int]:
    """Indices of the images on the contact sheet: ten from each of the first ten classes, or a hundred in all."""
    if not listing.classes:
        return {int(i) for i in np.linspace(0, len(listing.items) - 1, min(100, len(listing.items)))}
    by_class: dict[int | None, list[int]] = defaultdict(list)
    for index, item in enumerate(listing.items):
        by_class[item.label].append(index)
    chosen = set()
    for label in range(min(10, len(listing.classes))):
        members = by_class[label]
        if members:
            chosen |= {members[int(i)] for i in np.linspace(0, len(members) - 1, min(10, len(members)))}
    return chosen
