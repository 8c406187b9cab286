"""A small MNIST of scikit-learn's digits, so that stacks of them can be made anywhere."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import builtin


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def small_mnist(root: Path, monkeypatch: pytest.MonkeyPatch, train: int = 200, test: int = 200) -> None:
    """Write MNIST's four files below a data folder, and let so many stacks be made of each part."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    small = (digits.images * (255 / 16)).round().astype(np.uint8)
    # MNIST's digits are 20 px high in the middle of 28.
    large = [np.pad(np.asarray(Image.fromarray(one).resize((20, 20), Image.Resampling.BICUBIC)), 4) for one in small]
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, chosen in (("train", slice(0, 1000)), ("t10k", slice(1000, None))):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(np.stack(large[chosen])))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(digits.target[chosen].astype(np.uint8)))
    monkeypatch.setenv("GANVAS_DATA", str(root))
    monkeypatch.setitem(builtin.COUNTS, "stacked-mnist", train)
    monkeypatch.setitem(builtin.COUNTS, "stacked-mnist-test", test)
