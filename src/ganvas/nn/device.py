"""Putting what holds tensors on a device."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ganvas.errors import InputError


class Movable(Protocol):
    """A network, or anything else with tensors."""

    def to(self, device: Any) -> Any: ...


M = TypeVar("M", bound=Movable)


def on_device(network: M, device: str) -> M:
    """The network on the device.

    Raises:
        InputError: this machine has no such device.
    """
    import torch

    try:
        network.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:  # what torch raises for a device that it lacks
        reason = str(error).splitlines()[0]
        raise InputError(f"cannot compute on {device!r} ({reason}); give cpu, or a device of this machine.") from None
    return network
