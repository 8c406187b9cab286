"""The 2014 GAN: two multilayer perceptrons.

Paper: Goodfellow et al. 2014, Generative Adversarial Nets, arXiv:1406.2661

The layers follow the best-known PyTorch implementation: batch normalization on all hidden layers of the generator but
the first, leaky ReLU everywhere, Tanh at the end. That implementation writes ``BatchNorm1d(n, 0.8)``, whose second
positional argument is *eps*, so it adds 0.8 to every variance and barely normalizes. The intended setting is Keras's
``momentum=0.8``: keep 0.8 of the running statistic and take 0.2 of the new one. PyTorch defines momentum the other way
round, so here it is ``momentum=0.2`` with the usual eps of 1e-5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Recipe
from ganvas.recipe.sources import Images
from ganvas.recipe.system import Synthesis

if TYPE_CHECKING:
    from typing import Self

    from torch import nn


@final
@dataclass(frozen=True, kw_only=True)
class MLP(Synthesis):
    """Multilayer perceptrons on flattened images; any size, best below 64 px."""

    size: int = 28
    """Side of the square images, in pixels."""
    channels: int = 1
    """1 for grey, 3 for RGB."""
    latent: int = 100
    """Length of the noise vector z."""
    g_hidden: tuple[int, ...] = (128, 256, 512, 1024)
    """Widths of the generator's hidden layers."""
    d_hidden: tuple[int, ...] = (512, 256)
    """Widths of the discriminator's hidden layers."""
    bn_momentum: float = 0.2
    """Momentum of the generator's batch normalization: weight of the newest batch in the running statistics."""

    def __post_init__(self) -> None:
        if self.size < 1 or self.channels not in (1, 3) or self.latent < 1:
            raise InputError(
                f"--system.size {self.size} and --system.latent {self.latent} must be at least 1, and --system.channels"
                f" {self.channels} must be 1 (grey) or 3 (RGB)."
            )
        if not self.g_hidden or not self.d_hidden or min(self.g_hidden + self.d_hidden) < 1:
            raise InputError(
                f"--system.g-hidden {self.g_hidden} and --system.d-hidden {self.d_hidden} must each have at least one"
                " width, and every width must be at least 1."
            )

    def tiny(self) -> Self:
        """Narrow, grey, at 8 px."""
        return replace(self, size=8, channels=1, g_hidden=(8, 8), d_hidden=(8,))

    def generator(self) -> nn.Module:
        """z (B, latent) -> (B, channels, size, size) in [-1, 1]."""
        from torch import nn

        from ganvas.nn.linear import Linear

        layers: list[nn.Module] = [Linear(self.latent, self.g_hidden[0]), nn.LeakyReLU(0.2, inplace=True)]
        for before, after in pairwise(self.g_hidden):
            layers += [
                Linear(before, after),
                nn.BatchNorm1d(after, momentum=self.bn_momentum),
                nn.LeakyReLU(0.2, inplace=True),
            ]
        shape = (self.channels, self.size, self.size)
        pixels = self.channels * self.size**2
        return nn.Sequential(*layers, Linear(self.g_hidden[-1], pixels), nn.Tanh(), nn.Unflatten(1, shape))

    def discriminator(self) -> nn.Module:
        """(B, channels, size, size) -> logits (B,)."""
        from torch import nn

        from ganvas.nn.linear import Linear

        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise((self.channels * self.size**2, *self.d_hidden)):
            layers += [Linear(before, after), nn.LeakyReLU(0.2, inplace=True)]
        return nn.Sequential(*layers, Linear(self.d_hidden[-1], 1), nn.Flatten(0))


def mlp_mnist() -> Recipe:
    """MNIST at 28 px, 200 epochs of batch 64, the classic hand-written setup"""
    return Recipe(system=MLP(), data=Images(source="mnist"), images=200 * 60_000)


def mlp_digits() -> Recipe:
    """scikit-learn's 1,797 handwritten digits at 8 px; bundled, trains in a minute"""
    return Recipe(
        system=MLP(size=8, g_hidden=(128, 256, 512), d_hidden=(256, 128)),
        data=Images(source="digits"),
        adam_d=Adam(lr=1e-4),
        ema=EMA(half_life=10_000),
        images=400 * 1_797,
    )
