"""Runs side by side: what differs, what was measured, how they went and what they drew. Reads run folders only."""

from ganvas.comparison.comparing import Comparison, compare
from ganvas.comparison.gather import Reference
from ganvas.comparison.viewer import ViewerRow, viewer_page

__all__ = ["Comparison", "Reference", "ViewerRow", "compare", "viewer_page"]
