"""Open a run or a model file, and make pictures with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

import ganvas
from ganvas.errors import InputError
from ganvas.inference.opening import is_ours, move, read_model
from ganvas.inference.upscaler import Upscaler, open_upscaler
from ganvas.noise import noise, slerp
from ganvas.pictures import Pixels, to_image, to_pixels
from ganvas.runs.models import find
from ganvas.systems.kinds import FromNoise, Translation

BATCH = 64


class Generator:
    """A trained generator in evaluation mode: every picture depends on its own noise alone.

    Attributes:
        system: the GAN it belongs to; `system.latent` and `system.shape` say what goes in and out.
        name: the run's name.
        images: real images it was trained on.
    """

    def __init__(self, system: FromNoise, network: nn.Module, name: str, images: int) -> None:
        self.system, self.network, self.name, self.images = (
            system,
            network.eval().requires_grad_(False),
            name,
            images,
        )

    @property
    def on_plane(self) -> bool:
        """Whether it makes points of the plane instead of pictures."""
        return self.system.shape == (2,)

    def generate(self, n: int, seed: int = 0) -> Pixels:
        """Make `n` pictures: uint8 (n, size, size, channels). The first ones do not depend on `n`.

        Raises:
            InputError: `n` is less than 1, the seed negative, or it makes points.
        """
        return self.render(self._noise(n, seed))

    def points(self, n: int, seed: int = 0) -> NDArray[np.float32]:
        """Make `n` points of the plane: float32 (n, 2). The first ones do not depend on `n`.

        Raises:
            InputError: `n` is less than 1, the seed negative, or it makes pictures.
        """
        if not self.on_plane:
            raise InputError(f"{self.name} makes pictures, not points of the plane; use generate.")
        return torch.cat(list(self._parts(self._noise(n, seed)))).float().cpu().numpy()

    def generate_images(self, n: int, seed: int = 0) -> list[Image.Image]:
        """The same as PIL pictures."""
        return [to_image(pixels) for pixels in self.generate(n, seed)]

    def interpolate(self, stops: int, steps: int, seed: int = 0) -> Pixels:
        """A walk through `stops` random points and back to the first, `steps` pictures from each to the next.

        Returns:
            uint8 (stops * steps, size, size, channels)
        """
        if stops < 2 or steps < 1:
            raise InputError(
                f"a walk of {stops} stops and {steps} steps leads nowhere; give at least 2 stops and 1 step."
            )
        z = noise(stops, self.system.latent, seed)
        ends = np.roll(z, -1, axis=0)
        pairs = zip(z, ends, strict=True)
        return self.render(np.stack([slerp(a, b, step / steps) for a, b in pairs for step in range(steps)]))

    def render(self, z: np.ndarray) -> Pixels:
        """Pictures uint8 (N, size, size, channels) of given noise, float32 (N, latent).

        Raises:
            InputError: it makes points.
        """
        if self.on_plane:
            raise InputError(
                f"{self.name} makes points of the plane, not pictures; ganvas generate draws them with --grid PLOT.png"
                " and writes them with --out POINTS.csv or .npz."
            )
        return np.concatenate([to_pixels(part) for part in self._parts(z)])

    def _noise(self, n: int, seed: int) -> NDArray[np.float32]:
        if n < 1 or seed < 0:
            raise InputError(
                f"cannot make {n} pictures from seed {seed}; ask for at least 1, from a seed of at least 0."
            )
        return noise(n, self.system.latent, seed)

    def _parts(self, z: NDArray[np.float32]) -> Iterator[Tensor]:
        device = next(self.network.parameters()).device
        with torch.no_grad():
            for part in torch.split(torch.from_numpy(np.asarray(z, np.float32)), BATCH):
                yield self.network(part.to(device))

    def label(self, seed: int, index: int | None = None) -> dict[str, str]:
        """Text chunks that say a picture is synthetic, by which model, from which seed."""
        which = "" if index is None else f", picture {index}"
        what = "points" if self.on_plane else "picture"
        return {
            "Software": f"ganvas {ganvas.__version__}",
            "Description": f"Synthetic {what} made by the GAN {self.name} ({type(self.system).__name__},"
            f" {self.images} training {'points' if self.on_plane else 'images'}) from seed {seed}{which}.",
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
        return Generator(opened.system, move(opened.network, device), opened.about["run"], opened.about["images"])
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
