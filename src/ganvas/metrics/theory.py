"""What the theory of the 2014 game promises, computed from known densities by quadrature.

Goodfellow et al. 2014 (arXiv:1406.2661): with p the data's density, q the generator's and
V(D, G) = E_p[log D(x)] + E_q[log(1 - D(x))], the value of the game.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def square(half: float, steps: int) -> tuple[Array, float]:
    """Midpoints (steps^2, 2) of equal cells that fill [-half, half]^2, row by row from below, and the area of a cell.

    The sum of f over the midpoints times the area is the midpoint rule for the integral of f; for smooth densities
    that vanish at the border its error falls faster than any power of the cell's side.
    """
    line = (np.arange(steps) + 0.5) * (2 * half / steps) - half
    return np.stack(np.meshgrid(line, line), -1).reshape(-1, 2), (2 * half / steps) ** 2


def optimal_discriminator(p: Array, q: Array) -> Array:
    """D*(x) = p / (p + q), the best answer to a fixed generator (Proposition 1); 1/2 where both densities are 0."""
    total = p + q
    return np.divide(p, total, out=np.full_like(total, 0.5), where=total > 0)


def jensen_shannon(p: Array, q: Array, area: float) -> float:
    """JSD(p || q) = KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, in nats: 0 for equal, log 2 for disjoint.

    Args:
        p, q: densities at the midpoints of cells of the given area that hold all of both.
    """
    middle = (p + q) / 2
    return (_divergence(p, middle, area) + _divergence(q, middle, area)) / 2


def value(d: Array, p: Array, q: Array, area: float) -> float:
    """V(D, G) = E_p[log D] + E_q[log(1 - D)] for a discriminator's probabilities at the midpoints.

    It is at most `best_value`, and equal to it for D* alone.
    """
    with np.errstate(divide="ignore"):
        reals = np.where(p > 0, p * np.log(d), 0.0)
        fakes = np.where(q > 0, q * np.log1p(-d), 0.0)
    return float((reals + fakes).sum() * area)


def best_value(p: Array, q: Array, area: float) -> float:
    """max over D of V(D, G) = -log 4 + 2 JSD(p || q) (Theorem 1)."""
    return -math.log(4) + 2 * jensen_shannon(p, q, area)


def _divergence(p: Array, middle: Array, area: float) -> float:
    inside = p > 0
    return float((p[inside] * np.log(p[inside] / middle[inside])).sum() * area)
