"""PNG and GIF files, written atomically; and images as bytes, with the note that they are synthetic."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels, to_image

LEVEL = 1  # of zlib: a tenth of the default's time for a few percent more bytes
SOURCE = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
    ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' i:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/{}"/></rdf:RDF></x:xmpmeta>'
    '<?xpacket end="w"?>'
)


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
    write_atomically(path, lambda part: write_png(pixels, part, text))


def write_png(pixels: Pixels, path: Path, text: Mapping[str, str] | None = None) -> None:
    """Write uint8 (H, W, C) as PNG, with text chunks, into a file that is temporary.

    Raises:
        OSError: the file cannot be written.
    """
    path.write_bytes(encoded(pixels, "png", text or {}))


def save_image(image: Image.Image, path: Path) -> None:
    """Write an image atomically as PNG.

    Raises:
        InputError: the file cannot be written.
    """
    write_atomically(path, lambda part: image.save(part, format="PNG", compress_level=LEVEL))


def encoded(pixels: Pixels, form: str, text: Mapping[str, str]) -> bytes:
    """uint8 (H, W, C) as the bytes of a file, those that `save_png` writes if it is a PNG.

    Args:
        form: png, jpeg or webp.
        text: what is known of the image; in the other two formats Software and Description as EXIF, and
            DigitalSourceType as XMP.
    """
    image, file = to_image(pixels), io.BytesIO()
    if form == "png":
        chunks = PngInfo()
        for key, value in text.items():
            chunks.add_itxt(key, value)
        image.save(file, format="PNG", pnginfo=chunks, compress_level=LEVEL)
        return file.getvalue()
    exif = Image.Exif()
    for tag, key in {0x010E: "Description", 0x0131: "Software"}.items():
        if key in text:
            exif[tag] = text[key]
    kind = text.get("DigitalSourceType", "")
    packet = SOURCE.format(kind).encode() if kind else b""
    image.save(file, format=form.upper(), quality=95, exif=exif, xmp=packet)
    return file.getvalue()
