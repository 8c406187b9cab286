"""Ctrl-C and SIGTERM, kept from moments at which they would be lost or would lose something."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class _Deferral(threading.local):
    """How many `deferred` parts this thread is in, and what came meanwhile."""

    depth = 0
    waiting = 0


_here = _Deferral()


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt and SIGTERM SystemExit, but in no `deferred` part."""

    def stop(number: int, frame: FrameType | None) -> None:
        if _here.depth:
            _here.waiting = number
        else:
            _raise(number)

    # One that is ignored, as by the shell for what it starts in the background, stays so.
    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """What stops a `stoppable` part comes after this part, never in it.

    For what must be done whole, and around libvips, which calls pyvips back with every line of its log: what is raised
    in such a call is printed and forgotten.
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
