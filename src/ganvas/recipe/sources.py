"""Data sources of a recipe, as values; `ganvas.data` opens them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ganvas.errors import InputError
from ganvas.recipe.degradations import Bicubic, Degradation

if TYPE_CHECKING:
    import torch
    from torch import Tensor

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
    """Dataset (digits, mnist, fashion-mnist, stacked-mnist, stacked-mnist-test, cifar10, celeba, div2k), folder, zip,
    parquet, npz or IDX file."""
    column: str = ""
    """Column of a parquet file, or array of an npz file, with the images; by default the first that fits."""
    labels: str = ""
    """The column or array with their labels; by default label, labels, class or fine_label, or the first that fits."""
    fit: Literal["crop", "pad", "stretch"] = "crop"
    """How images become square: crop the centre, pad with black, or stretch."""
    held_out: float = 0.05
    """Fraction of images held out for diagnosis and measures (every k-th, k = 1 / fraction); 0 trains on all."""

    @property
    def title(self) -> str:
        """The name or path."""
        return self.source


class Cropped(Source):
    """Photographs of any size, of which random crops are cut; each crop has a version that the generator is given."""

    pictures: ClassVar[int] = 1
    """Pictures of one size that lie one behind the other in the channels of a photograph."""

    @property
    @abstractmethod
    def rule(self) -> Degradation:
        """How the generator's input is made of a crop."""

    @property
    @abstractmethod
    def turns(self) -> Sequence[int]:
        """The turns in which crops come, in 0..7: 1 swaps rows and columns, 2 mirrors top and bottom, 4 left and
        right."""


@dataclass(frozen=True, kw_only=True)
class Crops(Cropped):
    """Random crops of photographs, randomly rotated and flipped, with their low-resolution versions.

    An epoch is one crop of every photograph.
    """

    source: str
    """Dataset (div2k), or folder, zip, parquet or npz file of photographs of any size."""
    column: str = ""
    """Column of a parquet file, or array of an npz file, with the photographs; by default the first that fits."""
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

    @property
    def rule(self) -> Degradation:
        """The degradation."""
        return self.degradation

    @property
    def turns(self) -> Sequence[int]:
        """All eight, or none."""
        return range(8) if self.turn else ()


@dataclass(frozen=True, kw_only=True)
class Pairs(Cropped):
    """Random crops of pairs of pictures, of which one is made into the other.

    An epoch is one crop of every pair.

    Raises:
        InputError: the scale is not in 1..8, or above 1 for anything but small pictures before and large ones after.
    """

    pictures: ClassVar[int] = 2
    source: str
    """Folder or zip of pictures that hold two of equal size side by side; or of the pictures before."""
    after: str = ""
    """Folder or zip of the pictures after, of the same names; empty if they stand beside those before."""
    input: Literal["left", "right"] = "left"
    """What the generator is given, to make the other of it: left (before) or right (after)."""
    scale: int = 1
    """How many times as wide and high the pictures after are."""
    turn: Literal["none", "mirror", "all"] = "mirror"
    """Crops at random also mirrored left to right, or in all turns and mirrorings."""
    held_out: float = 0.05
    """Fraction of pairs held out (every k-th, k = 1 / fraction); 0 trains on all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.scale <= 8:
            raise InputError(f"--data.scale {self.scale} is not from 1 (the same size) to 8.")
        if self.scale > 1 and (self.input != "left" or not self.after):
            raise InputError(
                f"--data.scale {self.scale} is for small pictures before and large ones after, in two folders: --data"
                " SMALL --data.after LARGE, without --data.input."
            )

    @property
    def title(self) -> str:
        """The paths."""
        return f"{self.source} and {self.after}" if self.after else self.source

    @property
    def rule(self) -> Degradation:
        """None: the input is given."""
        return _Given(left=self.input == "left")

    @property
    def turns(self) -> Sequence[int]:
        """As `turn` says."""
        return {"none": (), "mirror": (0, 4), "all": range(8)}[self.turn]


@dataclass(frozen=True, kw_only=True)
class _Given(Degradation):
    """The input and its target are one behind the other in the channels; `left` if the input is the first."""

    left: bool

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        one, other = target.chunk(2, 1)
        given, real = (one, other) if self.left else (other, one)
        # Of a small picture each pixel is there scale times in both directions; see `data.pairs`.
        return {"input": given[..., ::scale, ::scale], "real": real}


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
