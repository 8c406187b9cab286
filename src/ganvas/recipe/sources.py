"""Data sources of a recipe, as values; `ganvas.data` opens them."""

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
    """One kind of data source. Subclasses are frozen dataclasses; --data sets the first field, which names the data."""

    held_out: float
    """Fraction of the samples that is never trained on; a field or a constant."""

    @property
    @abstractmethod
    def title(self) -> str:
        """The name of the data in messages."""

    def __post_init__(self) -> None:
        if not 0 <= self.held_out <= 0.5:
            raise InputError(
                f"--data.held-out must lie in 0..0.5, usually 0.05 (0 trains on everything); got {self.held_out}."
            )


@dataclass(frozen=True, kw_only=True)
class Images(Source):
    """Square images of one size from one source."""

    source: str
    """Dataset (digits, mnist, fashion-mnist, stacked-mnist, stacked-mnist-test, cifar10, celeba, div2k), or a folder,
    zip, parquet or npz file."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How images become square: crop the centre, pad with black, or stretch."""
    held_out: float = 0.05
    """Fraction of images held out for diagnosis and measures (every k-th, k = 1 / fraction); 0 trains on all."""

    @property
    def title(self) -> str:
        """The name or path."""
        return self.source


@dataclass(frozen=True, kw_only=True)
class Crops(Source):
    """Random crops of photographs, randomly rotated and flipped, with their low-resolution versions.

    An epoch is one crop of every photograph.
    """

    source: str
    """Dataset (div2k), or folder, zip, parquet or npz file of photographs of any size."""
    degradation: Degradation = field(default_factory=Bicubic)
    """Degradation that produces the low-resolution version."""
    turn: bool = True
    """Rotate and flip the crops at random."""
    held_out: float = 0.05
    """Fraction of photographs held out (every k-th, k = 1 / fraction); 0 trains on all."""

    @property
    def title(self) -> str:
        """The name or path."""
        return self.source


@dataclass(frozen=True, kw_only=True)
class Mixture2D(Source):
    """2-D points sampled from a mixture of equally weighted isotropic Gaussians within about [-1, 1]."""

    shape: Literal["ring", "grid", "spiral"] = "ring"
    """Layout of the Gaussians: 8 on a circle, 25 on a grid, or 100 close together along a spiral."""
    count: int = 20_000
    """Number of points; sampled once, with a fixed seed."""
    std: float = 0.02
    """Standard deviation of each Gaussian."""
    held_out: float = 0.05
    """Fraction of points held out (every k-th, k = 1 / fraction); 0 trains on all."""

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 < self.std <= 1:
            raise InputError(
                "--data.count must be at least 1, and --data.std above 0 and at most 1, such as 0.02; got"
                f" {self.count} and {self.std}."
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
        """Independent points (count, 2), reproducible from the seed and count on every machine."""
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
