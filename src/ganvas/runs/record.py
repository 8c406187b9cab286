"""The only reader of run folders: parses a run's files into values. Imports no torch."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from ganvas.errors import InputError
from ganvas.metrics.figure import Figure
from ganvas.runs.figures import figure_of, latest
from ganvas.runs.folder import RunFolder, figures_of, reference_of
from ganvas.runs.header import Damaged, read_header
from ganvas.runs.previews import Preview, read_previews
from ganvas.untrusted import Json, is_number, read_object

MEASURE = "SWD"  # in the log: the distance of fakes to reals during training
State = Literal["training", "finished", "stopped", "diverged"]


@dataclass(frozen=True)
class VerdictSpan:
    """A part of a run with one verdict of the diagnosis."""

    verdict: str
    start: int
    """Images seen at its start; it ends at the start of the next one, or at the end of the run."""
    sentence: str


class Record:
    """One run. Each file is read once, on first access."""

    def __init__(self, folder: RunFolder | str | Path, name: str = "") -> None:
        """Read the recipe.

        Args:
            folder: the run's folder.
            name: the name to display, by default the folder's.

        Raises:
            InputError: its recipe.json is missing or damaged.
        """
        self.folder = folder if isinstance(folder, RunFolder) else RunFolder(folder)
        self.name = name or self.folder.name
        self.plain = self.folder.read_recipe()

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.folder.path

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """All leaves of the recipe by their dotted paths, including class names."""
        from ganvas.recipe.serialization import flatten

        return dict(flatten(self.plain))

    @property
    def system(self) -> str:
        """The system's name, or a question mark."""
        return str(_part(self.plain, "system").get("type", "?"))

    @property
    def data(self) -> str:
        """The dataset's name or path, the shape of a 2-D mixture, or a question mark."""
        plain = _part(self.plain, "data")
        return str(plain.get("source") or plain.get("shape", "?"))

    @property
    def source(self) -> str:
        """The full description of the data: a dataset's name or path, or the kind and parameters of a 2-D mixture."""
        plain = _part(self.plain, "data")
        return str(plain.get("source") or " ".join(str(leaf) for key, leaf in plain.items() if key != "held_out"))

    @property
    def seed(self) -> int:
        """The recipe's seed."""
        return int(self.plain.get("seed", 0))

    @property
    def total_images(self) -> int:
        """Length of the run in images, according to the recipe."""
        return int(self.plain.get("images", 0))

    @cached_property
    def log(self) -> list[Json]:
        """The lines of log.jsonl."""
        return self.folder.read_log()

    @cached_property
    def events(self) -> list[Json]:
        """The lines of events.jsonl."""
        return self.folder.read_events()

    @cached_property
    def images_seen(self) -> int:
        """Images seen according to the last log line or event, whichever is later."""
        return max(
            [line["images"] for line in self.log[-1:]] + [e.get("images", 0) for e in self.events[-1:]], default=0
        )

    @cached_property
    def state(self) -> State:
        """The state of the run."""
        if self.folder.is_training():
            return "training"
        last = self.events[-1]["event"] if self.events else ""
        return last if last in ("finished", "diverged") else "stopped"  # type: ignore[return-value]

    @property
    def ended_early(self) -> bool:
        """Whether it finished before its recipe's length, by a rule that stops a run."""
        return self.state == "finished" and bool(self.events[-1].get("early"))

    @property
    def about(self) -> str:
        """The state in words, with the position of a failure."""
        last = self.events[-1] if self.events else {}
        if self.state == "diverged":
            return f"diverged at image {last.get('images', 0):,} ({last.get('term', 'unknown term')})"
        if self.state == "finished":
            early = last.get("early")
            return f"finished early at image {self.images_seen:,} ({early})" if early else "finished"
        return f"{self.state} at {min(1.0, self.images_seen / max(1, self.total_images)):.0%}"

    @property
    def changed(self) -> float:
        """Time of the last update, in seconds since 1970."""
        files = self.folder.recipe, self.folder.log, self.folder.events
        return max(path.stat().st_mtime for path in files if path.exists())

    @cached_property
    def terms(self) -> dict[str, list[tuple[int, float]]]:
        """The curve of every loss term: (images, value)."""
        found: dict[str, list[tuple[int, float]]] = {}
        for line in self.log:
            for name, value in line.items():
                if "/" in name and is_number(value):
                    found.setdefault(name, []).append((line["images"], value))
        return found

    @cached_property
    def measured(self) -> dict[str, list[Figure]]:
        """The figures of the log by measure (and extractor, if any), in order of images."""
        found: dict[str, list[Figure]] = {}
        for figure in (figure for line in self.log for figure in figures_of(line)):
            extractor = figure.protocol.get("extractor")
            name = f"{figure.measure} ({extractor})" if extractor else figure.measure
            found.setdefault(name, []).append(figure)
        return found

    def log_figures(self, measure: str) -> list[Figure]:
        """The figures of a measure in the log, of whatever extractor, in order of images."""
        return [figure for line in self.log for figure in figures_of(line) if figure.measure == measure]

    def points(self, measure: str) -> list[tuple[int, float]]:
        """The curve of a measure in the log: (images, value)."""
        return [(figure.images_seen or 0, figure.value) for figure in self.measured.get(measure, [])]

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The figures of figures.jsonl; only the latest for the same weights and protocol."""
        return tuple(latest(figure for line in self.evaluations if (figure := figure_of(line))))

    @cached_property
    def evaluations(self) -> list[Json]:
        """The lines of figures.jsonl as they were written, each with the options of its command."""
        return self.folder.read_figures()

    @cached_property
    def reference(self) -> dict[str, float]:
        """The figures of bicubic interpolation by measure, on the crops used for the log's figures."""
        found = next(filter(None, map(reference_of, self.log)), [])
        return {figure.measure: figure.value for figure in found}

    @cached_property
    def knee(self) -> int | None:
        """Images seen at the knee, after which perceptual gains no longer justified the distortion; None if not
        found."""
        return next((event.get("at") for event in reversed(self.events) if event["event"] == "knee"), None)

    @cached_property
    def verdicts(self) -> tuple[VerdictSpan, ...]:
        """The verdicts of the diagnosis. A run is healthy from its first snapshot on; only changes are events."""
        found = [VerdictSpan("healthy", line["images"], "") for line in self.log if "signals" in line][:1]
        for event in self.events:
            if event["event"] == "verdict":
                verdict, sentence = str(event.get("verdict")), str(event.get("sentence", ""))
                found.append(VerdictSpan(verdict, int(event.get("images", 0)), sentence))
        lasting = [one for one, following in pairwise(found) if one.start < following.start]
        return (*lasting, *found[-1:])

    @cached_property
    def previews(self) -> tuple[Preview, ...]:
        """The previews in order of images seen; empty for runs of versions without an index."""
        return tuple(read_previews(self.folder.samples))

    @cached_property
    def machine(self) -> str:
        """The machine on which the run was trained."""
        try:
            host = read_object(self.folder.host)
        except InputError:
            host = {}  # for information only
        device = str(host.get("device", ""))
        return f"{host.get('processor', '')}, {host.get('threads', '?')} threads" if device == "cpu" else device

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint of the training data; empty if no checkpoint is intact."""
        for path in filter(Path.exists, (self.folder.model, *self.folder.states())):
            try:
                return str(read_header(path)[0].get("data", ""))
            except Damaged:
                continue
        return ""

    def hours(self, images: float) -> float:
        """Hours of training up to a count of images."""
        index = min(max(1, bisect.bisect_left(self._clock, (int(images), 0.0))), len(self._clock) - 1)
        if index < 1:
            return 0.0
        (x0, y0), (x1, y1) = self._clock[index - 1 : index + 1]
        return y0 + (y1 - y0) * min(1.0, (images - x0) / (x1 - x0))

    @cached_property
    def _clock(self) -> list[tuple[int, float]]:
        return list(_elapsed_hours(self.log))


@dataclass(frozen=True)
class BrokenRun:
    """A run whose files cannot be read, and why."""

    name: str
    path: Path
    why: str


def find_runs(root: Path) -> tuple[list[Record], list[BrokenRun]]:
    """All runs in a folder, those of studies in it too; or the one that the folder is.

    Returns:
        Those whose files can be read, the most recently updated first, and the others. Their names are paths in the
        folder: that of a study's run begins with the study's.
    """
    found, broken = [], []
    for folder in run_folders(root):
        name = folder.name if folder == root else folder.relative_to(root).as_posix()
        try:
            record = Record(folder, name)
            _ = record.log, record.events
            found.append(record)
        except InputError as error:
            broken.append(BrokenRun(name, folder, str(error)))
    return sorted(found, key=lambda record: record.changed, reverse=True), broken


def run_folders(root: Path) -> list[Path]:
    """The folders of all runs in a folder, those of studies in it too; or the one that it is."""
    if _is_run(root):
        return [root]
    found = []
    for folder in sorted(root.iterdir()):
        if _is_run(folder):
            found.append(folder)
        else:
            with suppress(OSError):  # no folder, or one that may not be read
                found += sorted(filter(_is_run, folder.iterdir()))
    return found


def _is_run(folder: Path) -> bool:
    return os.path.lexists(RunFolder(folder).recipe)  # be it a link in a circle


def _part(plain: Json, name: str) -> Json:
    part = plain.get(name)
    return part if isinstance(part, dict) else {}


def _elapsed_hours(log: list[Json]) -> Iterator[tuple[int, float]]:
    # Every line has the rate since the previous one; integrated, the rates give the wall-clock time of training,
    # including observers but not pauses between commands.
    images, hours = 0, 0.0
    yield images, hours
    for line in log:
        rate = line.get("images_per_second", 0.0)
        if is_number(rate) and rate > 0 and line["images"] > images:
            hours += (line["images"] - images) / rate / 3600
            images = line["images"]
            yield images, hours
