"""Convolutional blocks that keep or double the spatial size."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Padding = Literal["zeros", "reflect"]


def convolution(before: int, after: int, kernel: int, padding: Padding = "zeros", stride: int = 1) -> nn.Conv2d:
    """A convolution whose output has the size of its input divided by the stride; `kernel` must be odd."""
    return nn.Conv2d(before, after, kernel, stride, kernel // 2, padding_mode=padding)


class Residual(nn.Module):
    """x + body(x)"""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape that the body preserves."""
        y: Tensor = x + self.body(x)
        return y


def doubled(width: int, kernel: int, padding: Padding) -> list[nn.Module]:
    """Sub-pixel convolution (Shi et al. 2016, arXiv:1609.05158): (B, width, H, W) -> (B, width, 2H, 2W)."""
    return [convolution(width, 4 * width, kernel, padding), nn.PixelShuffle(2), nn.PReLU()]
