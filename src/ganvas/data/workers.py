"""Threads that process a list, with a progress bar."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from ganvas.progress import Bar
from ganvas.terminal.console import Console

T = TypeVar("T")
R = TypeVar("R")

CHUNK = 1024  # items in flight at once: bounds the memory
TOGETHER = 16  # items that a thread takes at a time: a tiny image costs less than handing it to a thread


@dataclass(frozen=True)
class Workers:
    """A pool of threads with a progress bar."""

    pool: ThreadPoolExecutor
    bar: Bar

    def each(self, work: Callable[[T], R], items: Sequence[T], what: str) -> Iterator[R]:
        """Yield the results of `work` in the order of the items; `what` labels the progress bar."""
        task = self.bar.add(what, len(items), counts=True)
        left = iter(items)
        while chunk := list(islice(left, CHUNK)):
            parts = [chunk[start : start + TOGETHER] for start in range(0, len(chunk), TOGETHER)]
            for results in self.pool.map(lambda part: [work(item) for item in part], parts):
                yield from results
                self.bar.advance(task, len(results))


@contextmanager
def start_workers(count: int = 0, *, progress: bool = False) -> Iterator[Workers]:
    """Start `count` threads (0: one per core), with a bar on stderr if `progress` is set."""
    console = Console(stderr=True)
    bar = Bar(console, show=progress)
    # Pillow warns of decompression bombs, which are refused anyway, and of odd metadata, which do not matter.
    with ThreadPoolExecutor(count or os.cpu_count()) as pool, warnings.catch_warnings(), bar:
        warnings.simplefilter("ignore")
        yield Workers(pool, bar)
