"""Read image files: colour and alpha planes, one region at a time, and all metadata."""

from __future__ import annotations

import logging
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from ganvas.imageio import colours, exif, jpeg, photoshop, png
from ganvas.imageio.interrupts import deferred
from ganvas.imageio.metadata import Metadata, kind_of_profile
from ganvas.imaging.cameras import is_heic, undecodable
from ganvas.untrusted import open_regular

LIMIT = 100.0  # default maximum megapixels of a file
BLEED = 2.0  # pixels by which colours spread under transparent regions
FORMS = {"jpeg": "jpeg", "png": "png", "webp": "webp", "tiff": "tiff", "heif": "avif", "gif": "gif"}
_UNSET = {"jpeg": {72.0}, "png": {71.98, 25.4}, "tiff": {25.4}, "gif": {25.4}}  # dpi that libvips invents
OLD_IMAGE = "left out: it fits only the small image"
_TEXT = (b"tEXt", b"zTXt", b"iTXt")
_NOT_TEXT = {png.XMP, b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type xmp"}

logging.getLogger("pyvips").addHandler(logging.NullHandler())  # errors are raised, not logged
pyvips.cache_set_max(0)  # a rewritten file must be read again


class UnusableFile(Exception):
    """A file cannot be upscaled; the message says why."""


@dataclass(frozen=True)
class Plane:
    """The colour or alpha of a photo; a `Raster`.

    Attributes:
        channels: 1 for grey and alpha, 3 for RGB in the file's own encoding.
    """

    image: Any
    channels: int

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.image.height)

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.image.width)

    def region(self, top: int, left: int, height: int, width: int) -> NDArray[np.float32]:
        """(height, width, channels) in [0, 1].

        Raises:
            UnusableFile: the file is damaged in this region.
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
        bits: 8 or 16, by the type of its values; 16 also stands for AVIF's 10 and 12.
        colour: the grey or RGB channels.
        alpha: the opacity of each pixel, or None if the file has no alpha channel.
        metadata: the metadata that also applies to the upscaled image.
        notes: which metadata does not, and why.
    """

    path: Path
    form: str
    bits: int
    colour: Plane
    alpha: Plane | None
    metadata: Metadata
    notes: tuple[str, ...] = ()

    @property
    def megapixels(self) -> float:
        """Millions of pixels."""
        return self.colour.height * self.colour.width / 1e6


def load(path: Path) -> Any:
    """Open a file with libvips, without decoding it yet.

    Raises:
        UnusableFile: it is not an image of a supported format.
    """
    with _reading():
        try:
            # By descriptor: libvips parses options from some names, and refuses names that are not UTF-8.
            descriptor = open_regular(path)
        except OSError as error:
            raise UnusableFile(f"the file cannot be read ({error.strerror})") from None
        try:
            if not os.fstat(descriptor).st_size:
                raise UnusableFile("the file is empty")
            head = os.read(descriptor, 64)
            os.lseek(descriptor, 0, os.SEEK_SET)
            if head.startswith(jpeg.START):
                return _load_jpeg(descriptor)
            return _load_other(descriptor, head, path)
        finally:
            os.close(descriptor)


def _load_jpeg(descriptor: int) -> Any:
    """A JPEG file; of an Ultra HDR one the base image, which libvips would decode whole."""
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        if data[-2:] != jpeg.END and jpeg.end(data) is None:
            whole = jpeg.completed(bytes(data))
            if whole is None:
                raise UnusableFile("it is damaged (it is cut off, and pixels are missing)")
            return pyvips.Image.jpegload_buffer(whole, fail_on="error")
    return pyvips.Image.jpegload_source(pyvips.Source.new_from_descriptor(descriptor), fail_on="error")


def _load_other(descriptor: int, head: bytes, path: Path) -> Any:
    reason = undecodable(head, path.name)
    if reason and not is_heic(head):
        raise UnusableFile(reason)
    try:
        image = pyvips.Image.new_from_source(pyvips.Source.new_from_descriptor(descriptor), "", fail_on="error")
        if reason:
            image.crop(0, 0, 1, 1).avg()  # whether there is a decoder shows only now
        return image
    except pyvips.Error:
        if reason:
            raise UnusableFile(reason) from None
        raise


def open_photo(path: Path, limit: float = LIMIT) -> Photo:
    """Open an image file; its pixels are decoded on demand.

    Args:
        limit: maximum megapixels.

    Raises:
        UnusableFile: it is not an image, animated, of an unsupported format, or larger than the limit.
    """
    image = load(path)
    form = form_of(image)
    megapixels = image.width * image.height / 1e6
    if megapixels > limit:
        raise UnusableFile(
            f"{image.width} x {image.height} pixels is {megapixels:,.1f} megapixels, more than the limit of {limit:g};"
            " raise --limit if you trust the file"
        )
    pages = image.get("n-pages") if image.get_typeof("n-pages") else 1
    if pages > 1 or (
        form == "png" and any(png.chunks(path, (b"acTL",), until=b"IDAT"))
    ):  # which libvips does not report
        raise UnusableFile("it contains several images (an animation or pages); split it, or give a video")
    found, notes = read_metadata(image, form, path)
    with _reading():
        image = image.autorot()
        image, notes, icc = _to_grey_or_rgb(image, found.icc, notes)
        grey = image.bands < 3
        bits = 16 if image.format == "ushort" else 8
        alpha = image[image.bands - 1] if image.hasalpha() else None
        colour = image[0] if grey else image[:3]
        if alpha is not None:
            colour = _bleed(colour, alpha)
    planes = Plane(colour, 1 if grey else 3), None if alpha is None else Plane(alpha, 1)
    return Photo(path, form, bits, *planes, replace(found, icc=icc), tuple(notes))


def form_of(image: Any) -> str:
    """The format of a loaded file.

    Raises:
        UnusableFile: it is not one of `FORMS`.
    """
    name = str(image.get("vips-loader")).split("load")[0]
    if name not in FORMS:
        raise UnusableFile(f"the format {name!r} is not supported; convert it to PNG, JPEG, WebP, TIFF or AVIF")
    return FORMS[name]


def read_metadata(image: Any, form: str, path: Path) -> tuple[Metadata, list[str]]:
    """The metadata of a loaded file, and notes on metadata that does not apply to another image."""
    notes = []
    icc, block, xmp, resources = (_blob(image, f"{name}-data") for name in ("icc-profile", "exif", "xmp", "iptc"))
    directory = None
    if form == "tiff":
        directory, resources = _tiff_directory(path)
        block = exif.block(directory) if directory and (directory.entries or directory.children) else None
    elif block:
        block = block.removeprefix(b"Exif\0\0")
        try:
            directory = exif.parse(block)
        except exif.Malformed:
            block, notes = None, ["EXIF left out: it is damaged"]
    dpi: tuple[float, float] | None = (image.xres * 25.4, image.yres * 25.4)
    invented = not image.get_typeof("resolution-unit") and round(image.xres * 25.4, 2) in _UNSET.get(form, ())
    if invented or form in ("webp", "avif"):  # these two store it only in EXIF
        dpi = exif.dots_per_inch(directory) if directory else None
    if form == "jpeg":
        notes += _jpeg_notes(path)
    elif image.get_typeof("gainmap-data"):
        notes.append(f"gain map {OLD_IMAGE}")
    icc, coded, more = colours.described(path, form, icc, grey=image.bands < 3)
    iptc, others = photoshop.split(resources or b"")
    text = tuple(_text(path)) if form == "png" else ()
    orientation = image.get("orientation") if image.get_typeof("orientation") else 1
    return Metadata(icc, block, xmp, iptc or None, others or None, text, coded, dpi, orientation), notes + more


def _jpeg_notes(path: Path) -> list[str]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        stop = jpeg.end(data)
        if stop is None:
            return [] if data[-2:] == jpeg.END else ["its end marker is missing, but no pixels are"]
        return [f"{what} {OLD_IMAGE}" for what in jpeg.appended(data, stop)]


def _to_grey_or_rgb(image: Any, icc: bytes | None, notes: list[str]) -> tuple[Any, list[str], bytes | None]:
    """The image as grey or RGB with 8 or 16 bits, notes, and the profile that applies to it."""
    if image.format not in ("uchar", "ushort"):
        raise UnusableFile(f"pixels of type {image.format} are not supported; convert it to 8 or 16 bits per channel")
    if image.interpretation == "cmyk":
        profile = icc if icc and kind_of_profile(icc) == "CMYK" else None
        deep = 16 if image.format == "ushort" else 8
        image = image.icc_transform("srgb", embedded=profile is not None, input_profile="cmyk", depth=deep)
        which = "its own profile" if profile else "a generic profile, since it has none"
        return image, [*notes, f"CMYK converted to RGB with {which}"], _blob(image, "icc-profile-data")
    if image.interpretation not in ("b-w", "grey16", "srgb", "rgb16", "multiband") or image.bands > 4:
        raise UnusableFile(f"its colours ({image.interpretation}, {image.bands} channels) are not grey, RGB or CMYK")
    if icc and kind_of_profile(icc) != ("GRAY" if image.bands < 3 else "RGB"):
        kind = kind_of_profile(icc) or "an unknown colour space"
        return image, [*notes, f"profile left out: it is for {kind}, but the image is not"], None
    return image, notes, icc


def _bleed(colour: Any, alpha: Any) -> Any:
    """Spread colours into transparent pixels, which would otherwise show as a fringe along upscaled edges."""
    weight = alpha.cast("float")
    around = weight.gaussblur(BLEED, precision="float")
    spread = (colour * weight).gaussblur(BLEED, precision="float") / (around + 1e-6)
    transparent = (alpha == 0) & (around > 1e-3)
    return transparent.ifthenelse(spread.rint().cast(colour.format), colour).copy(interpretation=colour.interpretation)


def _tiff_directory(path: Path) -> tuple[exif.Directory | None, bytes]:
    """The descriptive tags of a TIFF file or None, and Photoshop's resources with the IPTC's records."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            whole = exif.parse(data)
        except exif.Malformed:  # TIFF files over 4 GB have another structure
            return None, b""
    iptc, resources = (whole.entries[tag].data if tag in whole.entries else b"" for tag in (exif.IPTC, exif.PHOTOSHOP))
    own, others = photoshop.split(resources)
    found = exif.descriptive(whole)
    # Orientation and resolution alone do not count as EXIF.
    trivial = {exif.ORIENTATION, exif.X_RESOLUTION, exif.Y_RESOLUTION, exif.RESOLUTION_UNIT}
    kept = found if found.children or set(found.entries) - trivial else None
    return kept, photoshop.join(iptc or own, others)


def _text(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of a PNG file's text chunks, except for metadata that is read separately."""
    for name, data in png.chunks(path, _TEXT):
        if data.split(b"\0")[0] not in _NOT_TEXT:
            yield name, data


def _blob(image: Any, name: str) -> bytes | None:
    return bytes(image.get(name)) if image.get_typeof(name) else None


@contextmanager
def _reading() -> Iterator[None]:
    try:
        with deferred():
            yield
    except pyvips.Error as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        if "not in a known format" in str(error):
            raise UnusableFile("it is not an image of a known format") from None
        if "labq" in str(error):
            raise UnusableFile("its colours (LAB) are not grey, RGB or CMYK") from None
        raise UnusableFile(f"it is damaged ({'; '.join(dict.fromkeys(lines[1:] or lines))})") from None
