"""Writes previews during the run, each with an entry in samples/index.json, and a summary of all at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from ganvas.files import write_text
from ganvas.imaging.grid import Pixels
from ganvas.imaging.saving import save_png
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import Preview, read_previews, write_previews
from ganvas.training.observer import Observer, due
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

FIRST_BATCHES = 4  # before the first preview after the start, if an epoch is longer


class Previewer(ABC):
    """Draws a modality's previews of a run.

    Attributes:
        layout: the layout of every preview; its file and image count are filled in when one is written.
    """

    layout: Preview

    @abstractmethod
    def start(self, run: Run) -> None:
        """Prepare the inputs, the same for every preview."""

    @abstractmethod
    def draw(self, run: Run) -> Pixels | str:
        """Draw one preview: an image uint8 (H, W, C), or a text."""

    def finish(self, folder: RunFolder) -> None:  # noqa: B027
        """Write a summary of the whole run, if the modality has one."""


def first_moments(intervals: Sequence[int], batch: int) -> tuple[int, ...]:
    """Real images within the first interval at which there is a preview, too: a half, a quarter, ... of it.

    So the first one after the start takes some batches, however long an epoch is.
    """
    first = min((interval for interval in intervals if interval), default=0)
    halves = (first >> power for power in range(1, first.bit_length()))
    return tuple(takewhile(lambda images: images >= FIRST_BATCHES * batch, halves))


class Previews(Observer):
    """Writes previews at the start, at intervals and at the end."""

    def __init__(self, folder: RunFolder, previewer: Previewer, intervals: Sequence[int]) -> None:
        self.folder, self.previewer, self.intervals = folder, previewer, intervals

    def start(self, run: Run) -> None:
        """Write a preview of the untrained generator."""
        self.index = {preview.images_seen: preview for preview in read_previews(self.folder.samples)}
        self.previewer.start(run)
        self.images_seen = run.images_seen
        self.moments = first_moments(self.intervals, run.recipe.batch_size)
        if run.images_seen == 0:
            self.write(run)

    def step(self, run: Run, report: Report) -> None:
        """Write a preview if due."""
        before, self.images_seen = self.images_seen, report.images_seen
        now = self.images_seen
        if any(due(every, before, now) for every in self.intervals) or any(before < m <= now for m in self.moments):
            self.write(run)

    def end(self, run: Run) -> None:
        """Write the last preview and the summary."""
        self.write(run)
        self.previewer.finish(self.folder)

    def write(self, run: Run) -> None:
        """Write one preview and add it to the index."""
        preview, path = self.previewer.draw(run), self.folder.sample_path(run.images_seen)
        layout = self.previewer.layout
        if isinstance(preview, str):
            path = path.with_suffix(".txt")
            write_text(path, preview)
        else:
            save_png(preview, path)
        self.index[run.images_seen] = replace(layout, file=path.name, images_seen=run.images_seen)
        write_previews(self.folder.samples, [*self.index.values()])
