"""The chunks of PNG files (W3C PNG, third edition, section 5)."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEAD = len(SIGNATURE) + 25  # bytes up to the end of the first chunk, IHDR
XMP = b"XML:com.adobe.xmp"


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk with length and checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))


def chunks(path: Path, names: Collection[bytes], until: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    """Name and content of a file's chunks of these names, up to the first chunk named `until`."""
    with path.open("rb") as file:
        file.seek(len(SIGNATURE))
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name == until:
                return
            if name not in names:
                file.seek(length + 4, os.SEEK_CUR)
                continue
            yield name, file.read(length)
            file.seek(4, os.SEEK_CUR)
