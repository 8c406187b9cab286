"""CIFAR-10's files (Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html), the binary ones or the Python ones.

The Python version is made of pickles, which could run any code: their opcodes are read, never executed.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from pickletools import genops

import numpy as np
from numpy.typing import NDArray

from ganvas.imaging.grid import Pixels

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
ARCHIVE = "cifar-10-binary.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = ("test_batch",)


def read_cifar10(root: Path, train: bool = True) -> tuple[Pixels, NDArray[np.int64]] | None:
    """Images uint8 (N, 32, 32, 3) and labels (N,) of a split; None if `root` has neither version, as archive or folder.

    Raises:
        ValueError, OSError: a file is damaged.
    """
    names = TRAIN if train else TEST
    for version, ending, parse in (("bin", ".bin", _from_records), ("py", "", _from_opcodes)):
        files = [f"cifar-10-batches-{version}/{name}{ending}" for name in names]
        archive = root / f"cifar-10-{'binary' if version == 'bin' else 'python'}.tar.gz"
        if all((root / file).is_file() for file in files):
            contents = [(root / file).read_bytes() for file in files]
        elif archive.is_file():
            contents = list(_members(archive, files))
        else:
            continue
        parts = [parse(content) for content in contents]
        images = np.concatenate([pixels.reshape(-1, *SHAPE).transpose(0, 2, 3, 1) for pixels, _ in parts])
        return images, np.concatenate([labels for _, labels in parts])
    return None


def _members(archive: Path, files: list[str]) -> Iterator[bytes]:
    with tarfile.open(archive) as packed:
        for file in files:
            member = packed.extractfile(file)
            if member is None:
                raise ValueError(f"{archive.name} has no file {file}")
            yield member.read()


def _from_records(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Records of one byte for the label and one for each value."""
    rows = np.frombuffer(content, np.uint8).reshape(-1, 1 + PIXELS)
    return rows[:, 1:], rows[:, 0].astype(np.int64)


def _from_opcodes(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """A pickled dictionary: the pixels are its longest string of bytes, the labels the integers after the key."""
    pixels, labels, in_labels = b"", [], False
    for opcode, argument, _ in genops(content):
        if isinstance(argument, bytes | bytearray | str) and opcode.name not in ("GLOBAL", "INST"):
            value = argument.encode("latin-1", "ignore") if isinstance(argument, str) else bytes(argument)
            pixels = max(pixels, value, key=len)
            in_labels = value == b"labels"
        elif in_labels and isinstance(argument, int) and opcode.name in ("BININT1", "BININT", "BININT2", "INT"):
            labels.append(argument)
    if len(labels) * PIXELS != len(pixels) or not all(0 <= label < len(CLASSES) for label in labels):
        raise ValueError("a batch of CIFAR-10 does not hold as many images as labels")
    return np.frombuffer(pixels, np.uint8), np.array(labels, np.int64)
