"""What is scored on pairs: a model that upscales or repairs, or what it has to beat, and the run that it lies in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from ganvas.errors import InputError
from ganvas.evaluation.baselines import BICUBIC, INPUT, SCALE, BicubicUpscaler, Unchanged
from ganvas.imaging.grid import Pixels
from ganvas.inference import Repairer, open_as
from ganvas.inference.base import Model, Predictor
from ganvas.inference.loading import Which
from ganvas.inference.super_resolution import SuperResolution
from ganvas.runs.folder import RunFolder


class Repairs(SuperResolution):
    """A model that repairs, as one that upscales by 1."""

    def __init__(self, repairer: Repairer) -> None:
        self.about, self.repairer = repairer.about, repairer

    @classmethod
    def load(cls, model: Model) -> Self:
        """Around the model's repairer."""
        return cls(Repairer.load(model))

    def upscale(self, image: Pixels, *, colour_lock: bool = True) -> Pixels:
        """uint8 (H, W, C) -> the same, repaired"""
        return self.repair(image)[0]

    def repair(self, image: Pixels, mask: Pixels | None = None) -> tuple[Pixels, Pixels]:
        """uint8 (H, W, C), and a damage map of its size -> the image repaired, and what was found or given."""
        made: Any = self.repairer.repair(image, mask).image
        return made, self.repairer.damage


def open_upscaler(
    model: str | Path, *, scale: int = 0, which: Which = "last", strength: float = 1.0, device: str = "cpu"
) -> tuple[SuperResolution, RunFolder | None, str]:
    """A model, with the run that it lies in and which of that run's states it is.

    Args:
        model: bicubic, input (which changes nothing), a bundled model's name, a run's folder, or a file of weights.
        scale: of bicubic, 4 unless given; of a model, what it must have if given.
        which: state of a run's folder.
        strength: from 0, the network that the training of an SRGAN started from, to 1, the SRGAN.
        device: where to compute.

    Raises:
        InputError: it cannot be opened, or is of another scale.
    """
    if str(model) == BICUBIC:
        if scale < 0 or scale == 1:
            raise InputError(f"bicubic does not upscale by {scale}; give --scale 2, 3, 4 or 8, or leave bicubic out.")
        if strength != 1:
            raise InputError(f"--strength {strength:g} is for an SRGAN and not for bicubic; leave it out.")
        return BicubicUpscaler(scale or SCALE), None, ""
    if str(model) == INPUT:
        if scale not in (0, 1) or strength != 1:
            raise InputError("input stays as it is, at a scale of 1; leave --scale and --strength out.")
        return Unchanged(), None, ""
    options = {"strength": strength} if strength != 1 else {}
    found = open_as(Predictor, model, which=which, device=device, **options)  # type: ignore[type-abstract]
    upscaler = Repairs(found) if isinstance(found, Repairer) else found
    if not isinstance(upscaler, SuperResolution):
        raise InputError(f"{model} {found.does}, but a model that upscales or repairs images is needed; give one.")
    if scale not in (0, upscaler.scale):
        raise InputError(
            f"{model} upscales by {upscaler.scale} and not by {scale}; leave --scale out, and give models of one scale."
        )
    path = Path(model)
    folder = next((f for f in map(RunFolder, (path, *path.parents[:2])) if f.exists()), None)
    state = which if path.is_dir() else {"model": "last"}.get(path.stem, path.stem)
    return upscaler, folder, state if folder else ""
