"""Upscale one photo into a file, preserving all metadata that the new file can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import ganvas
from ganvas.errors import InputError
from ganvas.files import whole
from ganvas.imageio import exif, photoshop, xmp
from ganvas.imageio.interrupts import deferred
from ganvas.imageio.metadata import Metadata
from ganvas.imageio.reading import OLD_IMAGE, Photo, Plane
from ganvas.imageio.writing import BITS, EXTENSION, Rows, check_fits, write_photo
from ganvas.imaging.tensors import imresize
from ganvas.inference.engine.raster import Floats

if TYPE_CHECKING:
    from ganvas.inference.upscaler import Upscaler, UpscaleReport

OnProgress = Callable[[float], None]
BAND, REACH = 16, 2  # rows of alpha upscaled at once, and the reach of bicubic interpolation


@dataclass(frozen=True)
class OutputOptions:
    """How to upscale photos. The names of the fields enter every manifest.

    Attributes:
        scale: factor by which the sides grow, from 1 to the model's own scale; 0 for the model's own.
        form: format of the result; empty for that of the photo.
        quality: quality of JPEG, WebP and AVIF, 1 to 100; 0 for the format's default.
        colour_lock: keep the photo's colours where the model would shift them.
        strip_location: leave out where the photo was taken.
    """

    scale: float = 0
    form: str = ""
    quality: int = 0
    colour_lock: bool = True
    strip_location: bool = False

    def settings(self) -> dict[str, Any]:
        """The options for a manifest; without those added later that have their usual value, so that old ones match."""
        return {name: value for name, value in asdict(self).items() if value or name != "strip_location"}

    def scale_for(self, upscaler: Upscaler) -> float:
        """The factor by which the sides grow with this model.

        Raises:
            InputError: the model does not support the scale.
        """
        if self.scale and not 1 <= self.scale <= upscaler.scale:
            raise InputError(
                f"--scale {self.scale:g} is out of range: {upscaler.name} upscales by {upscaler.scale}; give 1 to"
                f" {upscaler.scale}, or a model with a larger scale."
            )
        return self.scale or upscaler.scale

    def form_for(self, photo: Photo) -> str:
        """The format of the result for a photo."""
        return self.form or (photo.form if photo.form in EXTENSION else "png")


@dataclass(frozen=True)
class Written:
    """A file that was written.

    Attributes:
        report: how the model upscaled it.
        notes: what the file does not preserve, and why.
        frames: number of frames of a video.
    """

    path: Path
    width: int
    height: int
    report: UpscaleReport | None
    notes: tuple[str, ...]
    frames: int = 1

    @property
    def megapixels(self) -> float:
        """Millions of pixels of the result, over all frames."""
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
    """Upscale a photo into a file, which appears complete or not at all.

    Args:
        on_progress: called with the share of rows done.
        before: called with the finished temporary file before it is renamed.

    Raises:
        UnusableFile: the photo is damaged, or too large for the format.
        OSError: the file cannot be written.
        InputError: the model does not support the scale, or its output is invalid.
    """
    form = options.form_for(photo)
    times = options.scale_for(upscaler)
    full = photo.colour.width * upscaler.scale, photo.colour.height * upscaler.scale
    final = max(1, round(photo.colour.width * times)), max(1, round(photo.colour.height * times))
    check_fits(form, *full)
    bits = 16 if photo.bits == 16 and BITS[form] > 8 else 8
    work = _Work(photo, upscaler, options.colour_lock, flat=form == "jpeg")
    how = f"{times:g} times by {upscaler.title}, ganvas {ganvas.__version__}"
    factors = final[0] / photo.colour.width, final[1] / photo.colour.height
    change = xmp.Change(how, final, factors, photo.metadata.orientation > 1, not options.strip_location)
    metadata, notes = _metadata_for(photo, form, change)

    def rows() -> Iterator[Rows]:
        peak, kind = (65535, np.uint16) if bits == 16 else (255, np.uint8)
        done = 0
        for band in work.bands():
            done += len(band)
            yield np.rint(band * np.float32(peak)).astype(kind)
            on_progress(done / full[1])

    with recorded(path, before) as part:
        write_photo(part, form, rows(), full, final, (work.channels, bits), metadata, options.quality)
    if photo.bits == 16 and bits == 8:
        notes += (f"16 bits reduced to 8: {form.upper()} supports no more",)
    if photo.alpha and work.flat:
        notes += ("transparency blended onto white: JPEG has no alpha channel",)
    return Written(path, *final, work.report, notes)


@contextmanager
def recorded(path: Path, before: Callable[[Path], object]) -> Iterator[Path]:
    """`ganvas.files.whole`, with a call of `before` on the finished temporary file right before it is renamed."""

    def rename(part: Path) -> None:
        with deferred():  # both or neither: a file recorded as done but not renamed would be made twice
            before(part)
            part.replace(path)

    with whole(path, rename) as part:
        yield part


class _Work:
    """The upscaled rows of a photo, colour and alpha together."""

    def __init__(self, photo: Photo, upscaler: Upscaler, colour_lock: bool, flat: bool) -> None:
        self.photo, self.upscaler, self.colour_lock, self.flat = photo, upscaler, colour_lock, flat
        self.report: UpscaleReport | None = None
        self.channels = photo.colour.channels + (photo.alpha is not None and not flat)

    def bands(self) -> Iterator[Floats]:
        """(rows, width, channels) in [0, 1]; alpha is the last channel, or blended onto white."""
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
        """By bicubic interpolation: a network would sharpen the steps of a cut-out's edge and add specks beside it."""
        scale = self.upscaler.scale
        for top in range(0, alpha.height, BAND):
            first, last = max(0, top - REACH), min(alpha.height, top + BAND + REACH)
            part = torch.from_numpy(alpha.region(first, 0, last - first, alpha.width)).permute(2, 0, 1)
            begin, end = (top - first) * scale, (min(top + BAND, alpha.height) - first) * scale
            yield imresize(part, scale)[:, begin:end].clamp(0, 1).permute(1, 2, 0).numpy()


class _Rows:
    """Regroups rows that arrive in bands of any height."""

    def __init__(self, bands: Iterator[Floats]) -> None:
        self.bands, self.left = bands, [next(bands)]

    def take(self, rows: int) -> Floats:
        while sum(map(len, self.left)) < rows:
            self.left.append(next(self.bands))
        have = np.concatenate(self.left)
        self.left = [have[rows:]]
        return have[:rows]


def _metadata_for(photo: Photo, form: str, change: xmp.Change) -> tuple[Metadata, tuple[str, ...]]:
    """The metadata for the new file, and notes on what it cannot hold."""
    metadata, notes = photo.metadata, photo.notes
    if metadata.exif:
        try:
            block = exif.upright(metadata.exif, *change.size, change.factors, change.turned)
            metadata = replace(metadata, exif=block if change.location else exif.without_place(block))
        except exif.Malformed as error:
            metadata, notes = replace(metadata, exif=None), (*notes, f"EXIF left out: {error}")
    if metadata.exif and form == "jpeg" and len(metadata.exif) > 65_000:
        notes = (*notes, f"EXIF left out: {len(metadata.exif):,} bytes are too many for JPEG")
        metadata = replace(metadata, exif=None)
    if not change.location:
        iptc, others = photoshop.without_places(metadata.iptc, metadata.photoshop)
        metadata = replace(metadata, iptc=iptc, photoshop=others)
    if form not in ("jpeg", "tiff"):
        notes = (*notes, f"IPTC left out: {form.upper()} cannot hold it") if metadata.iptc else notes
        metadata = replace(metadata, iptc=None, photoshop=None)
    if metadata.text and form != "png":
        metadata, notes = replace(metadata, text=()), (*notes, f"text left out: {form.upper()} cannot hold it")
    if form != "png" and any(name != b"cICP" for name, _ in metadata.coded):
        notes = (*notes, f"light levels of HDR left out: {form.upper()} cannot hold them")
    try:
        packet, gone = xmp.upscaled(metadata.xmp, change)
    except xmp.Malformed:
        (packet, gone), notes = xmp.upscaled(None, change), (*notes, "XMP left out: it is damaged")
    notes = tuple(dict.fromkeys((*notes, *(f"{what} {OLD_IMAGE}" for what in gone))))
    return replace(metadata, xmp=packet, orientation=1), notes
