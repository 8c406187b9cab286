"""matplotlib's figure, for texts that may hold the names of strangers. Importing it imports matplotlib."""

from __future__ import annotations

from typing import Any

import matplotlib.figure
from matplotlib.axes import Axes
from matplotlib.text import Text

from ganvas.terminal import clean


class Figure(matplotlib.figure.Figure):
    """Draws names as they are: dollar signs are no mathematics, which would fail, and controls are escaped."""

    def draw(self, renderer: Any) -> None:
        """As matplotlib's, for the texts as they are."""
        for text in self.findobj(Text):
            text.set_parse_math(False)
            text.set_text("\n".join(map(clean, text.get_text().split("\n"))))
        for axes in self.findobj(Axes):
            for axis in (axes.xaxis, axes.yaxis):
                labels = axis.get_ticklabels(which="both")
                # The powers of ten along a logarithmic axis are mathematics, by matplotlib itself.
                powers = any(r"\mathdefault" in label.get_text() for label in labels)
                for label in labels:
                    label.set_parse_math(powers)
        super().draw(renderer)
