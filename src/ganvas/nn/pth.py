"""The only place where .pth files are read: weights only, never code."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from pickletools import genops
from typing import Any

import torch
from torch import Tensor

from ganvas.untrusted import Unreadable, expect_file

ZIP = b"PK\x03\x04"
REPEATED = 2**26  # bytes that all tensors may claim beyond the numbers in the file: those that repeat one number


class CodeInside(Exception):
    """Unpickling a file would run code; the message names it."""


def read_pth(path: Path) -> Any:
    """The tensors of a .pth file, in its nested dicts and lists, which may contain each other in a circle.

    torch's weights-only reader creates tensors, numbers and strings and nothing else.

    Raises:
        CodeInside: the file names something to import or call.
        RuntimeError, EOFError, OSError: the file is damaged, or claims tensors that it has no numbers for.
    """
    try:
        expect_file(path)
        with path.open("rb") as file:
            zipped = file.read(len(ZIP)) == ZIP
        if zipped:
            _expect_stored(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old formats
            # Mapped, a tensor cannot reach beyond its file, whatever length the file claims for it.
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
        _expect_sound(content)
        return content
    except Exception as error:
        if isinstance(error, RuntimeError | EOFError | OSError):
            raise
        if isinstance(error, Unreadable | MemoryError):
            raise RuntimeError(str(error) or "it needs too much memory") from None
        # torch's reader fails on foreign bytes with whatever its code runs into: KeyError, IndexError, TypeError ...
        if type(error).__name__ != "UnpicklingError":
            raise RuntimeError("it is no checkpoint of PyTorch") from None
        named = str(error).partition("GLOBAL ")[2].split(" was not")[0].split()[:1]
        if named or "Unsupported class" in str(error) or _is_pickle(path):
            raise CodeInside(named[0] if named else "an object of some class") from None
        raise RuntimeError("it is damaged") from None


def _expect_stored(path: Path) -> None:
    """Refuse an archive that unpacks to more than itself: torch stores, and what is packed could be of any size."""
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > path.stat().st_size:
        raise RuntimeError(f"it unpacks to {size:,} bytes, more than itself, as no checkpoint of PyTorch does")


def _expect_sound(content: Any) -> None:
    """Refuse tensors of other kinds than plain ones, and shapes for which the file has no numbers."""
    left, seen, repeated = [content], set(), 0
    while left:
        one = left.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, Mapping):
            left += one.values()
        elif isinstance(one, list | tuple | set):
            left += one
        elif isinstance(one, Tensor):
            if one.layout is not torch.strided or one.is_quantized or one.device.type != "cpu":
                raise RuntimeError("it has sparse, quantized or empty tensors, which are no weights")
            repeated += max(0, one.numel() * one.element_size() - one.untyped_storage().nbytes())
            if repeated > REPEATED:
                raise RuntimeError(f"it claims a tensor of shape {tuple(one.shape)} that it has no numbers for")


def _is_pickle(path: Path) -> bool:
    """Whether a file is a complete pickle; nothing in it is executed."""
    try:
        return any(operation.name == "STOP" for operation, _, _ in genops(path.read_bytes()))
    except Exception:
        return False
