"""Open a run or a model file, and make pictures with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

import ganvas
from ganvas.errors import InputError, listed, nearest
from ganvas.imaging.grid import Pixels, to_image
from ganvas.imaging.tensors import to_pixels
from ganvas.inference.opening import is_ours, move, read_model
from ganvas.inference.upscaler import Upscaler, open_upscaler
from ganvas.recipe.noise import noise, slerp
from ganvas.recipe.system import FromNoise, Translation
from ganvas.runs.models import find

BATCH = 64

Label = str | int | Sequence[int]
"""A class by its name or number, or the numbers of the classes of every picture."""


class Generator:
    """A trained generator in evaluation mode: every picture depends on its own noise alone.

    Attributes:
        system: the GAN it belongs to; `system.latent` and `system.shape` say what goes in and out.
        name: the run's name.
        images_seen: real images it was trained on.
        classes: names of the classes that it can be asked for, in the order of their numbers; mostly none.
    """

    def __init__(
        self, system: FromNoise, network: nn.Module, name: str, images: int, classes: Sequence[str] = ()
    ) -> None:
        self.system, self.network, self.name, self.images_seen, self.classes = (
            system,
            network.eval().requires_grad_(False),
            name,
            images,
            tuple(classes),
        )

    @property
    def on_plane(self) -> bool:
        """Whether it makes points of the plane instead of pictures."""
        return self.system.shape == (2,)

    def generate(self, n: int, seed: int = 0, label: Label | None = None) -> Pixels:
        """Make `n` pictures: uint8 (n, size, size, channels). The first ones do not depend on `n`.

        Args:
            label: the class of all of them, or the number of the class of each; by default one after the other in
                turn. Images of one seed and of several classes are made of the same noise.

        Raises:
            InputError: `n` is less than 1, the seed negative, there is no such class, or it makes points.
        """
        return self.render(self._noise(n, seed), label)

    def points(self, n: int, seed: int = 0) -> NDArray[np.float32]:
        """Make `n` points of the plane: float32 (n, 2). The first ones do not depend on `n`.

        Raises:
            InputError: `n` is less than 1, the seed negative, or it makes pictures.
        """
        if not self.on_plane:
            raise InputError(f"{self.name} makes pictures, not points of the plane; use generate.")
        return torch.cat(list(self._parts(self._noise(n, seed)))).float().cpu().numpy()

    def generate_images(self, n: int, seed: int = 0, label: Label | None = None) -> list[Image.Image]:
        """The same as PIL pictures."""
        return [to_image(pixels) for pixels in self.generate(n, seed, label)]

    def number(self, label: str | int) -> int:
        """The number of a class.

        Raises:
            InputError: there is no such class; the message suggests the nearest name, or says which numbers there are.
        """
        if not self.classes:
            raise InputError(
                f"{self.name} was not told of classes, so that {label!r} cannot be asked for; leave it out."
            )
        if label in self.classes:
            return self.classes.index(str(label))
        if str(label).isdecimal() and int(label) < len(self.classes):
            return int(label)
        if str(label).removeprefix("-").isdecimal():
            raise InputError(
                f"{self.name} knows no class {label!r}: its numbers go from 0 to {len(self.classes) - 1}; give one of"
                f" these, or one of {listed(self.classes)}."
            )
        raise InputError(
            f"{self.name} knows no class {label!r}{nearest(str(label), self.classes)}; give one of"
            f" {listed(self.classes)}."
        )

    def interpolate(self, stops: int, steps: int, seed: int = 0, label: str | int | None = None) -> Pixels:
        """A walk through `stops` random points and back to the first, `steps` pictures from each to the next.

        Where there are classes it stays in that one.

        Returns:
            uint8 (stops * steps, size, size, channels)
        """
        if stops < 2 or steps < 1:
            raise InputError(
                f"a walk of {stops} stops and {steps} steps leads nowhere; give at least 2 stops and 1 step."
            )
        if self.classes and label is None:
            raise InputError(
                f"a walk stays in one class, and {self.name} knows {len(self.classes)}; name one with --class, of"
                f" {listed(self.classes)}."
            )
        z = noise(stops, self.system.latent, seed)
        ends = np.roll(z, -1, axis=0)
        pairs = zip(z, ends, strict=True)
        return self.render(np.stack([slerp(a, b, step / steps) for a, b in pairs for step in range(steps)]), label)

    def render(self, z: np.ndarray, label: Label | None = None) -> Pixels:
        """Images uint8 (N, size, size, channels) of given noise, float32 (N, latent), and of classes as `generate`.

        Raises:
            InputError: there is no such class, or it makes points.
        """
        if self.on_plane:
            raise InputError(
                f"{self.name} makes points of the plane, not pictures; ganvas generate draws them with --grid PLOT.png"
                " and writes them with --out POINTS.csv or .npz."
            )
        return np.concatenate([to_pixels(part) for part in self._parts(z, label)])

    def _noise(self, n: int, seed: int) -> NDArray[np.float32]:
        if n < 1 or seed < 0:
            raise InputError(
                f"cannot make {n} pictures from seed {seed}; ask for at least 1, from a seed of at least 0."
            )
        return noise(n, self.system.latent, seed)

    def _parts(self, z: NDArray[np.float32], label: Label | None = None) -> Iterator[Tensor]:
        device = next(self.network.parameters()).device
        inputs = self.system.joined(torch.from_numpy(np.asarray(z, np.float32)), self._labels(len(z), label))
        with torch.no_grad():
            for part in torch.split(inputs, BATCH):
                yield self.network(part.to(device))

    def _labels(self, n: int, label: Label | None) -> Tensor | None:
        """The number of the class of each of `n` pictures."""
        if label is None:
            return torch.arange(n) % len(self.classes) if self.classes else None
        if isinstance(label, str | int):
            return torch.full((n,), self.number(label))
        if len(label) != n:
            raise InputError(f"{len(label)} classes are given for {n} pictures; give one for each, or one for all.")
        return torch.tensor([self.number(int(one)) for one in label])

    def label(self, seed: int, index: int | None = None, of: str = "") -> dict[str, str]:
        """Text chunks that say a picture is synthetic, by which model, from which seed, and of which class."""
        which = "" if index is None else f", picture {index}"
        which += f", class {of}" if of else ""
        what = "points" if self.on_plane else "picture"
        return {
            "Software": f"ganvas {ganvas.__version__}",
            "Description": f"Synthetic {what} made by the GAN {self.name} ({type(self.system).__name__},"
            f" {self.images_seen} training {'points' if self.on_plane else 'images'}) from seed {seed}{which}.",
            # The term of the IPTC's vocabulary for pictures made by a trained model.
            "DigitalSourceType": "trainedAlgorithmicMedia",
        }


def open(model: str | Path, *, which: Literal["last", "best"] = "last", device: str = "cpu") -> Generator | Upscaler:
    """Open a run folder, a checkpoint or a model file: a generator of pictures from noise, or one that enlarges.

    Args:
        model: a run's folder, a file of weights, or the name of a model that comes with ganvas.
        which: of a folder, the newest state or the best measured one.
        device: where to compute.

    Raises:
        InputError: there is nothing to open, or it is damaged.
    """
    file = find(model, which)
    if not is_ours(file):
        return open_upscaler(file, device=device)
    opened = read_model(file)
    if isinstance(opened.system, FromNoise):
        about, network = opened.about, move(opened.network, device)
        return Generator(opened.system, network, about["run"], about["images"], about.get("classes", ()))
    if isinstance(opened.system, Translation):
        return open_upscaler(file, device=device)
    raise InputError(f"{file} holds a {type(opened.system).__name__}, which nothing here knows how to use.")


def open_generator(model: str | Path, *, which: Literal["last", "best"] = "last", device: str = "cpu") -> Generator:
    """Open what makes pictures from noise.

    Raises:
        InputError: as `open`, and where it enlarges pictures instead.
    """
    opened = open(model, which=which, device=device)
    if isinstance(opened, Upscaler):
        raise InputError(f"{model} makes nothing from noise: it enlarges pictures; use ganvas upscale --model {model}.")
    return opened
