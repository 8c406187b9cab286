"""A discriminator that scores patches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganvas.nn.convolution import Convolution

SLOPE = 0.2  # of the leaky ReLU


class PatchCritic(nn.Module):
    """A score for every patch of 70 x 70 pixels (Isola et al. 2017, arXiv:1611.07004), with spectral norm."""

    def __init__(self, *, channels: int, width: int) -> None:
        super().__init__()
        normed: Callable[[nn.Module], nn.Module] = spectral_norm
        widths: Sequence[int] = (channels, width, 2 * width, 4 * width, 8 * width)
        layers = [
            normed(Convolution(a, b, 4, 1 if b == widths[-1] else 2, 1, slope=SLOPE)) for a, b in pairwise(widths)
        ]
        self.body = nn.Sequential(*layers, normed(Convolution(widths[-1], 1, 4, 1, 1)))

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, H, W) in [-1, 1], sides of at least 24 -> scores (B, H / 8 - 2, W / 8 - 2)"""
        scores: Tensor = self.body(images)
        return scores[:, 0]
