"""Open what ganvas wrote: the generator in a run folder, a checkpoint, a model file, or a model of the package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ganvas.errors import InputError
from ganvas.recipe.system import System
from ganvas.runs import checkpoint
from ganvas.runs.models import find, generator_weights
from ganvas.systems import read_system


@dataclass(frozen=True)
class Opened:
    """A generator of ganvas's own, in evaluation mode.

    Attributes:
        about: what the file says of itself.
    """

    system: System
    network: nn.Module
    about: dict[str, Any]
    file: Path


def read_model(model: str | Path, which: Literal["last", "best"] = "last") -> Opened:
    """The generator of a run, a file or a name; its moving average where there is one.

    Raises:
        InputError: there is nothing to open, or it is damaged.
    """
    file = find(model, which)
    weights, about = generator_weights(file)
    system = read_system(about["system"], str(file))
    network = system.generator()
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"the weights in {file} are not those of the system it names ({reason}); train it again."
        ) from None
    return Opened(system, network.eval().requires_grad_(False), about, file)


def write_model(file: Path, target: Path, *, half: bool = False) -> dict[str, Any]:
    """Write the generator of one of ganvas's own files as a model of its own, and say what it is.

    Args:
        half: store the weights with 16 bits, which any use turns back into 32.

    Raises:
        InputError: the file is damaged, a weight is too large for 16 bits, or the target cannot be written.
    """
    if target.suffix != ".safetensors":
        raise InputError(f"--out {target} must end in .safetensors.")
    weights, about = generator_weights(file)
    weights = halved(weights, file) if half else weights
    told = ("ganvas", "run", "system", "data", "start", "classes", "images")
    kept: dict[str, Any] = {key: about[key] for key in told if key in about}
    checkpoint.save(target, {f"g.{name}": t for name, t in weights.items()}, kept)
    return kept


def halved(weights: dict[str, Tensor], file: Path) -> dict[str, Tensor]:
    """The weights with 16 bits.

    Raises:
        InputError: one is too large.
    """
    made = {name: t.half() if t.is_floating_point() else t for name, t in weights.items()}
    if not all(t.isfinite().all() for t in made.values()):
        raise InputError(f"{file} holds weights too large for half precision; leave out --half.")
    return made


def is_ours(file: Path) -> bool:
    """Whether ganvas wrote a file, or at least could have, were it not damaged."""
    try:
        with safe_open(file, "pt") as opened:
            return "ganvas" in (opened.metadata() or {})
    except (SafetensorError, OSError):
        return file.suffix == ".safetensors"


def move(network: nn.Module, device: str) -> nn.Module:
    """A network on a device.

    Raises:
        InputError: it is not to be had here.
    """
    try:
        return network.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:  # what torch raises for a device that is not here
        reason = str(error).splitlines()[0]
        raise InputError(
            f"cannot compute on {device!r} here ({reason}); give cpu, or a device of this machine."
        ) from None
