"""Moving networks to a device."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ganvas.errors import InputError


class Movable(Protocol):
    """A network, or anything else that holds tensors."""

    def to(self, device: Any) -> Any: ...


M = TypeVar("M", bound=Movable)


def on_device(network: M, device: str) -> M:
    """Move a network to a device and return it.

    Raises:
        InputError: this machine has no such device.
    """
    import torch

    try:
        network.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:  # what torch raises for an unavailable device
        reason = str(error).splitlines()[0]
        raise InputError(
            f"the device {device!r} is not available ({reason}); use cpu, or another device of this machine."
        ) from None
    return network
