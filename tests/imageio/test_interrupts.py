"""Ctrl-C and SIGTERM around what must not be interrupted."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from ganvas.imageio.interrupts import deferred, stoppable


def test_outside_the_main_thread_nothing_is_handled() -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with stoppable(), deferred():
                pass
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert failures == []


def test_the_first_of_two_deferred_signals_counts() -> None:
    def work() -> None:
        with stoppable(), deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(SystemExit) as stopped:
        work()
    assert stopped.value.code == 128 + signal.SIGTERM
