"""The colour lock: downscaling the result must give back the input.

A GAN shifts colours, since its discriminator sees only small crops. One step of back-projection (Irani & Peleg 1991)
adds to the result the upscaled difference between the input and the downscaled result. That corrects low frequencies
and keeps the generated detail. Of a model that removes noise and blocks the difference would bring those back, so that
there it is averaged over an area first. Every step is a convolution, so it streams row by row like the network.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.inference.engine.raster import Raster, read
from ganvas.inference.engine.receptive_field import LayerGraph
from ganvas.inference.engine.row_stream import RowStream

AREA = 33  # pixels of the input, some four blocks of JPEG


class ColourLock:
    """Corrects the rows of one image as they are streamed.

    Attributes:
        before, after: mean CIE76 difference between the image and the result downscaled to its size.
    """

    def __init__(self, image: Raster, scale: int, area: int = 1) -> None:
        """`area` is the side in pixels of the image, odd, over which colours are kept; 1 is each pixel."""
        self.image, self.scale = image, scale
        heights = [image.height * scale, image.height]
        unlimited = 2**31
        self._lock = RowStream(LayerGraph(_Lock(scale, area)), heights, unlimited)
        self._seen = [RowStream(LayerGraph(_Seen(scale, area)), heights, unlimited) for _ in range(2)]
        self._sums, self._rows = [0.0, 0.0], [0, 0]

    @property
    def before(self) -> float:
        """Difference of the network's own result."""
        return self._sums[0] / max(1, self._rows[0] * self.image.width)

    @property
    def after(self) -> float:
        """Difference of the corrected result."""
        return self._sums[1] / max(1, self._rows[1] * self.image.width)

    @torch.inference_mode()
    def parts(self, parts: Iterator[Tensor]) -> Iterator[Tensor]:
        """(1, 3, rows, scale width) in about [-1, 1] -> the same rows, corrected, in [-1, 1]."""
        done = low = 0
        for part in parts:
            high = part.clamp(-1, 1).permute(1, 0, 2, 3).contiguous()
            done += high.shape[2]
            count = -(-done // self.scale) - low
            given = (
                read(self.image, low, 0, count, self.image.width)
                if count
                else torch.empty(1, 3, 0, part.shape[3] // self.scale)
            )
            given = given.permute(1, 0, 2, 3).contiguous()
            low += count
            self._lock.push(high, given)
            self._compare(0, high, given)
            self._compare(1, high[:, :, :0], given)
            while (made := self._lock.pull()) is not None:
                made = made.clamp(-1, 1)
                self._compare(1, made, given[:, :, :0])
                yield made.permute(1, 0, 2, 3)

    def _compare(self, which: int, high: Tensor, low: Tensor) -> None:
        stream = self._seen[which]
        stream.push(high, low)
        while (both := stream.pull()) is not None:
            made, given = both.permute(1, 0, 2, 3)  # the colours are the batch
            self._sums[which] += float(difference(made[None], given[None]).double().sum())
            self._rows[which] += both.shape[2]


def difference(one: Tensor, other: Tensor) -> Tensor:
    """CIE76 colour difference (1, h, w) of sRGB images (1, 3, h, w) in [-1, 1]."""
    return (lab(one) - lab(other)).square().sum(1).sqrt()


def lab(images: Tensor) -> Tensor:
    """sRGB (B, 3, h, w) in [-1, 1] -> CIE L*a*b* under D65 (IEC 61966-2-1, CIE 15)."""
    srgb = ((images + 1) / 2).clamp(0, 1)
    linear = torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = torch.tensor(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    xyz = torch.einsum("ij,bjhw->bihw", to_xyz / to_xyz.sum(1, keepdim=True), linear)
    f = torch.where(xyz > (6 / 29) ** 3, xyz.clamp_min(1e-9) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


class Reduce(nn.Module):
    """(B, 1, scale h, scale w) -> (B, 1, h, w) by the antialiased bicubic kernel that makes low-resolution images."""

    def __init__(self, scale: int) -> None:
        super().__init__()
        taps = 4 * scale - scale % 2
        weights = torch.tensor([_cubic((index - (taps - 1) / 2) / scale) for index in range(taps)])
        weights /= weights.sum()
        padding = (3 * scale - scale % 2) // 2
        self.down = nn.Conv2d(1, 1, (taps, 1), (scale, 1), (padding, 0), bias=False, padding_mode="replicate")
        self.across = nn.Conv2d(1, 1, (1, taps), (1, scale), (0, padding), bias=False, padding_mode="replicate")
        self.down.weight.data = weights.view(1, 1, -1, 1)
        self.across.weight.data = weights.view(1, 1, 1, -1)

    def forward(self, high: Tensor) -> Tensor:
        """Rows first, as MATLAB does."""
        low: Tensor = self.across(self.down(high))
        return low


def _averaged(area: int) -> nn.Module:
    """(B, 1, h, w) -> the same with the mean over area x area pixels."""
    if area == 1:
        return nn.Identity()
    options: dict[str, Any] = {"bias": False, "padding_mode": "replicate"}
    layers = [
        nn.Conv2d(1, 1, (area, 1), padding=(area // 2, 0), **options),
        nn.Conv2d(1, 1, (1, area), padding=(0, area // 2), **options),
    ]
    for layer in layers:
        nn.init.constant_(layer.weight, 1 / area)
    return nn.Sequential(*layers)


class _Seen(nn.Module):
    """The result downscaled, and the image, both averaged: (B, 2, h, w)."""

    def __init__(self, scale: int, area: int) -> None:
        super().__init__()
        self.reduce, self.averaged = Reduce(scale), _averaged(area)

    def forward(self, high: Tensor, low: Tensor) -> Tensor:
        return torch.cat([self.averaged(self.reduce(high)), self.averaged(low)], 1)


class _Lock(nn.Module):
    def __init__(self, scale: int, area: int) -> None:
        super().__init__()
        self.reduce, self.averaged, self.scale = Reduce(scale), _averaged(area), scale
        phases = torch.tensor(
            [[_cubic((phase + 0.5) / scale - 0.5 - tap) for tap in range(-2, 3)] for phase in range(scale)]
        )
        phases /= phases.sum(1, keepdim=True)
        self.upscale = nn.Conv2d(1, scale * scale, 5, padding=2, bias=False, padding_mode="replicate")
        self.upscale.weight.data = torch.einsum("pi,qj->pqij", phases, phases).reshape(scale * scale, 1, 5, 5)

    def forward(self, high: Tensor, low: Tensor) -> Tensor:
        return high + functional.pixel_shuffle(self.upscale(self.averaged(low - self.reduce(high))), self.scale)


def _cubic(t: float) -> float:
    """Keys' kernel with a = -1/2 (Keys 1981)."""
    t = math.fabs(t)
    if t <= 1:
        return 1.5 * t**3 - 2.5 * t**2 + 1
    return -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2 if t < 2 else 0.0
