"""What is scored on pairs: a model that upscales, or bicubic, and the run that it lies in."""

from __future__ import annotations

from pathlib import Path

from ganvas.errors import InputError
from ganvas.inference import open_as
from ganvas.inference.loading import Which
from ganvas.inference.super_resolution import BICUBIC, SCALE, BicubicUpscaler, SuperResolution
from ganvas.runs.folder import RunFolder


def open_upscaler(
    model: str | Path, *, scale: int = 0, which: Which = "last", strength: float = 1.0, device: str = "cpu"
) -> tuple[SuperResolution, RunFolder | None, str]:
    """A model, with the run that it lies in and which of that run's states it is.

    Args:
        model: bicubic, a bundled model's name, a run's folder, or a file of weights.
        scale: of bicubic, 4 unless given; of a model, what it must have if given.
        which: state of a run's folder.
        strength: from 0, the network that the training of an SRGAN started from, to 1, the SRGAN.
        device: where to compute.

    Raises:
        InputError: it cannot be opened, or is of another scale.
    """
    if scale < 0 or scale == 1:
        raise InputError(f"--scale {scale} does not upscale; give 2, 3, 4 or 8.")
    if str(model) == BICUBIC:
        if strength != 1:
            raise InputError(f"--strength {strength:g} is for an SRGAN and not for bicubic; leave it out.")
        return BicubicUpscaler(scale or SCALE), None, ""
    upscaler = open_as(
        SuperResolution,  # type: ignore[type-abstract]
        model,
        which=which,
        device=device,
        **({"strength": strength} if strength != 1 else {}),
    )
    if scale not in (0, upscaler.scale):
        raise InputError(
            f"{model} upscales by {upscaler.scale} and not by {scale}; leave --scale out, and give models of one scale."
        )
    path = Path(model)
    folder = next((f for f in map(RunFolder, (path, *path.parents[:2])) if f.exists()), None)
    state = which if path.is_dir() else {"model": "last"}.get(path.stem, path.stem)
    return upscaler, folder, state if folder else ""
