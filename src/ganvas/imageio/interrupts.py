"""Defer Ctrl-C and SIGTERM where they would be lost or would lose data."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Deferral(threading.local):
    """How many `deferred` blocks this thread is in, and the signal that arrived meanwhile."""

    depth = 0
    waiting = 0


_here = _Deferral()


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt and SIGTERM raises SystemExit, but never in a `deferred` block."""

    def stop(number: int, frame: FrameType | None) -> None:
        if _here.depth:
            _here.waiting = _here.waiting or number
        else:
            _raise(number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals, and only it is interrupted by them
        return
    # Signals that are ignored, as shells do for background jobs, stay ignored; None is a handler set from C.
    handled = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, stop) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """Defer the signals of a `stoppable` block until after this block.

    For steps that must not be interrupted, and for calls of libvips, which calls pyvips back for every line of its log:
    an exception raised in such a callback is printed and lost.
    """
    _here.depth += 1
    try:
        yield
    finally:
        _here.depth -= 1
        if _here.waiting and not _here.depth:
            number, _here.waiting = _here.waiting, 0
            _raise(number)


def _raise(number: int) -> None:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
