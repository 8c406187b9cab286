"""Faults built into a run on purpose, each with the right verdicts, and runs that should be healthy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, final

import torch
from torch import Tensor, nn

from ganvas import Adam, Augment, Hinge, Images, NonSaturating, Ramp, Recipe, Relativistic, Wasserstein
from ganvas.recipe import EMA
from ganvas.recipe.penalties import R1, R2
from ganvas.recipe.system import Synthesis
from ganvas.systems.dcgan import DCGAN

IMAGES = 24_000
BATCH = 32
SEEDS = (0, 1, 2)


@final
@dataclass(frozen=True, kw_only=True)
class Spoiled(Synthesis):
    """A DCGAN with one thing built wrong."""

    base: DCGAN
    size: int
    channels: int
    latent: int = 100
    codes: int = 0
    """The generator sees only this many different z; 1 makes it constant, 0 leaves it alone."""
    one_layer: bool = False
    """The discriminator is a single linear layer."""
    unscaled: bool = False
    """Reals lie in 0..255 and fakes in -1..1: both divided by 127.5, less 1, the fakes fill 1/127 of the range."""

    def generator(self) -> nn.Module:
        """The base's, behind a bottleneck or before a wrong scale where asked."""
        layers: list[nn.Module] = [Codes(self.codes, self.latent)] if self.codes else []
        layers.append(self.base.generator())
        return nn.Sequential(*layers, Shrink()) if self.unscaled else nn.Sequential(*layers)

    def discriminator(self) -> nn.Module:
        """The base's, or one layer."""
        if self.one_layer:
            return nn.Sequential(nn.Flatten(), nn.Linear(self.channels * self.size**2, 1), nn.Flatten(0))
        return self.base.discriminator()


class Codes(nn.Module):
    """z (B, latent) -> one of a few fixed codes (B, latent), chosen by z, with a little of z left."""

    def __init__(self, count: int, latent: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.randn(count, latent))

    def forward(self, z: Tensor) -> Tensor:
        """Nearest code, plus a hundredth of z."""
        codes: Tensor = self.codes  # type: ignore[assignment]
        return codes[(z @ codes.T).argmax(dim=1)] + 0.01 * z


class Shrink(nn.Module):
    """Fakes in [-1, 1] as a discriminator of images in 0..255 sees them."""

    def forward(self, x: Tensor) -> Tensor:
        """(x + 1) / 127.5 - 1"""
        return (x + 1) / 127.5 - 1


def base(source: str, seed: int) -> Recipe:
    """The sound game that all others are changed from: 16 px, or 32 px of faces, in half a minute."""
    grey, small = source == "digits", not source.endswith(".zip")
    size, width = (16, 32) if small else (32, 16)
    system = DCGAN(size=size, g_width=width, d_width=width, channels=1 if grey else 3)
    return Recipe(
        system=system,
        data=Images(source=source),
        adam_d=Adam(lr=1e-4),
        ema=EMA(half_life=1_000),
        augment=Augment(flip=not grey),
        batch_size=BATCH,
        images=IMAGES,
        seed=seed,
    )


def _faulty(recipe: Recipe, **how: object) -> Recipe:
    system = recipe.system
    assert isinstance(system, DCGAN)
    return replace(recipe, system=Spoiled(base=system, size=system.size, channels=system.channels, **how))  # type: ignore[arg-type]


def _wide(recipe: Recipe, factor: int) -> Recipe:
    assert isinstance(recipe.system, DCGAN)
    return replace(recipe, system=replace(recipe.system, d_width=factor * recipe.system.d_width))


def _normed(recipe: Recipe, how: Literal["spectral", "none"]) -> Recipe:
    assert isinstance(recipe.system, DCGAN)
    return replace(recipe, system=replace(recipe.system, d_norm=how))


@dataclass(frozen=True)
class Fault:
    """A change of the sound recipe, and the verdicts of which one must be given."""

    change: Callable[[Recipe], Recipe]
    right: tuple[str, ...]


FAULTS: dict[str, Fault] = {
    "d-rate-x50": Fault(lambda r: replace(r, adam_d=Adam(lr=5e-3)), ("d-dominates",)),
    "g-rate-x50": Fault(lambda r: replace(r, adam_g=Adam(lr=1e-2)), ("g-dominates",)),
    "d-one-layer": Fault(lambda r: _faulty(r, one_layer=True), ("g-dominates",)),
    "d-width-x4": Fault(lambda r: replace(_wide(r, 4), adam_d=Adam(lr=2e-4)), ("d-dominates",)),
    # 200 images, chosen by train_runs.py, against a D that has time to memorize them.
    "few-pictures": Fault(lambda r: replace(_wide(r, 2), adam_d=Adam(lr=2e-4), augment=Augment()), ("d-overfits",)),
    "saturating": Fault(
        lambda r: replace(r, objective=NonSaturating(saturating=True), adam_d=Adam(lr=4e-4)), ("d-dominates",)
    ),
    "one-code": Fault(lambda r: _faulty(r, codes=1), ("mode-collapse",)),
    "eight-codes": Fault(lambda r: _faulty(r, codes=8), ("partial-collapse",)),
    "unscaled": Fault(lambda r: _faulty(r, unscaled=True), ("d-dominates",)),
    "no-penalty": Fault(
        lambda r: replace(
            _normed(r, "none"), objective=Wasserstein(), adam_g=Adam(lr=1e-3), adam_d=Adam(lr=1e-2, beta1=0.9)
        ),
        ("divergence",),
    ),
    "momentum": Fault(
        lambda r: replace(r, adam_g=Adam(lr=1e-2, beta1=0.9), adam_d=Adam(lr=5e-3, beta1=0.9)), ("oscillation",)
    ),
    "late-heat": Fault(
        lambda r: replace(r, adam_g=Adam(lr=Ramp(2e-4, 3e-2, IMAGES)), adam_d=Adam(lr=Ramp(1e-4, 15e-3, IMAGES))),
        ("past-best",),
    ),
}

HEALTHY: dict[str, Callable[[Recipe], Recipe]] = {
    "plain": lambda r: r,
    "half-rates": lambda r: replace(r, adam_g=Adam(lr=1e-4), adam_d=Adam(lr=5e-5)),
    "hinge": lambda r: replace(r, objective=Hinge()),
    "spectral": lambda r: replace(_normed(r, "spectral"), adam_d=Adam(lr=2e-4)),
}

# Games that no threshold was tuned on: a run KIND@GAME is of that kind in that game.
GAMES: dict[str, Callable[[Recipe], Recipe]] = {
    "hinge-spectral": lambda r: replace(_normed(r, "spectral"), objective=Hinge()),
    "relativistic": lambda r: replace(_normed(r, "none"), objective=Relativistic(), penalties=(R1(), R2())),
}


def recipe_of(kind: str, source: str, seed: int) -> Recipe:
    """The recipe of a run by its kind, KIND or KIND@GAME."""
    what, _, game = kind.partition("@")
    recipe = base(source, seed)
    if game:
        recipe = GAMES[game](recipe)
    return FAULTS[what].change(recipe) if what in FAULTS else HEALTHY[what](recipe)
