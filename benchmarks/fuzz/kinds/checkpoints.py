"""Checkpoints and models of ganvas, their safetensors headers and tensors tampered with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from .. import hostile
from ..ground import Attack, Ground
from .runs import command


def make(ground: Ground, chance: Random) -> Attack:
    """Tamper with one file of weights of a run, then use it."""
    kind = chance.choice(("digits", "classes", "plane", "enlarging"))
    run = ground.run(kind)
    found = sorted((ground.place / run).rglob("*.safetensors"))
    path = chance.choice([ground.place / run / "model.safetensors", *found])
    file = str(path.relative_to(ground.place))
    if kind != "enlarging" and chance.random() < 0.2:
        words = [
            "generate",
            file,
            "-n",
            "4",
            *chance.choice(([], ["--out", "o"], ["--interpolate"], ["--class", "all"])),
        ]
        return Attack(f"{file}: {_named(path, chance)}", words)
    what = chance.choice((_about, _about, _about, _header, _header, _tensors, _bytes))(path, chance)
    words = command(kind, run, ground, chance)
    if kind == "enlarging" and chance.random() < 0.7:
        ground.copy(ground.stock.photo(), "0.png")
        words = ["upscale", "0.png", "--model", file if chance.random() < 0.5 else run]
    elif chance.random() < 0.5:
        words = chance.choice(
            (
                ["generate", file, "-n", "4"],
                ["generate", file, "-n", "4", "--out", "o"],
                ["convert", file, "--out", "c.safetensors"],
                ["upscale", file, "--model", file],
            )
        )
    return Attack(f"{file}: {what}", words, owns=("runs",))


def parts(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file, and the bytes of its tensors."""
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def join(header: Any, tensors: bytes) -> bytes:
    """A safetensors file."""
    text = header if isinstance(header, bytes) else hostile.dumps(header)
    return len(text).to_bytes(8, "little") + text + tensors


def _named(path: Path, chance: Random) -> str:
    """The run or its classes have hostile names, of which results are made."""

    def name() -> str:
        return chance.choice((hostile.name(chance), chance.choice(hostile.PATHS), "../../x", "../../outside/canary"))

    names = [name() for _ in range(10)]

    def change(found: dict[str, Any]) -> None:
        found["run"] = names[0]
        if found.get("classes") and chance.random() < 0.7:
            found["classes"] = names

    _rewrite(path, change)
    return f"the run is named {names[0]!r}"


def _about(path: Path, chance: Random) -> str:
    """The description that ganvas writes, changed in one place; the digest of the tensors still holds."""
    if chance.random() < 0.3:
        _rewrite(path, lambda about: _enlarge(about, chance))
        return "a huge size"
    if chance.random() < 0.4:
        _rewrite(path, lambda about: hostile.json_text(chance, about))
        return "a description that is no sound JSON"
    _rewrite(path, lambda about: hostile.spoil(about, chance))
    return "a description spoilt in one place"


def _rewrite(path: Path, change: Callable[[Any], Any]) -> None:
    """Change the description in place, or put what `change` returns: a tree, or the text itself."""
    header, tensors = parts(path.read_bytes())
    about = json.loads(header["__metadata__"]["ganvas"])
    changed = change(about)
    text = changed if isinstance(changed, bytes) else hostile.dumps(about if changed is None else changed)
    header["__metadata__"]["ganvas"] = text.decode("utf-8", "replace")
    path.write_bytes(join(header, tensors))


def _enlarge(node: Any, chance: Random) -> None:
    """Make one whole number of a tree a billion or more."""
    found = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        for key, value in one.items() if isinstance(one, dict) else enumerate(one):
            if isinstance(value, dict | list):
                waiting.append(value)
            elif type(value) is int:
                found.append((one, key))
    if found:
        one, key = chance.choice(found)
        one[key] = chance.choice((10**9, 10**12, 2**63, -1, 0, 10**6, 65_536))


def _header(path: Path, chance: Random) -> str:
    """The header of the file format: shapes, offsets, kinds, the metadata."""
    header, tensors = parts(path.read_bytes())
    how = chance.randrange(6)
    names = [name for name in header if name != "__metadata__"]
    if how == 0:
        header[chance.choice(names)]["shape"] = chance.choice(([2**40], [-1], [0], [2**32, 2**32], [1.5], "x", None))
    elif how == 1:
        header[chance.choice(names)]["data_offsets"] = chance.choice(([0, 2**40], [5, 1], [0, 0], [-1, 4], [], "x"))
    elif how == 2:
        header[chance.choice(names)]["dtype"] = chance.choice(("F8_E4M3", "I64", "X", "BOOL", 5, "F64", "C64", ""))
    elif how == 3:
        header[hostile.name(chance)] = header.pop(chance.choice(names))
    elif how == 4:
        header["__metadata__"] = chance.choice((None, [], "x", {}, {"ganvas": 5}, {"ganvas": "{}", "digest": ""}))
    else:
        path.write_bytes(join(hostile.json_text(chance, header), tensors))
        return "a header that is no sound JSON"
    path.write_bytes(join(header, tensors))
    return "a header with a wrong entry"


def _tensors(path: Path, chance: Random) -> str:
    """Other tensors, with a digest that fits them."""
    import torch

    from ganvas.runs import checkpoint

    found, about = checkpoint.load(path)
    name = chance.choice(sorted(found))
    tensor = found[name]
    wrong = {
        "NaN": lambda: torch.full_like(tensor.float(), float("nan")),
        "infinite": lambda: torch.full_like(tensor.float(), float("inf")),
        "huge": lambda: torch.full_like(tensor.float(), 1e38),
        "of another shape": lambda: torch.zeros(3, 5),
        "a scalar": lambda: torch.tensor(1.0),
        "empty": lambda: torch.zeros(0),
        "whole numbers": lambda: torch.zeros(tensor.shape, dtype=torch.int64),
        "complex": lambda: torch.zeros(tensor.shape, dtype=torch.complex64),
        "8-bit floats": lambda: torch.zeros(tensor.shape).to(torch.float8_e4m3fn),
    }
    how = chance.choice(["missing", "renamed", "all NaN", *wrong])
    if how == "missing":
        del found[name]
    elif how == "renamed":
        found[hostile.name(chance).encode("utf-8", "replace").decode()] = found.pop(name)
    elif how == "all NaN":
        found = {key: torch.full_like(value.float(), float("nan")) for key, value in found.items()}
    else:
        found[name] = wrong[how]()
    checkpoint.save(path, found, about)
    return f"tensor {name} is {how}"


def _bytes(path: Path, chance: Random) -> str:
    path.write_bytes(hostile.damaged(path.read_bytes(), chance))
    return "damaged bytes"
