"""Zip files: names, methods, sizes and flags that unzip differently everywhere."""

from __future__ import annotations

import io
import os
import stat
import struct
import warnings
import zipfile
from random import Random

import numpy as np
from PIL import Image

from .. import hostile
from ..ground import Attack, Ground
from .npz import use


def make(ground: Ground, chance: Random) -> Attack:
    """Write a zip file, then look at it, train on it, or plan to."""
    what, data = _file(chance)
    file = ground.write("d" + chance.choice((".zip", ".zip", ".zip", ".ZIP", ".npz")), data)
    return Attack(what, use(file, chance))


def _picture(index: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(index).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _file(chance: Random) -> tuple[str, bytes]:
    names = [f"{'ab'[index % 2]}/{index}.png" for index in range(10)]
    contents = {name: _picture(index) for index, name in enumerate(names)}
    how = chance.randrange(14)
    buffer = io.BytesIO()
    what = "sound"
    method = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, content in contents.items():
            archive.writestr(name, content)
        if how == 0:
            extra = chance.choice(
                (*hostile.PATHS, hostile.name(chance), "", "a\\9.png", "../../x.png", "a//b.png", "/a.png")
            )
            extra = extra.encode("utf-8", "replace").decode()
            archive.writestr(extra or "x", _picture(20))
            what = f"a member {extra!r}"
        elif how == 1:
            archive.writestr(names[0], _picture(30))
            what = "two members of one name"
        elif how == 2:
            link = zipfile.ZipInfo("a/link.png")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "../../../outside/canary.png")
            what = "a link"
        elif how == 3:
            archive.writestr("a/bomb.png", bytes(2**27), zipfile.ZIP_DEFLATED)
            what = "128 MB of zeros"
        elif how == 4:
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as second:
                second.writestr("x.png", contents[names[0]])
            archive.writestr("a/inner.zip", inner.getvalue())
            what = "a zip in the zip"
        elif how == 5:
            folder = hostile.name(chance).encode("utf-8", "replace").decode().replace("\0", "")
            for index in range(5):
                archive.writestr(f"{folder}/{index}.png", _picture(index))
            what = f"a class {folder!r}"
    data = buffer.getvalue()
    if how == 6:
        return "no members", b"PK\x05\x06" + bytes(18)
    if how == 7:
        return "an empty name", _with_name(b"")
    if how == 8:
        return "a name that is no UTF-8", _with_name(
            chance.choice((b"\xb0\xa1/1.png", b"\xff.png", b"a\x00b.png", b"\n.png"))
        )
    if how == 9:
        return "an odd entry of the directory", _central(data, chance)
    if how == 10:
        return "an odd entry of the directory", _central(data, chance)
    if how in (11, 12):
        return "damaged", hostile.damaged(data, chance)
    return what, data


def _with_name(name: bytes) -> bytes:
    """A zip with one member whose name is these bytes."""
    content = _picture(1)
    buffer = io.BytesIO()
    held = b"N" * max(1, len(name))
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(held.decode(), content)
    data = buffer.getvalue()
    if name:
        return data.replace(held, name)
    # No byte of a name: its length is zero in both headers, and the directory starts a byte earlier.
    local = bytearray(data[: 30 + 1 + len(content)])
    local[26:28] = b"\0\0"
    del local[30]
    central = bytearray(data[31 + len(content) : -22])
    central[28:30] = b"\0\0"
    del central[46]
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
    return bytes(local) + bytes(central) + end


def _central(data: bytes, chance: Random) -> bytes:
    """Change a field of one entry of the central directory: version, flags, method, CRC, sizes, lengths, offset."""
    changed = bytearray(data)
    at, starts = 0, []
    while (at := data.find(b"PK\x01\x02", at)) >= 0:
        starts.append(at)
        at += 4
    start = chance.choice(starts)
    field, size = chance.choice(
        (
            (4, 2),
            (6, 2),
            (8, 2),
            (10, 2),
            (12, 4),
            (16, 4),
            (20, 4),
            (24, 4),
            (28, 2),
            (30, 2),
            (32, 2),
            (36, 4),
            (42, 4),
        )
    )
    changed[start + field : start + field + size] = chance.choice(
        (b"\xff" * size, bytes(size), os.urandom(0) + chance.randbytes(size), (1).to_bytes(size, "little"))
    )
    return bytes(changed)
