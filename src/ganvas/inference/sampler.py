"""The base of all generators from noise: seeds, classes, and the note that samples are synthetic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import ganvas
from ganvas.errors import InputError, listed, nearest
from ganvas.files import expect_ending, write_atomically
from ganvas.imaging.grid import Pixels
from ganvas.inference.base import Model, Predictor
from ganvas.machine import free_memory
from ganvas.recipe.noise import noise
from ganvas.recipe.system import FromNoise
from ganvas.untrusted import count_in

# Samples computed together, always so many: on some CPUs a sample's last bits depend on the size of its batch, and the
# first samples must not depend on how many are asked for. On a CPU few, since the last batch is filled up.
CPU_BATCH, BATCH = 8, 64

Label = str | int | Sequence[int]
"""A class by its name or number (see `Sampler.number`), or the number of every sample's class."""


class Sampler(Predictor):
    """A trained generator in evaluation mode: every sample depends only on its own noise.

    Attributes:
        unit: plural of the sample's name.
        method: name of the method that makes samples, for messages.
        default_count: default number of samples of `ganvas generate`.
        number_bytes: bytes of each number of a sample.
        system: the GAN it belongs to; `system.latent` and `system.shape` are the sizes of its input and output.
    """

    inputs = "noise"
    does = "makes samples from noise"
    use = "ganvas generate {model}"
    unit: ClassVar[str]
    method: ClassVar[str] = "sample"
    default_count: ClassVar[int] = 64
    number_bytes: ClassVar[int] = 4

    def __init__(self, model: Model) -> None:
        self.about, self.network, self.system = model.about, model.network, cast(FromNoise, model.system)

    @classmethod
    def load(cls, model: Model, **options: Any) -> Self:
        """See `Predictor.load`; there are no options.

        Raises:
            InputError: one is given.
        """
        if options:
            raise InputError(f"{model.about.name} makes {cls.unit}, which has no {listed([*options])}; leave it out.")
        return cls(model)

    def lines(self, n: int, seed: int) -> list[str]:
        """`n` samples as texts for the terminal; none where samples are no texts."""
        return []

    def sample(self, n: int, seed: int = 0, label: Label | None = None) -> NDArray[Any]:
        """Generate `n` samples (n, ...), float32 as the network outputs them. The first samples do not depend on `n`.

        Args:
            label: the class of all samples, or the number of each sample's class; by default all classes in turn. The
                same seed gives the same noise for every class.

        Raises:
            InputError: `n` is less than 1, the seed is negative, or the class does not exist.
        """
        made: NDArray[Any] = torch.cat(list(self._parts(self._noise(n, seed), label))).float().cpu().numpy()
        return made

    def write_grid(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> Path:
        """Write `n` samples as one PNG image; of several classes, `n` of each.

        Raises:
            InputError: this modality has no such image, the path does not end in .png, or the file cannot be written.
        """
        raise InputError(f"{self.name} makes {self.unit}, which --grid cannot draw; give --out FILE.npz.")

    def write_samples(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> list[Path]:
        """Write `n` samples, or `n` of each class, as an .npz file or as other data files; return their paths.

        Raises:
            InputError: the path is of the wrong kind, or a file cannot be written.
        """
        expect_ending(path, ".npz")
        made = np.concatenate([self.sample(n, seed, label) for label in labels or (None,)])

        def write(part: Path) -> None:
            with part.open("wb") as file:  # given a name, savez would append .npz
                np.savez(file, allow_pickle=False, **{self.unit: made})

        write_atomically(path, write)
        return [path]

    def generate(self, n: int, seed: int = 0, label: Label | None = None) -> Pixels:
        """Generate images; see `ganvas.inference.Generator`.

        Raises:
            InputError: the model does not make images.
        """
        raise InputError(f"{self.name} makes {self.unit}, not images; call {self.method}() instead.")

    def points(self, n: int, seed: int = 0) -> NDArray[np.float32]:
        """Generate 2-D points; see `ganvas.inference.PointGenerator`.

        Raises:
            InputError: the model does not make points.
        """
        raise InputError(f"{self.name} makes {self.unit}, not points; call {self.method}() instead.")

    def write_interpolation(
        self, stops: int, steps: int, seed: int, strip: Path | None, video: Path | None, label: int | None = None
    ) -> list[Path]:
        """Write an interpolation between random points of the noise; see `ganvas.inference.Generator`.

        Raises:
            InputError: the model does not make images.
        """
        raise InputError(
            f"{self.name} makes {self.unit}, and --interpolate is for images; leave it out: --grid PLOT.png plots the"
            f" {self.unit}, --out writes them."
        )

    def number(self, label: str | int) -> int:
        """The number of a class.

        Args:
            label: its name, or its number; a text is only a name if any class is named by a number: of the classes 3
                and 7, "0" is none, and 0 the first.

        Raises:
            InputError: the class does not exist; the message suggests the nearest name, or lists the valid numbers.
        """
        if not self.classes:
            raise InputError(f"{self.name} was trained without classes; leave out the class {label!r}.")
        if label in self.classes:
            return self.classes.index(str(label))
        numbered = isinstance(label, int) or not any(name.isdecimal() for name in self.classes)
        number = count_in(str(label))
        if numbered and number is not None and number < len(self.classes):
            return number
        if numbered and str(label).removeprefix("-").isdecimal():
            raise InputError(
                f"{self.name} has no class {label!r}: its classes are numbered 0 to {len(self.classes) - 1}; give one"
                f" of these numbers, or one of {listed(self.classes)}."
            )
        near = "" if str(label).isdecimal() else nearest(str(label), self.classes)
        raise InputError(f"{self.name} has no class {label!r}{near}; give one of {listed(self.classes)}.")

    def provenance(self, seed: int, index: int | None = None, of: str = "") -> dict[str, str]:
        """Text chunks that mark a file as synthetic, and name the model, the seed and the class."""
        one = self.unit.removesuffix("s")
        what = self.unit if index is None else one
        which = "" if index is None else f", {one} {index}"
        which += f", class {of}" if of else ""
        return {
            "Software": f"ganvas {ganvas.__version__}",
            "Description": f"Synthetic {what} made by the GAN {self.name} ({self.about.network},"
            f" {self.images_seen} training {self.unit}) from seed {seed}{which}.",
            # The IPTC's term for images made by a trained model.
            "DigitalSourceType": "trainedAlgorithmicMedia",
        }

    def _noise(self, n: int, seed: int) -> NDArray[np.float32]:
        if n < 1 or seed < 0:
            raise InputError(
                f"cannot generate {n} {self.unit} from seed {seed}; give at least -n 1 and a --seed of at least 0."
            )
        self._expect_room(n)
        return noise(n, self.system.latent, seed)

    def _expect_room(self, n: int, times: int = 1, remedy: str = "") -> None:
        """Refuse, before any is made, `n` times so many samples as the free memory does not hold."""
        each = times * (4 * self.system.latent + self.number_bytes * math.prod(self.system.shape))
        free = free_memory()
        if n * each > free:
            raise InputError(
                f"{n * times:,} {self.unit} need {n * each / 1e9:,.0f} GB of memory at once, and {free / 1e9:,.1f} GB"
                f" are free; {remedy or f'give at most -n {free // each:,}, and another --seed for further ones'}."
            )

    def _parts(self, z: NDArray[np.float32], label: Label | None = None) -> Iterator[Tensor]:
        """The network's output for noise (n, latent), in batches of one size."""
        device = next(self.network.parameters()).device
        size = CPU_BATCH if device.type == "cpu" else BATCH
        inputs = self.system.with_classes(torch.from_numpy(np.asarray(z, np.float32)), self._labels(len(z), label))
        with torch.no_grad():
            for part in torch.split(inputs, size):
                whole = torch.cat([part, part[:1].expand(size - len(part), -1)])
                yield self.network(whole.to(device))[: len(part)]

    def _labels(self, n: int, label: Label | None) -> Tensor | None:
        """The class number of each of `n` samples."""
        if label is None:
            return torch.arange(n) % len(self.classes) if self.classes else None
        if isinstance(label, str | int):
            return torch.full((n,), self.number(label))
        if len(label) != n:
            raise InputError(f"there are {len(label)} labels for {n} {self.unit}; give one for each, or one for all.")
        return torch.tensor([self.number(int(one)) for one in label])
