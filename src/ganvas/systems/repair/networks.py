"""What repairs a photograph: a damage network, a tone head and a restorer.

All begin where they change nothing: their last layers are zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

MULTIPLE = 8  # of the sides inside
SLOPE = 0.2  # of the leaky ReLU
RARE, WEAK = -4.0, -1.5  # logits of damage, and of strengths, before anything is learned
LOOK, GRID, KNOTS = 64, 8, 8  # sides of what the tone head sees and of its light, and the segments of its curves
SHARES = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.995)  # of the pixels, at whose levels it looks
QUIET, LOUD = 0.05, 0.12  # mean strength of all defects in photographs that are left alone, and that are worn out
SURE, ENOUGH = 3.0, 0.0  # logits from which on pixels are called damaged in the former, and in the latter
STEEP = 2.0  # bound of the logarithms of slopes and light


class Repair(nn.Module):
    """A photograph, as found -> as it was.

    Attributes:
        damage: finds damage, and with `estimate` how strong each defect is.
        tone: undoes what has become of tone and colours.
        restorer: undoes the rest, and fills what is lost.
    """

    def __init__(self, *, channels: int, defects: int, width: int, damage_width: int, tone_width: int) -> None:
        super().__init__()
        self.damage = UNet(channels, 3, damage_width)
        told = nn.Linear(4 * damage_width, defects)
        hidden = nn.Linear(14 * damage_width, 4 * damage_width)
        self.estimate = nn.Sequential(Evened(14 * damage_width), hidden, nn.LeakyReLU(SLOPE), told)
        self.tone = ToneHead(channels, tone_width)
        self.restorer = UNet(channels + 2, channels, width, conditions=defects)
        for layer, bias in ((self.damage.last, RARE), (told, WEAK), (self.restorer.last, 0.0)):
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Tensor:
        """(B, channels, H, W) in [-1, 1] -> the same, repaired with the damage and the strengths that are found."""
        damage, strengths = self.inspect(image)
        return self.repair(image, (doubted(damage, strengths) > 0).float(), strengths).image

    def inspect(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, channels, H, W) in [-1, 1] -> logits of hole, scratch and stain (B, 3, H, W); strengths in 0..1."""
        logits, *levels = self.damage(_padded(image))
        return _cut(logits, image), self.estimated([moments(x) / (x.shape[2] * x.shape[3]) for x in levels])

    def estimated(self, means: Sequence[Tensor]) -> Tensor:
        """Of each level of the damage network, the means of features and of their squares -> strengths (B, defects).

        Fine levels tell grain from detail by its variance, coarse ones tell stains from shadows.
        """
        found = []
        for level in means:
            first, second = level.chunk(2, 1)
            found += [first, (second + 1e-6).sqrt()]
        strengths: Tensor = self.estimate(torch.cat(found, 1).float())
        return strengths.float().sigmoid()

    def toned(self, image: Tensor, masks: Tensor) -> Repaired:
        """Images with what is lost filled smoothly, in the right tone; see `repair`, which goes on from there."""
        filled = spread(_padded(image), 1 - _padded(masks[:, :2].amax(1, keepdim=True)))
        toning = self.tone(filled)
        toned = _cut(toning.of(filled), image)
        return Repaired(toned, toned, toning)

    def repair(
        self, image: Tensor, masks: Tensor, strengths: Tensor, *, amount: float = 1.0, tone: bool = True
    ) -> Repaired:
        """Repair images.

        Pixels that are left become ``x + amount * change``, by less or nothing of it where the image shows little
        `wear`, so that repair does no harm. Holes and scratches are filled whole, in the tone of their surroundings;
        what they held is not looked at.

        Args:
            image: (B, channels, H, W) in [-1, 1].
            masks: of holes, scratches and stains (B, 3, H, W), 0 or 1.
            strengths: of the defects (B, defects), in 0..1.
            amount: share of the change, in 0..1.
            tone: whether tone and colours are changed.
        """
        lost, stain = _padded(masks[:, :2].amax(1, keepdim=True)), _padded(masks[:, 2:])
        filled = spread(_padded(image), 1 - lost)
        toning = self.tone(filled) if tone else None
        toned = toning.of(filled) if toning else filled
        repaired = Restoring(self.restorer, strengths, amount)(filled, toned, lost, stain)
        return Repaired(_cut(repaired, image), _cut(toned, image), toning)


class Restoring(nn.Module):
    """The last step, all of whose layers are local: restore a toned image, and compose it with what was found."""

    def __init__(self, restorer: UNet, strengths: Tensor, amount: float) -> None:
        super().__init__()
        self.restorer, self.amount = restorer, amount * wear(strengths)
        self.planes = restorer.planes(strengths)[:, :, None, None] if restorer.planes else None

    def forward(self, filled: Tensor, toned: Tensor, lost: Tensor, stain: Tensor) -> Tensor:
        """Images (B, channels, H, W) and masks (B, 1, H, W), sides multiples of 8 -> images repaired"""
        change, *_ = self.restorer(torch.cat([toned, lost, stain], 1), self.planes)
        made: Tensor = filled + self.amount * (toned - filled) + change * (self.amount + (1 - self.amount) * lost)
        return made


def wear(strengths: Tensor) -> Tensor:
    """How worn images are whose defects are so strong (B, defects): (B, 1, 1, 1), 0 up to `QUIET`, 1 from `LOUD` on."""
    return ((strengths.mean(1).view(-1, 1, 1, 1) - QUIET) / (LOUD - QUIET)).clamp(0, 1)


def doubted(logits: Tensor, strengths: Tensor) -> Tensor:
    """Logits of damage (B, 3, H, W), in the light of the strengths (B, defects); damage is what is above 0.

    A wire before the sky looks like a scratch. In a photograph that shows no wear it hardly is one.
    """
    return logits - (SURE + (ENOUGH - SURE) * wear(strengths))


class Evened(nn.Module):
    """Features at one scale: less their running mean, and by their running deviation, in training too.

    At unlike scales, all that is learned of strengths is one severity for all defects. Batches may hold one image.
    """

    MOMENTUM = 0.02
    mean: Tensor
    variance: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("variance", torch.ones(count))

    def forward(self, features: Tensor) -> Tensor:
        """(B, count) -> the same"""
        if self.training:
            found = features.detach()
            self.variance.lerp_((found - self.mean).square().mean(0), self.MOMENTUM)
            self.mean.lerp_(found.mean(0), self.MOMENTUM)
        return (features - self.mean) / (self.variance + 1e-8).sqrt()


def moments(features: Tensor) -> Tensor:
    """The sums of features (B, C, H, W) and of their squares over an image, or rows of it: (B, 2 C)"""
    return torch.cat([features.sum((2, 3)), features.square().sum((2, 3))], 1)


class Repaired(NamedTuple):
    """Images repaired (B, channels, H, W), as the tone head left them with holes filled smoothly, and how it did."""

    image: Tensor
    toned: Tensor
    toning: Toning | None


class Toning(NamedTuple):
    """How tone and colours are changed: light, then colours, then curves; all 0 changes nothing."""

    light: Tensor
    """Logarithms of a gain (B, 1, 8, 8) over the image."""
    colours: Tensor
    """A matrix (B, channels, channels) added to the identity."""
    black: Tensor
    """What black becomes (B, channels, 1), on the scale 0..1."""
    slopes: Tensor
    """Logarithms of the slopes of the curves' segments (B, channels, 8), each an eighth of 0..1 wide."""

    def of(self, image: Tensor, top: int = 0, height: int = 0) -> Tensor:
        """(B, channels, H, W) in [-1, 1] -> the same, toned; brighter where it was brighter, in every channel.

        Args:
            image: an image, or rows of it.
            top: the first of the rows.
            height: rows of the whole image; 0 for those given.
        """
        down, across = (
            _between(self.light.shape[side], length, self.light.device)
            for side, length in ((2, height or image.shape[2]), (3, image.shape[3]))
        )
        gain = (down[top : top + image.shape[2]] @ self.light @ across.T).exp()
        x = ((image.float() + 1) / 2 * gain).flatten(2)
        x = x + self.colours @ x
        total = self.black.expand_as(x)
        for k, slope in enumerate(self.slopes.exp().unbind(2)):
            # The first and the last segment go on beyond 0 and 1.
            part = (x - k / KNOTS).clamp(None if k == 0 else 0, None if k == KNOTS - 1 else 1 / KNOTS)
            total = total + slope[..., None] * part
        return total.view_as(image) * 2 - 1


class ToneHead(nn.Module):
    """Estimates one `Toning` of an image from its thumbnail.

    Curves and a grid of light as in image enhancement (Moran et al. 2020, CURL, arXiv:1911.13175; Gharbi et al. 2017,
    HDRNet, arXiv:1707.02880): it can invent nothing.
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        widths = (channels, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.LeakyReLU(SLOPE)]
        self.body = nn.Sequential(*layers, nn.Conv2d(4 * width, 4 * width, 3, 1, 1), nn.LeakyReLU(SLOPE))
        numbers = nn.Linear(4 * width, channels * (channels + 1 + KNOTS))
        self.hidden = nn.Sequential(
            nn.Linear(4 * width + channels * len(SHARES), 4 * width),
            nn.LeakyReLU(SLOPE),
            nn.Linear(4 * width, 4 * width),
            nn.LeakyReLU(SLOPE),
            numbers,
        )
        self.light = nn.Conv2d(4 * width, 1, 1)
        self.channels = channels
        for layer in (self.light, numbers):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, image: Tensor) -> Toning:
        """(B, channels, H, W) in [-1, 1] -> its toning, in fp32"""
        small = functional.adaptive_avg_pool2d(image, LOOK)
        features = self.body(small)
        # A faded print shows at the ends of its histogram, which convolutions see badly.
        levels = small.float().flatten(2).sort(2).values[:, :, [round(share * (LOOK**2 - 1)) for share in SHARES]]
        numbers = self.hidden(torch.cat([features.mean((2, 3)).float(), levels.flatten(1)], 1))
        colours, black, slopes = numbers.float().view(len(image), self.channels, -1).split([self.channels, 1, KNOTS], 2)
        return Toning(_bounded(self.light(features).float()), colours, black, _bounded(slopes))


class UNet(nn.Module):
    """Gated convolutions (Yu et al. 2019, arXiv:1806.03589) at a half, a quarter and an eighth of the sides.

    Without normalization, so that a part is repaired as the whole is. The first halving moves pixels into channels, and
    constant planes enter as what a convolution makes of them: an addition (as FFDNet, Zhang et al. 2018,
    arXiv:1710.04026).
    """

    def __init__(self, inputs: int, outputs: int, width: int, conditions: int = 0) -> None:
        super().__init__()
        self.first = Gated(4 * inputs, width)
        self.planes = nn.Linear(conditions, width) if conditions else None
        self.fine = nn.ModuleList(_Residual(width) for _ in range(2))
        self.middle = nn.ModuleList(_Residual(2 * width) for _ in range(2))
        self.coarse = nn.Sequential(*(_Residual(4 * width, dilation) for dilation in (1, 2, 4, 8)))
        self.down = nn.ModuleList(Gated(a, 2 * a, stride=2) for a in (width, 2 * width))
        self.up = nn.ModuleList(nn.Conv2d(2 * a, a, 1) for a in (2 * width, width))
        self.last = nn.Conv2d(width, 4 * outputs, 3, padding=1)

    def forward(self, x: Tensor, planes: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(B, inputs, H, W), sides multiples of 8 -> (B, outputs, H, W), and features at 1/2, 1/4 and 1/8 of them.

        The features have width, 2 width and 4 width channels.
        """
        x = self.first(functional.pixel_unshuffle(x, 2))
        if planes is not None:
            x = x + planes
        fine = self.fine[0](x)
        middle = self.middle[0](self.down[0](fine))
        coarse = self.coarse(self.down[1](middle))
        levels = fine, middle, coarse
        x = self.middle[1](middle + _doubled(self.up[0](coarse)))
        x = self.fine[1](fine + _doubled(self.up[1](x)))
        return functional.pixel_shuffle(self.last(x), 2), *levels


class Gated(nn.Module):
    """A convolution weighted, pixel by pixel, by one more channel of its own (Yi et al. 2020, arXiv:2005.09704, LWGC).

    Half as large and twice as fast as with a gate for each channel.
    """

    def __init__(self, before: int, after: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after + 1, 3, stride, dilation, dilation)
        self.slope = nn.LeakyReLU(SLOPE)
        # Gates begin half open: without normalization the rest has to make up for it.
        nn.init.kaiming_normal_(self.conv.weight[:after], SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) -> (B, after, H / stride, W / stride)"""
        y: Tensor = self.slope(self.conv(x))  # of the gate, too: so it is one operation, which can be undone
        gate = y[:, -1:]
        return y[:, :-1] * torch.sigmoid(gate + (1 / SLOPE - 1) * torch.clamp(gate, max=0.0))


class _Residual(nn.Module):
    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.gated = Gated(width, width, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.gated(x)
        return y


def spread(image: Tensor, left: Tensor) -> Tensor:
    """Fill pixels smoothly from those around them, from coarse to fine (Gortler et al. 1996, The Lumigraph, pull-push).

    Args:
        image: (B, C, H, W).
        left: (B, 1, H, W), 1 where a pixel is kept exactly and 0 where it is filled; if none is, all become 0.
    """
    kept = image * left
    if max(image.shape[2:]) == 1:
        return kept
    return push(kept, left, spread(*pull(kept, left)))


def pull(image: Tensor, left: Tensor) -> tuple[Tensor, Tensor]:
    """Half as large: the means of the pixels that are left in squares of 2 x 2, and where there are any."""
    coarse, share = (functional.avg_pool2d(x, 2, ceil_mode=True) for x in (image * left, left))
    return coarse / share.clamp(min=1e-6), (share > 0).to(left)


def push(image: Tensor, left: Tensor, below: Tensor) -> Tensor:
    """Fill what is not left of an image from one half as large that is filled."""
    return image * left + (1 - left) * functional.interpolate(below, image.shape[2:], mode="bilinear")


def _bounded(logarithms: Tensor) -> Tensor:
    return STEEP * torch.tanh(logarithms / STEEP)


def _between(cells: int, length: int, device: torch.device) -> Tensor:
    """(length, cells): the weights of linear interpolation between the centres of cells, flat beyond the outer ones."""
    at = ((torch.arange(length, device=device) + 0.5) * (cells / length) - 0.5).clamp(0, cells - 1)
    return (1 - (at[:, None] - torch.arange(cells, device=device)).abs()).clamp(min=0)


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear")


def _padded(image: Tensor) -> Tensor:
    """With rows and columns repeated until the sides are multiples of `MULTIPLE`."""
    down, right = (-side % MULTIPLE for side in image.shape[2:])
    return functional.pad(image, (0, right, 0, down), mode="replicate") if down or right else image


def _cut(padded: Tensor, image: Tensor) -> Tensor:
    return padded[:, :, : image.shape[2], : image.shape[3]]
