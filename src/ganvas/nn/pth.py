"""The one place where a .pth file is read: as weights alone, whatever else it says."""

from __future__ import annotations

import warnings
from pathlib import Path
from pickletools import genops
from typing import Any

import torch


class CodeInside(Exception):
    """A file would run code if it were unpickled; the message says which."""


def read_pth(path: Path) -> Any:
    """The tensors of a .pth file, in the nested dicts and lists that hold them.

    torch's reader for weights alone makes tensors, numbers and texts of it and nothing else, whatever the file says.

    Raises:
        CodeInside: the file names something to import or to call.
        RuntimeError, EOFError, OSError: it is damaged.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old formats
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        if type(error).__name__ != "UnpicklingError":
            raise
        named = str(error).partition("GLOBAL ")[2].split(" was not")[0].split()[:1]
        if named or "Unsupported class" in str(error) or _is_pickle(path):
            raise CodeInside(named[0] if named else "an object of some class") from None
        raise RuntimeError("it is damaged") from None


def _is_pickle(path: Path) -> bool:
    """Whether a whole file reads as instructions for the unpickler; nothing of it is run."""
    try:
        return any(operation.name == "STOP" for operation, _, _ in genops(path.read_bytes()))
    except Exception:
        return False
