"""Checkpoints: tensors in one safetensors file, with a description and a digest in its header. Never a pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from ganvas.errors import InputError
from ganvas.files import write_atomically
from ganvas.runs.header import Damaged, read_header
from ganvas.untrusted import parse_json

__all__ = ["Damaged", "about", "load", "save"]


def save(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and a JSON-serializable description atomically.

    Raises:
        InputError: the file cannot be written; an existing file at `path` is unchanged.
    """
    flat = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_tensors(path, flat, {"ganvas": json.dumps(dict(about)), "digest": _digest(flat)})


def write_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, str]) -> None:
    """Write contiguous tensors and a header atomically; the same ones are the same bytes.

    Raises:
        InputError: the file cannot be written.
    """

    def write(part: Path) -> None:
        save_file(tensors, part, header)
        _order_header(part)

    write_atomically(path, write)


def about(path: Path) -> dict[str, Any]:
    """The description in a file's header, without reading the tensors.

    Raises:
        Damaged: the file is not a ganvas checkpoint.
    """
    return read_header(path)[0]


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the tensors and the description.

    Raises:
        Damaged: the file is truncated, altered, or not a ganvas checkpoint.
        InputError: its path is not UTF-8.
    """
    description, digest = read_header(path)
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise InputError(f"safetensors opens no file whose path is not UTF-8, as {path}; rename it.") from None
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if _digest(tensors) != digest:
        raise Damaged(f"{path} is corrupted: its tensors do not match their digest")
    return tensors, description


def _order_header(path: Path) -> None:
    # safetensors writes the keys of the description in a random order; the same training gives the same bytes.
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = parse_json(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(length)
        assert len(ordered) == length
        file.seek(8)
        file.write(ordered)


def _digest(tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
