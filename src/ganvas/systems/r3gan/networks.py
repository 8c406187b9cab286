"""R3GAN's generator and discriminator.

`widths` are the channels at 4 px, 8 px, ... up to the full size, `group` the channels per group of a convolution, and
`expansion` the ratio of a block's inner width to its outer width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.nn.convolution import Convolution
from ganvas.nn.linear import Linear

SLOPE = 0.2  # of leaky ReLU


class R3Generator(nn.Module):
    """A learned basis weighted by z, upsampled and refined stage by stage."""

    def __init__(
        self,
        *,
        latent: int,
        embedding: int,
        channels: int,
        classes: int,
        widths: Sequence[int],
        blocks: int,
        expansion: int,
        group: int,
    ) -> None:
        super().__init__()
        first, *_ = widths
        self.latent = latent
        self.embed = Linear(classes, embedding, bias=False) if classes else None
        self.weigh = Linear(latent + (embedding if classes else 0), first, bias=False)
        self.basis = nn.Parameter(torch.randn(first, 4, 4))
        layers: list[nn.Module] = []
        before = first
        for index, width in enumerate(widths):
            layers += [_narrow(before, width), Double()] if index else []
            layers += [Block(width, expansion, group) for _ in range(blocks)]
            before = width
        self.stages = nn.Sequential(*layers, Convolution(before, channels, 1, bias=False))
        _initialize(self)

    def forward(self, x: Tensor) -> Tensor:
        """z (B, latent), with one-hot classes appended -> images"""
        if self.embed is not None:
            x = torch.cat([x[:, : self.latent], self.embed(x[:, self.latent :])], 1)
        x = self.weigh(x)[:, :, None, None] * self.basis
        images: Tensor = self.stages(x.contiguous(memory_format=torch.channels_last))
        return images


class R3Discriminator(nn.Module):
    """The mirror image of the generator."""

    def __init__(
        self, *, channels: int, classes: int, widths: Sequence[int], blocks: int, expansion: int, group: int
    ) -> None:
        super().__init__()
        *_, last = widths
        layers: list[nn.Module] = [Convolution(channels, last, 1, bias=False)]
        before = last
        for index, width in enumerate(reversed(widths)):
            layers += [Halve(), _narrow(before, width)] if index else []
            layers += [Block(width, expansion, group) for _ in range(blocks)]
            before = width
        self.stages = nn.Sequential(*layers)
        self.basis = nn.Parameter(torch.randn(before, 4, 4) / 4)
        self.embed = Linear(classes, before, bias=False) if classes else None
        self.head = Linear(before, before if classes else 1, bias=False)
        _initialize(self)
        if self.embed is not None:
            with torch.no_grad():
                self.embed.weight /= math.sqrt(before)

    def forward(self, x: Tensor) -> Tensor:
        """Images -> logits (B,); with classes (B, classes), one for each possible class."""
        features = (self.stages(x) * self.basis).sum((2, 3))
        scores: Tensor = self.head(features)
        return scores.flatten() if self.embed is None else scores @ self.embed.weight.to(scores.dtype)


class Block(nn.Module):
    """x + inverted bottleneck(x) (Huang et al. 2024, section 4)."""

    def __init__(self, width: int, expansion: int, group: int) -> None:
        super().__init__()
        inner = expansion * width
        self.widen = Convolution(width, inner, 1, slope=SLOPE)
        self.mix = Convolution(inner, inner, 3, padding=1, groups=inner // group, slope=SLOPE)
        self.narrow = Convolution(inner, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> the same"""
        y: Tensor = x + self.narrow(self.mix(self.widen(x)))
        return y


class Double(nn.Module):
    """(B, C, H, W) -> (B, C, 2H, 2W) with the taps [1, 3, 3, 1] / 4 in each direction: bilinear."""

    def forward(self, x: Tensor) -> Tensor:
        """Borders are replicated."""
        # In the precision of x: autocast would convert to fp32, and the next convolution back.
        with torch.autocast(x.device.type, enabled=False):
            return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class Halve(nn.Module):
    """(B, C, 2H, 2W) -> (B, C, H, W) with the taps [1, 3, 3, 1] / 8 in each direction: the adjoint of `Double` / 4.

    As a depthwise convolution its backward pass would cost more than all other convolutions together.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Borders are replicated."""
        b, c, h, w = x.shape
        summed: Tensor = torch.ops.aten.upsample_bilinear2d_backward(x, [h, w], [b, c, h // 2, w // 2], False)
        return summed / 4


def _narrow(before: int, after: int) -> nn.Module:
    return nn.Identity() if before == after else Convolution(before, after, 1, bias=False)


def _initialize(network: nn.Module) -> None:
    """Fixup initialization (Zhang et al. 2019, section 3.2) for branches of three layers: the last is 0, the others are
    scaled by L^(-1/4), where L is the number of branches."""
    blocks = [module for module in network.modules() if isinstance(module, Block)]
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            nn.init.normal_(layer.weight, 0.0, 1 / math.sqrt(fan_in))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    gain = math.sqrt(2 / (1 + SLOPE**2)) * len(blocks) ** -0.25
    with torch.no_grad():
        for block in blocks:
            block.widen.weight *= gain
            block.mix.weight *= gain
            block.narrow.weight.zero_()
