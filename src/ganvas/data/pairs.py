"""Pairs of pictures: two of equal size side by side in one file, or two files of one name, the second maybe larger."""

from __future__ import annotations

from functools import partial
from pathlib import PurePosixPath

import numpy as np

from ganvas.data.base import Skipped
from ganvas.data.decode import Unusable, open_image, to_mode
from ganvas.data.items import Item, Listing
from ganvas.errors import InputError
from ganvas.imaging.grid import Pixels


def beside(before: Listing, after: Listing, scale: int = 1) -> Listing:
    """Every picture with the one of its name, endings aside, to its right: uint8 (H, 2 W, 3).

    Those before are `scale` times smaller, and their pixels are repeated. One that has no partner, or one of another
    size, cannot be used, and says so when it is read.

    Raises:
        InputError: no name is in both.
    """
    left, right = _by_name(before), _by_name(after)
    if not left.keys() & right.keys():
        names = [listing.items[0].name for listing in (before, after)]
        raise InputError(
            f"{before.name} and {after.name} hold no picture of the same name, endings aside (such as {names[0]} and"
            f" {names[1]}); name both pictures of a pair alike."
        )
    items = []
    for key in dict.fromkeys([*left, *right]):
        sides = [(listing.name, found.get(key, [])) for listing, found in ((before, left), (after, right))]
        name = next(item.name for _, found in sides for item in found)
        items.append(Item(name, partial(_join, key, sides, scale)))
    return Listing(f"{before.name} and {after.name}", items, notes=(*before.notes, *after.notes))


def halves(pixels: Pixels) -> Pixels:
    """(H, 2 W, C) -> (H, W, 2 C), the left half first.

    Raises:
        Unusable: the width is odd.
    """
    if pixels.shape[1] % 2:
        raise Unusable(
            f"{pixels.shape[1]} x {pixels.shape[0]} pixels are no two pictures of equal size side by side: the width is"
            " odd; cut it, or give two folders"
        )
    return np.concatenate(np.split(pixels, 2, axis=1), axis=2)


def _by_name(listing: Listing) -> dict[str, list[Item]]:
    """The items by their names without endings; a table or text beside a picture keeps its own, and is no rival."""
    found: dict[str, list[Item]] = {}
    for item in listing.items:
        aside = Skipped(item.name, "").is_aside
        found.setdefault(item.name if aside else str(PurePosixPath(item.name).with_suffix("")), []).append(item)
    return found


def _join(key: str, sides: list[tuple[str, list[Item]]], scale: int) -> Pixels:
    """The pictures of one pair side by side, each pixel of the first `scale` times in both directions.

    Raises:
        Unusable: there are not two whose sizes fit; or one is no picture, and the message says which.
    """
    for folder, found in sides:
        if not found:
            raise Unusable(f"{folder} has no picture of the name {key}; add it, or remove this one")
        if len(found) > 1:
            raise Unusable(f"{folder} has both {found[0].name} and {found[1].name}; keep one of them")
    names = [f"{folder}/{found[0].name}" for folder, found in sides]
    pictures = []
    for name, (_, found) in zip(names, sides, strict=True):
        try:
            pictures.append(np.asarray(to_mode(open_image(found[0].read()), 3)))
        except Unusable as error:
            raise Unusable(f"{name}: {error}") from None
    small, large = pictures
    if any(scale * a != b for a, b in zip(small.shape[:2], large.shape[:2], strict=True)):
        sizes = [f"{picture.shape[1]} x {picture.shape[0]}" for picture in pictures]
        fitting = "the size of the other" if scale == 1 else f"{scale} times the other's sides"
        raise Unusable(f"{names[0]} has {sizes[0]} pixels and {names[1]} {sizes[1]}; cut or resize one to {fitting}")
    return np.concatenate([small.repeat(scale, 0).repeat(scale, 1), large], axis=1)
