"""Images as tensors: resizing, blur and JPEG; bicubic resizing matches MATLAB's imresize bit for bit.

MATLAB made the published low-resolution files: Keys' cubic kernel with a = -1/2 (Keys 1981, Cubic Convolution
Interpolation), widened when shrinking (antialiasing), borders replicated, rows before columns. The weights at scales
2, 4 and 8 are dyadic fractions, so even float32 sums them exactly.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.imaging.grid import Pixels

DENSE = 1024  # pixels up to which a dense matrix is faster than gathering tap by tap


def to_pixels(images: Tensor) -> Pixels:
    """(N, C, H, W) in [-1, 1] -> uint8 (N, H, W, C), rounded and clipped."""
    scaled = images.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return scaled.byte().permute(0, 2, 3, 1).cpu().numpy()


def from_pixels(pixels: Pixels) -> Tensor:
    """uint8 (N, H, W, C) -> (N, C, H, W) in [-1, 1]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def bicubic(images: Tensor, scale: float) -> Tensor:
    """Resize 8-bit images, rounding each of the two passes to 8 bits, as MATLAB does with uint8.

    Args:
        images: uint8 (..., H, W).
        scale: factor for both sides, such as 0.25 or 4; the result has ceil(H * scale) rows.

    Returns:
        uint8 (..., ceil(H * scale), ceil(W * scale))
    """
    rows = _rounded(_along(images.double(), scale, -2))
    return _rounded(_along(rows, scale, -1)).byte()


def imresize(images: Tensor, scale: float) -> Tensor:
    """The same without rounding or clipping: floating point (..., H, W) of any range, differentiable."""
    return _along(_along(images, scale, -2), scale, -1)


def _rounded(images: Tensor) -> Tensor:
    return (images + 0.5).floor_().clamp_(0, 255)


def _along(images: Tensor, scale: float, dim: int) -> Tensor:
    index, weights = _taps(images.shape[dim], scale)
    index, weights = index.to(images.device), weights.to(images)
    if images.shape[dim] <= DENSE:
        matrix = weights.new_zeros(len(index), images.shape[dim]).scatter_add_(1, index, weights)
        return matrix @ images if dim == -2 else images @ matrix.T
    shape = (-1, 1) if dim == -2 else (-1,)
    columns = zip(index.unbind(1), weights.unbind(1), strict=True)
    parts = (images.index_select(dim, i) * w.view(shape) for i, w in columns)
    total = next(parts)
    for part in parts:
        total += part
    return total


@lru_cache(64)
def _taps(length: int, scale: float) -> tuple[Tensor, Tensor]:
    """The inputs of each output pixel, int64 (n, taps), and their weights, float64 (n, taps)."""
    stretch = min(scale, 1.0)  # antialiasing only when shrinking
    width = 4 / stretch
    # Positions count from 1, and pixel centres lie on whole numbers.
    place = torch.arange(1, math.ceil(length * scale) + 1, dtype=torch.float64) / scale + 0.5 * (1 - 1 / scale)
    first = torch.floor(place - width / 2)
    at = first[:, None] + torch.arange(math.ceil(width) + 2, dtype=torch.float64)
    weights = _cubic((place[:, None] - at) * stretch)
    return (at.long() - 1).clamp(0, length - 1), weights / weights.sum(1, keepdim=True)


def _cubic(t: Tensor) -> Tensor:
    t = t.abs()
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return near * (t <= 1) + far * ((t > 1) & (t <= 2))


def eight_bit(images: Tensor) -> Tensor:
    """Floating point 0..255 to uint8, rounding half up."""
    return images.add(0.5).floor_().clamp_(0, 255).byte()


def bilinear(images: Tensor, scale: int) -> Tensor:
    """Shrink (B, C, H, W) with the antialiased bilinear kernel, as Pillow does."""
    shape = [side // scale for side in images.shape[-2:]]
    return functional.interpolate(images, shape, mode="bilinear", antialias=True)


def area(images: Tensor, scale: int) -> Tensor:
    """The mean of each scale x scale square of (B, C, H, W)."""
    return functional.avg_pool2d(images, scale)


def blurred(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur each image (B, C, H, W) by an isotropic Gaussian of its own standard deviation (B,), cut off at 8 pixels."""
    at = torch.arange(-8, 9, device=images.device)
    kernel = torch.exp(-0.5 * (at / sigma.clamp(min=1e-3)[:, None]) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(images.shape[1], 0)
    flat = functional.pad(images, [8] * 4, mode="replicate").flatten(0, 1)[None]
    flat = functional.conv2d(flat, kernel[:, None, :, None], groups=len(kernel))
    return functional.conv2d(flat, kernel[:, None, None, :], groups=len(kernel)).view_as(images)


# Tables K.1 and K.2 of ITU-T T.81.
_LUMA = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
           18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
_CHROMA = "17 18 24 47 18 21 26 66 24 26 56 99 47 66 99 99"


def jpeg(images: Tensor, quality: Tensor) -> Tensor:
    """JPEG without chroma subsampling: images 0..255 (B, C, H, W), each at its own quality (B,) from 1 to 100."""
    steps, basis, ycc = jpeg_tables()
    count, channels, height, width = images.shape
    padded = functional.pad(images, [0, -width % 8, 0, -height % 8], mode="replicate") - 128
    if channels == 3:
        padded = torch.einsum("ij,bjhw->bihw", ycc.to(padded), padded)
    rows, columns = padded.shape[2] // 8, padded.shape[3] // 8
    blocks = padded.view(count, channels, rows, 8, columns, 8).transpose(3, 4)
    dct = basis.to(padded)
    stretch = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).view(-1, 1, 1, 1) / 100
    step = (steps[:channels].to(padded) * stretch).add(0.5).floor().clamp(1, 255)[:, :, None, None]
    left = torch.round(dct @ blocks @ dct.T / step) * step
    back = (dct.T @ left @ dct).transpose(3, 4).reshape(padded.shape)
    if channels == 3:
        back = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(ycc).to(padded), back)
    return (back + 128)[:, :, :height, :width].clamp(0, 255)


@cache
def jpeg_tables() -> tuple[Tensor, Tensor, Tensor]:
    """Quantization of three channels (3, 8, 8), cosine transform (8, 8), RGB to YCbCr (3, 3)."""
    luma = torch.tensor([float(x) for x in _LUMA.split()]).view(8, 8)
    chroma = torch.full((8, 8), 99.0)
    chroma[:4, :4] = torch.tensor([float(x) for x in _CHROMA.split()]).view(4, 4)
    k = torch.arange(8, dtype=torch.float64)
    dct = torch.cos((2 * k + 1) * k[:, None] * math.pi / 16) / 2
    dct[0] /= math.sqrt(2)
    ycc = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return torch.stack([luma, chroma, chroma]), dct.float(), ycc
