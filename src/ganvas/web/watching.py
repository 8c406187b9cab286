"""The runs of a folder while they train: looked at often, without a lock, and read only where something was added."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException

from ganvas.errors import InputError
from ganvas.runs.folder import RunFolder, is_event, is_log_line
from ganvas.runs.previews import INDEX, Preview, read_previews
from ganvas.runs.record import Record, run_folders
from ganvas.untrusted import LARGEST, Json, Unreadable, is_number, open_regular, parse_json

SEARCH, LOOK, REST = 1.5, 0.25, 2.0  # seconds between searches for runs, looks at one that trains, and at others
LAST = 16 << 10  # bytes at the end of a log in which to look for its last line
MARK = 64  # bytes before what is new, by which a file that was rewritten is told
OPEN = 3  # runs whose whole logs are kept in memory
PICTURES = ("grid", "triples", "plot")  # kinds of previews that are images


class Tail:
    """The JSON lines of a file that grows; one that was rewritten is read again from its start.

    Attributes:
        lines: the sound lines, in their order.
        age: how often it began anew.
    """

    def __init__(self, path: Path, is_sound: Callable[[Json], bool]) -> None:
        self.path, self.is_sound = path, is_sound
        self.lines: list[Json] = []
        self.age = 0
        self._file: tuple[int, int] = (0, 0)
        self._offset, self._mark = 0, b""

    def read(self) -> bool:
        """Read what is new; whether anything changed."""
        try:
            descriptor = open_regular(self.path)
        except OSError:
            return self._restart() if self._offset else False
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            changed = False
            if (status.st_dev, status.st_ino) != self._file or status.st_size < self._offset or not self._follows(file):
                changed = self._restart() if self._offset else False
                self._file = status.st_dev, status.st_ino
            if status.st_size == self._offset or status.st_size > LARGEST:
                return changed
            file.seek(self._offset)
            new = file.read(status.st_size - self._offset)
        new = new[: new.rfind(b"\n") + 1]  # the last line may be incomplete
        self._offset += len(new)
        self._mark = (self._mark + new)[-MARK:]
        found = [line for line in _parsed(new) if self.is_sound(line)]
        self.lines += found
        return changed or bool(found)

    def _follows(self, file: Any) -> bool:
        file.seek(self._offset - len(self._mark))
        return bool(file.read(len(self._mark)) == self._mark)

    def _restart(self) -> bool:
        self.lines, self._offset, self._mark = [], 0, b""
        self.age += 1
        return True


def _parsed(text: bytes) -> list[Json]:
    """The objects on lines of JSON; damaged lines are left out."""
    lines = [line for line in text.decode("utf-8", "surrogateescape").split("\n") if line.strip()]
    found: list[Any] = []
    for part in _batches(lines, 500):
        with suppress(Unreadable):  # together, which takes a third of the time
            found += parse_json(f"[{','.join(part)}]")
            continue
        for line in part:
            with suppress(Unreadable):
                found.append(parse_json(line))
    return [one for one in found if isinstance(one, dict)]


def _batches(lines: list[str], size: int) -> list[list[str]]:
    return [lines[start : start + size] for start in range(0, len(lines), size)]


class WatchedRun:
    """A run that is looked at again and again.

    Attributes:
        number: how URLs name it.
        name: its path in the folder of the runs.
        version: raised with every change of `summary`.
        summary: what a list shows.
    """

    def __init__(self, number: int, folder: RunFolder, name: str) -> None:
        self.number, self.folder, self.name = number, folder, name
        self.version = 0
        self.summary: Json = {}
        self.previews: list[Preview] = []
        self._events = Tail(folder.events, is_event)
        self._log = Tail(folder.log, is_log_line)
        self._state: tuple[Any, ...] = ()
        self._index: tuple[Any, ...] = ()
        self._looked = 0.0
        self._record: Record | None = None
        index = folder.samples / INDEX
        self._files = [str(file) for file in (folder.recipe, folder.log, folder.events, index, folder.figures)]

    def look(self) -> None:
        """Take a look, if the last was not just before."""
        now = time.monotonic()
        trains = self.summary.get("state") == "training"
        if self.version and now - self._looked < (LOOK if trains else REST):
            return
        self._looked = now
        state: tuple[Any, ...] = (self.folder.is_training(), *map(_changed, self._files))
        if state == self._state:
            return
        self._state, self._record = state, None
        if (indexed := state[4]) != self._index:
            self._index, self.previews = indexed, read_previews(self.folder.samples)
        self._events.read()
        self.version += 1
        self.summary = {"id": self.number, "name": self.name, "version": self.version, **self._summary()}

    def _summary(self) -> Json:
        try:
            record = Record(self.folder, self.name)
        except InputError as error:
            return {"state": "broken", "about": str(error), "changed": 0, "images": 0, "total": 0}
        last = last_lines(self.folder.log)
        record.events, record.log = self._events.lines, last
        verdict = next((one.verdict for one in reversed(record.verdicts)), "")
        rate = next(
            (line["images_per_second"] for line in reversed(last) if is_number(line.get("images_per_second"))), 0
        )
        left = max(0, record.total_images - record.images_seen) / rate if rate and record.state == "training" else None
        pictures = [index for index, one in enumerate(self.previews) if one.kind in PICTURES]
        try:
            changed = record.changed
        except OSError:  # deleted this moment
            changed = 0.0
        return {
            "state": record.state,
            "about": record.about,
            "system": record.system,
            "data": record.data,
            "seed": record.seed,
            "images": record.images_seen,
            "total": record.total_images,
            "rate": round(rate, 2),
            "left": None if left is None else round(left),
            "verdict": verdict,
            "changed": round(changed, 3),
            "sheets": len(self.previews),
            "thumbnail": self.preview_version(pictures[-1]) if pictures else "",
        }

    def preview_version(self, index: int) -> str:
        """A text that changes with the file of a preview."""
        return "-".join(map(str, _changed(self.folder.samples / self.previews[index].file)[:2]))

    def record(self) -> Record:
        """The run with its whole log, of which only what is new is read.

        Raises:
            InputError: its recipe cannot be read.
        """
        if not (self._log.read() | self._events.read()) and self._record:
            return self._record
        record = self._record = Record(self.folder, self.name)
        record.log, record.events = list(self._log.lines), list(self._events.lines)
        record.previews = tuple(self.previews)
        return record

    @property
    def log(self) -> Tail:
        """The log, as far as `record` has read it."""
        return self._log

    def forget(self) -> None:
        """Drop the log from memory."""
        self._log, self._record = Tail(self.folder.log, is_log_line), None


class Watched:
    """All runs of a folder, which are named by numbers that stay."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._runs: dict[Path, WatchedRun] = {}
        self._numbers: dict[Path, int] = {}
        self._opened: OrderedDict[int, WatchedRun] = OrderedDict()
        self._searched = -SEARCH
        self._lock = threading.Lock()

    def look(self) -> dict[int, WatchedRun]:
        """The runs by number, after a look at those that are due."""
        with self._lock:
            now = time.monotonic()
            if now - self._searched >= SEARCH:
                self._searched = now
                self._search()
            for run in self._runs.values():
                run.look()
            return {run.number: run for run in self._runs.values()}

    def _search(self) -> None:
        try:
            found = run_folders(self.root)
        except OSError:  # the folder does not exist yet, or no longer
            found = []
        for folder in found:
            number = self._numbers.setdefault(folder, len(self._numbers))
            name = folder.name if folder == self.root else folder.relative_to(self.root).as_posix()
            if folder not in self._runs:
                self._runs[folder] = WatchedRun(number, RunFolder(folder), name)
        for folder in self._runs.keys() - set(found):
            del self._runs[folder]

    def run(self, number: int) -> WatchedRun:
        """The run with this number.

        Raises:
            HTTPException: there is none, or its folder was deleted.
        """
        runs = self.look()
        if number not in runs:
            gone = next((folder for folder, known in self._numbers.items() if known == number), None)
            if gone is None:
                raise HTTPException(404, f"there is no run {number}; go back to the list of runs.")
            raise HTTPException(410, f"the run {gone.name} is gone: its folder was deleted or renamed.")
        return runs[number]

    def opened(self, number: int) -> tuple[WatchedRun, Record]:
        """A run with its whole log; the logs of few are kept.

        Raises:
            HTTPException: see `run`.
            InputError: see `WatchedRun.record`.
        """
        run = self.run(number)
        with self._lock:
            self._opened[number] = run
            self._opened.move_to_end(number)
            while len(self._opened) > OPEN:
                self._opened.popitem(last=False)[1].forget()
            return run, run.record()


def last_lines(path: Path) -> list[Json]:
    """The sound lines near the end of a log."""
    try:
        descriptor = open_regular(path)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LAST))
        text = file.read(LAST)
    if size > LAST:
        text = text.partition(b"\n")[2]
    return [line for line in _parsed(text[: text.rfind(b"\n") + 1]) if is_log_line(line)]


def _changed(path: str | Path) -> tuple[int, int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 -- many times a second
    except (OSError, ValueError):
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino
