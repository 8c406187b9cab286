"""Rows of three tiles: the degraded crop (its pixels repeated), what the generator makes of it, the original."""

from __future__ import annotations

import numpy as np
from torch import Tensor
from torch.nn import functional

from ganvas.imaging.grid import GAP, Pixels, grid, zoom
from ganvas.imaging.tensors import to_pixels
from ganvas.observers.previews import Previewer
from ganvas.runs.previews import Preview
from ganvas.training.run import Run


class TriplesPreviewer(Previewer):
    """Grids of triples, of crops that are held out."""

    def __init__(self, low: Tensor, high: Pixels, columns: int) -> None:
        """`low` are (N, C, h, w) in [-1, 1], `high` uint8 (N, H, W, C); `columns` triples stand side by side."""
        self.low, self.high = low, high
        height, width = high.shape[1:3]
        factor = zoom(height)
        self.layout = Preview(
            file="",
            images_seen=0,
            kind="triples",
            rows=-(-len(high) // columns),
            columns=columns,
            tile=(height * factor, width * factor),
            zoom=factor,
            gap=GAP,
        )

    def start(self, run: Run) -> None:
        """Nothing is drawn: the inputs are crops."""

    def draw(self, run: Run) -> Pixels:
        """One grid."""
        low, high = self.low, self.high
        made = to_pixels(run.generate(low))
        before = to_pixels(functional.interpolate(low, high.shape[1:3], mode="nearest"))
        tiles = np.stack([before, made, high], axis=1).reshape(-1, *high.shape[1:])
        return grid(tiles, 3 * self.layout.columns)
