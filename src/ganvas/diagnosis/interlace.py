"""How the two losses interlace: the index by which our users judge a game, defined so that it can be tested."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def interlace(d: Sequence[float], g: Sequence[float]) -> float:
    """Crossings and overlap of two loss curves in a window, 0 (apart) to 1 (woven into each other).

    The geometric mean of two shares. Crossings: how often the sign of d - g changes from point to point, over one
    half, which is what two independent curves with the same distribution reach; at most 1. Overlap: the length that
    the ranges between the 10th and the 90th percentile share, over the length that they cover together.

    Args:
        d: the discriminator's loss, per picture: half of the sum over a real and a fake where it is such a sum.
        g: the generator's loss at the same moments; at least two of each.
    """
    d_, g_ = np.asarray(d, float), np.asarray(g, float)
    above = d_ > g_
    crossings = min(1.0, 2 * float(np.mean(above[1:] != above[:-1])))
    (d_low, d_high), (g_low, g_high) = np.percentile(d_, (10, 90)), np.percentile(g_, (10, 90))
    shared = max(0.0, min(d_high, g_high) - max(d_low, g_low))
    covered = max(d_high, g_high) - min(d_low, g_low)
    overlap = shared / covered if covered > 0 else 1.0
    return float(np.sqrt(crossings * overlap))
