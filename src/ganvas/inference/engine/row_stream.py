"""Run a network over an image from top to bottom, computing every row of every layer once.

Each layer keeps the few rows that the next layers will read again. So memory depends on the image's width and on the
number of rows processed at once, never on its height, and nothing is computed twice as with overlapping tiles.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from ganvas.inference.engine.layers import LocalLayer
from ganvas.inference.engine.receptive_field import LayerGraph, fill


class RowStream:
    """One image that is streamed through a graph.

    Args:
        graph: the network.
        heights: height of the image at every input of the network.
        quantum: maximum number of rows of the first input to process at once; may be lowered at any time.

    Attributes:
        on_tap: called with the name and the new rows of every tap of the graph, from top to bottom.
    """

    def __init__(self, graph: LayerGraph, heights: list[int], quantum: int) -> None:
        self.graph, self.quantum = graph, quantum
        self._totals = dict(zip(graph.inputs, heights, strict=True))
        for name, (layer, _, _) in graph.layers.items():
            self._totals[name] = layer.total(self._totals[graph.sources(name)[0]])
        self._base = heights[0]
        self._readers: dict[str, list[str]] = {name: [] for name in self._totals}
        for name in graph.layers:
            for source in graph.sources(name):
                self._readers[source].append(name)
        self._rows: dict[str, Tensor] = {}  # of what layers read; the last one is row _done - 1
        self._made: list[Tensor] = []  # of the output, not yet pulled
        self._done = dict.fromkeys(self._totals, 0)
        self.watch: Callable[[int], object] = lambda size: None
        self.on_tap: Callable[[str, Tensor], object] = lambda name, rows: None

    @property
    def total(self) -> int:
        """Number of output rows."""
        return self._totals[self.graph.output]

    def push(self, *bands: Tensor) -> None:
        """Append rows (B, C, rows, W) to every input."""
        for name, band in zip(self.graph.inputs, bands, strict=True):
            self._append(name, band)

    def pull(self) -> Tensor | None:
        """The next rows of the output, or None until more rows are pushed.

        An error, such as running out of memory, leaves the stream unchanged: lower the quantum and pull again.
        """
        while not self._made:
            if not self._pass():
                return None
        return self._made.pop(0)

    def _pass(self) -> bool:
        moved = False
        for name, (layer, args, kwargs) in self.graph.layers.items():
            sources = self.graph.sources(name)
            ready = min(layer.ready(self._done[s], self._totals[s]) for s in sources)
            first = self._done[name]
            most = max(1, self.quantum * self._totals[name] // self._base)
            if first >= (ready := min(ready, first + most)):
                continue
            parts = {s: self._window(layer, s, first, ready - 1) for s in sources}
            made = layer.run(*fill(args, parts | self.graph.constants), **fill(kwargs, parts | self.graph.constants))
            if layer.grow > 1:
                start = max(0, layer.reads(first, ready - 1)[0]) * layer.grow
                made = made[:, :, first - start : ready - start]
            self.watch(made.nelement() * made.element_size())
            self._append(name, made)
            for source in sources:
                self._forget(source)
            moved = True
        return moved

    def _append(self, name: str, rows: Tensor) -> None:
        if name in self.graph.taps:
            self.on_tap(name, rows)
        if self._readers[name]:
            kept = self._rows.get(name)
            self._rows[name] = rows if kept is None or not kept.shape[2] else torch.cat([kept, rows], 2)
        if name == self.graph.output:
            self._made.append(rows)
        self._done[name] += rows.shape[2]

    def _window(self, layer: LocalLayer, source: str, first: int, last: int) -> Tensor:
        """The rows that a layer reads for output rows `first` to `last`, with padding beyond the image's border."""
        low, high = layer.reads(first, last)
        total, kept = self._totals[source], self._rows[source]
        start = self._done[source] - kept.shape[2]
        part = kept[:, :, max(low, 0) - start : min(high, total - 1) + 1 - start]
        above, below = max(0, -low), max(0, high - total + 1)
        if layer.border == "clip" or not (above or below):
            return part
        if layer.border == "zeros":
            return functional.pad(part, (0, 0, above, below))
        rows = [_beyond(row, total, layer.border) - start for row in range(low, high + 1)]
        return kept.index_select(2, torch.tensor(rows, device=kept.device))

    def _forget(self, source: str) -> None:
        readers = [(self.graph.layers[r][0], self._done[r]) for r in self._readers[source]]
        needed = min(layer.reads(done, done)[0] for layer, done in readers)
        kept = self._rows[source]
        start = self._done[source] - kept.shape[2]
        drop = min(max(0, needed - start), kept.shape[2])
        if drop:
            # A view would keep the memory of the dropped rows.
            self._rows[source] = kept[:, :, drop:].clone(memory_format=torch.preserve_format)


def _beyond(row: int, total: int, border: str) -> int:
    """The row of the image that pads a row beyond its border."""
    if border == "replicate":
        return min(max(row, 0), total - 1)
    row = -row if row < 0 else row
    return 2 * (total - 1) - row if row >= total else row
