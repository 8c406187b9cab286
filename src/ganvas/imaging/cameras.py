"""Files of phones and cameras that are recognised but not decoded."""

from __future__ import annotations

from pathlib import PurePath

RAW: tuple[str, ...] = (
    ".3fr",
    ".arw",
    ".cr2",
    ".cr3",
    ".crw",
    ".dcr",
    ".dng",
    ".erf",
    ".iiq",
    ".kdc",
    ".mef",
    ".mos",
    ".mrw",
    ".nef",
)
RAW += (".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f")
_RAW_STARTS = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")
_HEIC = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis")


def is_heic(head: bytes) -> bool:
    """Whether a file's first bytes are those of an HEIC photo, whose HEVC coding needs a decoder of its own."""
    return head[4:8] == b"ftyp" and any(head[at : at + 4] in _HEIC for at in range(8, min(len(head), 64), 4))


def undecodable(head: bytes, name: str = "") -> str:
    """What a file is that cannot be decoded, with the remedy, by its first 64 bytes and its name; else empty.

    RAW files are TIFF files to many programs, which then show the thumbnail in them.
    """
    ending = PurePath(name).suffix.lower()
    canon = head[4:12] == b"ftypcrx " or (head.startswith(b"II*\0") and head[8:10] == b"CR")
    if ending in RAW or canon or head.startswith(_RAW_STARTS):
        return "it is a camera's RAW file; develop it to TIFF or JPEG first, with the camera's program or darktable"
    if is_heic(head):
        return "it is an HEIC photo; convert it to JPEG or PNG first, or set the phone to the format 'most compatible'"
    return ""
