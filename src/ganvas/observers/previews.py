"""Writes previews as the run goes, each with its entry in samples/index.json, and at the end what shows them all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ganvas.files import write_text
from ganvas.imaging.grid import Pixels
from ganvas.imaging.saving import save_png
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import Preview, add_preview
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run


class Previewer(ABC):
    """What a modality shows of a run.

    Attributes:
        layout: of every preview; whoever writes one fills in its file and its count of images.
    """

    layout: Preview

    @abstractmethod
    def start(self, run: Run) -> None:
        """Draw the inputs, the same for every preview."""

    @abstractmethod
    def draw(self, run: Run) -> Pixels | str:
        """One preview: an image uint8 (H, W, C), or a text."""

    def finish(self, folder: RunFolder) -> None:  # noqa: B027
        """Make what shows the whole run, where there is such a thing."""


class Previews(Observer):
    """One preview at the start, then wherever one of the intervals ends, and one at the end."""

    def __init__(self, folder: RunFolder, previewer: Previewer, intervals: Sequence[int]) -> None:
        self.folder, self.previewer, self.intervals = folder, previewer, intervals

    def start(self, run: Run) -> None:
        """Show the untrained generator."""
        self.previewer.start(run)
        self.images_seen = run.images_seen
        if run.images_seen == 0:
            self.write(run)

    def step(self, run: Run, report: Report) -> None:
        """Write a preview where one is due."""
        before, self.images_seen = self.images_seen, report.images_seen
        if any(due(every, before, self.images_seen) for every in self.intervals):
            self.write(run)

    def end(self, run: Run) -> None:
        """Write the last preview, and what shows them all."""
        self.write(run)
        self.previewer.finish(self.folder)

    def write(self, run: Run) -> None:
        """Write one preview and enter it in the index."""
        drawn, path = self.previewer.draw(run), self.folder.sheet(run.images_seen)
        layout = self.previewer.layout
        if isinstance(drawn, str):
            path = path.with_suffix(".txt")
            write_text(path, drawn)
        else:
            save_png(drawn, path)
        add_preview(self.folder.samples, replace(layout, file=path.name, images_seen=run.images_seen))
