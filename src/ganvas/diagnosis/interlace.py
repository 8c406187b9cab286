"""The interlacing of the two losses, a common visual check of a GAN's training, defined as a number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def interlace(d: Sequence[float], g: Sequence[float]) -> float:
    """Crossings and overlap of two loss curves in a window, 0 (apart) to 1 (interlaced).

    The geometric mean of two ratios. Crossings: how often the sign of d - g changes from point to point, divided by one
    half, the rate of two independent curves with the same distribution; at most 1. Overlap: the length of the
    intersection of the ranges between the 10th and 90th percentiles, divided by the length of their union.

    Args:
        d: the discriminator's loss per image: half of it if the loss is a sum over a real and a fake.
        g: the generator's loss at the same points; at least two of each.
    """
    d_, g_ = np.asarray(d, float), np.asarray(g, float)
    above = d_ > g_
    crossings = min(1.0, 2 * float(np.mean(above[1:] != above[:-1])))
    (d_low, d_high), (g_low, g_high) = np.percentile(d_, (10, 90)), np.percentile(g_, (10, 90))
    shared = max(0.0, min(d_high, g_high) - max(d_low, g_low))
    covered = max(d_high, g_high) - min(d_low, g_low)
    overlap = shared / covered if covered > 0 else 1.0
    return float(np.sqrt(crossings * overlap))
