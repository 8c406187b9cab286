"""EXIF blocks and TIFF directories, which share one structure (TIFF 6.0, section 2; EXIF 2.32, 4.5).

An EXIF block is copied byte for byte, with a few values patched in place, since maker notes contain offsets that would
otherwise break. To and from TIFF files, its entries are copied one by one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
WIDTH, HEIGHT = 0xA002, 0xA003
SUBJECT, DENSITIES = (0x9214, 0xA214), (0xA20E, 0xA20F)  # places in pixels, and pixels per inch of the sensor
MAKER_NOTE, IPTC, PHOTOSHOP = 0x927C, 33723, 34377  # IPTC is bytes, whatever type its entry gives
LONG = 4
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_WORDS = {3: 2, 4: 4, 5: 4, 8: 2, 9: 4, 10: 4, 11: 4, 12: 8, 13: 4}
# Tags that describe how a TIFF file stores its pixels, or that are not part of EXIF: never copied to another file.
_STRUCTURE = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291),
    *(292, 293, 297, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336, 338, 339, 340, 341),
    *(342, 347, *range(512, 534), 700, 33723, 34377, 34675, 37724),
}


class Malformed(Exception):
    """The bytes are not a valid directory."""


class Bytes(Protocol):
    """Bytes, or a memory-mapped file."""

    def __getitem__(self, part: slice, /) -> bytes: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True)
class ExifEntry:
    """One entry: its type, its number of values, and their bytes, always little-endian."""

    kind: int
    count: int
    data: bytes


@dataclass
class Directory:
    """Entries by tag, and the child directories that some tags point to."""

    entries: dict[int, ExifEntry] = field(default_factory=dict)
    children: dict[int, Directory] = field(default_factory=dict)


def parse(block: Bytes) -> Directory:
    """Read the first directory of an EXIF block or of a classic TIFF file, with its EXIF, GPS and other children.

    Raises:
        Malformed: it is not valid.
    """
    order, start = _head(block)
    return _directory(block, order, start, depth=0)


def descriptive(directory: Directory) -> Directory:
    """Without the tags that describe how the file stores its pixels."""
    kept = {tag: entry for tag, entry in directory.entries.items() if tag not in _STRUCTURE}
    return Directory(kept, directory.children)


def serialize(directory: Directory, start: int) -> bytes:
    """The bytes of a directory at offset `start` of a little-endian file, followed by its children and long values."""
    tags = sorted({*directory.entries, *directory.children})
    tail_start = start + 2 + 12 * len(tags) + 4
    head, tail = struct.pack("<H", len(tags)), b""
    for tag in tags:
        if tag in directory.children:
            tail += b"\0" * (len(tail) % 2)
            offset = tail_start + len(tail)
            tail += serialize(directory.children[tag], offset)
            head += struct.pack("<HHII", tag, LONG, 1, offset)
            continue
        entry = directory.entries[tag]
        value = entry.data
        if len(value) > 4:
            tail += b"\0" * (len(tail) % 2)
            value = struct.pack("<I", tail_start + len(tail))
            tail += entry.data
        head += struct.pack("<HHI", tag, entry.kind, entry.count) + value.ljust(4, b"\0")
    return head + b"\0\0\0\0" + tail


def block(directory: Directory) -> bytes:
    """A directory as an EXIF block."""
    return b"II*\0\x08\0\0\0" + serialize(directory, 8)


def resolution(dpi: tuple[float, float]) -> Directory:
    """A directory that contains only the dots per inch."""
    x, y = (ExifEntry(5, 1, struct.pack("<II", round(value * 10000), 10000)) for value in dpi)
    return Directory({X_RESOLUTION: x, Y_RESOLUTION: y, RESOLUTION_UNIT: ExifEntry(3, 1, struct.pack("<H", 2))})


def dots_per_inch(directory: Directory) -> tuple[float, float] | None:
    """The dots per inch in a directory, or None."""
    values = [directory.entries.get(tag) for tag in (X_RESOLUTION, Y_RESOLUTION)]
    unit = directory.entries.get(RESOLUTION_UNIT)
    inches = {2: 1.0, 3: 2.54}.get(struct.unpack("<H", unit.data[:2])[0] if unit and unit.kind == 3 else 2)
    found = []
    for value in values:
        if value is None or value.kind != 5 or inches is None:
            return None
        above, below = struct.unpack("<II", value.data[:8])
        if not above or not below:
            return None
        found.append(above / below * inches)
    return found[0], found[1]


def upright(exif: bytes, width: int, height: int, factors: tuple[float, float] = (1, 1), turned: bool = False) -> bytes:
    """The block with upright orientation, the given size, and no thumbnail.

    Args:
        factors: by which width and height grew: where the subject is, and how dense pixels are, is multiplied by them.
        turned: whether the image was turned, so that the place of the subject no longer holds.

    Raises:
        Malformed: it is not a valid EXIF block.
    """
    order, start = _head(exif)
    patched = bytearray(exif)
    for tag, kind, at in _places(exif, order, start):
        if tag == ORIENTATION and kind == 3:
            patched[at : at + 2] = struct.pack(order + "H", 1)
        if tag == EXIF and kind in (4, 13):
            (child,) = struct.unpack(order + "I", exif[at : at + 4])
            for inner, type_, place in _places(exif, order, child):
                size = {WIDTH: width, HEIGHT: height}.get(inner)
                if size is not None and type_ == 4:
                    patched[place : place + 4] = struct.pack(order + "I", size)
                elif size is not None and type_ == 3:
                    patched[place : place + 2] = struct.pack(order + "H", min(size, 65535))
                elif inner in DENSITIES:
                    _multiply(patched, order, place, type_, factors[inner == DENSITIES[1] :])
                elif inner in SUBJECT and not turned:
                    _multiply(patched, order, place, type_, factors)
            for inner in SUBJECT if turned else ():
                _delete(patched, order, child, inner)
    (count,) = struct.unpack(order + "H", exif[start : start + 2])
    end = start + 2 + 12 * count
    patched[end : end + 4] = b"\0\0\0\0"  # the thumbnail is the old image, perhaps with another orientation
    return bytes(patched)


def with_resolution(exif: bytes, dpi: tuple[float, float]) -> bytes:
    """The block with dots per inch, if it has none, in a new first directory at its end.

    Raises:
        Malformed: it is not a valid EXIF block.
    """
    if dots_per_inch(parse(exif)):
        return exif
    order, start = _head(exif)
    fields = (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT)
    entries = [(tag, exif[at - 8 : at + 4]) for tag, _, at in _places(exif, order, start) if tag not in fields]
    end = len(exif) + len(exif) % 2
    behind = end + 2 + 12 * (len(entries) + 3) + 4
    entries += [
        (tag, struct.pack(order + "HHII", tag, 5, 1, behind + 8 * index)) for index, tag in enumerate(fields[:2])
    ]
    entries.append((RESOLUTION_UNIT, struct.pack(order + "HHIHH", RESOLUTION_UNIT, 3, 1, 2, 0)))
    made = struct.pack(order + "H", len(entries)) + b"".join(data for _, data in sorted(entries)) + bytes(4)
    made += b"".join(struct.pack(order + "II", round(value * 10000), 10000) for value in dpi)
    return exif[:4] + struct.pack(order + "I", end) + exif[8:].ljust(end - 8, b"\0") + made


def without_place(exif: bytes) -> bytes:
    """The block without its GPS directory, and without the maker note, which may contain the place too.

    Raises:
        Malformed: it is not a valid EXIF block.
    """
    order, start = _head(exif)
    patched = bytearray(exif)
    children = {tag: at for tag, kind, at in _places(exif, order, start) if tag in (EXIF, GPS) and kind in (4, 13)}
    for tag, at in children.items():
        (child,) = struct.unpack(order + "I", exif[at : at + 4])
        for inner in [inner for inner, _, _ in _places(exif, order, child)] if tag == GPS else [MAKER_NOTE]:
            _delete(patched, order, child, inner)
    _delete(patched, order, start, GPS)
    return bytes(patched)


def has_place(exif: bytes | None) -> bool:
    """Whether a block has a GPS directory with a place in it."""
    try:
        return bool(exif and {2, 4} & set(parse(exif).children.get(GPS, Directory()).entries))
    except Malformed:
        return False


def tags(directory: Directory, above: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """Every value of a directory and its children, with its path of tags."""
    for tag, entry in directory.entries.items():
        yield (*above, tag), entry.data
    for tag, child in directory.children.items():
        yield from tags(child, (*above, tag))


def _head(data: Bytes) -> tuple[str, int]:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(data[0:4]))
    if order is None or len(data) < 8:
        raise Malformed("it has no TIFF header")
    return order, int(struct.unpack(order + "I", data[4:8])[0])


def _places(data: Bytes, order: str, start: int) -> Iterator[tuple[int, int, int]]:
    """Tag, type and offset of the value of every entry; values longer than four bytes are stored elsewhere."""
    if not 8 <= start <= len(data) - 2:
        raise Malformed("it points outside its bounds")
    (count,) = struct.unpack(order + "H", data[start : start + 2])
    if start + 2 + 12 * count + 4 > len(data):
        raise Malformed("it is truncated")
    for at in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind = struct.unpack(order + "HH", data[at : at + 4])
        yield tag, kind, at + 8


def _multiply(data: bytearray, order: str, at: int, kind: int, factors: tuple[float, ...]) -> None:
    """Multiply the values of an entry: shorts by each factor in turn, the first fraction by the first factor."""
    (count,) = struct.unpack(order + "I", data[at - 4 : at])
    size = _SIZES.get(kind, 0) * count
    place = at if size <= 4 else int(struct.unpack(order + "I", data[at : at + 4])[0])
    if kind not in (3, 5) or not count or place + size > len(data):
        return
    form = f"{order}{count}H" if kind == 3 else order + "I"  # of a fraction, the number above the line
    values = struct.unpack_from(form, data, place)
    most = 0xFFFF if kind == 3 else 0xFFFFFFFF
    made = (min(most, round(value * factors[index % 2])) for index, value in enumerate(values))
    struct.pack_into(form, data, place, *made)


def _delete(data: bytearray, order: str, start: int, tag: int) -> None:
    """Blank a value and take its entry out of a directory, whose other values stay where they are."""
    for found, kind, at in list(_places(bytes(data), order, start)):
        if found != tag:
            continue
        (number,) = struct.unpack(order + "I", data[at - 4 : at])
        size = _SIZES.get(kind, 0) * number
        if size > 4:
            (place,) = struct.unpack(order + "I", data[at : at + 4])
            data[place : place + size] = bytes(len(data[place : place + size]))
        (count,) = struct.unpack(order + "H", data[start : start + 2])
        end = start + 2 + 12 * count + 4
        data[at - 8 : end] = data[at + 4 : end] + bytes(12)
        data[start : start + 2] = struct.pack(order + "H", count - 1)
        return


def _directory(data: Bytes, order: str, start: int, depth: int) -> Directory:
    found = Directory()
    for tag, kind, at in _places(data, order, start):
        (count,) = struct.unpack(order + "I", data[at - 4 : at])
        size = _SIZES.get(kind, 0) * count
        if not size:
            continue
        place = at if size <= 4 else int(struct.unpack(order + "I", data[at : at + 4])[0])
        value = bytes(data[place : place + size])
        if len(value) < size:
            continue
        if tag in (EXIF, GPS, INTEROPERABILITY) and kind in (4, 13) and count == 1 and depth < 2:
            (child,) = struct.unpack(order + "I", value)
            try:
                found.children[tag] = _directory(data, order, child, depth + 1)
            except Malformed:
                continue
        else:
            found.entries[tag] = ExifEntry(kind, count, _little(value, kind) if order == ">" and tag != IPTC else value)
    return found


def _little(value: bytes, kind: int) -> bytes:
    width = _WORDS.get(kind)
    return value if width is None else np.frombuffer(value, f">u{width}").astype(f"<u{width}").tobytes()
