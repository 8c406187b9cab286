"""Plots of points: a redrawn canvas shows what a new one would."""

from __future__ import annotations

import numpy as np

from ganvas.imaging.plot2d import STEPS, Canvas


def test_a_redrawn_plot_has_nothing_left_of_the_one_before() -> None:
    draws = np.random.default_rng(0)
    reals, one, other = draws.uniform(-1, 1, (3, 200, 2)).astype(np.float32)
    fields = draws.random((2, STEPS**2), np.float32)
    canvas = Canvas(reals, field=True)
    first, redrawn = canvas.draw(one, "a long first title", fields[0]), canvas.draw(other, "short", fields[1])
    assert (first != redrawn).any()
    assert (Canvas(reals, field=True).draw(other, "short", fields[1]) == redrawn).all()
