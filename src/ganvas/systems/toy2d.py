"""The 2014 GAN on 2-D mixtures: perceptrons that learn points whose density is known.

Paper: Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661

With two numbers instead of an image everything can be plotted: the data, the fakes, and the discriminator as a colour
map. Both networks are plain perceptrons without normalization, so that D can be compared with the theoretical optimum
D*(x) = p(x) / (p(x) + q(x)).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Recipe
from ganvas.recipe.sources import Mixture2D
from ganvas.recipe.system import FromNoise

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from torch import nn


@final
@dataclass(frozen=True, kw_only=True)
class Toy2DMLP(FromNoise):
    """Multilayer perceptrons: noise to 2-D point, and point to score."""

    task = "toy2d"
    latent: int = 2
    """Length of the noise vector z."""
    g_hidden: tuple[int, ...] = (128, 128)
    """Widths of the generator's hidden layers."""
    d_hidden: tuple[int, ...] = (128, 128)
    """Widths of the discriminator's hidden layers."""

    def __post_init__(self) -> None:
        if self.latent < 1 or not self.g_hidden or not self.d_hidden or min(self.g_hidden + self.d_hidden) < 1:
            raise InputError(
                f"--system.latent {self.latent} must be at least 1, and --system.g-hidden {self.g_hidden} and"
                f" --system.d-hidden {self.d_hidden} must each have at least one width of at least 1."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one point: (2,)."""
        return (2,)

    def tiny(self) -> Self:
        """Narrow."""
        return replace(self, g_hidden=(8, 8), d_hidden=(8,))

    def generator(self) -> nn.Module:
        """z (B, latent) -> points (B, 2)."""
        from torch import nn

        return _perceptron((self.latent, *self.g_hidden), 2, nn.ReLU)

    def discriminator(self) -> nn.Module:
        """Points (B, 2) -> logits (B,)."""
        from torch import nn

        return nn.Sequential(*_perceptron((2, *self.d_hidden), 1, lambda: nn.LeakyReLU(0.2)), nn.Flatten(0))


def _perceptron(widths: tuple[int, ...], out: int, activation: Callable[[], nn.Module]) -> nn.Sequential:
    from torch import nn

    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], out))


def mlp_ring() -> Recipe:
    """8 Gaussians on a circle, with an animation of the training; trains in a minute"""
    return _recipe("ring", images=1_200_000)


def mlp_grid() -> Recipe:
    """25 Gaussians on a grid: the classic test for mode collapse"""
    return _recipe("grid", images=3_000_000)


def mlp_spiral() -> Recipe:
    """100 Gaussians close together along a spiral: one thin line"""
    return _recipe("spiral", images=2_000_000)


def _recipe(shape: Literal["ring", "grid", "spiral"], images: int) -> Recipe:
    adam = Adam(lr=1e-3, beta1=0.0, beta2=0.99)
    return Recipe(
        system=Toy2DMLP(),
        data=Mixture2D(shape=shape),
        adam_g=adam,
        adam_d=adam,
        ema=EMA(half_life=20_000),
        batch_size=256,
        images=images,
    )
