"""Zip files, with the names that programs of all systems and decades write into them."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path

from ganvas.data.items import Listing, by_folders, code_of, is_hidden, refuse_huge, without_packaging
from ganvas.errors import InputError

UTF8 = 0x800  # the flag of an entry whose name is UTF-8; without it, the name is in whatever the writer's system used


def open_zip(path: Path) -> Listing:
    """List the files of a zip; of several entries of one name the last counts, as for every program that unpacks.

    Raises:
        InputError: it is damaged, of an unknown version, or empty.
    """
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # besides BadZipFile: unknown versions, names that are not in the code they claim
        raise InputError(
            f"{path} is damaged or not a zip file ({error}); create it again, or give a folder of images."
        ) from None
    files = [info for info in archive.infolist() if info.filename[-1:] not in ("/", "\\")]
    code = code_of(map(_raw_name, files))
    entries = {_name(info, code): info for info in files}
    entries = {name: info for name, info in entries.items() if name and not is_hidden(name)}
    names = without_packaging([*entries])
    members = [(name, partial(_read, archive, info)) for name, info in zip(names, entries.values(), strict=True)]
    return by_folders(path.name, members)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """The name of an entry that does not say its code; empty if it does, by the flag or by a second name in Unicode."""
    try:
        return b"" if info.flag_bits & UTF8 else info.filename.encode("cp437")
    except UnicodeEncodeError:
        return b""


def _name(info: zipfile.ZipInfo, code: str) -> str:
    """The path of an entry with / as separator: some Windows programs write backslashes."""
    raw = _raw_name(info)
    name = raw.decode(code) if raw and code else info.filename
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    refuse_huge(info.file_size)
    return archive.read(info)
