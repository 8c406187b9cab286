"""An image file as planes of numbers, read region by region, with all that stands in the file beside them."""

from __future__ import annotations

import logging
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from ganvas.imageio import exif
from ganvas.imageio.interrupts import deferred
from ganvas.imageio.metadata import Metadata, kind_of_profile

LIMIT = 100.0  # megapixels of a file that are taken without being told so
BLEED = 2.0  # pixels: how far colours spread below transparent parts
FORMS = {"jpeg": "jpeg", "png": "png", "webp": "webp", "tiff": "tiff", "heif": "avif", "gif": "gif"}
_UNSET = {"jpeg": {72.0}, "png": {71.98, 25.4}, "tiff": {25.4}, "gif": {25.4}}  # dpi that libvips makes up
_NOT_TEXT = {b"XML:com.adobe.xmp", b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp"}

logging.getLogger("pyvips").addHandler(logging.NullHandler())  # what is an error is raised
pyvips.cache_set_max(0)  # a file that was written anew must be read anew


class UnusableFile(Exception):
    """A file cannot be upscaled; the message says why."""


@dataclass(frozen=True)
class Plane:
    """Colours or transparency of a photo: a `Raster`.

    Attributes:
        channels: 1 for grey and transparency, 3 for colours in the file's own encoding.
    """

    image: Any
    channels: int

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.image.height)

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.image.width)

    def region(self, top: int, left: int, height: int, width: int) -> NDArray[np.float32]:
        """(height, width, channels) in [0, 1].

        Raises:
            UnusableFile: the file is damaged there.
        """
        with _reading():
            data = self.image.crop(left, top, width, height).write_to_memory()
        kind, peak = (np.uint16, 65535) if self.image.format == "ushort" else (np.uint8, 255)
        values = np.frombuffer(data, kind).reshape(height, width, self.channels)
        return values.astype(np.float32) / np.float32(peak)


@dataclass(frozen=True)
class Photo:
    """One image file, upright.

    Attributes:
        form: jpeg, png, webp, tiff, avif or gif, by its content.
        bits: 8 or 16, by the type of its values. Of AVIF, 16 stands for 10 and 12.
        colour: grey or RGB.
        alpha: how opaque each pixel is, or None where the file has no such channel.
        kept: what stands beside the pixels and holds for the upscaled image too.
        notes: what does not, and why.
    """

    path: Path
    form: str
    bits: int
    colour: Plane
    alpha: Plane | None
    kept: Metadata
    notes: tuple[str, ...] = ()

    @property
    def megapixels(self) -> float:
        """Millions of pixels."""
        return self.colour.height * self.colour.width / 1e6


def load(path: Path) -> Any:
    """The file as libvips sees it, nothing decoded yet.

    Raises:
        UnusableFile: it is no image of a kind that is read here.
    """
    with _reading():
        try:
            # By descriptor: libvips reads options from some names, and takes none that is not UTF-8.
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise UnusableFile(f"it cannot be read ({error.strerror})") from None
        try:
            if not os.fstat(descriptor).st_size:
                raise UnusableFile("the file is empty")
            source = pyvips.Source.new_from_descriptor(descriptor)
            return pyvips.Image.new_from_source(source, "", fail_on="error")
        finally:
            os.close(descriptor)


def open_photo(path: Path, limit: float = LIMIT) -> Photo:
    """Open an image file; its pixels are decoded when asked for.

    Args:
        limit: megapixels that it may have.

    Raises:
        UnusableFile: it is no image, animated, of an unsupported kind, or larger than the limit.
    """
    image = load(path)
    form = form_of(image)
    megapixels = image.width * image.height / 1e6
    if megapixels > limit:
        raise UnusableFile(
            f"{image.width} x {image.height} pixels are {megapixels:,.1f} megapixels, more than the limit of {limit:g};"
            " raise --limit if the file is to be trusted"
        )
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    if pages > 1 or (form == "png" and _animated(path)):
        raise UnusableFile("it holds more than one image (an animation or pages); take them apart, or give a video")
    kept, notes = metadata(image, form, path)
    with _reading():
        image = image.autorot()
        image, notes, icc = _understood(image, kept.icc, notes)
        grey = image.bands < 3
        bits = 16 if image.format == "ushort" else 8
        alpha = image[image.bands - 1] if image.hasalpha() else None
        colour = image[0] if grey else image[:3]
        if alpha is not None:
            colour = _bled(colour, alpha)
    kept = Metadata(icc, kept.exif, kept.xmp, kept.iptc, kept.text, kept.dpi, kept.orientation)
    planes = Plane(colour, 1 if grey else 3), None if alpha is None else Plane(alpha, 1)
    return Photo(path, form, bits, *planes, kept, tuple(notes))


def form_of(image: Any) -> str:
    """The format of a loaded file.

    Raises:
        UnusableFile: it is none of `FORMS`.
    """
    name = str(image.get("vips-loader")).split("load")[0]
    if name not in FORMS:
        raise UnusableFile(f"files of the kind {name!r} are not read; make it a PNG, JPEG, WebP, TIFF or AVIF first")
    return FORMS[name]


def metadata(image: Any, form: str, path: Path) -> tuple[Metadata, list[str]]:
    """What a loaded file says besides its pixels, and notes of what of it does not hold for another image."""
    notes = []
    icc, block, xmp, iptc = (_blob(image, name) for name in ("icc-profile-data", "exif-data", "xmp-data", "iptc-data"))
    directory = None
    if form == "tiff":
        directory = _tiff_directory(path)
        block = exif.block(directory) if directory and (directory.entries or directory.children) else None
    elif block:
        block = block.removeprefix(b"Exif\0\0")
        try:
            directory = exif.parse(block)
        except exif.Malformed:
            block, notes = None, ["EXIF left out: it is damaged"]
    dpi: tuple[float, float] | None = (image.xres * 25.4, image.yres * 25.4)
    made_up = not image.get_typeof("resolution-unit") and round(image.xres * 25.4, 2) in _UNSET.get(form, ())
    if made_up or form in ("webp", "avif"):  # these two have no other place for it
        dpi = exif.dots_per_inch(directory) if directory else None
    if image.get_typeof("gainmap-data"):
        notes.append("gain map left out: it is for the small image")
    text = tuple(_text(path)) if form == "png" else ()
    orientation = image.get("orientation") if image.get_typeof("orientation") else 1
    return Metadata(icc, block, xmp, iptc, text, dpi, orientation), notes


def _understood(image: Any, icc: bytes | None, notes: list[str]) -> tuple[Any, list[str], bytes | None]:
    """The image as grey or RGB of 8 or 16 bits with the profile that then holds."""
    if image.format not in ("uchar", "ushort"):
        raise UnusableFile(f"its pixels are of the type {image.format}; only 8 and 16 bits a channel are taken")
    if image.interpretation == "cmyk":
        profile = icc if icc and kind_of_profile(icc) == "CMYK" else None
        deep = 16 if image.format == "ushort" else 8
        image = image.icc_transform("srgb", embedded=profile is not None, input_profile="cmyk", depth=deep)
        told = "its own profile" if profile else "a general profile, for it has none"
        return image, [*notes, f"CMYK made RGB by {told}"], _blob(image, "icc-profile-data")
    if image.interpretation not in ("b-w", "grey16", "srgb", "rgb16", "multiband") or image.bands > 4:
        raise UnusableFile(f"its colours ({image.interpretation}, {image.bands} channels) are not grey, RGB or CMYK")
    if icc and kind_of_profile(icc) != ("GRAY" if image.bands < 3 else "RGB"):
        kind = kind_of_profile(icc) or "nothing known"
        return image, [*notes, f"profile left out: it is for {kind}, the image is not"], None
    return image, notes, icc


def _bled(colour: Any, alpha: Any) -> Any:
    """What cannot be seen takes the colours beside it, else it would show as a rim where the edge is upscaled."""
    weight = alpha.cast("float")
    around = weight.gaussblur(BLEED, precision="float")
    spread = (colour * weight).gaussblur(BLEED, precision="float") / (around + 1e-6)
    unseen = (alpha == 0) & (around > 1e-3)
    return unseen.ifthenelse(spread.rint().cast(colour.format), colour).copy(interpretation=colour.interpretation)


def _tiff_directory(path: Path) -> exif.Directory | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            found = exif.descriptive(exif.parse(data))
        except exif.Malformed:  # a TIFF file of over 4 GB is built in another manner
            return None
    # Orientation and resolution alone are no EXIF.
    trivial = {exif.ORIENTATION, exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT}
    return found if found.children or set(found.entries) - trivial else None


def _text(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of a PNG file's text chunks, except those that hold metadata read in another way."""
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name not in (b"tEXt", b"zTXt", b"iTXt"):
                file.seek(length + 4, os.SEEK_CUR)
                continue
            data = file.read(length)
            file.seek(4, os.SEEK_CUR)
            if data.split(b"\0")[0] not in _NOT_TEXT:
                yield name, data


def _animated(path: Path) -> bool:
    """Whether a PNG file is an animated one, which libvips does not see: acTL stands before the first IDAT."""
    with path.open("rb") as file:
        head = file.read(1 << 16)
    return b"acTL" in head.split(b"IDAT", 1)[0]


def _blob(image: Any, name: str) -> bytes | None:
    return bytes(image.get(name)) if image.get_typeof(name) else None


@contextmanager
def _reading() -> Iterator[None]:
    try:
        with deferred():
            yield
    except pyvips.Error as error:
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        if "not in a known format" in str(error):
            raise UnusableFile("it is no image of a known kind") from None
        if "labq" in str(error):
            raise UnusableFile("its colours (LAB) are not grey, RGB or CMYK") from None
        raise UnusableFile(f"it is damaged ({'; '.join(dict.fromkeys(said[1:] or said))})") from None
