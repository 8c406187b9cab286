"""Networks of other programs that spandrel does not know, on values in [0, 1]; and ganvas's own ones, by weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

Weights = dict[str, Tensor]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class UnitRange(nn.Module):
    """Adapts a network on [0, 1] to ganvas's [-1, 1]: (B, C, h, w) -> (B, C, scale h, scale w).

    Args:
        network: the network to wrap.
        mean, std: normalization of its input, after scaling to [0, 1].
        signed: whether its output is in [-1, 1] rather than in [0, 1].
    """

    def __init__(
        self,
        network: nn.Module,
        mean: tuple[float, ...] = (),
        std: tuple[float, ...] = (),
        signed: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.signed, self.normed = network, signed, bool(mean)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, low: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C, scale h, scale w)"""
        low = (low + 1) * 0.5
        if self.normed:
            low = (low - self.mean) / self.std  # type: ignore[operator]
        high: Tensor = self.network(low)
        return high if self.signed else high * 2 - 1


class TutorialSRResNet(nn.Module):
    """SRResNet with the layer names of sgrvinod's tutorial "Super-Resolution"; its tanh output is in [-1, 1]."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        width, colours, large = weights["conv_block1.conv_block.0.weight"].shape[:3]
        small = weights["conv_block2.conv_block.0.weight"].shape[2]
        self.conv_block1 = _Part(_conv(colours, width, large), nn.PReLU())
        self.residual_blocks = nn.Sequential(
            *(_TutorialBlock(width, small) for _ in range(_count(weights, "residual_blocks.")))
        )
        self.conv_block2 = _Part(_conv(width, width, small), nn.BatchNorm2d(width))
        doublings = range(_count(weights, "subpixel_convolutional_blocks."))
        self.subpixel_convolutional_blocks = nn.Sequential(*(_Doubling(width, small) for _ in doublings))
        self.conv_block3 = _Part(_conv(width, colours, weights["conv_block3.conv_block.0.weight"].shape[2]), nn.Tanh())
        self.scale = 2 ** len(doublings)

    def forward(self, low: Tensor) -> Tensor:
        """(B, C, h, w), ImageNet-normalized -> (B, C, scale h, scale w) in [-1, 1]"""
        first = self.conv_block1(low)
        inner = self.conv_block2(self.residual_blocks(first)) + first
        high: Tensor = self.conv_block3(self.subpixel_convolutional_blocks(inner))
        return high


class _Part(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_block(x)
        return y


class _TutorialBlock(nn.Module):
    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.conv_block1 = _Part(_conv(width, width, kernel), nn.BatchNorm2d(width), nn.PReLU())
        self.conv_block2 = _Part(_conv(width, width, kernel), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv_block2(self.conv_block1(x)) + x
        return y


class _Doubling(nn.Module):
    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.conv = _conv(width, 4 * width, kernel)
        self.pixel_shuffle = nn.PixelShuffle(2)
        self.prelu = nn.PReLU()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.prelu(self.pixel_shuffle(self.conv(x)))
        return y


class LeftthomasSRGAN(nn.Module):
    """The generator of leftthomas's SRGAN, in [0, 1]."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        width = weights["block1.0.weight"].shape[0]
        blocks = sum(f"block{index}.conv1.weight" in weights for index in range(100))
        self.block1 = nn.Sequential(_conv(3, width, 9), nn.PReLU())
        for index in range(2, 2 + blocks):
            self.add_module(f"block{index}", _LeftthomasBlock(width))
        self.trunk = [f"block{index}" for index in range(2, 2 + blocks)]
        self.last = f"block{blocks + 2}"
        self.high = f"block{blocks + 3}"
        doublings = sum(f"{self.high}.{index}.conv.weight" in weights for index in range(8))
        self.scale = 2**doublings
        # Versions differ after the last residual block: PReLU or batch normalization.
        after = nn.BatchNorm2d(width) if f"{self.last}.1.running_mean" in weights else nn.PReLU()
        self.add_module(self.last, nn.Sequential(_conv(width, width, 3), after))
        ends = [*(_Doubling(width, 3) for _ in range(doublings)), _conv(width, 3, 9)]
        self.add_module(self.high, nn.Sequential(*ends))

    def forward(self, low: Tensor) -> Tensor:
        """(B, 3, h, w) in [0, 1] -> (B, 3, scale h, scale w) in [0, 1]"""
        first = x = self.block1(low)
        for name in [*self.trunk, self.last]:
            x = getattr(self, name)(x)
        return (torch.tanh(getattr(self, self.high)(first + x)) + 1) * 0.5


class _LeftthomasBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1, self.prelu = _conv(width, width, 3), nn.BatchNorm2d(width), nn.PReLU()
        self.conv2, self.bn2 = _conv(width, width, 3), nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(x)))))
        return y


class MSRResNet(nn.Module):
    """BasicSR's modified SRResNet: no normalization, ReLU, adds its output to the bilinearly upscaled input."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        width, colours = weights["conv_first.weight"].shape[:2]
        self.conv_first = _conv(colours, width, 3)
        self.body = nn.Sequential(*(_MSRBlock(width) for _ in range(_count(weights, "body."))))
        first = round((weights["upconv1.weight"].shape[0] // width) ** 0.5)
        self.twice = "upconv2.weight" in weights
        self.upconv1 = _conv(width, first * first * width, 3)
        self.shuffle1 = nn.PixelShuffle(first)
        if self.twice:
            self.upconv2 = _conv(width, 4 * width, 3)
            self.shuffle2 = nn.PixelShuffle(2)
        self.scale = first * (2 if self.twice else 1)
        self.conv_hr, self.conv_last = _conv(width, width, 3), _conv(width, colours, 3)
        self.lrelu = nn.LeakyReLU(0.1)

    def forward(self, low: Tensor) -> Tensor:
        """(B, C, h, w) in [0, 1] -> (B, C, scale h, scale w) in [0, 1]"""
        x = self.body(self.lrelu(self.conv_first(low)))
        x = self.lrelu(self.shuffle1(self.upconv1(x)))
        if self.twice:
            x = self.lrelu(self.shuffle2(self.upconv2(x)))
        high: Tensor = self.conv_last(self.lrelu(self.conv_hr(x)))
        return high + functional.interpolate(low, scale_factor=float(self.scale), mode="bilinear")


class _MSRBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.relu, self.conv2 = _conv(width, width, 3), nn.ReLU(), _conv(width, width, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.conv2(self.relu(self.conv1(x)))
        return y


def rrdb(weights: Weights) -> nn.Module:
    """ESRGAN's network at scale 4, under the names of Real-ESRGAN; (B, C, H, W) in [-1, 1]."""
    from ganvas.systems.esrgan.networks import RRDBNet

    width, channels = weights["conv_first.weight"].shape[:2]
    growth = len(weights["body.0.rdb1.conv1.weight"])
    return RRDBNet(channels=channels, width=width, blocks=_count(weights, "body."), growth=growth)


def compact(weights: Weights) -> nn.Module:
    """Real-ESRGAN's smallest network; (B, C, H, W) in [-1, 1]."""
    from ganvas.systems.esrgan.networks import Compact

    width, channels = weights["body.0.weight"].shape[:2]
    layers = _count(weights, "body.")
    scale = round((len(weights[f"body.{layers - 1}.weight"]) // channels) ** 0.5)
    return Compact(scale=scale, channels=channels, width=width, blocks=(layers - 3) // 2)


def _conv(before: int, after: int, kernel: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, kernel, padding=kernel // 2)


def _count(weights: Weights, prefix: str) -> int:
    """The number of numbered parts under a prefix."""
    return len({name.removeprefix(prefix).split(".")[0] for name in weights if name.startswith(prefix)})
