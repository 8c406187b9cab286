"""Real processes that start in milliseconds: forked from one that has imported torch and done nothing else.

They have a process number, signals, limits and an exit code like any other. What only a new interpreter shows (its
start, what it imports) needs the `process` fixture of ``conftest.py``.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_context = multiprocessing.get_context("forkserver")
# What takes long to import; not ganvas, which reads the environment when it is imported.
_context.set_forkserver_preload(["torch", "matplotlib.figure", "PIL.Image", "rich.progress", "scipy.stats"])


class Forked:
    """A process, as `subprocess.Popen` has them."""

    def __init__(self, target: Callable[..., Any], *args: Any, file_limit: int = 0) -> None:
        """Call `target`, a function that can be imported, with these arguments.

        Args:
            file_limit: bytes that a file can have at most, as on a full disk; 0 is no limit.
        """
        self.printed = Path(tempfile.mkdtemp()) / "printed"
        state = str(Path.cwd()), dict(os.environ), str(self.printed), file_limit
        # By name: its module is imported once the environment is set.
        self._process = _context.Process(target=_run, args=(state, target.__module__, target.__name__, args))
        self._process.start()
        self.pid: int = self._process.pid or 0

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()

    def wait(self, timeout: float = 120) -> int:
        """Its exit code, once it has ended."""
        self._process.join(timeout)
        code = self.poll()
        assert code is not None, "it does not end"
        return code

    def ended(self) -> tuple[int, str]:
        """Its exit code, and what it printed."""
        return self.wait(), self.printed.read_text(encoding="utf-8")


def ganvas(*words: str, file_limit: int = 0) -> Forked:
    """Start ``ganvas ...``."""
    return Forked(_command, words, file_limit=file_limit)


def _command(words: tuple[str, ...]) -> None:
    from ganvas.cli import entry

    sys.argv = ["ganvas", *words]
    entry()


def _run(state: tuple[str, dict[str, str], str, int], module: str, name: str, args: tuple[Any, ...]) -> None:
    folder, environment, printed, file_limit = state
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    file = os.open(printed, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    getattr(importlib.import_module(module), name)(*args)


def children(pid: int) -> list[int]:
    """The process numbers of the children of a process."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
