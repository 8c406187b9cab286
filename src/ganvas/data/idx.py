"""The IDX files of MNIST (http://yann.lecun.com/exdb/mnist), packed with gzip or not."""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.data.items import LARGEST
from ganvas.errors import InputError

_NAMES = re.compile(r"idx[1-4]|-ubyte|\.idx(\.gz)?$")
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def is_idx(name: str) -> bool:
    """Whether a file is in the IDX format, by its name: train-images-idx3-ubyte, possibly with .gz."""
    return bool(_NAMES.search(name.lower()))


def is_idx_labels(name: str) -> bool:
    """Whether an IDX file holds labels, by its name."""
    return is_idx(name) and ("idx1" in name.lower() or "labels" in name.lower())


def unpacked_or_packed(path: Path) -> Path | None:
    """The file of this name without .gz, or else with it, if there is one."""
    plain = path.with_name(path.name.removesuffix(".gz"))
    return next((file for file in (plain, plain.with_name(f"{plain.name}.gz")) if file.is_file()), None)


def read_idx(path: Path) -> NDArray[Any]:
    """The array in an IDX file: two zero bytes, type, number of dimensions, sizes, and values, all big-endian.

    Raises:
        InputError: it is damaged, or larger than 1 GB.
    """
    try:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            content: bytes = file.read(LARGEST + 1)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}); download it again.") from None
    if len(content) > LARGEST:
        raise InputError(f"{path} unpacks to more than {LARGEST:,} bytes; give a smaller file.")
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES or len(content) < 4 + 4 * content[3]:
        raise InputError(f"{path} is damaged or not an IDX file; download it again.")
    header = 4 + 4 * content[3]
    shape = tuple(map(int, np.frombuffer(content[4:header], ">u4")))
    kind = np.dtype(_TYPES[content[2]])
    if math.prod(shape) * kind.itemsize != len(content) - header:
        raise InputError(f"{path} is damaged: it does not hold {shape} values; download it again.")
    return np.frombuffer(content, kind, offset=header).reshape(shape)
