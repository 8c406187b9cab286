"""Upscale images of any size with a trained network, in memory that does not grow with their height."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ganvas.errors import InputError
from ganvas.inference.base import Descriptor, Model
from ganvas.inference.engine.colour import AREA, ColourLock
from ganvas.inference.engine.precision import PrecisionTrial, exact_engine, fastest_engine
from ganvas.inference.engine.raster import ArrayRaster, Floats, GreyRaster, PaddedRaster, Raster, is_grey, like
from ganvas.inference.engine.tiling import SMALLEST, Engine, InvalidResult, Tiling
from ganvas.inference.loading import read_model
from ganvas.inference.super_resolution import SuperResolution

Precision = Literal["fp32", "auto"]


@dataclass(frozen=True)
class UpscaleReport:
    """How one image was upscaled.

    Attributes:
        tile: columns processed at once, in pixels of the input.
        rows: rows processed at once; like `tile`, after all halvings.
        context: pixels around each part that the network also reads.
        exact: whether the result equals that of the whole image at once, in fp32 bit for bit.
        precision: precision of the network's arithmetic, such as "fp32" or "bf16".
        halvings: how often memory ran out and the parts were halved.
        retries: how often a part was invalid (NaN, infinite, black) and recomputed in fp32.
        colour_before, colour_after: mean colour difference (CIE76) between the input and the result downscaled to its
            size, before and after the colour lock; None without the lock.
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


class Upscaler(SuperResolution):
    """A super-resolution network; or one of scale 1, which makes another image of each.

    Attributes:
        strength: weight of the model in the mix with its start; 1 is the model itself.
        channels: channels of the network's input; grey images are passed as three equal channels and returned as one.
        last: how the last image was upscaled; None before the first.
        trials: with precision "auto", speed and accuracy of each candidate, available once the first image has begun.
    """

    task = "restoration"

    def __init__(
        self,
        engine: Engine,
        about: Descriptor,
        *,
        strength: float = 1.0,
        precision: Precision = "fp32",
        tile: int = 0,
    ) -> None:
        if precision not in get_args(Precision):
            raise InputError(f"precision {precision!r} is not available; available: {', '.join(get_args(Precision))}.")
        if tile < 0:
            raise InputError(f"--tile {tile} is negative; give a side in pixels, or 0 to choose it automatically.")
        if tile and tile < SMALLEST:
            raise InputError(
                f"--tile {tile} is too small; give at least {SMALLEST}, or 0 to choose the size automatically."
            )
        self.about, self.channels, self.strength = about, engine.channels, strength
        self.does = type(self).does if about.scale > 1 else "changes images"
        self.last: UpscaleReport | None = None
        self.trials: tuple[PrecisionTrial, ...] = ()
        self._exact, self._tile = engine, tile
        self._chosen = engine if precision == "fp32" else None

    @classmethod
    def load(cls, model: Model, *, strength: float = 1.0, precision: Precision = "fp32", tile: int = 0) -> Self:
        """See `Predictor.load`.

        Args:
            strength: 1 is the model itself, 0 the SRResNet it started from; in between, their weights are mixed.
            precision: "fp32", or "auto" for the fastest precision with at least 50 dB PSNR against fp32.
            tile: side of the parts in pixels of the input; 0 chooses it by the available memory.

        Raises:
            InputError: an option is out of range, or the model has no known start to mix with.
        """
        if not 0 <= strength <= 1:
            raise InputError(f"--strength {strength} is out of range; give 0 (SRResNet, faithful) to 1 (SRGAN, sharp).")
        about = model.about
        network = model.network if strength == 1 else _mixed(model, strength)
        device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        engine = exact_engine(network, about.scale, device, about.channels, model.smallest)
        return cls(engine, about, strength=strength, precision=precision, tile=tile)

    @property
    def title(self) -> str:
        """The name, with the strength if it is not 1."""
        return self.name if self.strength == 1 else f"{self.name} at strength {self.strength:g}"

    def bands(self, image: Raster, *, colour_lock: bool = True) -> Iterator[Floats]:
        """Upscale an image: bands float32 (rows, scale width, channels) in [0, 1], unrounded, from top to bottom.

        Raises:
            InputError: the result is invalid even in fp32, or there is not enough memory for the smallest tile.
        """
        # A network that does not enlarge was taught to change the image, be it to colour it.
        enlarges = self.scale > 1
        if enlarges and is_grey(image):  # the network would tint it
            yield from (band.repeat(3, 2) for band in self.bands(GreyRaster(image), colour_lock=colour_lock))
            return
        parts = self._parts(image)
        lock = ColourLock(image, self.scale, AREA if self.about.restores else 1) if colour_lock and enlarges else None
        for part in lock.parts(parts) if lock else parts:
            rows = ((part[0] + 1) / 2).clamp(0, 1)
            rows = rows.mean(0, keepdim=True) if image.channels == 1 else rows
            yield rows.permute(1, 2, 0).contiguous().numpy()
        if lock and self.last:
            self.last = replace(self.last, colour_before=lock.before, colour_after=lock.after)

    def upscale(self, image: Any, *, colour_lock: bool = True) -> Any:
        """Upscale an image in memory.

        Args:
            image: a PIL image (modes L and RGB), or an array (H, W), (H, W, 1) or (H, W, 3) of uint8, uint16 or
                float32 in [0, 1].
            colour_lock: keep the input's colours where the network would shift them; not by one of scale 1, which was
                taught to change them.

        Returns:
            an image of the same type, `scale` times as high and wide.

        Raises:
            InputError: the image is of an unsupported kind, or see `bands`.
        """
        if isinstance(image, Image.Image) and image.mode not in ("L", "RGB"):
            raise InputError(f"images of mode {image.mode} are not supported; convert the image to L or RGB.")
        pixels = np.asarray(image)
        rows = [like(band, image) for band in self.bands(ArrayRaster(pixels), colour_lock=colour_lock)]
        made = np.concatenate(rows).reshape(
            pixels.shape[0] * self.scale, pixels.shape[1] * self.scale, *pixels.shape[2:]
        )
        return Image.fromarray(made) if isinstance(image, Image.Image) else made

    def _parts(self, image: Raster) -> Iterator[Tensor]:
        height, width = image.height * self.scale, image.width * self.scale
        step = self._exact.period
        sides = [-(-max(side, self._exact.smallest) // step) * step for side in (image.height, image.width)]
        if sides != [image.height, image.width]:
            image = PaddedRaster(image, *sides)
        if self._chosen is None:
            self._chosen, self.trials = fastest_engine(self._exact, image)
        engine = self._chosen
        retries = done = 0
        tiling = Tiling(engine, image, self._tile)
        while done < height:
            try:
                skip = done % self.scale
                for part in tiling.parts(done // self.scale):
                    part = part[:, :, skip : skip + height - done, :width]
                    skip, done = 0, done + part.shape[2]
                    used = tiling.engine
                    self.last = UpscaleReport(tiling.tile, tiling.rows, used.context, used.exact, engine.name,
                                              tiling.halvings, retries)  # fmt: skip
                    if part.shape[2]:
                        yield part
                    if done == height:
                        return
            except InvalidResult as reason:
                if tiling.engine is self._exact:
                    raise InputError(
                        f"{self.name} outputs {reason} even in fp32, so its weights are damaged; train or download it"
                        " again."
                    ) from None
                retries += 1
                tiling = replace(tiling, engine=self._exact, rows=0)


def _mixed(sharp: Model, strength: float) -> nn.Module:
    """Network interpolation (Wang et al. 2018, ESRGAN, equation 4) between a model's weights and its start's."""
    name, start = sharp.about.name, sharp.about.start
    if not start:
        raise InputError(
            f"--strength {strength:g} needs the SRResNet that {name} started from, which is unknown; leave the option"
            " out, or give an SRGAN trained with --start, such as srgan-x4."
        )
    one, other = read_model(start).network.state_dict(), sharp.network.state_dict()
    if {n: t.shape for n, t in one.items()} != {n: t.shape for n, t in other.items()}:
        raise InputError(f"{name} and its start, {start}, are different networks; leave --strength out.")
    mixed = {n: torch.lerp(one[n].to(t.device).float(), t.float(), strength).to(t.dtype) for n, t in other.items()}
    sharp.network.load_state_dict(mixed)
    return sharp.network
