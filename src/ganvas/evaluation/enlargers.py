"""What enlarges a picture: a network, or the bicubic that it has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from ganvas.errors import InputError
from ganvas.evaluation.test_sets import enlarge
from ganvas.imaging.grid import Pixels
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from ganvas.inference.upscaler import Upscaler

BICUBIC = "bicubic"
SCALE = 4  # of bicubic, unless said otherwise


class Enlarger(Protocol):
    """Makes uint8 (scale * H, scale * W, C) of uint8 (H, W, C), C 1 or 3."""

    @property
    def name(self) -> str: ...
    @property
    def scale(self) -> int: ...
    @property
    def images(self) -> int:
        """That it was trained on."""

    def enlarge(self, low: Pixels) -> Pixels: ...


@dataclass(frozen=True)
class Bicubic:
    """MATLAB's bicubic."""

    scale: int = SCALE
    name: str = BICUBIC
    images: int = 0

    def enlarge(self, low: Pixels) -> Pixels:
        """uint8 (H, W, C) -> (scale * H, scale * W, C)."""
        return enlarge(low, self.scale)


@dataclass(frozen=True)
class Network:
    """A network as it is: without the lock on colours, which would be measured too."""

    upscaler: Upscaler

    @property
    def name(self) -> str:
        """The model's."""
        return self.upscaler.name

    @property
    def scale(self) -> int:
        """The model's."""
        return self.upscaler.scale

    @property
    def images(self) -> int:
        """That it was trained on."""
        return self.upscaler.images_seen

    def enlarge(self, low: Pixels) -> Pixels:
        """uint8 (H, W, C) -> (scale * H, scale * W, C), rounded and clipped."""
        made: Pixels = self.upscaler.upscale(low, colour_lock=False)
        return made


def open_enlarger(
    model: str | Path,
    *,
    scale: int = 0,
    which: Literal["last", "best"] = "last",
    strength: float = 1.0,
    device: str = "cpu",
) -> tuple[Enlarger, RunFolder | None, str]:
    """An enlarger by its word, with the run that it lies in and which of that run's states it is.

    Args:
        model: bicubic, a shipped model's name, a run's folder, or a file of weights.
        scale: of bicubic, 4 unless given; of a model, what it must have if given.
        which: state of a run's folder.
        strength: from 0, the network that the training of an SRGAN started from, to 1, the SRGAN.
        device: where to compute.

    Raises:
        InputError: it cannot be opened, or is of another scale.
    """
    if scale < 0 or scale == 1:
        raise InputError(f"--scale {scale} enlarges nothing; give 2, 3, 4 or 8.")
    if str(model) == BICUBIC:
        if strength != 1:
            raise InputError(f"--strength {strength:g} is for an SRGAN and not for bicubic; leave it out.")
        return Bicubic(scale or SCALE), None, ""
    from ganvas.inference.upscaler import open_upscaler

    path = Path(model)
    folder = next((f for f in (RunFolder(p) for p in (path, *path.parents[:2])) if f.exists()), None)
    state = which if path.is_dir() else {"model": "last"}.get(path.stem, path.stem)
    if path.is_dir() and which == "best":
        path = path / "checkpoints" / "best.safetensors"
        if not path.is_file():
            raise InputError(f"{model} holds no best state yet; train the run first, or give --which last.")
    # A name is no path: it may be that of a shipped model.
    upscaler = open_upscaler(path if path.exists() else str(model), strength=strength, device=device)
    if scale not in (0, upscaler.scale):
        raise InputError(
            f"{model} enlarges by {upscaler.scale} and not by {scale}; leave --scale out, and give models of one scale."
        )
    return Network(upscaler), folder, state if folder else ""
