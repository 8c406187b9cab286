"""Models that enlarge, by name or by file: ganvas's own, and those of others."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from ganvas.errors import InputError
from ganvas.inference.opening import is_ours, move, read_model
from ganvas.recipe.system import Translation
from ganvas.runs.models import find, shipped

FAITHFUL = {"srgan-x4": "srresnet-x4"}  # the shipped SRResNet that a shipped SRGAN started from


@dataclass(frozen=True)
class Loaded:
    """A network that enlarges: (B, channels, h, w) in [-1, 1] -> (B, channels, scale h, scale w).

    Attributes:
        start: name or path of the model that its training started from, if any.
        kind: what program the weights are of.
    """

    network: nn.Module
    name: str
    scale: int
    channels: int = 3
    images: int = 0
    start: str = ""
    kind: str = "ganvas"


def load(model: str | Path, strength: float = 1.0) -> Loaded:
    """Read a model; below strength 1, mixed with the one that it started from.

    Raises:
        InputError: there is no such model, it is damaged, does not enlarge, or names nothing to be mixed with.
    """
    loaded = _read(model)
    if strength == 1:
        return loaded
    if not loaded.start:
        raise InputError(
            f"--strength {strength:g} needs the SRResNet that {loaded.name} started from, and it names none; leave the"
            " option out, or give an SRGAN trained with --start, such as srgan-x4."
        )
    return replace(loaded, network=_mixed(_read(loaded.start), loaded, strength))


def names_start(model: str | Path) -> bool:
    """Whether a model names what its training started from, so that `load` can mix the two.

    Raises:
        InputError: there is no such model, it is damaged, or does not enlarge.
    """
    return bool(_read(model).start)


def place(network: nn.Module, device: str) -> tuple[nn.Module, torch.device]:
    """A network on a device, with its channels last.

    Raises:
        InputError: the device is not here.
    """
    moved = move(network, device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved, torch.device(device)


def _read(model: str | Path) -> Loaded:
    file = find(model)
    if not is_ours(file):
        from ganvas.inference.importers.convert import read_foreign

        return read_foreign(file)
    opened = read_model(file)
    system, about = opened.system, opened.about
    if not isinstance(system, Translation):
        raise InputError(
            f"{file} holds a {type(system).__name__}, which enlarges nothing; give a model such as srgan-x4."
        )
    ours = file in shipped().values()
    name, start = (file.stem, FAITHFUL.get(file.stem, "")) if ours else (about["run"], about.get("start", ""))
    return Loaded(opened.network, name, system.scale, system.channels, about["images"], start)


def _mixed(faithful: Loaded, sharp: Loaded, strength: float) -> nn.Module:
    """Network interpolation (Wang et al. 2018, ESRGAN, equation 4): (1 - a) of the one's weights, a of the other's."""
    one, other = faithful.network.state_dict(), sharp.network.state_dict()
    if {n: t.shape for n, t in one.items()} != {n: t.shape for n, t in other.items()}:
        raise InputError(
            f"{sharp.name} and {faithful.name}, which it names as its start, are different networks; leave --strength"
            " out."
        )
    mixed = {n: torch.lerp(one[n].float(), t.float(), strength).to(t.dtype) for n, t in other.items()}
    sharp.network.load_state_dict(mixed)
    return sharp.network
