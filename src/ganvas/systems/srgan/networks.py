"""SRGAN's generator and discriminator."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.nn.residual import Padding, Residual, convolution, doubled


class SRResNet(nn.Module):
    """The generator, with `width` hidden channels and kernels of side `end_kernel` at both ends."""

    def __init__(
        self,
        *,
        scale: int,
        channels: int,
        width: int,
        blocks: int,
        kernel: int,
        end_kernel: int,
        norm: Literal["batch", "none"],
        padding: Padding,
        final: Literal["tanh", "none"],
        base: Literal["none", "bilinear"],
    ) -> None:
        super().__init__()

        def inner() -> list[nn.Module]:
            normed = [nn.BatchNorm2d(width)] if norm == "batch" else []
            return [convolution(width, width, kernel, padding), *normed]

        self.head = nn.Sequential(convolution(channels, width, end_kernel, padding), nn.PReLU())
        residuals = [Residual(*inner(), nn.PReLU(), *inner()) for _ in range(blocks)]
        self.trunk = Residual(*residuals, *inner())
        doublings = [layer for _ in range(scale.bit_length() - 1) for layer in doubled(width, kernel, padding)]
        end = convolution(width, channels, end_kernel, padding)
        self.tail = nn.Sequential(*doublings, end)
        self.scale, self.base, self.final = scale, base, final
        if norm == "none":
            # Small initial residuals keep a network without normalization stable (Wang et al. 2018, ESRGAN, 3.1).
            for block in residuals:
                for layer in block.body:
                    if isinstance(layer, nn.Conv2d):
                        nn.init.kaiming_normal_(layer.weight).data.mul_(0.1)
        if base != "none":
            for parameter in end.parameters():
                nn.init.zeros_(parameter)

    def forward(self, low: Tensor) -> Tensor:
        """(B, channels, H, W) -> (B, channels, scale H, scale W)"""
        high: Tensor = self.tail(self.trunk(self.head(low)))
        if self.base != "none":
            high = high + functional.interpolate(low, scale_factor=self.scale, mode="bilinear").to(high.dtype)
        return torch.tanh(high) if self.final == "tanh" else high


def discriminator(
    *, channels: int, width: int, hidden: int, dropout: float, norm: Literal["batch", "none"]
) -> nn.Module:
    """(B, channels, H, W) of any size -> logits (B,); `width` is the number of channels of the first layer."""
    layers: list[nn.Module] = []
    before = channels
    for index in range(8):
        after = width * 2 ** (index // 2)
        normed = index > 0 and norm == "batch"
        layers.append(nn.Conv2d(before, after, 3, 1 + index % 2, 1, bias=not normed))
        layers += [nn.BatchNorm2d(after)] if normed else []
        layers.append(nn.LeakyReLU(0.2, inplace=True))
        before = after
    dropped = [nn.Dropout(dropout)] if dropout else []
    layers += [nn.AdaptiveAvgPool2d(6), nn.Flatten(), nn.Linear(36 * before, hidden)]
    layers += [nn.LeakyReLU(0.2, inplace=True), *dropped, nn.Linear(hidden, 1), nn.Flatten(0)]
    return nn.Sequential(*layers)
