"""Draws curves.png: the loss terms and the first measure of validation over real images seen."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from ganvas.runs.curves import draw
from ganvas.runs.folder import RunFolder
from ganvas.training.observer import Observer
from ganvas.training.run import Report

if TYPE_CHECKING:
    from ganvas.training.run import Run

MATPLOTLIB = "matplotlib.figure"
SECONDS = 120.0  # between updates; drawing takes a quarter of a second
AFTER = 3.0  # seconds of training from which a run is long enough for a process that draws

# Loading matplotlib takes longer than drawing, so that where it is not loaded yet, both happen beside the training. The
# process draws at once, and again for each line of its input, which ends however the training ends.
DRAW = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
from ganvas.runs.curves import draw
from ganvas.runs.folder import RunFolder
folder = RunFolder(sys.argv[1])
draw(folder)
for line in sys.stdin:
    draw(folder)
"""


class Curves(Observer):
    """Redraws the curves at intervals and at the end; a run of some seconds lets another process load what draws."""

    painter: subprocess.Popen[bytes] | None = None
    ended = False

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def start(self, run: Run) -> None:
        """Start the clock."""
        self.began = self.drawn_at = time.monotonic()

    def step(self, run: Run, report: Report) -> None:
        """Redraw if due."""
        now = time.monotonic()
        if self.painter is None and MATPLOTLIB not in sys.modules and now - self.began >= AFTER:
            self.began = now + SECONDS  # should it fail, not to try again at once
            with suppress(OSError):
                self.painter = _painter(self.folder)
        if now - self.drawn_at >= SECONDS:
            self.drawn_at = now
            if self.painter is None:
                draw(self.folder)
            elif self.painter.stdin:
                with suppress(OSError):
                    self.painter.stdin.write(b"\n")
                    self.painter.stdin.flush()

    def end(self, run: Run) -> None:
        """Draw the final curves, beside what is left to do where there is a process that draws."""
        self.ended = True
        if self.painter is None:
            draw(self.folder)
        elif self.painter.stdin:
            with suppress(OSError):
                self.painter.stdin.write(b"\n")
                self.painter.stdin.close()

    def close(self) -> None:
        """Wait for the process, and draw in its place if it failed."""
        if self.painter:
            self.painter.communicate()
            if self.ended and self.painter.returncode:
                draw(self.folder)


def _painter(folder: RunFolder) -> subprocess.Popen[bytes]:
    # -P: a folder in which somebody trains may hold a file named like a module.
    command = [sys.executable, "-P", "-c", DRAW, str(folder.path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
