"""Plots of 2-D points over the discriminator's output."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.imaging.grid import Pixels
from ganvas.imaging.lettering import make_drawable

Points = NDArray[np.float32]

HALF = 1.2  # the window is [-HALF, HALF]^2 in every plot, so that plots can be compared
STEPS = 96  # cells of the field along a side
LEVELS = 20  # shades of the field: few enough to distinguish, and small in a GIF
REAL, FAKE = "#a9a9a9", "#d1006b"
FIELD = ("#f2a65a", "#fdf6ec", "#6fa8dc")  # D = 0, 1/2 and 1


def cells() -> Points:
    """Midpoints of the field's cells (STEPS^2, 2), row by row from the bottom."""
    line = ((np.arange(STEPS) + 0.5) / STEPS * 2 - 1) * HALF
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2).astype(np.float32)


class Canvas:
    """A figure that is redrawn many times: creating one takes longer than updating it."""

    def __init__(self, reals: Points | None = None, field: bool = False) -> None:
        """Lay out the axes.

        Args:
            reals: points (N, 2) drawn in grey behind the fakes.
            field: leave room for D(x) as a colour, from orange (fake) to blue (real).
        """
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self._figure = figure = Figure(figsize=(5.0, 4.7) if field else (4.3, 4.7), dpi=100, layout="constrained")
        self._canvas: Any = FigureCanvasAgg(figure)
        self._axes = axes = figure.subplots()
        axes.set(xlim=(-HALF, HALF), ylim=(-HALF, HALF), aspect="equal", xticks=(-1, 0, 1), yticks=(-1, 0, 1))
        axes.set_facecolor("white")
        self._field = self._image(figure) if field else None
        if reals is not None:
            axes.plot(*reals.T, ".", color=REAL, markersize=2.5, markeredgewidth=0, label="real")
        (self._fakes,) = axes.plot([], [], ".", color=FAKE, markersize=3.2, markeredgewidth=0, label="fake")
        if reals is not None:
            axes.legend(loc="upper right", frameon=True, markerscale=4, fontsize=9, handletextpad=0.2)
        self._still: Any = None
        """What is the same in every plot: to draw it takes longer than all that is not."""

    def draw(self, fakes: Points, title: str, field: NDArray[np.float32] | None = None) -> Pixels:
        """Plot the fakes (N, 2) and, if there is room for it, D at `cells()` (STEPS^2,).

        Returns:
            uint8 (H, W, 3)
        """
        self._fakes.set_data(*fakes.T)
        heading = self._axes.set_title(title, loc="left", fontsize=9.5)
        make_drawable(heading)
        if self._field is not None and field is not None:
            self._field.set_data(field.reshape(STEPS, STEPS))
        axes, canvas, legend = self._axes, self._canvas, self._axes.get_legend()
        moving = [*axes.images, *axes.lines, *axes.spines.values(), *([legend] if legend else []), heading]
        if self._still is None:
            canvas.draw()
            self._figure.set_layout_engine("none")  # keep the first layout
            for artist in moving:
                artist.set_animated(True)
            canvas.draw()
            self._still = canvas.copy_from_bbox(self._figure.bbox)
        canvas.restore_region(self._still)
        for artist in moving:
            self._figure.draw_artist(artist)
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()

    def _image(self, figure: Any) -> Any:
        from matplotlib.colors import LinearSegmentedColormap

        colours = LinearSegmentedColormap.from_list("discriminator", FIELD, LEVELS)
        window = (-HALF, HALF, -HALF, HALF)
        image = self._axes.imshow(
            np.zeros((STEPS, STEPS)), colours, vmin=0, vmax=1, origin="lower", extent=window, interpolation="bilinear"
        )
        bar = figure.colorbar(image, ax=self._axes, shrink=0.8, pad=0.02, ticks=(0, 0.5, 1))
        bar.ax.set_title("D(x)", fontsize=9)
        return image
