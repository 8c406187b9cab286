"""Building networks no further than a file has weights for them, or the memory has room."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ganvas.errors import InputError
from ganvas.machine import free_memory, out_of_memory

FACTOR, MORE = 4, 2**16
COPIES = 4  # of each weight in training: itself, its gradient and two moments
MOST = 10_000  # parameters; published GANs have at most some hundreds, and more than these take minutes to build


class TooLarge(RuntimeError):
    """A network has far more parameters than its file."""


@contextmanager
def no_larger_than(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """End the building of a network once it has far more parameters than `weights`, before they cost memory or time.

    A header of a few bytes may claim a billion blocks, or a width of a billion.

    Raises:
        TooLarge: it has.
    """
    # A normalization may register a weight twice, and small parts may be built and thrown away.
    numbers = sum(tensor.numel() for tensor in weights.values())
    with warnings.catch_warnings(), _bounded(FACTOR * len(weights) + MORE, FACTOR * numbers + MORE):
        warnings.simplefilter("ignore")  # torch's of weights without numbers, which will not fit
        yield


@contextmanager
def within_memory(device: torch.device) -> Iterator[None]:
    """Refuse to build networks that cannot be trained in the free memory.

    Raises:
        InputError: their weights, gradients and the two moments of Adam need more.
    """
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
    try:
        with _bounded(MOST, free // (COPIES * torch.float32.itemsize)):
            yield
    except RuntimeError as error:
        if not (isinstance(error, TooLarge) or out_of_memory(error) or "overflow" in str(error)):
            raise
        raise InputError(
            f"the networks have too many weights to be trained in the {free / 1e9:,.1f} GB of memory that are free;"
            " make them narrower, or give them fewer layers (--system....)."
        ) from None


@contextmanager
def _bounded(tensors: int, numbers: int) -> Iterator[None]:
    """End the building of networks with more parameters.

    Raises:
        TooLarge: there are more of them, or more numbers in all of them.
    """
    here = threading.get_ident()

    def note(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal tensors, numbers
        if threading.get_ident() != here or parameter is None:
            return
        tensors, numbers = tensors - 1, numbers - parameter.numel()
        if tensors < 0 or numbers < 0:
            raise TooLarge("the network that it describes is far larger than its weights")

    # torch allocates a parameter's memory before this is called, but touches it only afterwards.
    handle = register_module_parameter_registration_hook(note)
    try:
        yield
    finally:
        handle.remove()
