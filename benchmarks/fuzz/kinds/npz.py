"""npz files: arrays of odd kinds and shapes, labels that are none, headers that lie."""

from __future__ import annotations

import io
import warnings
import zipfile
from random import Random
from typing import Any

import numpy as np

from .. import hostile
from ..ground import Attack, Ground

HUGE = ("(1099511627776,)", "(1099511627776, 8, 8)", "(100000, 100000, 3)", "(-1, 8, 8)", "(4, 8, 8", "'x'", "()")


def use(source: str, chance: Random) -> list[str]:
    """One of the commands that read a source of images."""
    tiny = ("--images", "32", "--batch-size", "8", "--system.g-hidden", "8", "--system.d-hidden", "8")
    classes = ("--images", "16", "--batch-size", "8", "--system.g-width", "2", "--system.d-width", "2")
    return chance.choice(
        (
            ["data", source],
            ["data", source, "--out", "sheet.png", "--workers", "2"],
            ["train", "mlp-digits", "--name", "n", *tiny, "--data.source", source],
            ["train", "dcgan-digits-classes", "--name", "n", *classes, "--data.source", source],
            ["plan", "mlp-digits", *tiny, "--data.source", source],
        )
    )


def make(ground: Ground, chance: Random) -> Attack:
    """Write an npz file, then look at it, train on it, or plan to."""
    what, data = _file(chance)
    file = ground.write("d" + chance.choice((".npz", ".npz", ".npz", ".NPZ")), data)
    return Attack(what, use(file, chance))


def _file(chance: Random) -> tuple[str, bytes]:
    arrays: dict[str, Any] = {"images": np.zeros((12, 8, 8), np.uint8), "labels": np.arange(12) % 3}
    arrays["images"][:] = np.random.default_rng(chance.randrange(99)).integers(0, 256, (12, 8, 8))
    how = chance.randrange(6)
    if how == 0:
        data = _saved(arrays)
        return "damaged", hostile.damaged(data, chance)
    if how == 1:
        shape = chance.choice(HUGE)
        return f"an array that claims the shape {shape}", _lying(arrays, chance.choice(["images", "labels"]), shape)
    if how == 2:
        name = hostile.name(chance).encode("utf-8", "replace").decode()
        arrays["names"] = np.array([name, hostile.name(chance).encode("utf-8", "replace").decode(), "c"])
        return f"a class {name!r}", _saved(arrays)
    if how == 3:
        arrays = {hostile.name(chance).encode("utf-8", "replace").decode() or "x": one for one in arrays.values()}
        return "arrays of hostile names", _saved(arrays)
    key = chance.choice(("images", "images", "labels"))
    words, arrays[key] = chance.choice(_images(chance) if key == "images" else _labels(chance))
    return f"{key} {words}", _saved(arrays, chance.random() < 0.5)


def _images(chance: Random) -> list[tuple[str, Any]]:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    return [
        ("none", np.zeros((0, 8, 8), np.uint8)),
        ("of no size", np.zeros((12, 0, 0), np.uint8)),
        ("of one pixel", np.zeros((12, 1, 1), np.uint8)),
        ("of seven channels", np.zeros((12, 8, 8, 7), np.uint8)),
        ("of four channels", np.zeros((12, 8, 8, 4), np.uint8)),
        ("of two channels first", np.zeros((12, 2, 8, 8), np.uint8)),
        ("of five dimensions", np.zeros((3, 2, 8, 8, 3), np.uint8)),
        ("of one dimension", np.zeros(64, np.uint8)),
        ("a scalar", np.uint8(3)),
        ("floats", pixels / 255),
        ("floats below 0", pixels / 127.5 - 1),
        ("floats with NaN", np.full((12, 8, 8), np.nan)),
        ("booleans", pixels > 100),
        ("of 16 bits", pixels.astype(np.uint16)),
        ("of 64 bits", pixels.astype(np.int64)),
        ("complex", pixels.astype(np.complex64)),
        ("text", np.array(["x", "y"])),
        ("bytes", np.array([b"\x89PNG", b"\xff\xd8"])),
        ("objects", np.array([pixels, None], dtype=object)),
        ("records", np.zeros(12, dtype=[("a", np.uint8), ("b", np.uint8)])),
        ("dates", np.zeros(12, dtype="datetime64[s]")),
        ("wide", np.zeros((3, 1, 20_000), np.uint8)),
        ("of 2 GB, compressed", np.zeros((30_000, 256, 256), np.uint8))
        if chance.random() < 0.2
        else ("one", pixels[:1]),
    ]


def _labels(chance: Random) -> list[tuple[str, Any]]:
    return [
        ("of 2^40", np.array([2**40] * 12)),
        ("of 10^6 classes", np.arange(12) * 10**6),
        ("below 0", np.arange(12) - 3),
        ("NaN", np.array([np.nan] * 12)),
        ("floats", np.arange(12) / 2),
        ("of shape (N, 1)", (np.arange(12) % 3)[:, None]),
        ("one-hot", np.eye(12)),
        ("of another length", np.arange(11)),
        ("text", np.array([hostile.name(chance).encode("utf-8", "replace").decode() for _ in range(12)])),
        ("the largest", np.array([2**63 - 1] * 12)),
        ("unsigned 64 bits", np.array([2**64 - 1] * 12, np.uint64)),
        ("booleans", np.arange(12) % 2 == 0),
        ("objects", np.array([None] * 12)),
        ("none", np.zeros(0, np.int64)),
    ]


def _saved(arrays: dict[str, Any], compressed: bool = False) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (np.savez_compressed if compressed else np.savez)(buffer, **arrays)
    return buffer.getvalue()


def _lying(arrays: dict[str, Any], chosen: str, shape: str) -> bytes:
    """An array whose header claims another shape than its bytes have."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.save(member, array)
            content = member.getvalue()
            if name == chosen:
                text = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {shape}, }}"
                text = text.ljust(117) + "\n"
                content = content[:8] + len(text).to_bytes(2, "little") + text.encode() + array.tobytes()
            archive.writestr(f"{name}.npy", content)
    return buffer.getvalue()
