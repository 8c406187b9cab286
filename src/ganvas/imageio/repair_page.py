"""A page that shows photos before and after their repair, with what was found between them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.errors import InputError
from ganvas.files import write_text
from ganvas.imageio.planning import FileJob
from ganvas.imageio.reading import Plane, UnusableFile, open_photo
from ganvas.imageio.repair import Repairing
from ganvas.imaging.grid import Pixels
from ganvas.reports.viewer import ViewerRow, room, viewer_page

PHOTOS = 20  # maximum number of photos on a page
COLOURS = ((255, 40, 40), (40, 220, 40), (70, 110, 255))  # of holes, scratches and stains


def write_page(page: Path, jobs: Sequence[FileJob], operation: Repairing) -> None:
    """Write the page for finished jobs, each photo as a whole; many photos, and large ones, are shown smaller.

    Raises:
        InputError: there is no photo among the jobs, or the page cannot be written.
    """
    there = [job for job in jobs if job.result.is_file()]
    shown, rows = there[:PHOTOS], []
    for job in shown:
        with suppress(UnusableFile):  # a photo or a result that somebody has replaced meanwhile
            rows.append(_row(job, operation, room(3 * len(shown))))
    if not rows:
        raise InputError(f"no photo was repaired for {page}; see the reasons above, or give another --out.")
    lead = f"Each photo as it was, with the damage that was found or given, and repaired by {operation.repairer.name}."
    lead += " Holes are red, scratches and dust green, stains blue."
    left_out = len(there) - len(shown)
    write_text(page, viewer_page("Repaired photos", rows, lead=lead, whole=True, left_out=left_out))


def _row(job: FileJob, operation: Repairing, pixels: int) -> ViewerRow:
    photo, result = open_photo(job.source, float("inf")), open_photo(job.result, float("inf"))
    damage = operation.repairer.find(photo.colour, operation.mask_for(photo))
    share = min(1.0, (pixels / (photo.colour.width * photo.colour.height)) ** 0.5)
    before = _shown(photo.colour, share)
    after = _shown(result.colour, share).resize(before.size, Image.Resampling.LANCZOS)
    found = Image.fromarray(damage).resize(before.size, Image.Resampling.BOX)
    images = {"photo": before, "damage": _painted(np.asarray(before), np.asarray(found)), "repaired": after}
    return ViewerRow(job.name, images, note="" if share == 1 else f"Shown at {share:.0%} of its size.")


def _shown(plane: Plane, share: float) -> Image.Image:
    image = plane.image if share == 1 else plane.image.resize(share)
    pixels = Plane(image, plane.channels).region(0, 0, image.height, image.width)
    values = np.rint(pixels * 255).clip(0, 255).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(values, (*values.shape[:2], 3)).copy())


def _painted(photo: Pixels, damage: Pixels) -> Image.Image:
    painted = photo.astype(np.float32)
    for kind, colour in enumerate(COLOURS):
        share = 0.75 * damage[..., kind, None].astype(np.float32) / 255
        painted += share * (np.array(colour, np.float32) - painted)
    return Image.fromarray(painted.round().astype(np.uint8))
