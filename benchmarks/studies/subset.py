"""Cut evenly spaced pictures out of a source: python benchmarks/studies/subset.py SOURCE COUNT SIZE OUT.npz"""

from __future__ import annotations

import sys

import numpy as np

from ganvas.data import Pictures, load


def main() -> None:
    """Write uint8 (COUNT, SIZE, SIZE, 3), in the source's order."""
    source, count, size, out = sys.argv[1:]
    np.savez(out, load(Pictures(source=source), size=int(size), channels=3).spread(int(count)))


if __name__ == "__main__":
    main()
