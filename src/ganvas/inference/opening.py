"""Find and read what ganvas wrote: the weights of a run folder, a checkpoint or a model file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganvas.errors import InputError
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.systems.kinds import System
from ganvas.values import from_plain

Which = Literal["last", "best"]


@dataclass(frozen=True)
class Opened:
    """A generator of ganvas's own.

    Attributes:
        about: what the file says of itself.
    """

    system: System
    network: nn.Module
    about: dict[str, Any]
    file: Path


def read_model(path: Path, which: Which) -> Opened:
    """The generator in a run folder or a .safetensors file; its moving average where there is one.

    Raises:
        InputError: there is nothing to open, or it is damaged.
    """
    file = find(path, which)
    try:
        tensors, about = checkpoint.load(file)
    except checkpoint.Damaged as error:
        raise InputError(f"{error}; give another checkpoint of the run, or train it again.") from None
    system = from_plain(System, about["system"], str(file))  # type: ignore[type-abstract]
    prefix = "ema." if any(name.startswith("ema.") for name in tensors) else "g."
    weights = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    return Opened(system, filled(system.generator(), weights, file), about, file)


def filled(network: nn.Module, weights: dict[str, Tensor], file: Path) -> nn.Module:
    """A network with these weights, in evaluation mode.

    Raises:
        InputError: they are another network's.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"the weights in {file} are not those of the system it names ({reason}); train it again."
        ) from None
    return network.eval().requires_grad_(False)


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


def find(path: Path, which: Which) -> Path:
    """The file of weights that a path means.

    Raises:
        InputError: there is none.
    """
    if path.is_file():
        return path
    if not path.exists():
        raise InputError(f"there is no {path}; ganvas runs lists the runs there are.")
    folder = RunFolder(path)
    best = folder.checkpoints / "best.safetensors"
    # A lengthened run is ahead of the model of its first end; one that ended early left its best as its model.
    newest = [folder.model] if folder.ended_early() else [*folder.states(), folder.model]
    candidates = [best] if which == "best" else newest
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(f"{path} holds no {which} state yet; train the run first, or give the other one.")
