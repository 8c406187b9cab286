"""Grids of fakes from the same z every time, beside the same reals; and the film strip made of them.

Of a run with classes a row is a class, and a column one z in all of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from ganvas.data import Dataset
from ganvas.imaging.grid import (
    GAP,
    PAPER,
    Pixels,
    grid,
    label_columns,
    label_rows,
    labels_width,
    short,
    side_by_side,
    zoom,
)
from ganvas.imaging.saving import save_png
from ganvas.imaging.tensors import to_pixels
from ganvas.observers.previews import Previewer
from ganvas.recipe.recipe import Recipe
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import Preview, at_moments, open_preview, read_previews
from ganvas.training.run import Run

STRIP_ROWS, STRIP_COLUMNS = 6, 12
CLASS_ROWS = 20  # of a run with classes: the first ones


class ImagePreviewer(Previewer):
    """Tiles of fakes, beside reals; at the end the film strip."""

    def __init__(self, recipe: Recipe, shape: tuple[int, int], dataset: Dataset) -> None:
        """`shape` is of the grid: rows, of runs without classes, and columns."""
        rows, columns = shape
        height, width = recipe.system.shape[-2:]
        factor = zoom(height)
        self.classes = tuple(dataset.classes[: min(recipe.system.classes, CLASS_ROWS)])
        rows = len(self.classes) or rows
        reals = _by_class(dataset, rows, columns) if self.classes else dataset.spread(rows * columns)
        # Fewer images than tiles make a lower grid, which cannot stand beside.
        self.reals = grid(reals, columns) if -(-len(reals) // columns) == rows else None
        self.layout = Preview(
            file="",
            images_seen=0,
            kind="grid",
            rows=rows,
            columns=columns,
            tile=(height * factor, width * factor),
            zoom=factor,
            left=labels_width(self.classes),
            gap=GAP,
            reals=0 if self.reals is None else columns,
            classes=self.classes,
            seed=recipe.seed,
        )

    def start(self, run: Run) -> None:
        """Draw z; one class after the other from the same, where there are classes."""
        system, rows, columns, seed = run.recipe.system, self.layout.rows, self.layout.columns, self.layout.seed
        self.inputs = (
            torch.cat([system.inputs(columns, seed, [row] * columns) for row in range(rows)])
            if self.classes
            else system.inputs(rows * columns, seed)
        )

    def draw(self, run: Run) -> Pixels:
        """One grid."""
        fakes = grid(to_pixels(run.generate(self.inputs)), self.layout.columns)
        return label_rows(fakes if self.reals is None else side_by_side([fakes, self.reals]), self.classes)

    def finish(self, folder: RunFolder) -> None:
        """The film strip: a row for each of some tiles, time from left to right, under its images seen."""
        rows, columns = self.layout.rows, self.layout.columns
        shown = range(0, rows * columns, columns) if self.classes else range(min(STRIP_ROWS, rows * columns))
        found = read_previews(folder.samples)
        alike = [one for one in found if replace(one, file="", images_seen=0) == self.layout]
        # Closer at the start, where most happens.
        chosen = at_moments(alike, np.linspace(0, 1, STRIP_COLUMNS) ** 2 * alike[-1].images_seen) if alike else []
        opened = [(preview, image) for preview in chosen if (image := open_preview(folder.samples, preview))]
        if not opened:
            return
        moments = [_tiles(image, preview, shown) for preview, image in opened]
        strip = grid(np.stack([moment[row] for row in range(len(shown)) for moment in moments]), len(moments))
        labelled = label_rows(strip, self.classes)
        counts = [short(preview.images_seen) for preview, _ in opened]
        save_png(label_columns(labelled, counts, labels_width(self.classes)), folder.filmstrip)


def _tiles(image: Image.Image, preview: Preview, shown: range) -> list[Pixels]:
    """Some fakes of a preview (H, W, C), as small as they were made."""
    cut = [np.asarray(image.crop(preview.box(index))) for index in shown]
    return [tile.reshape(*preview.tile, -1)[:: preview.zoom, :: preview.zoom] for tile in cut]


def _by_class(dataset: Dataset, classes: int, columns: int) -> Pixels:
    """A row of `columns` images of each of the first classes, white where a class has fewer."""
    rows = []
    for label in range(classes):
        members = dataset.of_class(label)
        chosen = np.linspace(0, len(members) - 1, min(columns, len(members))).round().astype(np.int64)
        row = dataset.take(members[chosen])
        rows.append(np.pad(row, ((0, columns - len(row)), *[(0, 0)] * 3), constant_values=PAPER))
    return np.concatenate(rows)
