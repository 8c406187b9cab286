"""One case in two forked processes: the first makes the input, the second runs the command on it.

The parent has imported everything and started no thread. If it may, a child becomes the user "nobody" first: then
read-only files are read-only, and ``--out /`` does no harm.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import pickle
import random
import resource
import shutil
import signal
import stat
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from .ground import Attack, Ground
from .judge import Answer, Fault, judge, snapshot

Make = Callable[[Ground, random.Random], Attack]
Command = Callable[[list[str]], int]

NOBODY = 65534
_KEEP_CAPABILITIES, _AMBIENT, _RAISE = 8, 47, 2  # of prctl
_CAPABILITIES_VERSION, _READ_ALL = 0x20080522, 2
MEMORY = 4 * 2**30
"""Address space in bytes that a command may take on top of what its parent has."""
FILE = 2**30
"""Largest file in bytes that a command may write."""
PATIENCE = 3
"""Seconds without computing after which a case that is over its time hangs."""
MAKING = 180
"""Seconds for making a case, with the sound runs that it damages."""


class NotMade(Exception):
    """The fuzzer itself is at fault: a case could not be made."""


@dataclass(frozen=True)
class Result:
    """A case, how the command answered, and what was wrong with that."""

    name: str
    attack: Attack
    answer: Answer
    faults: Sequence[Fault]


class Trial:
    """One case while it happens: make, start, poll until it ends."""

    def __init__(self, name: str, make: Make, seed: int, ground: Ground, command: Command, limit: float) -> None:
        self.name, self._ground, self._command, self._limit = name, ground, command, limit
        self.attack = self._make(make, seed)
        self._before = snapshot(ground.root)
        self._notes = ground.root.with_name(ground.root.name + "-notes")
        self._notes.mkdir()
        give_away(self._notes)
        self._began = time.monotonic()
        self._computed, self._progress = 0.0, limit
        self._said, self._quiet_since = 0, (0.0, 0.0)
        self._process = fork(self._run)

    def _make(self, make: Make, seed: int) -> Attack:
        self._ground.root.mkdir()
        give_away(self._ground.root)
        made = self._ground.root / "attack"

        def child() -> int:
            self._ground.prepare()
            os.chdir(self._ground.place)
            os.environ["HOME"] = str(self._ground.home)
            attack = make(self._ground, random.Random(f"{seed} {self.name}"))
            shutil.rmtree(self._ground.home / ".cache" / "ganvas", ignore_errors=True)
            made.write_bytes(pickle.dumps(attack))
            return 0

        process, until = fork(child), time.monotonic() + MAKING
        while not (ended := os.waitpid(process, os.WNOHANG))[0]:
            if time.monotonic() > until:
                os.killpg(process, signal.SIGKILL)
            time.sleep(0.002)
        if ended[1]:
            raise NotMade(f"{self.name} could not be made")
        attack: Attack = pickle.loads(made.read_bytes())
        made.unlink()
        return attack

    def _run(self) -> int:
        ground, attack = self._ground, self.attack
        for number, name in ((0, os.devnull), (1, "out"), (2, "err")):
            flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT
            os.dup2(os.open(self._notes / name, flags), number)
        for stream, errors in ((sys.stdout, "strict"), (sys.stderr, "backslashreplace")):
            stream.reconfigure(encoding=attack.encoding, errors=errors)  # type: ignore[union-attr]
        os.environ.update(
            {"HOME": str(ground.home), "TMPDIR": str(ground.temporary), "COLUMNS": "200", **attack.environment}
        )
        os.chdir(ground.place)
        resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY,) * 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with (self._notes / "stack").open("w") as stack:
            faulthandler.register(signal.SIGUSR1, stack)
            faulthandler.enable(sys.stderr)
            try:
                code = self._command(list(attack.argv))
            except SystemExit as ended:
                code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
            except BaseException as error:
                # Longer tracebacks are those of a recursion: the same lines again and again.
                text = f"{type(error).__name__}\n{traceback.format_exc()[-20_000:]}"
                (self._notes / "trace").write_text(text, encoding="utf-8", errors="backslashreplace")
                code = 1
            sys.stdout.flush()
            sys.stderr.flush()
        return code

    def poll(self) -> Result | None:
        """The result once the command has ended, or has been ended after the time limit."""
        ended, status, usage = os.wait4(self._process, os.WNOHANG)
        seconds = time.monotonic() - self._began
        if not ended and not self._hangs(seconds):
            return None
        if not ended:
            os.kill(self._process, signal.SIGUSR1)
            time.sleep(0.3)
            os.killpg(self._process, signal.SIGKILL)
            _, status, usage = os.wait4(self._process, 0)
        with suppress(ProcessLookupError):
            os.killpg(self._process, signal.SIGKILL)  # what the command started and left running
        kept = {name: self._read(name) for name in ("out", "err", "trace", "stack")}
        answer = Answer(
            code=os.waitstatus_to_exitcode(status) if ended else None,
            seconds=seconds,
            computed=usage.ru_utime + usage.ru_stime,
            reported=seconds - self._quiet_since[0] < self._limit,
            memory=max(0, usage.ru_maxrss - resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024,
            out=kept["out"],
            err=kept["err"],
            trace=kept["trace" if ended else "stack"].decode("utf-8", "replace"),
        )
        after = snapshot(self._ground.root)
        return Result(self.name, self.attack, answer, judge(self.attack, answer, self._ground, self._before, after))

    def _hangs(self, seconds: float) -> bool:
        """Whether it has computed, or waited, for the time limit since it last said something.

        On a busy machine, computing takes longer.
        """
        if seconds < self._limit:
            return False
        computed = _computed(self._process)
        said = sum(path.stat().st_size for path in self._notes.iterdir())
        if said > self._said:
            self._said, self._quiet_since = said, (seconds, computed)
        if computed > self._computed:
            self._computed, self._progress = computed, seconds
        quiet, before = self._quiet_since
        is_stuck = computed - before >= self._limit or seconds - self._progress > PATIENCE
        return seconds >= 5 * self._limit or (seconds - quiet >= self._limit and is_stuck)

    def clear(self) -> None:
        """Remove the folders of the case."""
        remove(self._ground.root)
        remove(self._notes)

    def _read(self, name: str) -> bytes:
        path = self._notes / name
        return path.read_bytes()[-200_000:] if path.exists() else b""


def attempt(name: str, make: Make, seed: int, ground: Ground, command: Command, limit: float) -> Result:
    """Run one case to its end."""
    trial = Trial(name, make, seed, ground, command, limit)
    while (result := trial.poll()) is None:
        time.sleep(0.002)
    return result


def expect_one_thread() -> None:
    """Refuse to fork a process with threads: a child could wait forever for a lock that none of its threads holds."""
    count = len(list(Path("/proc/self/task").iterdir())) if Path("/proc/self/task").exists() else 1
    if count > 1:
        raise RuntimeError(f"{count} threads run before the first case; an import has started some")


def remove(folder: Path) -> None:
    """Delete a folder, with what is read-only in it."""
    if os.geteuid():
        for above, folders, _ in os.walk(folder):
            for path in (Path(above, name) for name in folders):
                if not path.is_symlink():
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def fork(work: Callable[[], int]) -> int:
    """Start work in a child, in a session and with the rights of its own; the id of the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        _child(work)
    return process


def _child(work: Callable[[], int]) -> NoReturn:
    code = 70
    try:
        os.setsid()
        _become_nobody()
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code & 0xFF)


def _become_nobody() -> None:
    """Give up the rights of root; reading everything is kept where Python itself lies in a folder of root's."""
    if os.geteuid():
        return
    libc = ctypes.CDLL(None, use_errno=True)
    above = Path(os.__file__).parents
    closed = any(not folder.stat().st_mode & stat.S_IXOTH for folder in above)
    libc.prctl(_KEEP_CAPABILITIES, int(closed), 0, 0, 0)
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    if closed:
        head = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
        kept = (ctypes.c_uint32 * 6)(*(1 << _READ_ALL,) * 3)  # effective, permitted, inheritable
        if libc.capset(head, kept) or libc.prctl(_AMBIENT, _RAISE, _READ_ALL, 0, 0):
            raise OSError(ctypes.get_errno(), "the right to read Python's own files could not be kept")


def give_away(folder: Path) -> None:
    """Let the children write to a folder."""
    folder.chmod(0o755)
    if not os.geteuid():
        os.chown(folder, NOBODY, NOBODY)


def _computed(process: int) -> float:
    """Seconds that a process has computed; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _address_space() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 8 * 2**30
