"""Runs side by side: what differs, what was measured, how they went and what they drew. Reads run folders only."""

from ganvas.comparison.comparing import Comparison, compare

__all__ = ["Comparison", "compare"]
