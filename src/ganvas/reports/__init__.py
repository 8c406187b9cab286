"""Compare runs: recipes, figures, curves, verdicts and samples. Reads run folders only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganvas.reports.assemble import compare
from ganvas.reports.comparison import Comparison, Reference

if TYPE_CHECKING:
    from ganvas.reports.viewer import ViewerRow, viewer_page

__all__ = ["Comparison", "Reference", "ViewerRow", "compare", "viewer_page"]


def __getattr__(name: str) -> Any:
    # The viewer imports image libraries, which a comparison of figures need not wait for.
    if name in ("ViewerRow", "viewer_page"):
        from ganvas.reports import viewer

        return getattr(viewer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
