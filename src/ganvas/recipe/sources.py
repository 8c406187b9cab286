"""Where real data come from: values. `ganvas.data` opens them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganvas.errors import InputError
from ganvas.recipe.degradations import Bicubic, Degradation

RADIUS, STRETCHES = 0.8, 100


class Source(ABC):
    """One kind of data. Subclasses are frozen dataclasses; the first field says which data, and is what --data sets."""

    held_out: float
    """Share of the rows that is never trained on; a field, or a constant."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What messages call the data."""

    def __post_init__(self) -> None:
        if not 0 <= self.held_out <= 0.5:
            raise InputError(f"--data.held-out {self.held_out} must lie in 0..0.5; usual is 0.05, 0 keeps none back.")


@dataclass(frozen=True, kw_only=True)
class Images(Source):
    """Square pictures of one size from one source."""

    source: str
    """A name (digits, mnist, fashion-mnist, stacked-mnist, cifar10, celeba), or the path of a folder, zip, parquet or
    npz file."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How a picture becomes square: the centre of it, all of it with black bars, or all of it squeezed."""
    held_out: float = 0.05
    """Share of the pictures that is never trained on, so that the diagnosis and the measures have something to compare
    with: every k-th picture in the source's order, k = 1 / share. 0 trains on all."""

    @property
    def title(self) -> str:
        """The name, or the path."""
        return self.source


@dataclass(frozen=True, kw_only=True)
class Crops(Source):
    """Random crops of photographs, each in one of its eight turns and mirrorings, with their low-resolution versions.

    One crop of every photograph is an epoch.
    """

    source: str
    """A name (div2k), or the path of a folder, zip, parquet or npz file of photographs of any size."""
    degradation: Degradation = field(default_factory=Bicubic)
    """How the low-resolution version is made."""
    turn: bool = True
    """Turn and mirror the crops."""
    held_out: float = 0.05
    """Share of the photographs that is never trained on: every k-th, k = 1 / share. 0 trains on all."""

    @property
    def title(self) -> str:
        """The name, or the path."""
        return self.source


@dataclass(frozen=True, kw_only=True)
class Mixture2D(Source):
    """Points of the plane, drawn from a mixture of equal, equally likely round Gaussians within about [-1, 1]."""

    shape: Literal["ring", "grid", "spiral"] = "ring"
    """Where the Gaussians stand: 8 on a circle, 25 on a grid, or 100 so close along a spiral that they are one line."""
    count: int = 20_000
    """How many points there are; drawn once, always the same ones."""
    std: float = 0.02
    """Standard deviation of every Gaussian in each direction."""
    held_out: float = 0.05
    """Share of the points that is never trained on: every k-th, k = 1 / share. 0 trains on all."""

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 < self.std <= 1:
            raise InputError(
                f"--data.count {self.count} and --data.std {self.std} make no points; give at least 1 point and a"
                " standard deviation above 0 and up to 1, such as 0.02."
            )
        super().__post_init__()

    @property
    def title(self) -> str:
        """The shape."""
        return self.shape

    def modes(self) -> NDArray[np.float64]:
        """The centres of the Gaussians (M, 2)."""
        if self.shape == "grid":
            line = np.linspace(-RADIUS, RADIUS, 5)
            return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        if self.shape == "ring":
            return _polar(np.full(8, RADIUS), np.arange(8) * np.pi / 4)
        turn = np.linspace(0, 1, 10_000)
        line = _polar(0.15 + 0.7 * turn, 2.5 * np.pi * turn)
        along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        at = np.linspace(0, along[-1], STRETCHES)
        return np.stack([np.interp(at, along, line[:, 0]), np.interp(at, along, line[:, 1])], -1)

    def sample(self, count: int, seed: int = 0) -> NDArray[np.float32]:
        """Independent points (count, 2); the same for the same seed and count, everywhere."""
        random = np.random.default_rng(seed)
        modes = self.modes()
        centres = modes[random.integers(len(modes), size=count)]
        return (centres + self.std * random.standard_normal((count, 2))).astype(np.float32)

    def density(self, at: ArrayLike) -> NDArray[np.float64]:
        """p(x) at points (N, 2): the mean of the Gaussians' densities (N,)."""
        x = np.asarray(at, np.float64)
        total = np.zeros(len(x))
        for mode in self.modes():
            total += np.exp(-((x - mode) ** 2).sum(1) / (2 * self.std**2))
        return total / (len(self.modes()) * 2 * np.pi * self.std**2)


def _polar(radius: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1)
