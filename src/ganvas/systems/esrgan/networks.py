"""ESRGAN's generators, and the discriminator of Real-ESRGAN, under the names that other programs read."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm

SLOPE, KEPT = 0.2, 0.2  # of the leaky ReLU, and of each residual


class RRDBNet(nn.Module):
    """Residual-in-residual dense blocks (Wang et al. 2018, arXiv:1809.00219, section 3.1), inside on images in 0..1."""

    def __init__(self, *, channels: int, width: int, blocks: int, growth: int) -> None:
        super().__init__()
        self.conv_first = _conv(channels, width)
        self.body = nn.Sequential(*(_RRDB(width, growth) for _ in range(blocks)))
        self.conv_body, self.conv_up1, self.conv_up2, self.conv_hr = (_conv(width, width) for _ in range(4))
        self.conv_last = _conv(width, channels)

    def forward(self, low: Tensor) -> Tensor:
        """(B, channels, H, W) in [-1, 1] -> (B, channels, 4 H, 4 W)"""
        x = self.conv_first((low + 1) * 0.5)
        x = x + self.conv_body(self.body(x))
        for conv in (self.conv_up1, self.conv_up2):
            x = functional.leaky_relu(conv(functional.interpolate(x, scale_factor=2.0, mode="nearest")), SLOPE)
        high: Tensor = self.conv_last(functional.leaky_relu(self.conv_hr(x), SLOPE))
        return high * 2 - 1


class _RRDB(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = (_Dense(width, growth) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.rdb3(self.rdb2(self.rdb1(x))) * KEPT + x
        return y


class _Dense(nn.Module):
    """Five convolutions, each of which reads all before it."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for index in range(1, 6):
            convolution = _conv(width + (index - 1) * growth, growth if index < 5 else width)
            # Small initial residuals keep a network without normalization stable (section 3.1).
            nn.init.kaiming_normal_(convolution.weight).data.mul_(0.1)
            self.add_module(f"conv{index}", convolution)

    def forward(self, x: Tensor) -> Tensor:
        found = [x]
        for index in range(1, 5):
            convolution: nn.Module = getattr(self, f"conv{index}")
            found.append(functional.leaky_relu(convolution(torch.cat(found, 1)), SLOPE))
        last: nn.Module = self.conv5  # type: ignore[assignment]
        y: Tensor = last(torch.cat(found, 1)) * KEPT + x
        return y


class Compact(nn.Module):
    """Plain convolutions at low resolution and one pixel shuffle, added to the repeated pixels, on images in 0..1.

    The smallest network of Real-ESRGAN (Wang et al. 2021, in its published form), for processors.
    """

    def __init__(self, *, scale: int, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [_conv(channels, width), nn.PReLU(width)]
        for _ in range(blocks):
            layers += [_conv(width, width), nn.PReLU(width)]
        end = _conv(width, channels * scale**2)
        self.body = nn.Sequential(*layers, end)
        for layer in self.body:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, SLOPE)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.zeros_(end.weight)  # training begins at the repeated pixels

    def forward(self, low: Tensor) -> Tensor:
        """(B, channels, H, W) in [-1, 1] -> (B, channels, scale H, scale W)"""
        x = (low + 1) * 0.5
        added = functional.pixel_shuffle(self.body(x), self.scale)
        high = added + functional.interpolate(x, scale_factor=float(self.scale), mode="nearest").to(added.dtype)
        return high * 2 - 1


class UNetDiscriminator(nn.Module):
    """A score for every pixel: three halvings, three doublings that read them, and spectral norm.

    Schonfeld et al. 2020, arXiv:2002.12655, as in Wang et al. 2021, arXiv:2107.10833, section 3.4.
    """

    def __init__(self, *, channels: int, width: int) -> None:
        super().__init__()
        normed: Callable[[nn.Module], nn.Module] = spectral_norm
        widths = [width, 2 * width, 4 * width, 8 * width]
        self.first = _conv(channels, width)
        self.down = nn.ModuleList(normed(nn.Conv2d(a, b, 4, 2, 1, bias=False)) for a, b in pairwise(widths))
        self.up = nn.ModuleList(
            normed(_conv(b, a, bias=False)) for a, b in zip(widths[2::-1], widths[:0:-1], strict=True)
        )
        self.end = nn.ModuleList(normed(_conv(width, width, bias=False)) for _ in range(2))
        self.last = _conv(width, 1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, H, W) in [-1, 1], sides multiples of 8 -> logits (B, H, W)"""
        x = functional.leaky_relu(self.first(images), SLOPE)
        skipped = []
        for down in self.down:
            skipped.append(x)
            x = functional.leaky_relu(down(x), SLOPE)
        for up in self.up:
            x = functional.interpolate(x, scale_factor=2.0, mode="bilinear")
            x = functional.leaky_relu(up(x), SLOPE) + skipped.pop()
        for convolution in self.end:
            x = functional.leaky_relu(convolution(x), SLOPE)
        scores: Tensor = self.last(x)
        return scores[:, 0]


def _conv(before: int, after: int, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, 1, 1, bias=bias)
