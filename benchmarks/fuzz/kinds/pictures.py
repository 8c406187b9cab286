"""Pictures of every format: damaged, lying about themselves, with metadata that is rubbish."""

from __future__ import annotations

import io
import struct
import zlib
from random import Random

import numpy as np
from PIL import Image

from .. import hostile
from ..ground import Attack, Ground
from ..stock import photograph
from .npz import use

FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tif": "TIFF", "avif": "AVIF", "gif": "GIF", "bmp": "BMP"}


def make(ground: Ground, chance: Random) -> Attack:
    """Write one bad picture, alone or among good ones, and upscale it, look at it, or train on it."""
    what, ending, data = _picture(chance)
    if chance.random() < 0.15:
        ending = chance.choice([*FORMATS, "PNG", "jpeg", "heic", "txt", "mp4", "svg", ""])
    how = chance.randrange(8)
    if how < 3:
        return Attack(f"a {ending}: {what}", ["upscale", ground.write(f"p.{ending}", data), *_options(chance)])
    ground.write(f"in/bad.{ending}", data)
    ground.write("in/good.png", ground.stock.photo().read_bytes())
    if how < 5:
        return Attack(f"a {ending} in a folder: {what}", ["upscale", "in", "--out", "o", *_options(chance)])
    return Attack(f"a {ending} in a folder: {what}", use("in", chance))


def _options(chance: Random) -> list[str]:
    words: list[str] = []
    if chance.random() < 0.3:
        words += ["--format", chance.choice(("png", "jpeg", "webp", "tiff", "avif"))]
    if chance.random() < 0.3:
        words += ["--check"]
    if chance.random() < 0.2:
        words += ["--compare", "page.html"]
    if chance.random() < 0.2:
        words += ["--scale", chance.choice(("1", "2", "3.7"))]
    return words


def _picture(chance: Random) -> tuple[str, str, bytes]:
    how = chance.randrange(13)
    if how < 5:
        ending = chance.choice([*FORMATS])
        what, data = _sound(ending, chance)
        return f"{what}, damaged", ending, hostile.damaged(data, chance)
    if how < 8:
        ending = chance.choice([*FORMATS])
        what, data = _sound(ending, chance)
        return what, ending, data
    if how in (8, 12):
        width, height = chance.choice(
            ((9_400, 9_400), (65_535, 1), (1, 65_535), (2**31 - 1, 2**31 - 1), (0, 10), (30_000, 30_000), (10**6, 10))
        )
        return f"claims {width} x {height}", "png", _claiming(width, height, chance.random() < 0.5)
    if how == 9:
        return "odd chunks", "png", _chunks(chance)
    if how == 10:
        ending, data = chance.choice(
            (
                ("jpg", _sound("jpg", chance)[1][:-2]),
                ("jpg", b"\xff\xd8\xff\xd9"),
                ("jpg", b"\xff\xd8\xff\xe1\xff\xff" + b"Exif\0\0" + bytes(70_000)),
                ("gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
                (
                    "tif",
                    b"II*\x00\x08\x00\x00\x00"
                    + b"\x01\x00"
                    + struct.pack("<HHII", 256, 4, 1, 5)
                    + struct.pack("<I", 8),
                ),
                ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
                ("svg", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><svg>&b;</svg>'),
                ("heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)),
                ("avif", b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(100)),
                ("dng", b"II*\0" + bytes(500)),
                ("webp", b"RIFF\xff\xff\xff\xffWEBPVP8L" + bytes(50)),
            )
        )
        return "a fragment", ending, data
    return (
        "no picture at all",
        chance.choice([*FORMATS]),
        chance.choice((b"", b"text\n", b"\0" * 5_000, chance.randbytes(3_000))),
    )


def _sound(ending: str, chance: Random) -> tuple[str, bytes]:
    """A picture as people have them, with what is rare but allowed."""
    width, height = chance.choice(((20, 16), (1, 1), (1, 300), (33, 7), (24, 24), (64, 48)))
    image: Image.Image = photograph(width, height, chance.randrange(9))
    modes = {
        "png": ("RGB", "L", "LA", "RGBA", "P", "1", "I;16"),
        "jpg": ("RGB", "L", "CMYK"),
        "webp": ("RGB", "RGBA"),
        "tif": ("RGB", "L", "RGBA", "CMYK", "LAB", "F", "I", "I;16", "1", "P", "YCbCr"),
        "avif": ("RGB", "RGBA", "L"),
        "gif": ("P", "L"),
        "bmp": ("RGB", "L", "1"),
    }
    mode = chance.choice(modes[ending])
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    elif mode == "LAB":
        image = Image.merge("LAB", image.split())
    else:
        image = image.convert(mode)
    options: dict[str, object] = {}
    if chance.random() < 0.5:
        options["exif"] = _exif(chance)
    if chance.random() < 0.3:
        options["icc_profile"] = chance.choice((b"", b"x", bytes(128), b"acsp" * 50, chance.randbytes(600)))
    if chance.random() < 0.3:
        options["xmp"] = chance.choice(
            (b"", b"<x", b"<?xpacket?>" + b"<a>" * 5_000, chance.randbytes(100), b"\0" * 70_000)
        )
    if chance.random() < 0.3:
        options["dpi"] = chance.choice(((0, 0), (1, 99_999), (300, 72)))
    if ending in ("gif", "png", "webp", "tif") and chance.random() < 0.2:
        options |= {"save_all": True, "append_images": [image.rotate(90 * turn) for turn in range(1, 4)]}
    for kept in (options, {}):
        buffer = io.BytesIO()
        try:
            image.save(buffer, FORMATS[ending], **kept)
        except Exception:
            continue
        return f"{mode}, {width} x {height}, with {', '.join(kept) or 'nothing else'}", buffer.getvalue()
    return "none", b""


def _exif(chance: Random) -> bytes:
    if chance.random() < 0.5:
        exif = Image.Exif()
        exif[0x0112] = chance.choice((0, 1, 3, 6, 8, 9, 255))
        exif[0x010E] = chance.choice(hostile.NAMES).encode("utf-8", "replace").decode()
        return exif.tobytes()
    loop = b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    huge = (
        b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 0x010E, 2, 2**32 - 1, 8) + struct.pack("<I", 0)
    )
    raw = chance.choice((loop, huge, b"", b"MM\0*", chance.randbytes(60), b"II*\0\xff\xff\xff\xff", bytes(60)))
    return b"Exif\0\0" + raw


def _chunk(name: bytes, content: bytes, right: bool = True) -> bytes:
    crc = zlib.crc32(name + content) & 0xFFFFFFFF if right else 0
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def _claiming(width: int, height: int, filled: bool) -> bytes:
    """A PNG whose header claims a size; its pixels are zeros that compress to nothing, or are missing."""
    rows = (
        zlib.compress(bytes((width // 8 + 2) * height), 9)
        if filled and width * height < 10**9
        else zlib.compress(b"\0")
    )
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunks(chance: Random) -> bytes:
    data = _sound("png", chance)[1] or _claiming(8, 8, True)
    extra = chance.choice(
        (
            _chunk(b"tEXt", b"k\0" + b"x" * 100_000),
            _chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**26), 9)),
            _chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(2**26), 9)),
            _chunk(b"iCCP", b"k\0\0" + zlib.compress(b"\xff" * 1000)),
            _chunk(b"gAMA", struct.pack(">I", chance.choice((0, 1, 100_000, 2**32 - 1)))),
            _chunk(b"cHRM", chance.randbytes(32)),
            _chunk(b"cICP", bytes((chance.randrange(256), chance.randrange(256), 0, 1))),
            _chunk(b"eXIf", chance.randbytes(50)),
            _chunk(b"acTL", struct.pack(">II", 2**31, 0)),
            _chunk(b"pHYs", struct.pack(">IIB", 2**32 - 1, 0, 9)),
            _chunk(b"tRNS", chance.randbytes(300)),
            _chunk(b"PLTE", chance.randbytes(7)),
            _chunk(b"abcd", b"", right=False),
            _chunk(b"ABCD", b"unknown and critical"),
            _chunk(b"IHDR", bytes(13)),
        )
    )
    return data[:33] + extra + data[33:]
