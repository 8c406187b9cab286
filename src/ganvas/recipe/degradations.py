"""From a high-resolution picture to the low-resolution one that super-resolution learns to undo: a value per rule.

A rule must be the one by which the pictures to be enlarged were made: a network trained on one kernel and used on
another loses more than a decibel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.errors import InputError
from ganvas.imaging.tensors import bicubic, imresize

MARGIN = 2  # low-resolution pixels around a crop that bicubic shrinking looks at


@dataclass(frozen=True, kw_only=True)
class Bicubic:
    """MATLAB's antialiased bicubic, bit for bit: the rule of the published benchmarks."""

    def apply(self, high: Tensor, scale: int, random: torch.Generator) -> Tensor:
        """uint8 (B, C, H, W) -> uint8 (B, C, H / scale, W / scale)"""
        return bicubic(high, 1 / scale)


@dataclass(frozen=True, kw_only=True)
class Bilinear:
    """Antialiased bilinear, as Pillow shrinks."""

    def apply(self, high: Tensor, scale: int, random: torch.Generator) -> Tensor:
        """uint8 (B, C, H, W) -> uint8 (B, C, H / scale, W / scale)"""
        shape = [side // scale for side in high.shape[-2:]]
        return _eight_bit(functional.interpolate(high.float(), shape, mode="bilinear", antialias=True))


@dataclass(frozen=True, kw_only=True)
class Area:
    """The mean of each scale x scale square, as OpenCV's INTER_AREA."""

    def apply(self, high: Tensor, scale: int, random: torch.Generator) -> Tensor:
        """uint8 (B, C, H, W) -> uint8 (B, C, H / scale, W / scale)"""
        return _eight_bit(functional.avg_pool2d(high.float(), scale))


@dataclass(frozen=True, kw_only=True)
class Blind:
    """Blur, one of three resizing rules, noise and JPEG, each of random strength: for real photographs.

    A single pass of the model of Wang et al. 2021, Real-ESRGAN, arXiv:2107.10833, section 3.1.
    """

    blur: float = 2.0
    """Largest standard deviation of the Gaussian blur, in high-resolution pixels; each picture has its own."""
    noise: float = 15.0
    """Largest standard deviation of the noise, in steps of 0..255; in half the pictures it is grey."""
    jpeg: int = 40
    """Lowest quality of the JPEG compression; the highest is 95. 0 leaves it out."""

    def __post_init__(self) -> None:
        if not (0 <= self.blur < math.inf and 0 <= self.noise < math.inf and 0 <= self.jpeg <= 95):
            raise InputError(
                f"--data.degradation with blur {self.blur}, noise {self.noise} and JPEG quality {self.jpeg} cannot be;"
                " give 0 or more, and a quality of 0 (none) to 95."
            )

    def apply(self, high: Tensor, scale: int, random: torch.Generator) -> Tensor:
        """uint8 (B, C, H, W) -> uint8 (B, C, H / scale, W / scale)"""
        count, device = len(high), high.device

        def draw(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=random).to(device)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=random).to(device)

        pictures = _blur(high.float(), self.blur * draw(count))
        small = torch.stack(
            [
                imresize(pictures, 1 / scale),
                functional.interpolate(
                    pictures, [side // scale for side in high.shape[-2:]], mode="bilinear", antialias=True
                ),
                functional.avg_pool2d(pictures, scale),
            ]
        )
        which = torch.randint(3, (count,), generator=random).to(device)
        low = small[which, torch.arange(count, device=device)]
        grey = (draw(count) < 0.5).view(-1, 1, 1, 1)
        coloured = normal(*low.shape)
        noise = torch.where(grey, coloured[:, :1], coloured)
        low = (low + noise * (self.noise * draw(count)).view(-1, 1, 1, 1)).clamp(0, 255)
        return _eight_bit(_jpeg(low, self.jpeg + (95 - self.jpeg) * draw(count)) if self.jpeg else low)


Degradation = Bicubic | Bilinear | Area | Blind


def _eight_bit(pictures: Tensor) -> Tensor:
    return pictures.add(0.5).floor_().clamp_(0, 255).byte()


def _blur(pictures: Tensor, sigma: Tensor) -> Tensor:
    """Each picture with its own round Gaussian, cut off at 8 pixels."""
    at = torch.arange(-8, 9, device=pictures.device)
    kernel = torch.exp(-0.5 * (at / sigma.clamp(min=1e-3)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(pictures.shape[1], 0)
    flat = functional.pad(pictures, [8] * 4, mode="replicate").flatten(0, 1)[None]
    flat = functional.conv2d(flat, kernel[:, None, :, None], groups=len(kernel))
    return functional.conv2d(flat, kernel[:, None, None, :], groups=len(kernel)).view_as(pictures)


# Tables K.1 and K.2 of ITU-T T.81.
_LUMA = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
           18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
_CHROMA = "17 18 24 47 18 21 26 66 24 26 56 99 47 66 99 99"


def _jpeg(pictures: Tensor, quality: Tensor) -> Tensor:
    """What JPEG without subsampling leaves of pictures 0..255 at their own qualities (B,) of 1 to 100."""
    count, channels, height, width = pictures.shape
    padded = functional.pad(pictures, [0, -width % 8, 0, -height % 8], mode="replicate") - 128
    if channels == 3:
        padded = torch.einsum("ij,bjhw->bihw", _YCC.to(padded), padded)
    rows, columns = padded.shape[2] // 8, padded.shape[3] // 8
    blocks = padded.view(count, channels, rows, 8, columns, 8).transpose(3, 4)
    dct = _DCT.to(padded)
    stretch = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).view(-1, 1, 1, 1) / 100
    steps = (_STEPS[:channels].to(padded) * stretch).add(0.5).floor().clamp(1, 255)[:, :, None, None]
    left = torch.round(dct @ blocks @ dct.T / steps) * steps
    back = (dct.T @ left @ dct).transpose(3, 4).reshape(padded.shape)
    if channels == 3:
        back = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(_YCC).to(padded), back)
    return (back + 128)[:, :, :height, :width].clamp(0, 255)


def _tables() -> tuple[Tensor, Tensor, Tensor]:
    luma = torch.tensor([float(x) for x in _LUMA.split()]).view(8, 8)
    chroma = torch.full((8, 8), 99.0)
    chroma[:4, :4] = torch.tensor([float(x) for x in _CHROMA.split()]).view(4, 4)
    k = torch.arange(8, dtype=torch.float64)
    dct = torch.cos((2 * k + 1) * k[:, None] * math.pi / 16) / 2
    dct[0] /= math.sqrt(2)
    ycc = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return torch.stack([luma, chroma, chroma]), dct.float(), ycc


_STEPS, _DCT, _YCC = _tables()
