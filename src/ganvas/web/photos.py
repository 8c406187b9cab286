"""Photos that were sent: bounded before they are decoded, then upscaled or repaired as the command line does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from ganvas.files import write_atomically
from ganvas.imageio.reading import UnusableFile, form_of, load, open_photo
from ganvas.imageio.writing import EXTENSION

if TYPE_CHECKING:
    from ganvas.imageio.operation import Operation
    from ganvas.inference import Repairer
    from ganvas.web.lanes import OnProgress

MEDIA = {form: f"image/{form}" for form in ("png", "jpeg", "webp", "tiff", "avif")}
FORMS = {kind: form for form, kind in MEDIA.items()}

# Whatever else libvips reads, such as SVG and PDF, is no photo and never reaches it.
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"GIF8")


def measured(path: Path, limit: float) -> tuple[float, str]:
    """Megapixels of a photo by its header, and the format that its result has by default.

    Raises:
        HTTPException: it is no photo, or has more megapixels than `limit`.
    """
    with path.open("rb") as file:
        head = file.read(16)
    is_photo = head.startswith(_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or head[4:8] == b"ftyp"
    if not is_photo:
        raise HTTPException(415, "this is not an image; send a PNG, JPEG, WebP, TIFF or AVIF file.")
    with usable():
        image = load(path)
        form = form_of(image)
    megapixels = image.width * image.height / 1e6
    if megapixels > limit:
        raise HTTPException(
            413,
            f"{image.width:,} x {image.height:,} pixels are {megapixels:,.1f} megapixels, more than the limit of"
            f" {limit:g}; send a smaller image, or start the server with a larger --limit.",
        )
    return megapixels, form if form in EXTENSION else "png"


@contextmanager
def usable() -> Iterator[None]:
    """What is wrong with a photo is the answer.

    Raises:
        HTTPException: something is.
    """
    try:
        yield
    except UnusableFile as error:
        raise HTTPException(422, f"this image cannot be used: {error}.") from None


def changed(operation: Operation, source: Path, result: Path, form: str, limit: float, progress: OnProgress) -> str:
    """Write the result for a photo; what it does not preserve and what to look at, in words.

    Raises:
        HTTPException, InputError: it cannot be made.
        Left: nobody waits for it.
    """
    with usable():
        photo = open_photo(source, limit)
        written = operation.photo(photo, result, form, on_progress=progress, before=lambda part, beside=None: None)
    return "; ".join(part for part in (written.about, *written.notes) if part)


def damage(repairer: Repairer, source: Path, result: Path, limit: float) -> str:
    """Write the damage map of a photo as PNG: holes red, scratches green, stains blue."""
    from ganvas.imaging.saving import encoded

    with usable():
        found = repairer.find(open_photo(source, limit).colour)
    write_atomically(result, lambda part: part.write_bytes(encoded(found, "png", {})))
    return ""
