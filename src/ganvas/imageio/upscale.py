"""Upscale one photo into a file, preserving all metadata that the new file can hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ganvas.errors import InputError
from ganvas.imageio import video
from ganvas.imageio.operation import (
    Before,
    Choice,
    OnProgress,
    Operation,
    OutputOptions,
    Written,
    with_alpha,
    write_changed,
)
from ganvas.imageio.reading import Photo, Plane
from ganvas.imaging.flaws import LIMITS, Flaws, measured
from ganvas.imaging.tensors import imresize
from ganvas.inference.engine.raster import Floats

if TYPE_CHECKING:
    from ganvas.inference.upscaler import Upscaler, UpscaleReport

BAND, REACH = 16, 2  # rows of alpha upscaled at once, and the reach of bicubic interpolation


@dataclass(frozen=True)
class UpscaleOptions(OutputOptions):
    """How to upscale photos.

    Attributes:
        scale: factor by which the sides grow, from 1 to the model's own scale; 0 for the model's own.
        colour_lock: keep the photo's colours where the model would shift them.
    """

    scale: float = 0
    colour_lock: bool = True

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


class Upscaling(Operation):
    """Upscale photos and videos with one model; or change them, with one that does not enlarge."""

    verb, doing, past, takes_videos = "upscale", "upscaling", "upscaled", True

    def __init__(self, upscaler: Upscaler, options: UpscaleOptions, model: dict[str, Any]) -> None:
        """`model` is what else changes pixels, by the names that the manifest uses."""
        self.upscaler, self.options, self.model = upscaler, options, model
        scale = options.scale_for(upscaler)
        self.suffix, self.growth, self.how = f"_x{scale:g}", scale**2, f"{scale:g} times by {upscaler.title}"
        if upscaler.scale == 1:
            self.doing, self.past, self.suffix, self.how = "changing", "changed", "_changed", f"by {upscaler.title}"

    def settings(self, source: Path) -> dict[str, Any]:
        """See `Operation.settings`."""
        return {**self.model, **self.options.settings()}

    def photo(self, photo: Photo, path: Path, form: str, *, on_progress: OnProgress, before: Before) -> Written:
        """See `Operation.photo`."""
        upscaler, options = self.upscaler, replace(self.options, form=form)
        times, (width, height) = options.scale_for(upscaler), (photo.colour.width, photo.colour.height)
        full = width * upscaler.scale, height * upscaler.scale
        final = max(1, round(width * times)), max(1, round(height * times))
        done = 0

        def count(rows: int) -> None:
            nonlocal done
            done += rows
            on_progress(done / full[1])

        def bands(flat: bool) -> Iterator[Floats]:
            colours = upscaler.bands(photo.colour, colour_lock=options.colour_lock)
            return with_alpha(colours, alphas(photo.alpha, upscaler.scale) if photo.alpha else None, flat)

        sizes = full, final
        notes = write_changed(photo, path, options, self.past, self.how, bands, sizes, before=before, on_rows=count)
        return Written(path, *final, about(upscaler.last), notes)

    def video(self, source: Path, path: Path, *, on_progress: OnProgress, before: Before) -> Written:
        """See `Operation.photo`; the format is that of the path.

        Raises:
            UnusableFile: ffmpeg is not installed, or see `Operation.photo`.
        """
        written = video.upscale_video(
            source,
            self.upscaler,
            path,
            self.options.scale_for(self.upscaler),
            f"{self.past.capitalize()} {self.how}",
            colour_lock=self.options.colour_lock,
            strip_location=self.options.strip_location,
            on_progress=on_progress,
            before=before,
        )
        return replace(written, about=about(self.upscaler.last))


class ChosenUpscaling(Upscaling):
    """Upscale clean photos with one model, and those with flaws with another, which removes them."""

    def __init__(self, clean: Upscaling, spoiled: Callable[[], Upscaling]) -> None:
        """`spoiled` opens the other model, once and only if a photo needs it; both have one scale."""
        super().__init__(clean.upscaler, clean.options, clean.model)
        self.clean, self.spoiled = clean, cache(spoiled)

    def chosen(self, look: Callable[[], Iterable[Floats]], known: object = None) -> Choice:
        """See `Operation.chosen`."""
        flaws = _recorded(known) or measured(list(look()))
        operation = self.spoiled() if flaws.above(LIMITS) else self.clean
        return Choice(operation, asdict(flaws), f"by {operation.upscaler.name} ({in_words(flaws)})")


def in_words(flaws: Flaws) -> str:
    """The flaws that are above `LIMITS`; of a clean photo, what there is of each."""
    found = {
        "jpeg": f"JPEG steps of {flaws.jpeg:.0f}",
        "noise": f"noise {flaws.noise:.1f} of 255",
        "colour_noise": f"colour noise {flaws.colour_noise:.1f} of 255",
        "blur": f"blur {flaws.blur:.2f} px",
        "sepia": "an old print",
    }
    above = flaws.above(LIMITS)
    if above:
        return ", ".join(found[name] for name in above)
    there = [text for name, text in found.items() if getattr(flaws, name) > 0]
    return f"clean: {', '.join(there)}" if there else "nothing to measure"


def _recorded(known: object) -> Flaws | None:
    """Flaws from a manifest, if they are sound."""
    names = [one.name for one in fields(Flaws)]
    if not isinstance(known, dict) or sorted(known) != sorted(names):
        return None
    if not all(isinstance(value, int | float) and isfinite(value) for value in known.values()):
        return None
    return Flaws(**known)


def about(report: UpscaleReport | None) -> str:
    """What the colour lock did, in words; empty without."""
    if report is None or report.colour_before is None:
        return ""
    return f"dE {report.colour_before:.2f} -> {report.colour_after:.2f}"


def alphas(alpha: Plane, scale: int) -> Iterator[Floats]:
    """Bands of alpha upscaled by bicubic interpolation: a network would add specks beside a cut-out's edge."""
    for top in range(0, alpha.height, BAND):
        first, last = max(0, top - REACH), min(alpha.height, top + BAND + REACH)
        part = torch.from_numpy(alpha.region(first, 0, last - first, alpha.width)).permute(2, 0, 1)
        begin, end = (top - first) * scale, (min(top + BAND, alpha.height) - first) * scale
        yield imresize(part, scale)[:, begin:end].clamp(0, 1).permute(1, 2, 0).numpy()
