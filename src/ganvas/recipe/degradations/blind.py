"""The second-order model of unknown degradations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ganvas.recipe.degradations.base import Degradation, expect_range, expect_share

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganvas.imaging.draws import Draws


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One generation of copying: blur, resizing, noise and JPEG, each of random strength.

    Shares are of the images; ranges are (lowest, highest), drawn per image.
    """

    blurred: float = 1.0
    """Share that is blurred."""
    blur: tuple[float, float] = (0.2, 3.0)
    """Standard deviation of the blur in pixels, along each axis."""
    anisotropic: float = 0.3
    """Share of blurs with two different widths, in any direction."""
    generalised: float = 0.15
    """Share of blurs with shorter or longer tails than a Gaussian."""
    plateau: float = 0.15
    """Share of blurs with a flat top."""
    ringing: float = 0.1
    """Share of blurs that are a sinc low-pass instead."""
    up: float = 0.2
    """Share that is enlarged."""
    down: float = 0.7
    """Share that is shrunk; what is left of 1 keeps its size."""
    resize: tuple[float, float] = (0.15, 1.5)
    """Factors of resizing; by area, bilinear or bicubic, with and without antialiasing."""
    noisy: float = 1.0
    """Share with noise."""
    poisson: float = 0.5
    """Share of the noise that is of light, the stronger the brighter, as Poisson's; the rest is Gaussian."""
    noise: tuple[float, float] = (1.0, 30.0)
    """Standard deviation of Gaussian noise, on the scale 0..255."""
    light: tuple[float, float] = (0.05, 3.0)
    """Strength of the noise of light: 1 is that of 255 photons in white, which is 16 on the scale 0..255."""
    grey: float = 0.4
    """Share of the noise that is equal in all colours."""
    compressed: float = 1.0
    """Share that is compressed."""
    jpeg: tuple[float, float] = (30.0, 95.0)
    """JPEG quality."""
    subsampled: float = 0.5
    """Share of JPEGs whose colours have half the resolution."""

    def __post_init__(self) -> None:
        for name in ("blurred", "anisotropic", "ringing", "noisy", "poisson", "grey", "compressed", "subsampled"):
            expect_share(name, getattr(self, name))
        for names in (("up", "down"), ("generalised", "plateau")):
            for name in names:
                expect_share(name, getattr(self, name))
            expect_share(" and ".join(names) + " together", sum(getattr(self, name) for name in names))
        for name, low, high in (
            ("blur", 0, 10),
            ("resize", 0.05, 4),
            ("noise", 0, 255),
            ("light", 0, 10),
            ("jpeg", 1, 100),
        ):
            expect_range(name, getattr(self, name), low, high)

    def kernels(self, draws: Draws, count: int) -> Tensor:
        """Blur kernels (count, 21, 21); where an image is not blurred, the one that changes nothing."""
        import torch

        from ganvas.imaging.kernels import RADIUS, drawn, ringing

        found = drawn(draws, count, self.blur, self.anisotropic, self.generalised, self.plateau)
        sinc = ringing(draws.uniform(count, low=math.pi / 3, high=math.pi))
        found = torch.where(draws.chance(self.ringing, count)[:, None, None], sinc, found)
        still = torch.zeros_like(found)
        still[:, RADIUS, RADIUS] = 1
        return torch.where(draws.chance(self.blurred, count)[:, None, None], found, still)

    def factor(self, draws: Draws) -> float:
        """By how much one image is resized."""
        kind, low, high = float(draws.uniform()), *self.resize
        if kind < self.up:
            return float(draws.uniform(low=max(1.0, low), high=max(1.0, high)))
        if kind < self.up + self.down:
            return float(draws.uniform(low=min(1.0, low), high=min(1.0, high)))
        return 1.0

    def noised(self, image: Tensor, draws: Draws) -> Tensor:
        """(1, C, H, W) from 0 to 255, with noise.

        The noise of light is normal with Poisson's variance, which it approaches above a few photons.
        """
        if not draws.chance(self.noisy):
            return image
        of_light, grey = bool(draws.chance(self.poisson)), bool(draws.chance(self.grey))
        sigma = float(draws.uniform(low=self.noise[0], high=self.noise[1]))
        strength = float(draws.uniform(low=self.light[0], high=self.light[1]))
        noise = draws.normal(1, 1 if grey else image.shape[1], *image.shape[2:])
        return image + noise * (strength * image.clamp(min=0).sqrt() if of_light else sigma)

    def jpegged(self, image: Tensor, draws: Draws) -> Tensor:
        """(1, C, H, W) from 0 to 255, compressed and decompressed."""
        from ganvas.imaging.compression import compressed

        if not draws.chance(self.compressed):
            return image.clamp(0, 255)
        quality = draws.uniform(1, low=self.jpeg[0], high=self.jpeg[1])
        subsampled = draws.chance(self.subsampled, 1)
        return compressed(image.clamp(0, 255), quality, phase=draws.whole(16, 1, 2), subsampled=subsampled)


@dataclass(frozen=True, kw_only=True)
class Blind(Degradation):
    """Blur, resizing, noise and JPEG, twice, and a last sinc filter: for photographs of unknown history.

    The second-order model of Wang et al. 2021, Real-ESRGAN, arXiv:2107.10833, section 3, with its strengths.
    """

    first: Pass = field(default_factory=Pass)
    """The first generation; sizes are of the original."""
    second: Pass = field(
        default_factory=lambda: Pass(
            blurred=0.8, blur=(0.2, 1.5), up=0.3, down=0.4, resize=(0.3, 1.2), noise=(1.0, 25.0), light=(0.05, 2.5)
        )
    )
    """The second; its resizing is of the final size, which follows before or after its JPEG."""
    ringing: float = 0.8
    """Share with a last sinc filter, at the final size."""

    def __post_init__(self) -> None:
        expect_share("ringing", self.ringing)

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """Returns `input` only."""
        import torch

        from ganvas.imaging.draws import Draws
        from ganvas.imaging.kernels import filtered
        from ganvas.imaging.tensors import eight_bit

        draws, count = Draws(random, target.device), len(target)
        images = filtered(target.float(), self.first.kernels(draws, count))
        # From here on each image has a size of its own.
        return {"input": eight_bit(torch.cat([self._one(image[None], scale, draws) for image in images]))}

    def _one(self, image: Tensor, scale: int, draws: Draws) -> Tensor:
        from ganvas.imaging.kernels import filtered, ringing

        height, width = (side // scale for side in image.shape[-2:])
        image = _resized(image, self.first.factor(draws) * scale, height, width, draws)
        image = self.first.jpegged(self.first.noised(image, draws), draws)
        image = filtered(image, self.second.kernels(draws, 1))
        image = _resized(image, self.second.factor(draws), height, width, draws)
        image = self.second.noised(image, draws)
        last = ringing(draws.uniform(1, low=math.pi / 3, high=math.pi)) if draws.chance(self.ringing) else None

        def finished(image: Tensor) -> Tensor:
            image = _resized(image, 1.0, height, width, draws)
            return image if last is None else filtered(image, last)

        if draws.chance(0.5):
            return self.second.jpegged(finished(image), draws)
        return finished(self.second.jpegged(image, draws))


def _resized(image: Tensor, factor: float, height: int, width: int, draws: Draws) -> Tensor:
    """(1, C, H, W) -> about factor * (height, width), by a random rule."""
    from torch.nn import functional

    rule, antialias = int(draws.whole(3)), bool(draws.chance(0.5))
    shape = [max(1, round(factor * side)) for side in (height, width)]
    if shape == list(image.shape[-2:]):
        return image
    if rule == 0 and shape[0] < image.shape[-2]:
        return functional.interpolate(image, shape, mode="area")
    return functional.interpolate(image, shape, mode="bicubic" if rule == 2 else "bilinear", antialias=antialias)
