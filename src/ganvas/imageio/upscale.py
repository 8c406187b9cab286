"""One photo, upscaled into a file by a model; what the new file can hold of its metadata is preserved."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

import ganvas
from ganvas.errors import InputError
from ganvas.files import temporary
from ganvas.imageio import exif
from ganvas.imageio.interrupts import deferred
from ganvas.imageio.metadata import noted
from ganvas.imageio.reading import Photo, Plane
from ganvas.imageio.writing import BITS, ENDING, Rows, check_fits, write_photo
from ganvas.imaging.tensors import imresize

if TYPE_CHECKING:
    from ganvas.inference.upscaler import Upscaler, UpscaleReport

Floats = NDArray[np.float32]
OnProgress = Callable[[float], None]
BAND, REACH = 16, 2  # rows of transparency made at once, and how far bicubic interpolation sees


@dataclass(frozen=True)
class OutputOptions:
    """How photos are to be upscaled.

    Attributes:
        scale: how many times the sides grow; 0 for the model's own scale, else between 1 and that.
        form: format of the result; empty for that of the photo.
        quality: of JPEG, WebP and AVIF, 1 to 100; 0 for the format's own default.
        colour_lock: keep the photo's colours where the model would shift them.
    """

    scale: float = 0
    form: str = ""
    quality: int = 0
    colour_lock: bool = True

    def scale_for(self, upscaler: Upscaler) -> float:
        """How many times the sides grow with this model.

        Raises:
            InputError: the model cannot do so.
        """
        if self.scale and not 1 <= self.scale <= upscaler.scale:
            raise InputError(
                f"--scale {self.scale:g} is out of range: {upscaler.name} upscales by {upscaler.scale}; give 1 to"
                f" {upscaler.scale}, or a model of a larger scale."
            )
        return self.scale or upscaler.scale

    def form_for(self, photo: Photo) -> str:
        """The format of the result for a photo."""
        return self.form or (photo.form if photo.form in ENDING else "png")


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        report: the model's `Report` of the colours.
        notes: what of the photo the file does not have, and why.
        frames: of a video.
    """

    path: Path
    width: int
    height: int
    report: UpscaleReport | None
    notes: tuple[str, ...]
    frames: int = 1

    @property
    def megapixels(self) -> float:
        """Millions of pixels of the result, of all frames."""
        return self.width * self.height * self.frames / 1e6


def upscale_photo(
    photo: Photo,
    upscaler: Upscaler,
    path: Path,
    options: OutputOptions,
    *,
    on_progress: OnProgress = lambda share: None,
    before: Callable[[Path], object] = lambda part: None,
) -> Written:
    """Upscale a photo into a file, which appears whole or not at all.

    Args:
        on_progress: called with the share of the rows that is done.
        before: called with the finished temporary file before it gets its name.

    Raises:
        UnusableFile: the photo is damaged, or too large for the format.
        OSError: the file cannot be written.
        InputError: the model cannot make it.
    """
    form = options.form_for(photo)
    times = options.scale_for(upscaler)
    full = photo.colour.width * upscaler.scale, photo.colour.height * upscaler.scale
    shown = max(1, round(photo.colour.width * times)), max(1, round(photo.colour.height * times))
    check_fits(form, *full)
    bits = 16 if photo.bits == 16 and BITS[form] > 8 else 8
    work = _Work(photo, upscaler, options.colour_lock, flat=form == "jpeg")
    kept, notes = _kept(photo, form, shown, f"{times:g} times by {upscaler.title}, ganvas {ganvas.__version__}")

    def rows() -> Iterator[Rows]:
        peak, kind = (65535, np.uint16) if bits == 16 else (255, np.uint8)
        done = 0
        for band in work.bands():
            done += len(band)
            yield np.rint(band * np.float32(peak)).astype(kind)
            on_progress(done / full[1])

    with whole(path, before) as part:
        write_photo(part, form, rows(), full, shown, (work.channels, bits), kept, options.quality)
    if photo.bits == 16 and bits == 8:
        notes += (f"16 bits made 8: {form.upper()} holds no more",)
    if photo.alpha and work.flat:
        notes += ("transparency put on white: JPEG holds none",)
    return Written(path, *shown, work.report, notes)


@contextmanager
def whole(path: Path, before: Callable[[Path], object]) -> Iterator[Path]:
    """A file to write into, which gets the name `path` when all is written, and is gone if it is not.

    Args:
        before: called with the finished file before it gets its name.
    """
    part = temporary(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        with deferred():  # both or neither: what is noted as done and has no name would be made twice
            before(part)
            part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


class _Work:
    """The upscaled rows of a photo, colours and transparency beside each other."""

    def __init__(self, photo: Photo, upscaler: Upscaler, colour_lock: bool, flat: bool) -> None:
        self.photo, self.upscaler, self.colour_lock, self.flat = photo, upscaler, colour_lock, flat
        self.report: UpscaleReport | None = None
        self.channels = photo.colour.channels + (photo.alpha is not None and not flat)

    def bands(self) -> Iterator[Floats]:
        """(rows, width, channels) in [0, 1]; transparency the last of the channels, or put on white."""
        colours = self._colours()
        if self.photo.alpha is None:
            yield from colours
            return
        alphas = _Rows(self._alphas(self.photo.alpha))
        for colour in colours:
            alpha = alphas.take(len(colour))
            yield colour * alpha + (1 - alpha) if self.flat else np.concatenate([colour, alpha], axis=2)

    def _colours(self) -> Iterator[Floats]:
        yield from self.upscaler.bands(self.photo.colour, colour_lock=self.colour_lock)
        self.report = self.upscaler.last

    def _alphas(self, alpha: Plane) -> Iterator[Floats]:
        """By bicubic interpolation: a network sharpens the steps of a cut-out's edge and puts specks beside it."""
        scale = self.upscaler.scale
        for top in range(0, alpha.height, BAND):
            first, last = max(0, top - REACH), min(alpha.height, top + BAND + REACH)
            part = torch.from_numpy(alpha.region(first, 0, last - first, alpha.width)).permute(2, 0, 1)
            begin, end = (top - first) * scale, (min(top + BAND, alpha.height) - first) * scale
            yield imresize(part, scale)[:, begin:end].clamp(0, 1).permute(1, 2, 0).numpy()


class _Rows:
    """Rows that come in bands of any height, taken in others."""

    def __init__(self, bands: Iterator[Floats]) -> None:
        self.bands, self.left = bands, [next(bands)]

    def take(self, rows: int) -> Floats:
        while sum(map(len, self.left)) < rows:
            self.left.append(next(self.bands))
        have = np.concatenate(self.left)
        self.left = [have[rows:]]
        return have[:rows]


def _kept(photo: Photo, form: str, shown: tuple[int, int], how: str) -> tuple[Any, tuple[str, ...]]:
    """What goes into the new file, and notes of what does not."""
    kept, notes = photo.kept, photo.notes
    if kept.exif:
        try:
            kept = replace(kept, exif=exif.upright(kept.exif, *shown))
        except exif.Malformed as error:
            kept, notes = replace(kept, exif=None), (*notes, f"EXIF left out: {error}")
    if kept.exif and form == "jpeg" and len(kept.exif) > 65_000:
        notes = (*notes, f"EXIF left out: JPEG has no room for {len(kept.exif):,} bytes")
        kept = replace(kept, exif=None)
    if kept.iptc and form not in ("jpeg", "tiff"):
        kept, notes = replace(kept, iptc=None), (*notes, f"IPTC left out: {form.upper()} has no place for it")
    if kept.text and form != "png":
        kept, notes = replace(kept, text=()), (*notes, f"text left out: {form.upper()} has no place for it")
    return replace(kept, xmp=noted(kept.xmp, how), orientation=1), notes
