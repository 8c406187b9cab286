"""The generator of pix2pix, which begins where it changes nothing: its last layer is zero."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2  # of the leaky ReLU
GROWTH = 16  # of the widths


class UNet(nn.Module):
    """Halvings, and doublings to each of which is added what was there before (section 3.2.1 of the paper).

    Without normalization, so that a part of an image becomes what it becomes in the whole; doubled by interpolation,
    since the kernels of transposed convolutions leave a grid.
    """

    def __init__(self, *, channels: int, width: int, halvings: int) -> None:
        super().__init__()
        widths = [width * min(GROWTH, 2**index) for index in range(halvings + 1)]
        self.first = _conv(channels, width, 3)
        self.down = nn.ModuleList(_conv(a, b, 4, 2) for a, b in pairwise(widths))
        rising = [*pairwise(reversed(widths))]
        self.narrow = nn.ModuleList(nn.Conv2d(a, b, 1) for a, b in rising)
        self.merge = nn.ModuleList(_conv(b, b, 3) for _, b in rising)
        self.last = _conv(width, channels, 3)
        self.slope = nn.LeakyReLU(SLOPE)
        for layer in (self.first, *self.down, *self.narrow, *self.merge):
            nn.init.kaiming_normal_(layer.weight, SLOPE)
            nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """(B, channels, H, W) in [-1, 1], sides multiples of 2^halvings -> the same, changed"""
        x, skipped = self.slope(self.first(image)), []
        for down in self.down:
            skipped.append(x)
            x = self.slope(down(x))
        for narrow, merge in zip(self.narrow, self.merge, strict=True):
            x = skipped.pop() + functional.interpolate(narrow(x), scale_factor=2.0, mode="bilinear")
            x = self.slope(merge(x))
        changed: Tensor = image + self.last(x)
        return changed


def _conv(before: int, after: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    # Zeros, which are grey, would show as a frame: there is no normalization that makes up for them.
    return nn.Conv2d(before, after, kernel, stride, 1, padding_mode="replicate")
