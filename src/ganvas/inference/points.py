"""2-D points from noise, as arrays, plots and files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.files import expect_ending, write_text
from ganvas.imaging.plot2d import Canvas
from ganvas.imaging.saving import save_png
from ganvas.inference.sampler import Sampler


class PointGenerator(Sampler):
    """A generator of 2-D points."""

    task = "toy2d"
    does = "makes 2-D points from noise"
    unit, method, default_count = "points", "points", 2500

    def points(self, n: int, seed: int = 0) -> NDArray[np.float32]:
        """Generate `n` points: float32 (n, 2). The first points do not depend on `n`.

        Raises:
            InputError: `n` is less than 1, or the seed is negative.
        """
        return self.sample(n, seed)

    def write_grid(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> Path:
        """Write `n` points as a PNG plot."""
        expect_ending(path, ".png")
        plot = Canvas().draw(self.points(n, seed), f"{n:,} points of {self.name}, seed {seed}")
        save_png(plot, path, self.provenance(seed))
        return path

    def write_samples(self, n: int, seed: int, path: Path, labels: Sequence[int] = ()) -> list[Path]:
        """Write `n` points as one .csv or .npz file."""
        if expect_ending(path, ".csv", ".npz") == ".npz":
            return super().write_samples(n, seed, path, labels)
        lines = [f"{x:.7g},{y:.7g}" for x, y in self.points(n, seed).tolist()]
        write_text(path, "\n".join([f"# {self.provenance(seed)['Description']}", "x,y", *lines]) + "\n")
        return [path]
