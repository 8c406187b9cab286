"""Ctrl-C and SIGTERM, kept from moments at which they would be lost or would lose something."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import TypeVar

AGAIN = 0.01  # seconds until a signal that came at a bad moment is given again

Function = TypeVar("Function", bound=Callable[..., object])

_unbroken: set[CodeType] = set()


def unbroken(function: Function) -> Function:
    """Let what stops a `stoppable` part come after this function, never in it."""
    _unbroken.add(function.__code__)
    return function


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt and SIGTERM SystemExit, but in no `unbroken` function, nor in pyvips.

    libvips calls pyvips back with every line of its log. What is raised in such a call is printed and forgotten.
    """
    main, late = threading.get_ident(), list[threading.Timer]()

    def again(number: int) -> None:
        if hasattr(signal, "pthread_kill"):
            signal.pthread_kill(main, number)  # which also wakes it where it waits
        else:
            signal.raise_signal(number)

    def stop(number: int, frame: FrameType | None) -> None:
        if _is_bad_moment(frame):
            late.append(threading.Timer(AGAIN, again, [number]))
            late[-1].start()
        elif number == signal.SIGINT:
            raise KeyboardInterrupt
        else:
            sys.exit(128 + number)

    # One that is ignored, as by the shell for what it starts in the background, stays so.
    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
        for timer in late:
            timer.join()  # one that was put off comes now
    finally:
        for timer in late:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_bad_moment(frame: FrameType | None) -> bool:
    while frame:
        if frame.f_code in _unbroken or frame.f_globals.get("__name__", "").partition(".")[0] == "pyvips":
            return True
        frame = frame.f_back
    return False
