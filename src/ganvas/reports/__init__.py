"""Runs side by side: what differs, what was measured, how they went and what they drew. Reads run folders only."""

from ganvas.reports.comparison import Comparison, Reference, compare

__all__ = ["Comparison", "Reference", "compare"]
