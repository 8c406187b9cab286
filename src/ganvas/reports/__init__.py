"""Runs side by side: what differs, what was measured, how they went and what they drew. Reads run folders only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganvas.reports.comparison import Comparison, Reference, compare

if TYPE_CHECKING:
    from ganvas.reports.viewer import ViewerRow, viewer_page

__all__ = ["Comparison", "Reference", "ViewerRow", "compare", "viewer_page"]


def __getattr__(name: str) -> Any:
    # The viewer computes on images: whoever compares figures need not wait for the libraries of that.
    if name in ("ViewerRow", "viewer_page"):
        from ganvas.reports import viewer

        return getattr(viewer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
