"""What all generators from noise share: seeds, classes, and the note that what they make is synthetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import ganvas
from ganvas.errors import InputError, listed, nearest
from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels
from ganvas.inference.base import Model, Predictor
from ganvas.recipe.noise import noise
from ganvas.recipe.system import FromNoise

BATCH = 64

Label = str | int | Sequence[int]
"""A class by its name or number, or the numbers of the classes of every sample."""


class Sampler(Predictor):
    """A trained generator in evaluation mode: every sample depends on its own noise alone.

    Attributes:
        unit: what a sample is called, in the plural.
        method: the method that makes samples, as messages name it.
        usual: how many `ganvas generate` makes by default.
        system: the GAN it belongs to; `system.latent` and `system.shape` say what goes in and out.
    """

    inputs = "noise"
    does = "makes samples from noise"
    use = "ganvas generate {model}"
    unit: ClassVar[str]
    method: ClassVar[str] = "sample"
    usual: ClassVar[int] = 64

    def __init__(self, model: Model) -> None:
        self.about, self.network, self.system = model.about, model.network, cast(FromNoise, model.system)

    @classmethod
    def load(cls, model: Model) -> Self:
        """Make one of a network; there are no options."""
        return cls(model)

    def sample(self, n: int, seed: int = 0, label: Label | None = None) -> NDArray[Any]:
        """Make `n` samples (n, ...), float32 as the network makes them. The first ones do not depend on `n`.

        Args:
            label: the class of all of them, or the number of the class of each; by default one after the other in
                turn. Samples of one seed and of several classes are made of the same noise.

        Raises:
            InputError: `n` is less than 1, the seed negative, or there is no such class.
        """
        made: NDArray[Any] = torch.cat(list(self._parts(self._noise(n, seed), label))).float().cpu().numpy()
        return made

    def write_sheet(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> Path:
        """Write `n` samples as one PNG sheet; of several classes, `n` of each.

        Raises:
            InputError: nothing draws such samples, the path has another ending, or the file cannot be written.
        """
        raise InputError(f"{self.name} makes {self.unit}, which --grid does not draw; give --out FILE.npz.")

    def write_samples(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> list[Path]:
        """Write `n` samples as data that can be read again, one .npz file; of several classes, `n` of each.

        Raises:
            InputError: the path is of another kind, or a file cannot be written.
        """
        expect_ending(path, ".npz")
        made = np.concatenate([self.sample(n, seed, label) for label in labels or (None,)])

        def write(part: Path) -> None:
            with part.open("wb") as file:  # given a name, savez would add an ending to it
                np.savez(file, allow_pickle=False, **{self.unit: made})

        write_atomically(path, write)
        return [path]

    def generate(self, n: int, seed: int = 0, label: Label | None = None) -> Pixels:
        """Images; see `ganvas.inference.Generator`.

        Raises:
            InputError: it makes something else.
        """
        raise InputError(f"{self.name} makes {self.unit}, not images; call {self.method}() instead.")

    def points(self, n: int, seed: int = 0) -> NDArray[np.float32]:
        """2-D points; see `ganvas.inference.PointGenerator`.

        Raises:
            InputError: it makes something else.
        """
        raise InputError(f"{self.name} makes {self.unit}, not points; call {self.method}() instead.")

    def write_walk(
        self, stops: int, steps: int, seed: int, strip: Path | None, video: Path | None, label: int | None = None
    ) -> list[Path]:
        """Write a walk through random points of the noise; see `ganvas.inference.Generator`.

        Raises:
            InputError: it makes no images.
        """
        raise InputError(
            f"{self.name} makes {self.unit}, and --interpolate is for images; leave it out: --grid PLOT.png draws them,"
            " --out writes them."
        )

    def number(self, label: str | int) -> int:
        """The number of a class.

        Raises:
            InputError: there is no such class; the message suggests the nearest name, or says which numbers there are.
        """
        if not self.classes:
            raise InputError(f"{self.name} was trained without classes; leave out the class {label!r}.")
        if label in self.classes:
            return self.classes.index(str(label))
        if str(label).isdecimal() and int(label) < len(self.classes):
            return int(label)
        if str(label).removeprefix("-").isdecimal():
            raise InputError(
                f"{self.name} has no class {label!r}: its numbers go from 0 to {len(self.classes) - 1}; give one of"
                f" these, or one of {listed(self.classes)}."
            )
        raise InputError(
            f"{self.name} has no class {label!r}{nearest(str(label), self.classes)}; give one of"
            f" {listed(self.classes)}."
        )

    def provenance(self, seed: int, index: int | None = None, of: str = "") -> dict[str, str]:
        """Text chunks that say a file is synthetic, made by which model, from which seed, and of which class."""
        one = self.unit.removesuffix("s")
        what = self.unit if index is None else one
        which = "" if index is None else f", {one} {index}"
        which += f", class {of}" if of else ""
        return {
            "Software": f"ganvas {ganvas.__version__}",
            "Description": f"Synthetic {what} made by the GAN {self.name} ({self.about.network},"
            f" {self.images_seen} training {self.unit}) from seed {seed}{which}.",
            # The term of the IPTC's vocabulary for images made by a trained model.
            "DigitalSourceType": "trainedAlgorithmicMedia",
        }

    def _noise(self, n: int, seed: int) -> NDArray[np.float32]:
        if n < 1 or seed < 0:
            raise InputError(
                f"cannot make {n} {self.unit} from seed {seed}; ask for at least 1, from a seed of at least 0."
            )
        return noise(n, self.system.latent, seed)

    def _parts(self, z: NDArray[np.float32], label: Label | None = None) -> Iterator[Tensor]:
        """What the network makes of noise (n, latent), in batches."""
        device = next(self.network.parameters()).device
        inputs = self.system.with_classes(torch.from_numpy(np.asarray(z, np.float32)), self._labels(len(z), label))
        with torch.no_grad():
            for part in torch.split(inputs, BATCH):
                yield self.network(part.to(device))

    def _labels(self, n: int, label: Label | None) -> Tensor | None:
        """The number of the class of each of `n` samples."""
        if label is None:
            return torch.arange(n) % len(self.classes) if self.classes else None
        if isinstance(label, str | int):
            return torch.full((n,), self.number(label))
        if len(label) != n:
            raise InputError(f"{len(label)} classes are given for {n} {self.unit}; give one for each, or one for all.")
        return torch.tensor([self.number(int(one)) for one in label])


def expect_ending(path: Path, *endings: str) -> None:
    """Refuse a file whose name does not say how to write it."""
    if path.suffix.lower() not in endings:
        raise InputError(f"cannot tell how to write {path}; its name must end in {' or '.join(endings)}.")
