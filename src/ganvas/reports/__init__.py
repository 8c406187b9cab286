"""Runs side by side: what differs, what was measured, how they went and what they drew. Reads run folders only."""

from ganvas.reports.comparison import Comparison, compare
from ganvas.reports.viewer import ViewerRow, viewer_page
from ganvas.runs.record import Reference

__all__ = ["Comparison", "Reference", "ViewerRow", "compare", "viewer_page"]
