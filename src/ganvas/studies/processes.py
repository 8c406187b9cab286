"""Processes that run ``ganvas ...``, on Linux forked from one that has imported what they need.

A process of its own keeps a failure from the other runs. To import torch and ganvas takes it seconds, more than many a
run itself; a fork has them at once.
"""

from __future__ import annotations

import _thread
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from ganvas.untrusted import parse_json

Poll = Callable[[], int | None]
"""The exit code of a process, negative for a signal; None while it runs."""

FORKS = sys.platform == "linux"  # the libraries of macOS do not survive a fork, and Windows has none
POLL = 0.1  # seconds between looks at the processes that may have ended
SIZE = 1 << 16  # bytes of a message
KILL = b"kill"
# What training and evaluating import; nothing here may start a thread or a device, which no fork would inherit.
PRELOADED = (
    "ganvas.experiment.session",
    "ganvas.evaluation.distributions",
    "ganvas.evaluation.pairs",
    "ganvas.studies.run_jobs",
    "matplotlib.figure",
)
# The working folder comes last: a file in it that is named like a module must not take its place.
PROGRAM = """
import sys
sys.path.append("")
from ganvas.cli import entry
from ganvas.studies import processes
processes.{}(entry)
"""


class Processes:
    """Starts processes in one environment, and stops them together.

    They share a leash, which is their standard input: when it closes, because we close it or because we have died,
    each of them stops, a training after a checkpoint. The terminal's Ctrl-C does not reach them.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._server: _Server | None = None
        self._others: list[subprocess.Popen[bytes]] = []

    def start(self, words: Sequence[str], output: IO[bytes]) -> Poll:
        """Run ``ganvas WORDS``, with all that it prints in `output`; returns how to ask for its exit code."""
        if not FORKS:
            one = _spawn("leashed", words, output, self._environment)
            self._others.append(one)
            return one.poll
        if self._server is None or self._server.has_ended():
            self._server = _Server(output, self._environment)
        return self._server.fork(words, output)

    def stop(self) -> None:
        """Tell all to stop."""
        for process in (*self._others, *([self._server.process] if self._server else ())):
            _release(process)

    def kill(self) -> None:
        """End all at once."""
        for process in self._others:
            process.kill()
        if self._server:
            self._server.kill()

    def close(self) -> None:
        """End what serves them, once they have ended."""
        for process in self._others:
            process.wait()
        if self._server:
            self._server.close()


class _Server:
    """Our side of the process that is forked.

    It is a program of its own rather than of `multiprocessing`, whose children import the user's script again.
    """

    def __init__(self, output: IO[bytes], environment: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = _spawn("serve", [str(theirs.fileno())], output, environment, theirs.fileno())
        self._codes: dict[int, int] = {}
        self._forks = 0

    def fork(self, words: Sequence[str], output: IO[bytes]) -> Poll:
        self._forks += 1
        with suppress(OSError):  # it has just died, which its code will say
            request = json.dumps([self._forks, str(Path.cwd()), *words]).encode()
            socket.send_fds(self._socket, [request], [output.fileno()])
        return partial(self._code, self._forks)

    def has_ended(self) -> bool:
        """Whether it was killed; what it has forked then stops."""
        has_ended = self.process.poll() is not None
        with suppress(OSError):  # nothing to read, or closed
            while answer := self._socket.recv(SIZE, socket.MSG_DONTWAIT):
                number, code = parse_json(answer)
                self._codes[number] = code
        if has_ended:
            self.close()
        return has_ended

    def kill(self) -> None:
        """Kill all its forks, and end it."""
        with suppress(OSError):
            self._socket.send(KILL)

    def close(self) -> None:
        """End it."""
        self._socket.close()
        _release(self.process)
        self.process.wait()

    def _code(self, number: int) -> int | None:
        has_ended = self.has_ended()
        return self._codes.get(number, self.process.returncode if has_ended else None)


def _spawn(
    what: str, words: Sequence[str], output: IO[bytes], environment: Mapping[str, str], *kept: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM.format(what), *words],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        env=environment,
        pass_fds=kept,
        start_new_session=True,
    )


def _release(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()


def serve(entry: Callable[[], object]) -> None:
    """Fork a process for each request, until there is nobody who would ask; `entry` runs the command in `sys.argv`."""
    requests = socket.socket(fileno=int(sys.argv[1]))
    for module in PRELOADED:
        importlib.import_module(module)
    gc.freeze()  # the collector would copy every page that the forks share
    words = _next(requests)
    if words is None:
        return
    requests.close()
    sys.argv = ["ganvas", *words]
    leashed(entry)


def leashed(entry: Callable[[], object]) -> None:
    """Run the command in `sys.argv`; interrupt it when standard input closes."""

    def wait() -> None:
        os.read(0, 1)
        _thread.interrupt_main()

    threading.Thread(target=wait, daemon=True).start()
    entry()


def _next(requests: socket.socket) -> list[str] | None:
    """The words of a command in each fork; None, at the end, in the process that is forked."""
    requests.settimeout(POLL)
    running: dict[int, int] = {}
    while True:
        message, files = b" ", list[int]()
        with suppress(TimeoutError):
            message, files, *_ = socket.recv_fds(requests, SIZE, 1)
        if message in (b"", KILL):
            for process in running if message == KILL else ():
                os.kill(process, signal.SIGKILL)
            return None
        if files:
            number, folder, *words = parse_json(message)
            process = os.fork()
            if not process:
                os.chdir(folder)
                for stream in (1, 2):
                    os.dup2(files[0], stream)
                return list(words)
            os.close(files[0])
            running[process] = number
        for process, number in list(running.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                del running[process]
                requests.send(json.dumps([number, os.waitstatus_to_exitcode(status)]).encode())
