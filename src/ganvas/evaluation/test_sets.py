"""Originals and their low-resolution versions: the published test sets by name, and any folder of images."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch

from ganvas.data import data_dir
from ganvas.data.decode import Unusable, is_image, open_image, to_mode
from ganvas.data.items import Item
from ganvas.data.listing import open_source
from ganvas.data.transforms import degraded
from ganvas.errors import InputError, nearest
from ganvas.imaging import tensors as resize
from ganvas.imaging.grid import Pixels
from ganvas.recipe.damage import MASKS
from ganvas.recipe.degradations import MARGIN, Degradation
from ganvas.recipe.serialization import to_plain
from ganvas.registry import by_name, concrete

NAMES = ("Set5", "Set14", "BSD100", "Urban100", "Manga109")
GREY = {"Set14": ("img_003", "bridge")}
"""Images of one channel in the published archive, which formats without grey (WebP) keep as three."""


@dataclass(frozen=True)
class Pair:
    """An image at two sizes: `high` uint8 (H, W, C), C 1 or 3, and `low` uint8 (H / scale, W / scale, C).

    `damage` is what was done to `low`, uint8 (H / scale, W / scale, 3), 255 where holes, scratches and stains are;
    None where nothing is known of it.
    """

    name: str
    high: Pixels
    low: Pixels
    damage: Pixels | None = None

    @cached_property
    def as_published(self) -> bool:
        """Whether `low` is MATLAB's bicubic of `high`, byte for byte."""
        return not self.differing

    @cached_property
    def differing(self) -> int:
        """Values of `low` that are not those of MATLAB's bicubic of `high`."""
        return int(np.count_nonzero(shrink(self.high, len(self.high) // len(self.low)) != self.low))


@dataclass(frozen=True)
class TestSet:
    """Originals with low-resolution versions of one scale.

    Attributes:
        name: of the set, or of the folder.
        scale: factor between the two sizes.
        items: name, original, and low-resolution file; None where that is made from the original.
        notes: a sentence on files that were skipped.
        rule: the degradation that makes the low-resolution versions, at the same draws for ever; None for MATLAB's
            bicubic, or the files'.
    """

    __test__ = False  # no test of pytest's

    name: str
    scale: int
    items: tuple[tuple[str, Item, Item | None], ...]
    notes: tuple[str, ...] = ()
    rule: Degradation | None = None

    @property
    def about(self) -> str:
        """How the inputs are made, for a protocol; empty for MATLAB's bicubic, or files that are compared with it."""
        if self.rule is None:
            return "" if self.scale > 1 else "files of their own" if self.has_inputs else "the originals"
        fields = hashlib.blake2b(str(sorted(to_plain(self.rule).items())).encode(), digest_size=4).hexdigest()
        return f"{type(self.rule).__name__} with the fields {fields}, drawn by the names of set and picture"

    @property
    def has_inputs(self) -> bool:
        """Whether there is more than originals."""
        return self.rule is not None or all(low for _, _, low in self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Pair]:
        """The pairs one by one, in the order of the files; originals cut at the right and bottom to whole low pixels.

        Raises:
            InputError: a file is not an image or too small, or the low-resolution one has the wrong size.
        """
        for name, original, small in self.items:
            high = _read(self.name, original)
            if name in GREY.get(self.name, ()) and (high == high[..., :1]).all():
                high = high[..., :1]
            high = modcrop(high, self.scale)
            if self.rule:
                yield _spoiled(name, np.ascontiguousarray(np.broadcast_to(high, (*high.shape[:2], 3))), self)
                continue
            height, width, channels = high.shape
            if not small:
                yield Pair(name, high, shrink(high, self.scale))
                continue
            low = _read(self.name, small)
            if low.shape[:2] != (height // self.scale, width // self.scale):
                raise InputError(
                    f"{small.name} of {self.name} is {low.shape[1]} x {low.shape[0]} px and not the"
                    f" {width // self.scale} x {height // self.scale} of its original by {self.scale}; put the right"
                    " file there."
                )
            low = low[..., :1] if channels == 1 else np.broadcast_to(low, (*low.shape[:2], 3))
            yield Pair(name, high, np.ascontiguousarray(low))


def _spoiled(name: str, high: Pixels, pairs: TestSet) -> Pair:
    assert pairs.rule is not None
    # Of the set, too: two sets may have pictures of one name.
    drawn_by = f"{pairs.name}/{name}".encode("utf-8", "replace")
    seed = int.from_bytes(hashlib.blake2b(drawn_by, digest_size=7).digest())
    margin = MARGIN * pairs.scale
    wide = np.pad(high, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    try:
        named = degraded(
            torch.from_numpy(wide).permute(2, 0, 1)[None], pairs.rule, pairs.scale, torch.Generator().manual_seed(seed)
        )
    except (RuntimeError, ValueError):
        raise InputError(
            f"{name} of {pairs.name} is {high.shape[1]} x {high.shape[0]} px, too small for the degradation; remove it."
        ) from None
    damage = (torch.cat([named[one] for one in MASKS], 1)[0] * 255).byte() if named.keys() >= {*MASKS} else None
    low, found = (
        None if x is None else np.ascontiguousarray(x.permute(1, 2, 0).numpy()) for x in (named["input"][0], damage)
    )
    assert low is not None
    return Pair(name, high, low, found)


def modcrop(pixels: Pixels, scale: int) -> Pixels:
    """The image without the last rows and columns that make no whole low-resolution pixel.

    Raises:
        InputError: nothing is left.
    """
    height, width = (length - length % scale for length in pixels.shape[:2])
    if not height or not width:
        raise InputError(
            f"an image of {pixels.shape[1]} x {pixels.shape[0]} px has no low-resolution version at a scale of"
            f" {scale}; give a larger one."
        )
    return pixels[:height, :width]


def shrink(pixels: Pixels, scale: int) -> Pixels:
    """MATLAB's bicubic: uint8 (H, W, C) -> (H / scale, W / scale, C)."""
    return _bicubic(pixels, 1 / scale)


def upscale(pixels: Pixels, scale: int) -> Pixels:
    """MATLAB's bicubic: uint8 (H, W, C) -> (scale * H, scale * W, C)."""
    return _bicubic(pixels, scale)


def _bicubic(pixels: Pixels, scale: float) -> Pixels:
    made = resize.bicubic(torch.from_numpy(np.array(pixels)).permute(2, 0, 1), scale)
    return np.ascontiguousarray(made.permute(1, 2, 0).numpy())


def find_set(source: str, scale: int) -> TestSet:
    """A published set by its name, or a folder or zip file of images; spoiled by a degradation if that comes before.

    As in aged:BSD100 or blind:photos/, with a degradation's name in any case. A folder with HR and LRx4 (for a scale of
    4) in it, or image_SRF_4 as in SelfExSR's archive, gives both sides; of any other the low-resolution side is made by
    MATLAB's bicubic.

    Raises:
        InputError: there is no such set or degradation, it holds no images, or its two sides are not of the same
            images.
    """
    word, _, rest = source.partition(":")
    if rest and not Path(source).exists():
        rule = _rule(word)
        originals = locate(rest) / "HR"
        given = find_set(str(originals) if originals.is_dir() else rest, scale)
        items = tuple((name, item, None) for name, item, _ in given.items)
        return TestSet(f"{word.lower()}:{given.name}", scale, items, given.notes, rule)
    path = locate(source)
    whole = path.resolve()
    name = whole.parent.name if whole.name == "HR" else whole.stem if whole.is_file() else whole.name
    name = next((known for known in NAMES if known.lower() == name.lower()), name)
    if (path / "HR").is_dir():
        return _sides(path, name, scale)
    if (path / f"image_SRF_{scale}").is_dir():
        return _archive(path / f"image_SRF_{scale}", name, scale)
    there = [folder.name for folder in sorted(path.glob("image_SRF_*"))] if path.is_dir() else []
    if there:
        raise _other_scale(name, there, scale, "a folder of the originals alone")
    found, notes = _images(path)
    return TestSet(name, scale, tuple((stem, item, None) for stem, item in found.items()), notes)


def _rule(word: str) -> Degradation:
    known = {name.lower(): kind for name, kind in by_name(concrete(Degradation), word).items()}  # type: ignore[type-abstract]
    if word.lower() not in known:
        raise InputError(
            f"there is no degradation {word!r}{nearest(word.lower(), known)}; give one of {', '.join(known)} before the"
            " colon."
        )
    return known[word.lower()]().always()


def locate(source: str) -> Path:
    """Where a set lies, given by its name or its path.

    Raises:
        InputError: there is no such set.
    """
    path = Path(source)
    if path.is_dir() or (path.is_file() and path.suffix.lower() == ".zip"):
        return path
    known = {name.lower(): name for name in NAMES}.get(source.lower())
    if not known:
        raise InputError(
            f"there is no test set {source!r}{nearest(source, NAMES)}; give {', '.join(NAMES)}, or the path of a folder"
            " of images."
        )
    found = next((place / known for place in _places() if (place / known).is_dir()), None)
    if not found:
        raise InputError(
            f"the test set {known} is not available; put its originals into {data_dir() / known / 'HR'} and their"
            f" low-resolution versions into {data_dir() / known / 'LRx4'}, each pair under one name, or name another"
            " folder than that in GANVAS_DATA."
        )
    return found


def _places() -> list[Path]:
    shared = Path(os.environ.get("GANVAS_SHARED", Path("..") / "shared"))
    return [data_dir(), data_dir() / "sr_eval", shared / "data" / "sr_eval"]


def _sides(path: Path, name: str, scale: int) -> TestSet:
    originals, notes = _images(path / "HR")
    low = path / f"LRx{scale}"
    if not low.is_dir():
        there = [folder.name for folder in sorted(path.glob("LRx*"))]
        if there:
            raise _other_scale(name, there, scale, str(path / "HR"))
        return TestSet(name, scale, tuple((stem, item, None) for stem, item in originals.items()), notes)
    # The files of some archives are called img_001x4.png in the folder of low resolution.
    small = {stem.removesuffix(f"x{scale}"): item for stem, item in _images(low)[0].items()}
    alone = sorted(small.keys() ^ originals.keys())
    if alone:
        raise InputError(
            f"{name} has {alone[0]} in only one of HR and {low.name}, as {len(alone)} images in all; put both sides"
            " of every image there under one name."
        )
    return TestSet(name, scale, tuple((stem, item, small[stem]) for stem, item in originals.items()), notes)


def _archive(folder: Path, name: str, scale: int) -> TestSet:
    found, notes = _images(folder)
    stems = [stem.removesuffix("_HR") for stem in found if stem.endswith("_HR")]
    alone = next((stem for stem in stems if f"{stem}_LR" not in found), None)
    if alone or not stems:
        raise InputError(f"{folder} lacks {alone or 'NAME_HR and NAME'}_LR; fetch the archive again.")
    return TestSet(name, scale, tuple((stem, found[f"{stem}_HR"], found[f"{stem}_LR"]) for stem in stems), notes)


def _other_scale(name: str, there: Sequence[str], scale: int, instead: str) -> InputError:
    return InputError(
        f"{name} has low-resolution versions in {', '.join(there)} alone, and the model upscales by {scale}; give"
        f" {instead} to make those of that scale, or a model of another scale."
    )


def _images(source: Path) -> tuple[dict[str, Item], tuple[str, ...]]:
    """The files that begin as images, by their names without endings, and a sentence on the others."""
    found: dict[str, Item] = {}
    items = open_source(str(source)).items
    images = [item for item in items if is_image(partial(_content, item))]
    for item in images:
        stem = item.name.rpartition(".")[0] or item.name
        if stem in found:
            raise InputError(f"{source} holds {item.name} and {found[stem].name}; give the images different names.")
        found[stem] = item
    if not found:
        raise InputError(f"{source} holds no images; give a folder with some.")
    others = len(items) - len(found)
    return found, ((f"{others} files in {source} are not images and were skipped.",) if others else ())


def _content(item: Item) -> bytes:
    content = item.read()
    assert isinstance(content, bytes)  # of a file, as locate lets no array through
    return content


def _read(name: str, item: Item) -> Pixels:
    try:
        image = open_image(item.read())
        grey = image.mode in ("1", "L", "LA") or image.mode.startswith("I")
        return np.atleast_3d(np.asarray(to_mode(image, 1 if grey else 3)))
    except (Unusable, OSError) as error:
        raise InputError(f"{item.name} of {name} cannot be measured: {error}; remove or repair it.") from None
