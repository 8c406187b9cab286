"""Take evenly spaced images from a source: python benchmarks/studies/subset.py SOURCE COUNT SIZE OUT.npz [REST.npz]

REST receives all others: never trained on, for evaluation.
"""

from __future__ import annotations

import sys

import numpy as np

from ganvas.data import load
from ganvas.recipe.sources import Images


def main() -> None:
    """Write uint8 (COUNT, SIZE, SIZE, 3), in the source's order."""
    source, count, size, out, *rest = sys.argv[1:]
    whole = load(Images(source=source), size=int(size), channels=3)
    chosen = np.linspace(0, len(whole) - 1, int(count)).round().astype(np.int64)
    np.savez(out, whole.take(chosen))
    for path in rest:
        np.savez(path, whole.take(np.setdiff1d(np.arange(len(whole)), chosen)))


if __name__ == "__main__":
    main()
