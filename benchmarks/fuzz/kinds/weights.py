"""Weights of other programs: .pth and .safetensors files that are damaged, hostile, or of some other network."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from random import Random
from typing import Any

import torch

from .. import hostile
from ..ground import Attack, Ground


def make(ground: Ground, chance: Random) -> Attack:
    """Write a checkpoint, then convert it or upscale with it."""
    what, data = _file(chance)
    file = ground.write("w" + chance.choice((".pth", ".pth", ".pth", ".pt", ".safetensors", ".ckpt", "")), data)
    if chance.random() < 0.5:
        return Attack(what, ["convert", file, "--out", "c.safetensors", *(["--half"] if chance.random() < 0.3 else [])])
    ground.copy(ground.stock.photo(), "0.png")
    return Attack(what, ["upscale", "0.png", "--model", file])


def _network(chance: Random) -> dict[str, Any]:
    """The weights of a small network that ganvas knows: BasicSR's MSRResNet."""
    torch.manual_seed(chance.randrange(1000))
    width = 4
    shapes: dict[str, tuple[int, ...]] = {"conv_first.weight": (width, 3, 3, 3), "conv_first.bias": (width,)}
    for index in range(2):
        for part in ("conv1", "conv2"):
            shapes[f"body.{index}.{part}.weight"] = (width, width, 3, 3)
            shapes[f"body.{index}.{part}.bias"] = (width,)
    for name in ("upconv1", "upconv2"):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (4 * width, width, 3, 3), (4 * width,)
    shapes |= {"conv_hr.weight": (width, width, 3, 3), "conv_hr.bias": (width,)}
    shapes |= {"conv_last.weight": (3, width, 3, 3), "conv_last.bias": (3,)}
    return {name: torch.randn(shape) * 0.1 for name, shape in shapes.items()}


class _Runs:
    def __reduce__(self) -> Any:
        return os.system, ("echo INJECTED > ../../outside/run.txt",)


def _content(chance: Random) -> tuple[str, Any]:
    """What a person might have saved, and what they should not have."""
    weights = _network(chance)
    name = chance.choice(list(weights))
    how = chance.randrange(24)
    if how < 10:
        shape = weights[name].shape
        odd: list[tuple[str, Any]] = [
            ("claims 2^40 numbers", torch.zeros(1).expand(2**40)),
            ("claims a huge picture", torch.zeros(1).expand(64, 64, 30_000, 30_000)),
            ("is NaN", torch.full(shape, float("nan"))),
            ("is sparse", torch.zeros(shape).to_sparse()),
            ("is complex", torch.zeros(shape, dtype=torch.complex64)),
            ("is whole", torch.zeros(shape, dtype=torch.int64)),
            ("is empty", torch.zeros(0)),
            ("is a scalar", torch.tensor(1.0)),
            ("is bfloat16", weights[name].bfloat16()),
            ("is of 8-bit floats", weights[name].to(torch.float8_e4m3fn)),
            ("is on the meta device", torch.zeros(shape, device="meta")),
            ("is text", "x"),
            ("is a number", 5),
            ("is a list", [torch.zeros(2)]),
            ("has no height", torch.zeros(4, 3, 0, 0)),
        ]
        words, weights[name] = chance.choice(odd)
        return f"weights whose {name} {words}", weights
    if how == 10:
        weights["self"] = weights
        return "weights that hold themselves", weights
    if how == 11:
        within: dict[str, Any] = {}
        within["params"] = within
        return "params that hold themselves", within
    if how == 12:
        deep: Any = weights
        for _ in range(chance.choice((50, 900))):
            deep = {chance.choice(("params", "state_dict", "model")): deep}
        return "weights nested many times", deep
    if how == 13:
        return "weights and code", {**weights, "code": _Runs()}
    if how == 14:
        return "code", _Runs()
    if how == 15:
        del weights[name]
        return f"weights without {name}", weights
    if how == 16:
        return "compiled weights", {f"_orig_mod.{key}": value for key, value in weights.items()}
    if how == 17:
        weights[hostile.name(chance)] = weights.pop(name)
        return "weights with a hostile name", weights
    if how == 18:
        return "keys that are no text", dict(enumerate(weights.values()))
    if how == 19:
        return "a whole module", torch.nn.Linear(2, 2)
    if how == 20:
        return "weights of something else", torch.nn.LSTM(2, 2).state_dict()
    if how == 21:
        many = {name.replace("body.0", f"body.{10 ** chance.choice((3, 9))}"): value for name, value in weights.items()}
        return "a layer of a huge number", many
    if how == 22:
        return "nothing", chance.choice(
            ({}, [], None, 5, "x", torch.zeros(3), OrderedDict(), {"params": {}}, {"a": None})
        )
    return "sound weights", weights


def _file(chance: Random) -> tuple[str, bytes]:
    how = chance.randrange(10)
    what, content = _content(chance)
    if how == 0:
        return f"pickle of {what}", _pickle(content)
    if how == 1:
        return "a nested pickle", b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    buffer = io.BytesIO()
    try:
        torch.save(content, buffer, _use_new_zipfile_serialization=how != 2)
    except Exception:
        return f"pickle of {what}", _pickle(content)
    data = buffer.getvalue()
    if how < 6:
        return what, data
    if how == 6:
        return f"{what}, a member damaged", _member(data, chance)
    return f"{what}, damaged", hostile.damaged(data, chance)


def _pickle(content: Any) -> bytes:
    try:
        return pickle.dumps(content)
    except Exception:
        return b"\x80\x04N."


def _member(data: bytes, chance: Random) -> bytes:
    """One member of the archive damaged, renamed, doubled or left out; all checksums hold."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return hostile.damaged(data, chance)
    source, buffer = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    chosen = chance.choice([name for name in source.namelist() if not name.endswith("byteorder")])
    how = chance.randrange(4)
    with zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == chosen and how == 0:
                continue
            if name == chosen and how == 1:
                target.writestr(str(Path(name).with_name("x")), content)
                continue
            target.writestr(name, hostile.damaged(content, chance) if name == chosen else content)
    return buffer.getvalue()
