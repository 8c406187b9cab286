"""Open a run or a model file, and make pictures with it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import nn

import ganvas
from ganvas.errors import InputError
from ganvas.noise import noise, slerp
from ganvas.pictures import Pixels, to_image, to_pixels
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.systems.kinds import Synthesis, System
from ganvas.values import from_plain

BATCH = 64


class Generator:
    """A trained generator in evaluation mode: every picture depends on its own noise alone.

    Attributes:
        system: the GAN it belongs to; `system.size`, `system.channels` and `system.latent` say what goes in and out.
        name: the run's name.
        images: real images it was trained on.
    """

    def __init__(self, system: Synthesis, network: nn.Module, name: str, images: int) -> None:
        self.system, self.network, self.name, self.images = (
            system,
            network.eval().requires_grad_(False),
            name,
            images,
        )

    def generate(self, n: int, seed: int = 0) -> Pixels:
        """Make `n` pictures: uint8 (n, size, size, channels). The first ones do not depend on `n`.

        Raises:
            InputError: `n` is less than 1 or the seed negative.
        """
        if n < 1 or seed < 0:
            raise InputError(
                f"cannot make {n} pictures from seed {seed}; ask for at least 1, from a seed of at least 0."
            )
        return self.render(noise(n, self.system.latent, seed))

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
        """Pictures uint8 (N, size, size, channels) of given noise, float32 (N, latent)."""
        device = next(self.network.parameters()).device
        parts = torch.split(torch.from_numpy(np.asarray(z, np.float32)), BATCH)
        with torch.no_grad():
            return np.concatenate([to_pixels(self.network(part.to(device))) for part in parts])

    def label(self, seed: int, index: int | None = None) -> dict[str, str]:
        """Text chunks that say a picture is synthetic, by which model, from which seed."""
        which = "" if index is None else f", picture {index}"
        return {
            "Software": f"ganvas {ganvas.__version__}",
            "Description": f"Synthetic picture made by the GAN {self.name} ({type(self.system).__name__},"
            f" {self.images} training images) from seed {seed}{which}.",
            # The term of the IPTC's vocabulary for pictures made by a trained model.
            "DigitalSourceType": "trainedAlgorithmicMedia",
        }


def open(path: str | Path, *, which: Literal["last", "best"] = "last", device: str = "cpu") -> Generator:
    """Open the generator of a run folder, a checkpoint or a model file.

    Args:
        path: a run's folder, or a .safetensors file that ganvas wrote.
        which: of a folder, the newest state or the best measured one.
        device: where to compute.

    Raises:
        InputError: there is nothing to open, or it is damaged.
    """
    file = _find(Path(path), which)
    try:
        tensors, about = checkpoint.load(file)
    except checkpoint.Damaged as error:
        raise InputError(f"{error}; give another checkpoint of the run, or train it again.") from None
    system = from_plain(System, about["system"], str(file))  # type: ignore[type-abstract]
    if not isinstance(system, Synthesis):
        raise InputError(f"{path} holds a {type(system).__name__}, which makes no pictures from noise.")
    network = system.generator()
    try:
        prefix = "ema." if any(name.startswith("ema.") for name in tensors) else "g."
        network.load_state_dict({n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)})
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"the weights in {file} are not those of the system it names ({reason}); train it again."
        ) from None
    try:
        network = network.to(device)
    except (RuntimeError, AssertionError) as error:  # what torch raises for a device that is not here
        reason = str(error).splitlines()[0]
        raise InputError(
            f"cannot compute on {device!r} here ({reason}); give cpu, or a device of this machine."
        ) from None
    return Generator(system, network, about["run"], about["images"])


def _find(path: Path, which: Literal["last", "best"]) -> Path:
    if path.is_file():
        return path
    if not path.exists():
        raise InputError(f"there is no {path}; ganvas runs lists the runs there are.")
    folder = RunFolder(path)
    best = folder.checkpoints / "best.safetensors"
    # A lengthened run is ahead of the model of its first end.
    candidates = [best] if which == "best" else [*folder.states(), folder.model]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(f"{path} holds no {which} state yet; train the run first, or give the other one.")
