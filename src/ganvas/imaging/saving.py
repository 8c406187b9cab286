"""PNG and GIF files, written atomically."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels, to_image


def save_gif(frames: Sequence[Image.Image], path: Path, milliseconds: int | list[int], comment: str) -> None:
    """Write frames atomically as a looping GIF.

    Args:
        milliseconds: how long each frame is shown, or a list with one value per frame.

    Raises:
        InputError: the file cannot be written.
    """
    first, *rest = frames
    write_atomically(
        path,
        lambda part: first.save(
            part,
            format="GIF",
            save_all=True,
            append_images=rest,
            duration=milliseconds,
            loop=0,
            comment=comment.encode(),
        ),
    )


def save_png(pixels: Pixels, path: Path, text: Mapping[str, str] | None = None) -> None:
    """Write uint8 (H, W, C) atomically as PNG, with text chunks.

    Raises:
        InputError: the file cannot be written.
    """
    chunks = PngInfo()
    for key, value in (text or {}).items():
        chunks.add_itxt(key, value)
    save_image(to_image(pixels), path, chunks)


def save_image(image: Image.Image, path: Path, chunks: PngInfo | None = None) -> None:
    """Write an image atomically as PNG.

    Raises:
        InputError: the file cannot be written.
    """
    # Level 1 takes a tenth of the default's time for a few percent more bytes.
    write_atomically(path, lambda part: image.save(part, format="PNG", pnginfo=chunks, compress_level=1))
