"""A page that compares photos upscaled by a model with bicubic interpolation, its faithful start and the original."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from ganvas.errors import InputError
from ganvas.files import write_text
from ganvas.imageio.planning import FileJob
from ganvas.imageio.reading import Plane, UnusableFile, open_photo
from ganvas.imaging.tensors import bicubic
from ganvas.inference import Upscaler
from ganvas.reports.viewer import ViewerRow, viewer_page

PHOTOS = 20  # maximum number of photos on a page
SIDE = 384  # side in px of the central crop of a photo


def write_page(
    page: Path,
    jobs: Sequence[FileJob],
    upscalers: Mapping[Path, Upscaler],
    past: str,
    original: Path | None,
    faithful: Callable[[Upscaler], Upscaler | None],
) -> None:
    """Write the page for finished jobs.

    Args:
        upscalers: source -> what upscaled it.
        past: what was done, as in `Operation.past`.
        original: the original image, or a folder with an image of the photo's name and any extension.
        faithful: opens the faithful start of a model; None where it has none.

    Raises:
        InputError: there is no photo among the jobs, or the page cannot be written.
    """
    there = [job for job in jobs if not job.is_video and job.result.is_file()]
    photos = there[:PHOTOS]
    start = cache(faithful)
    rows, titles = [], dict[str, None]()
    for job in photos:
        upscaler = upscalers[job.source]
        with suppress(UnusableFile):  # a photo or a result that somebody has replaced meanwhile
            rows.append(_row(job, upscaler, start(upscaler), original))
            titles[upscaler.title] = None
    if not rows:
        raise InputError(f"no photo was {past} for {page}; see the reasons above, or give another --out.")
    models = " or ".join(titles)
    lead = (
        f"The centre of each photo, {past} by {models}, beside what it is compared with, with the files' pixel values."
    )
    left_out = len(there) - len(photos)
    write_text(page, viewer_page(f"{past.capitalize()} photos", rows, lead=lead, left_out=left_out))


def _row(job: FileJob, upscaler: Upscaler, faithful: Upscaler | None, original: Path | None) -> ViewerRow:
    photo, result = open_photo(job.source, float("inf")), open_photo(job.result, float("inf"))
    width, height = min(SIDE, photo.colour.width), min(SIDE, photo.colour.height)
    left, top = (photo.colour.width - width) // 2, (photo.colour.height - height) // 2
    part = photo.colour.region(top, left, height, width)
    across, down = result.colour.width / photo.colour.width, result.colour.height / photo.colour.height
    size = max(1, round(width * across)), max(1, round(height * down))
    corner = (
        min(round(left * across), result.colour.width - size[0]),
        min(round(top * down), result.colour.height - size[1]),
    )
    images = {"photo": _image(part)} if size == (width, height) else {"bicubic": _bicubic(part, size)}
    if faithful:
        colour = Plane(photo.colour.image.crop(left, top, width, height), photo.colour.channels)
        images["SRResNet"] = _resized(np.concatenate(list(faithful.bands(colour))), size)
    images[upscaler.title] = _image(result.colour.region(corner[1], corner[0], size[1], size[0]))
    found, note = _original(original, job.source), ""
    if found:
        try:
            large = open_photo(found, float("inf")).colour
            if (large.width, large.height) == (result.colour.width, result.colour.height):
                images["original"] = _image(large.region(corner[1], corner[0], size[1], size[0]))
            else:
                note = f"The original is left out, since it has {large.width} x {large.height} px and the result"
                note += f" {result.colour.width} x {result.colour.height} px."
        except UnusableFile as error:
            note = f"The original cannot be shown: {error}."
    return ViewerRow(job.name, images, note=note)


def _original(original: Path | None, source: Path) -> Path | None:
    if original is None or original.is_file():
        return original
    return next((path for path in sorted(original.iterdir()) if path.stem == source.stem and path.is_file()), None)


def _bicubic(part: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    pixels = np.rint(part * 255).astype(np.uint8)
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    if size[0] * part.shape[0] == size[1] * part.shape[1] and size[0] % part.shape[1] == 0:
        made = bicubic(planes, size[0] // part.shape[1])[0].permute(1, 2, 0).numpy()
        return _image(made.astype(np.float32) / np.float32(255))
    return _image(part).resize(size, Image.Resampling.BICUBIC)


def _resized(values: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    image = _image(values)
    return image if image.size == size else image.resize(size, Image.Resampling.LANCZOS)


def _image(values: NDArray[np.float32]) -> Image.Image:
    pixels = np.rint(values * 255).clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy())
