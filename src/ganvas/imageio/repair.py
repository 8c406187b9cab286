"""Repair one photo into a file, preserving all metadata, with its damage map beside it if wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os.path import realpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

import ganvas
from ganvas.files import whole
from ganvas.imageio.operation import Before, OnProgress, Operation, OutputOptions, Written, with_alpha, write_changed
from ganvas.imageio.planning import FileJob
from ganvas.imageio.reading import Photo, Plane, UnusableFile, open_photo
from ganvas.imageio.upscale import alphas
from ganvas.imageio.writing import EXTENSIONS
from ganvas.imaging.saving import write_png
from ganvas.inference.engine.raster import ArrayRaster, Floats, Raster

if TYPE_CHECKING:
    from ganvas.inference.repairer import Repairer, RepairReport
    from ganvas.inference.upscaler import Upscaler

NONE = "none"  # a mask that fills nothing
DAMAGE = "_damage"  # what is added to the name of a damage map
TITLE = "Damage map"  # by which it is known for one
MASKS = {*EXTENSIONS, ".gif"}  # endings of masks; other files of a photo's name may be anything
GRAIN = ("grain", "scan_noise", "jpeg")  # the defects that --denoise sets
ROWS = 64  # of alpha read at once
SHARE = 0.7  # of the work of repairing and upscaling, roughly, that is upscaling


@dataclass(frozen=True)
class RepairOptions(OutputOptions):
    """How to repair photos.

    Attributes:
        mask: path of a mask, or of a folder with a mask of each photo's name; `NONE` to fill nothing; empty for what
            the model finds.
        strength: share of the change of all that is not lost.
        tone: correct tone and colours.
        denoise: how strong grain and noise are, in 0..1; below 0 for what the model finds.
        scale: 1, 2 or 4: how far to upscale the repaired photo.
        damage_map: also write the damage map.
    """

    mask: str = ""
    strength: float = 1.0
    tone: bool = True
    denoise: float = -1.0
    scale: int = 1
    damage_map: bool = False


class Repairing(Operation):
    """Repair photos with one model."""

    verb, doing, past, suffix = "repair", "repairing", "repaired", "_repaired"

    def __init__(
        self,
        repairer: Repairer,
        options: RepairOptions,
        model: dict[str, Any],
        upscaler: Upscaler | None = None,
        jobs: Sequence[FileJob] = (),
    ) -> None:
        """`upscaler` enlarges what was repaired, where the scale is above 1; `model` names what else changes pixels.

        By the names of `jobs`, masks are found in subfolders, too.
        """
        self.repairer, self.options, self.model, self.upscaler = repairer, options, model, upscaler
        self._masks = None if options.mask in ("", NONE) else Path(options.mask)
        self.folders = {job.source: PurePosixPath(job.name).parent for job in jobs}
        self.growth = options.scale**2

    def settings(self, source: Path) -> dict[str, Any]:
        """See `Operation.settings`; a mask counts by its name and the age of its content, as the photo does."""
        found = {**self.model, **self.options.settings()}
        mask = self._mask_file(source)
        if mask and mask.exists():
            found |= {"mask": mask.name, "mask_file": [mask.name, mask.stat().st_size, mask.stat().st_mtime_ns]}
        return found

    def photo(self, photo: Photo, path: Path, form: str, *, on_progress: OnProgress, before: Before) -> Written:
        """See `Operation.photo`.

        Raises:
            InputError: the mask does not fit the photo, or see `Operation.photo`.
        """
        options, mask = replace(self.options, form=form), self.mask_for(photo)
        damage_map = self.beside(photo.path, path)
        bits = 16 if photo.bits == 16 else 8
        times = self.upscaler.scale if self.upscaler else 1
        width, height = photo.colour.width, photo.colour.height
        sizes = (width * times, height * times), (width * options.scale, height * options.scale)
        share = 1 - SHARE if self.upscaler else 1.0

        def repaired() -> Iterator[Floats]:
            yield from self.repairer.bands(
                photo.colour,
                mask,
                strength=options.strength,
                tone=options.tone,
                strengths=dict.fromkeys(GRAIN, options.denoise) if options.denoise >= 0 else None,
                on_progress=lambda done: on_progress(share * done),
            )

        def enlarged() -> Iterator[Floats]:
            assert self.upscaler is not None
            kind, peak = (np.uint16, 65535) if bits == 16 else (np.uint8, 255)
            rows = [np.rint(band * np.float32(peak)).astype(kind) for band in repaired()]
            done, height = 0, photo.colour.height * self.upscaler.scale
            for band in self.upscaler.bands(ArrayRaster(np.concatenate(rows))):
                done += len(band)
                on_progress(share + SHARE * done / height)
                yield band

        def bands(flat: bool) -> Iterator[Floats]:
            colours = enlarged() if self.upscaler else repaired()
            alpha = None if photo.alpha is None else alphas(photo.alpha, times) if times > 1 else _rows(photo.alpha)
            return with_alpha(colours, alpha, flat)

        def finished(part: Path, beside: Path | None = None) -> None:
            if damage_map is None:
                before(part)
                return

            def rename(map_part: Path) -> None:
                before(part, map_part)
                map_part.replace(damage_map)

            with whole(damage_map, rename) as map_part:
                write_png(self.repairer.damage, map_part, {"Title": TITLE, "Software": f"ganvas {ganvas.__version__}"})

        how = f"by {self.repairer.name}"
        how += f", {options.scale} times by {self.upscaler.title}" if self.upscaler else ""
        notes = write_changed(photo, path, options, self.past, how, bands, sizes, before=finished)
        report = self.repairer.last
        assert report is not None
        if options.damage_map:
            notes += (f"damage map: {map_of(path)}",)
        return Written(path, *sizes[1], about(report), (*notes, *report.warnings))

    def beside(self, source: Path, result: Path) -> Path | None:
        """The damage map, if it is wanted; a mask that was edited is never replaced by what was read of it."""
        path = map_of(result)
        return path if self.options.damage_map and realpath(path) != realpath(self._mask_file(source) or "") else None

    def ignores(self, source: Path) -> bool:
        """Whether a file is a damage map or a mask beside the photos, and none of them."""
        if not source.stem.endswith(DAMAGE):
            return False
        if self._masks and Path(realpath(self._masks)) in Path(realpath(source)).parents:
            return True
        try:
            return any(TITLE.encode() in data for _, data in open_photo(source, float("inf")).metadata.text)
        except UnusableFile:
            return False  # its own turn tells what is wrong with it

    def mask_for(self, photo: Photo) -> Raster | None:
        """The mask for a photo as a raster, upright as the photo; None for what the model finds.

        Raises:
            UnusableFile: it is not an image, or there is none of the photo's name.
        """
        if self.options.mask == NONE:
            return ArrayRaster(np.zeros((photo.colour.height, photo.colour.width), np.uint8))
        file = self._mask_file(photo.path)
        return _Mask(file) if file else None

    def _mask_file(self, source: Path) -> Path | None:
        masks = self._masks
        if masks is None or not masks.is_dir():
            return masks
        # As the results do, masks may lie in the subfolders of their photos.
        for folder in (masks / self.folders.get(source, ""), masks):
            if mask := _in_folder(folder, source):
                return mask
        raise UnusableFile(f"{masks} has no mask called {source.stem}; add one, all black to fill nothing")


def map_of(result: Path) -> Path:
    """Where the damage map of a result is written."""
    return result.with_name(f"{result.stem.removesuffix(Repairing.suffix)}{DAMAGE}.png")


def about(report: RepairReport) -> str:
    """What was done to a photo, in words."""
    filled = f"{report.filled:.1%} filled" if report.filled >= 0.0005 else "nothing filled"
    return f"{filled}, tone and colours moved by {report.tone:.1f} dE"


def _in_folder(folder: Path, photo: Path) -> Path | None:
    names = [f"{photo.stem}_{photo.suffix[1:].lower()}{DAMAGE}", photo.stem + DAMAGE, photo.stem]
    if realpath(folder) == realpath(photo.parent):
        names.pop()  # in a folder of photos, that is another photo
    if not folder.is_dir():
        return None
    found = {one.stem: one for one in sorted(folder.iterdir(), reverse=True) if one.suffix.lower() in MASKS}
    return next((found[name] for name in names if name in found and found[name].is_file()), None)


class _Mask:
    """A mask in a file. What is transparent in it is not marked, whatever colour it has there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._naming():
            mask = open_photo(path, float("inf"))
        self.colour, self.alpha = mask.colour, mask.alpha
        self.height, self.width, self.channels = mask.colour.height, mask.colour.width, mask.colour.channels

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        with self._naming():
            part = self.colour.region(top, left, height, width)
            return part * self.alpha.region(top, left, height, width) if self.alpha else part

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except UnusableFile as error:
            raise UnusableFile(f"its mask {self.path} cannot be used: {error}") from None


def _rows(alpha: Plane) -> Iterator[Floats]:
    for top in range(0, alpha.height, ROWS):
        yield alpha.region(top, 0, min(ROWS, alpha.height - top), alpha.width)
