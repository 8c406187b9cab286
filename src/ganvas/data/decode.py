"""Decode one image of any format to uint8 at the training size."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from ganvas.imaging.cameras import undecodable
from ganvas.imaging.grid import Pixels

# Raster formats only: none that is a program (PostScript) or needs one, so that text and videos fail at once.
FORMATS = ("AVIF", "BMP", "GIF", "ICO", "JPEG", "JPEG2000", "MPO", "PNG", "PPM", "TGA", "TIFF", "WEBP")
STRIP = 2**20  # pixels of a strip


class Unusable(Exception):  # its name enters the fingerprints of old runs: see `cache`
    """A file is not an image that can be trained on; the message says why."""


def open_image(content: bytes | Pixels, hint: int = 0) -> Image.Image:
    """Decode the first frame of a file's bytes, or wrap pixels (H, W) or (H, W, C).

    Args:
        hint: a side in pixels that is large enough; lets JPEG decode at a half, quarter or eighth of its size.

    Raises:
        Unusable: it is not an image, damaged, only one pixel wide or high, or large enough to be an attack.
    """
    if isinstance(content, np.ndarray):
        return Image.fromarray(content[..., 0] if content.ndim == 3 and content.shape[2] == 1 else content)
    if not content:
        raise Unusable("the file is empty")
    try:
        image = Image.open(io.BytesIO(content), formats=_formats())
        width, height = image.size
        if Image.MAX_IMAGE_PIXELS and width * height > Image.MAX_IMAGE_PIXELS:
            raise Unusable(f"{width} x {height} pixels exceeds the limit of {Image.MAX_IMAGE_PIXELS:,} pixels")
        if min(width, height) < 2:
            raise Unusable(f"{width} x {height} pixels is too small; each side must be at least 2")
        if hint:
            image.draft(None, (2 * hint, 2 * hint))
        image.load()
    except Unusable:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unusable("it declares more pixels than the limit, like a decompression bomb") from None
    except UnidentifiedImageError:
        raise Unusable(undecodable(content[:64]) or "it is not an image of a known format") from None
    except Exception as error:  # decoders raise all kinds of errors on damaged bytes
        raise Unusable(f"it is damaged ({error})") from None
    return image


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)  # not every build of Pillow has all of them


def is_image(read: Callable[[], bytes]) -> bool:
    """Whether a file has the header of a known image format; the rest may still be damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Image.open(io.BytesIO(read()), formats=_formats())
            return True
    except Exception:  # readers raise all kinds of errors on other formats' bytes
        return False


def to_mode(image: Image.Image, channels: int) -> Image.Image:
    """Rotate upright, put transparency on white, and convert any mode to 8-bit grey or RGB."""
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:  # else it would be copied
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        # 16 bits over their full range: PIL would clip at 255.
        image = Image.fromarray((np.asarray(image).clip(0, 65535) / 257).round().astype(np.uint8))
    elif image.mode == "F":
        factor = 255 if float_range(image) == "0..1" else 1
        image = Image.fromarray((np.asarray(image) * factor).round().astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = _on_white(image)
    if image.mode == "P":
        image = image.convert("RGB")
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def strips(image: Image.Image) -> Iterator[Image.Image]:
    """An image in strips from top to bottom, so that what is computed from it needs little memory at a time."""
    width, height = image.size
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        yield image.crop((0, top, width, min(top + rows, height)))


def _on_white(image: Image.Image) -> Image.Image:
    made, top = Image.new("RGB", image.size), 0
    for strip in strips(image):
        strip = strip.convert("RGBA")
        made.paste(Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip).convert("RGB"), (0, top))
        top += strip.height
    return made


def float_range(image: Image.Image) -> str:
    """The range that the floating-point pixels of an image are taken to have: 0..1, or else 0..255.

    Raises:
        Unusable: they exceed both.
    """
    pixels = np.asarray(image)
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 255):  # NaN too
        raise Unusable(f"its pixels are floating-point numbers from {low:g} to {high:g}, neither 0..1 nor 0..255")
    return "0..1" if high <= 1 else "0..255"


def prepare(content: bytes | Pixels, size: int, channels: int, fit: Literal["crop", "pad", "stretch"]) -> Pixels:
    """An image as uint8 (size, size, channels).

    Raises:
        Unusable: see `open_image`.
    """
    if isinstance(content, np.ndarray) and content.shape[:2] == (size, size) and content.size == size * size * channels:
        return content.reshape(size, size, channels)  # such as each of MNIST's 60,000
    image = to_mode(open_image(content, size), channels)
    square = (size, size)
    if image.size != square:
        # Both antialias; Lanczos rings visibly when it upscales tiny images such as the 8 x 8 digits.
        method = Image.Resampling.LANCZOS if min(image.size) > size else Image.Resampling.BICUBIC
        if fit == "crop":
            image = ImageOps.fit(image, square, method)
        elif fit == "pad":
            image = ImageOps.pad(image, square, method, color=0)
        else:
            image = image.resize(square, method)
    return np.asarray(image).reshape(size, size, channels)
