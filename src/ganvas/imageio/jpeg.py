"""The structure of JPEG files: where the image ends, and what follows it (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from typing import Any

import pyvips

START = b"\xff\xd8\xff"
END = b"\xff\xd9"
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)  # in image data, FF comes before 00 or a restart only
_ALONE = (0x01, 0xD8)  # markers without a segment
# What phones append: what it contains, and what it is called.
_APPENDED = (
    (re.compile(b"http://ns.adobe.com/hdr-gain-map/|urn:iso:std:iso:ts:21496:|HDRGainMap"), "gain map"),
    (re.compile(rb"\0\0\0.ftyp", re.DOTALL), "motion photo's film"),
)


def end(data: Any) -> int | None:
    """The offset behind the end marker of the first image in a file's bytes (or mmap), or None if it is missing."""
    at = 2
    while found := _MARKER.search(data, at):
        at = found.end()
        code = data[at - 1]
        if code == END[1]:
            return at
        if code not in _ALONE:
            at += int.from_bytes(data[at : at + 2], "big")
    return None


def appended(data: Any, stop: int) -> tuple[str, ...]:
    """What follows the first image, which ends at `stop`: gain maps, films, other images."""
    rest = bytes(data[stop:])
    if not rest.strip(b"\0"):
        return ()
    known = tuple(name for word, name in _APPENDED if word.search(rest))
    if known:
        return known
    return ("further images",) if START in rest else (f"{len(rest):,} bytes behind the image",)


def completed(data: bytes) -> bytes | None:
    """A file without its end marker, with one; None if pixels are missing too.

    A decoder invents missing pixels from whatever follows: if two different endings give one image, none are missing.

    Raises:
        pyvips.Error: the file is damaged elsewhere.
    """
    # A download that was cut off may be filled up with zeros, which a decoder would take for pixels.
    whole = data.rstrip(b"\0" if data.endswith(bytes(3)) else b"\xff")
    one, other = (
        pyvips.Image.jpegload_buffer(whole + filler + END, fail_on="error", access="sequential")
        for filler in (b"", b"\x55" * 64)
    )
    return whole + END if (one != other).max() == 0 else None
