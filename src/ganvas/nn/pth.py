"""The only place where .pth files are read: weights only, never code."""

from __future__ import annotations

import warnings
from pathlib import Path
from pickletools import genops
from typing import Any

import torch


class CodeInside(Exception):
    """Unpickling a file would run code; the message names it."""


def read_pth(path: Path) -> Any:
    """The tensors of a .pth file, in its nested dicts and lists.

    torch's weights-only reader creates tensors, numbers and strings and nothing else.

    Raises:
        CodeInside: the file names something to import or call.
        RuntimeError, EOFError, OSError: the file is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old formats
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if isinstance(error, RuntimeError | EOFError | OSError):
            raise
        # torch's reader fails on foreign bytes with whatever its code runs into: KeyError, IndexError, TypeError ...
        if type(error).__name__ != "UnpicklingError":
            raise RuntimeError("it is no checkpoint of PyTorch") from None
        named = str(error).partition("GLOBAL ")[2].split(" was not")[0].split()[:1]
        if named or "Unsupported class" in str(error) or _is_pickle(path):
            raise CodeInside(named[0] if named else "an object of some class") from None
        raise RuntimeError("it is damaged") from None


def _is_pickle(path: Path) -> bool:
    """Whether a file is a complete pickle; nothing in it is executed."""
    try:
        return any(operation.name == "STOP" for operation, _, _ in genops(path.read_bytes()))
    except Exception:
        return False
