"""Building a network that a file describes, no further than the file has weights for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

# A normalization may register a weight twice, and small parts may be built and thrown away.
FACTOR, MORE = 4, 2**16


class TooLarge(RuntimeError):
    """A network has far more parameters than its file."""


@contextmanager
def no_larger_than(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """End the building of a network once it has far more parameters than `weights`, before they cost memory or time.

    A header of a few bytes may claim a billion blocks, or a width of a billion.

    Raises:
        TooLarge: it has.
    """
    count, numbers = FACTOR * len(weights) + MORE, FACTOR * sum(t.numel() for t in weights.values()) + MORE
    here = threading.get_ident()

    def note(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal count, numbers
        if threading.get_ident() != here or parameter is None:
            return
        count, numbers = count - 1, numbers - parameter.numel()
        if count < 0 or numbers < 0:
            raise TooLarge("the network that it describes is far larger than its weights")

    # torch allocates a parameter's memory before this is called, but touches it only afterwards.
    handle = register_module_parameter_registration_hook(note)
    try:
        yield
    finally:
        handle.remove()
