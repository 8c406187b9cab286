"""The theory of the 2014 game beside a real run: python benchmarks/theory.py

The generator is held at a known Gaussian q while ganvas's own loop trains the discriminator on points of a known
density p. Draws docs/results/theory.png: D beside D* = p / (p + q), both along a line, and the value of the game on its
way to -log 4 + 2 JSD(p || q).
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ganvas import Adam, Host, Mixture2D, Ramp, Recipe, Schedule
from ganvas.data import open_data
from ganvas.data.feed import row_feed
from ganvas.data.transforms import AsTheyAre
from ganvas.imaging.plot2d import FAKE, FIELD, LEVELS
from ganvas.metrics import theory
from ganvas.recipe.system import FromNoise
from ganvas.systems.toy2d import Toy2DMLP
from ganvas.training.loop import train
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report, Run

HALF, STEPS = 2.5, 200  # the square that holds nearly all of both densities, and the cells along its side
PICTURE = Path(__file__).parent.parent / "docs" / "results" / "theory.png"

REAL_LINE = "#6b6b6b"

Array = NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True)
class FixedGaussian(FromNoise):
    """A generator that makes N(centre, std^2 I) from its first step on, and the discriminator of 2-D points."""

    latent: int = 2
    """Length of the noise vector z."""
    centre: tuple[float, float] = (0.3, 0.0)
    """Mean of what is generated."""
    std: float = 0.5
    """Its standard deviation in each direction."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a point: (2,)."""
        return (2,)

    def generator(self) -> nn.Module:
        """z -> centre + std z."""
        g = nn.Linear(2, 2)
        with torch.no_grad():
            g.weight.copy_(self.std * torch.eye(2))
            g.bias.copy_(torch.tensor(self.centre))
        return g

    def discriminator(self) -> nn.Module:
        """Points (B, 2) -> logits (B,)."""
        return Toy2DMLP(d_hidden=(64, 64, 64)).discriminator()

    def density(self, at: Array) -> Array:
        """q(x) at points (N, 2)."""
        squares = ((at - np.array(self.centre)) ** 2).sum(1)
        return np.asarray(np.exp(-squares / (2 * self.std**2)) / (2 * np.pi * self.std**2))


def recipe(images: int) -> Recipe:
    """The game with G held for the whole run; the rate falls, so that D settles."""
    return Recipe(
        system=FixedGaussian(),
        data=Mixture2D(shape="ring", std=0.15, count=100_000, held_out=0.0),
        adam_d=Adam(lr=Ramp(5e-3, 1e-5, images, "cosine"), beta1=0.9),
        schedule=Schedule(freeze_g=(0, images)),
        batch_size=256,
        images=images,
    )


def densities(recipe: Recipe, at: Array) -> tuple[Array, Array]:
    """p and q at points (N, 2)."""
    assert isinstance(recipe.data, Mixture2D)
    assert isinstance(recipe.system, FixedGaussian)
    return recipe.data.density(at), recipe.system.density(at)


class Game:
    """p, q and D* on the cells of the square, and D of a run there."""

    def __init__(self, recipe: Recipe) -> None:
        self.at, self.area = theory.square(HALF, STEPS)
        self.p, self.q = densities(recipe, self.at)
        self.best = theory.optimal_discriminator(self.p, self.q)
        self.best_value = theory.best_value(self.p, self.q, self.area)

    def discriminate(self, run: Run) -> Array:
        """D(x) in the cells."""
        with torch.no_grad():
            return np.asarray(run.d(torch.from_numpy(self.at).float()).sigmoid().double().numpy())

    def value(self, d: Array) -> float:
        """V(D, G)."""
        return theory.value(d, self.p, self.q, self.area)

    def error(self, d: Array) -> float:
        """The mean of |D - D*| over (p + q) / 2, what D is shown."""
        return float((np.abs(d - self.best) * (self.p + self.q) / 2).sum() * self.area)


class Watcher(Observer):
    """Notes the value of the game as the run goes."""

    def __init__(self, game: Game, every: int) -> None:
        self.game, self.every = game, every
        self.values: list[tuple[int, float]] = []

    def start(self, run: Run) -> None:
        """Note the untrained discriminator's."""
        self.step(run, Report(0, {}, 0.0))

    def step(self, run: Run, report: Report) -> None:
        """Note the value where due."""
        before = self.values[-1][0] if self.values else -1
        if before < 0 or due(self.every, before, report.images_seen):
            self.values.append((report.images_seen, self.game.value(self.game.discriminate(run))))


def play(recipe: Recipe, every: int) -> tuple[Run, Game, Watcher]:
    """Train D by ganvas's own loop, and watch."""
    device = torch.device("cpu")
    run = Run(recipe, device)
    data = open_data(recipe.data, recipe.system.shape)
    game = Game(recipe)
    watcher = Watcher(game, every)
    train(run, row_feed(data, AsTheyAre(), batch_size=recipe.batch_size, seed=recipe.seed, device=device), [watcher])
    return run, game, watcher


def draw(run: Run, game: Game, watcher: Watcher) -> Any:
    """D and D* as fields, along the line y = 0, and the value over the run."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    d = game.discriminate(run)
    figure = Figure(figsize=(11, 8.2), dpi=90, layout="constrained")
    (left, right), (line, over) = figure.subplots(2, 2, height_ratios=(1.5, 1))
    colours = LinearSegmentedColormap.from_list("discriminator", FIELD, LEVELS)
    grid = game.at.reshape(STEPS, STEPS, 2)
    for axes, values, title in ((left, d, "D, trained"), (right, game.best, "D* = p / (p + q), computed")):
        image = axes.pcolormesh(*grid.transpose(2, 0, 1), values.reshape(STEPS, STEPS), cmap=colours, vmin=0, vmax=1)
        for density, colour in ((game.p, REAL_LINE), (game.q, FAKE)):
            levels = density.max() * np.array([0.1, 0.5])
            axes.contour(*grid.transpose(2, 0, 1), density.reshape(STEPS, STEPS), levels, colors=colour, linewidths=1)
        axes.set(aspect="equal", xlim=(-2, 2), ylim=(-1.6, 1.6), title=title)
    figure.colorbar(image, ax=(left, right), ticks=(0, 0.5, 1), shrink=0.8).ax.set_title("D(x)")
    x = np.linspace(-2, 2, 400)
    along = np.stack([x, np.zeros_like(x)], 1)
    p, q = densities(run.recipe, along)
    with torch.no_grad():
        scores = run.d(torch.from_numpy(along).float()).sigmoid().numpy()
    line.plot(x, theory.optimal_discriminator(p, q), color="black", linestyle="--", label="D*")
    line.plot(x, scores, color="#2f6fab", label="D")
    line.fill_between(x, p / 4, color=REAL_LINE, alpha=0.25, linewidth=0, label="p / 4")
    line.fill_between(x, q / 4, color=FAKE, alpha=0.25, linewidth=0, label="q / 4")
    line.set(title="along y = 0", xlabel="x", ylim=(0, 1.02))
    line.legend(loc="upper left", fontsize=9, framealpha=1)
    over.plot(*zip(*watcher.values, strict=True), color="#2f6fab", label="V(D, G)")
    over.axhline(game.best_value, color="black", linestyle="--", label="-log 4 + 2 JSD(p || q)")
    over.axhline(-np.log(4), color="grey", linestyle=":", label="-log 4: D knows nothing")
    over.set(title="value of the game", xlabel="points seen")
    over.legend(loc="lower right", fontsize=9)
    return figure


def main() -> None:
    """Train, draw, and print what docs/theory.md quotes."""
    began = time.perf_counter()
    images = 2_000_000
    run, game, watcher = play(recipe(images), images // 100)
    d = game.discriminate(run)
    draw(run, game, watcher).savefig(PICTURE)
    about = Host(device="cpu").describe()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    print(f"{about['processor']}, torch {about['torch']}, Python {about['python']}, commit {commit.strip()}")
    print(f"{run.images_seen:,} points in {time.perf_counter() - began:.0f} s")
    print(f"JSD(p || q)             {theory.jensen_shannon(game.p, game.q, game.area):.4f}")
    print(f"-log 4 + 2 JSD(p || q)  {game.best_value:.4f}")
    print(f"V(D, G)                 {game.value(d):.4f}")
    print(f"mean |D - D*|           {game.error(d):.4f}")


if __name__ == "__main__":
    main()
