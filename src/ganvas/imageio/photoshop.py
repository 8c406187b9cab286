"""Photoshop's image resources, a list of blocks in JPEG and TIFF files, one of which holds the IPTC's records."""

from __future__ import annotations

import struct
from collections.abc import Iterator

JPEG_PREFIX = b"Photoshop 3.0\0"
_RECORDS, _DIGEST = 0x0404, 0x0425
# Guides and slices in pixels, thumbnails, and copies of EXIF and XMP: true of the old image alone.
_OLD_IMAGE = {0x0408, 0x0409, 0x040C, 0x041A, 0x0422, 0x0423, 0x0424}
_PLACES = {26, 27, 90, 92, 95, 100, 101}  # IPTC's content location, city, sublocation, state and country


def split(resources: bytes) -> tuple[bytes, bytes]:
    """The IPTC's records, and the other resources that also apply to the upscaled image."""
    records, others = b"", b""
    for number, content, block in _blocks(resources.removeprefix(JPEG_PREFIX)):
        if number == _RECORDS:
            records += content
        elif number not in _OLD_IMAGE:
            others += block
    return records, others


def join(records: bytes | None, others: bytes | None) -> bytes:
    """The resources that `split` takes apart."""
    if not records:
        return others or b""
    head = struct.pack(">4sHHI", b"8BIM", _RECORDS, 0, len(records))
    return head + records + bytes(len(records) % 2) + (others or b"")


def without_places(records: bytes | None, others: bytes | None) -> tuple[bytes | None, bytes | None]:
    """Both without the place where the photo was taken."""
    kept = b"".join(record for number, record in _records(records or b"") if number not in _PLACES)
    if kept == (records or b""):
        return records, others
    return kept or None, b"".join(block for number, _, block in _blocks(others or b"") if number != _DIGEST) or None


def _blocks(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Number, content and all bytes of each resource."""
    at = 0
    while data[at : at + 4] in (b"8BIM", b"MeSa", b"PHUT", b"AgHg", b"DCSR") and at + 12 <= len(data):
        (number,) = struct.unpack(">H", data[at + 4 : at + 6])
        start = at + 6 + (data[at + 6] // 2 + 1) * 2  # behind a name of even length with its own
        if start + 4 > len(data):
            return
        (length,) = struct.unpack(">I", data[start : start + 4])
        stop = start + 4 + length + length % 2
        yield number, data[start + 4 : start + 4 + length], data[at:stop]
        at = stop


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each record; 0 for what is not of the second, descriptive part."""
    at = 0
    while at + 5 <= len(data) and data[at] == 0x1C:
        part, number, length = struct.unpack(">BBH", data[at + 1 : at + 5])
        stop = at + 5 + length
        if length & 0x8000:  # of longer records, the length of their length
            width = length & 0x7FFF
            stop = at + 5 + width + int.from_bytes(data[at + 5 : at + 5 + width], "big")
        yield (number if part == 2 else 0), data[at:stop]
        at = stop
    yield 0, data[at:]
