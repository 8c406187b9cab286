"""Enlarge pictures of any size with a trained network, without loss on the way and in memory that does not grow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from PIL import Image
from torch import Tensor

from ganvas.errors import InputError
from ganvas.inference.engine.colour import ColourLock
from ganvas.inference.engine.planes import Floats, Grey, Picture, Planes, is_grey, like
from ganvas.inference.engine.precision import Trial, full, tuned
from ganvas.inference.engine.tiling import SMALLEST, Engine, Extended, NotANumber, Walk

__all__ = ["Picture", "Report", "Upscaler", "open_upscaler"]

Precision = Literal["fp32", "auto"]


@dataclass(frozen=True)
class Report:
    """What happened to one picture.

    Attributes:
        tile: columns worked on at once, in pixels of the input.
        rows: rows worked on at once; both are what was left after the halvings.
        context: pixels around each part that the network was given with it.
        exact: whether the result equals, bit for bit in fp32, that of the whole picture at once.
        precision: of the network's arithmetic, as "fp32" or "bf16".
        halvings: how often memory did not suffice, and parts were made smaller.
        retries: how often a part came out as no picture (NaN, infinite, black), and was made again in fp32.
        colour_before, colour_after: mean colour difference (CIE76) between the input and the result reduced to its
            size, before and after the colour lock; None where it is off.
    """

    tile: int
    rows: int
    context: int
    exact: bool
    precision: str
    halvings: int = 0
    retries: int = 0
    colour_before: float | None = None
    colour_after: float | None = None


class Upscaler:
    """A network that enlarges.

    Attributes:
        name: of the model.
        strength: of the mix with the model's start; 1 is the model itself.
        scale: how many times the sides grow.
        images_seen: images it was trained on; 0 where that is not known.
        channels: planes the network works on; grey is given to it as three equal ones and comes back as one.
        last: what happened to the last picture; None before the first.
        trials: with precision "auto", how fast and how faithful each candidate is, once the first picture was begun.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        images: int = 0,
        channels: int = 3,
        strength: float = 1.0,
        precision: Precision = "fp32",
        tile: int = 0,
    ) -> None:
        if tile and tile < SMALLEST:
            raise InputError(
                f"tiles of {tile} px are all border; give --tile at least {SMALLEST}, or 0 to let it choose."
            )
        self.name, self.scale, self.images_seen, self.channels = name, engine.scale, images, channels
        self.strength = strength
        self.last: Report | None = None
        self.trials: tuple[Trial, ...] = ()
        self._exact, self._tile = engine, tile
        self._chosen = engine if precision == "fp32" else None

    @property
    def title(self) -> str:
        """The name, and the strength where it is not the model's own."""
        return self.name if self.strength == 1 else f"{self.name} at strength {self.strength:g}"

    def bands(self, picture: Picture, *, colour_lock: bool = True) -> Iterator[Floats]:
        """Enlarge a picture: float32 (rows, scale width, channels) in [0, 1], unrounded, from top to bottom.

        Raises:
            InputError: the model gives no picture even in fp32, or memory does not suffice for the smallest tile.
        """
        if is_grey(picture):  # the network would give it a tint
            yield from (band.repeat(3, 2) for band in self.bands(Grey(picture), colour_lock=colour_lock))
            return
        parts = self._parts(picture)
        lock = ColourLock(picture, self.scale) if colour_lock else None
        for part in lock.parts(parts) if lock else parts:
            rows = ((part[0] + 1) / 2).clamp(0, 1)
            rows = rows.mean(0, keepdim=True) if picture.channels == 1 else rows
            yield rows.permute(1, 2, 0).contiguous().numpy()
        if lock and self.last:
            self.last = replace(self.last, colour_before=lock.before, colour_after=lock.after)

    def upscale(self, image: Any, *, colour_lock: bool = True) -> Any:
        """Enlarge a picture in memory.

        Args:
            image: a PIL picture (modes L and RGB), or an array (H, W), (H, W, 1) or (H, W, 3) of uint8, uint16 or
                float32 in [0, 1].
            colour_lock: keep the input's colours where the network would shift them.

        Returns:
            the same kind, `scale` times as high and wide.
        """
        if isinstance(image, Image.Image) and image.mode not in ("L", "RGB"):
            raise InputError(f"a picture of mode {image.mode} cannot be enlarged as it is; convert it to L or RGB.")
        pixels = np.asarray(image)
        rows = [like(band, image) for band in self.bands(Planes(pixels), colour_lock=colour_lock)]
        made = np.concatenate(rows).reshape(
            pixels.shape[0] * self.scale, pixels.shape[1] * self.scale, *pixels.shape[2:]
        )
        return Image.fromarray(made) if isinstance(image, Image.Image) else made

    def _parts(self, picture: Picture) -> Iterator[Tensor]:
        height, width = picture.height * self.scale, picture.width * self.scale
        if min(picture.height, picture.width) < self._exact.least:
            picture = Extended(picture, self._exact.least)
        if self._chosen is None:
            self._chosen, self.trials = tuned(self._exact, picture)
        engine = self._chosen
        retries = done = 0
        walk = Walk(engine, picture, self._tile)
        while done < height:
            try:
                skip = done % self.scale
                for part in walk.parts(done // self.scale):
                    part = part[:, :, skip : skip + height - done, :width]
                    skip, done = 0, done + part.shape[2]
                    self.last = Report(walk.tile, walk.rows, walk.engine.context, walk.engine.exact, engine.name,
                                       walk.halvings, retries)  # fmt: skip
                    if part.shape[2]:
                        yield part
                    if done == height:
                        return
            except NotANumber as reason:
                if walk.engine is self._exact:
                    raise InputError(
                        f"{self.name} makes {reason} even in fp32; its weights are damaged: train or fetch it again."
                    ) from None
                retries += 1
                walk = replace(walk, engine=self._exact, rows=0)


def open_upscaler(
    model: str | Path = "srgan-x4",
    *,
    strength: float = 1.0,
    device: str = "cpu",
    precision: Precision = "fp32",
    tile: int = 0,
) -> Upscaler:
    """Open a model that enlarges.

    Args:
        model: the name of a model in the package, a run's folder, or a file of weights.
        strength: 1 is the model itself, 0 the SRResNet it started from, between them their weights are mixed.
        device: where to compute.
        precision: "fp32", or "auto" for what is fastest here and yet at least 50 dB from fp32.
        tile: side of the parts in pixels of the input; 0 chooses by the memory at hand.

    Raises:
        InputError: there is no such model, or it cannot be used so.
    """
    from ganvas.inference.upscaler_models import load, place

    if not 0 <= strength <= 1:
        raise InputError(f"--strength {strength} must lie in 0 (SRResNet, faithful) to 1 (SRGAN, sharp).")
    if tile < 0:
        raise InputError(f"--tile {tile} is negative; give a side in pixels, or 0 to let it choose.")
    if precision not in get_args(Precision):
        raise InputError(f"precision {precision!r} is not known; give {' or '.join(get_args(Precision))}.")
    loaded = load(model, strength)
    network, where = place(loaded.network, device)
    return Upscaler(
        full(network, loaded.scale, where, loaded.channels),
        loaded.name,
        images=loaded.images,
        channels=loaded.channels,
        strength=strength,
        precision=precision,
        tile=tile,
    )
