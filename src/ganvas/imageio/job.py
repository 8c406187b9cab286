"""Do something to many files: bad files do not stop the others, and a killed job can be resumed at any time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from typing import Any

import pyvips

from ganvas.errors import InputError
from ganvas.files import NO_ROOM, Busy, cannot, hidden, locked, remove_leftovers_of
from ganvas.imageio import video
from ganvas.imageio.checking import check
from ganvas.imageio.manifest import Line, Manifest, is_unchanged, recover
from ganvas.imageio.operation import Choice, Operation, Written
from ganvas.imageio.planning import VIDEOS, FileJob, JobList
from ganvas.imageio.progress import JobProgress
from ganvas.imageio.reading import LIMIT, Photo, UnusableFile, open_photo
from ganvas.imageio.xmp import is_marked
from ganvas.imaging.flaws import tiles
from ganvas.inference.engine.raster import Floats


@dataclass
class JobOutcome:
    """The outcome of a job.

    Attributes:
        made: files made now, in order.
        before: files made before with the same settings.
        choices: source -> what was done to it, or would be.
        bad: source -> why nothing could be made of it.
        ignored: number of files that belong to others, see `Operation.ignores`.
    """

    made: list[tuple[FileJob, Written]] = field(default_factory=list)
    before: list[FileJob] = field(default_factory=list)
    choices: dict[Path, Choice] = field(default_factory=dict)
    bad: dict[Path, str] = field(default_factory=dict)
    ignored: int = 0

    @property
    def jobs(self) -> list[FileJob]:
        """The files that have results, of before and of now."""
        return [*self.before, *(job for job, _ in self.made)]


@dataclass(frozen=True)
class JobSettings:
    """The settings of a job.

    Attributes:
        limit: maximum megapixels of a photo.
        overwrite: replace existing files that were not made with these settings.
        check: read every result again and print what was preserved.
    """

    limit: float = LIMIT
    overwrite: bool = False
    check: bool = False


def run(planned: JobList, operation: Operation, settings: JobSettings, progress: JobProgress) -> JobOutcome:
    """Make the results of all files; bad files are reported, and the others go on.

    Raises:
        InputError: results cannot be written, or another process is writing to the same folder.
    """
    _refuse_own_sources(planned, settings.overwrite)
    with _locked(planned.root, operation.verb):
        running = _Running(planned, operation, settings, progress)
        for folder, why in planned.unreadable.items():
            running.fail(folder, f"{folder}/", why)
        pending = [job for job in planned.jobs if running.is_pending(job)]
        sized = [(job, megapixels) for job in pending if (megapixels := running.megapixels(job)) is not None]
        progress.start(sum(megapixels for _, megapixels in sized), len(sized))
        for job, megapixels in sized:
            running.make(job, megapixels)
        return running.outcome


class _Running:
    """A running job: the folder's manifest, and the outcome of every file."""

    def __init__(self, planned: JobList, operation: Operation, settings: JobSettings, progress: JobProgress) -> None:
        self.root, self.operation, self.settings, self.progress = planned.root, operation, settings, progress
        self.manifest, self.outcome = Manifest(planned.root, operation.verb), JobOutcome()
        self.results = {os.path.realpath(job.result) for job in planned.jobs}

    def is_pending(self, job: FileJob) -> bool:
        """Whether a result must still be made; if it cannot be, the reason is recorded."""
        with self._fence(job):
            return self._is_pending(job)
        return False

    def _is_pending(self, job: FileJob) -> bool:
        if job.is_video and not self.operation.takes_videos:
            raise UnusableFile(f"videos are not {self.operation.past}; give photos")
        if os.path.realpath(job.source) in self.results and self._is_result(job.source):
            return False  # a result among the sources, since the results go into the folder of the photos
        if self.operation.ignores(job.source):
            self.outcome.ignored += 1
            return False
        line = self._same(job)
        if self.root and line and self._settings(job) == line["settings"] and recover(line, self.root / line["result"]):
            # Use the recorded name, from before another photo with the same stem was added.
            result = self.root / line["result"]
            self.outcome.before.append(replace(job, result=result))
            self._check(job, result)
            return False
        self._expect_free(job)
        return True

    def megapixels(self, job: FileJob) -> float | None:
        """The megapixels of the source, without decoding it; None if it cannot be opened, which is recorded."""
        with self._fence(job):
            if job.is_video:
                return video.probe(job.source).megapixels
            return open_photo(job.source, self.settings.limit).megapixels
        return None

    def make(self, job: FileJob, megapixels: float) -> None:
        """Make the result of one file, or record why it could not be made."""
        began = time.perf_counter()
        written: Written | None = None
        with self.progress.file(megapixels) as on_progress, self._fence(job), self._alone(job):
            written = self._write(job, on_progress)
        if written is None:
            return
        self.outcome.made.append((job, written))
        self.progress.report(_summary(written, time.perf_counter() - began))
        for note in written.notes:
            self.progress.report(f"  {note}")
        with self._fence(job):
            self._check(job, written.path)

    def fail(self, source: Path, name: str, why: str) -> None:
        """Record and report that nothing can be made of a file, known to the manifest by `name`."""
        self.outcome.bad[source] = why
        self.manifest.add({"status": "failed", "source": name, "reason": why})
        self.progress.report(f"{source} could not be {self.operation.past}: {why}", error=True)

    @contextmanager
    def _fence(self, job: FileJob) -> Iterator[None]:
        """Whatever is wrong with one file is recorded, and the others go on; only a full disk ends them all."""
        try:
            yield
        except OSError as error:
            if error.errno in NO_ROOM:
                raise cannot("write", job.result, error) from None
            self.fail(job.source, job.name, str(cannot("write", job.result, error)).rstrip("."))
        except (UnusableFile, InputError) as error:
            self.fail(job.source, job.name, str(error))
        except Exception as error:
            self.fail(job.source, job.name, f"{type(error).__name__}: {' '.join(str(error).split())}")

    @contextmanager
    def _alone(self, job: FileJob) -> Iterator[None]:
        """No other process writes this result; the folder of a job with a manifest is locked as a whole."""
        if self.root:
            for path in self._files(job):
                remove_leftovers_of(path)
            yield
            return
        job.result.parent.mkdir(parents=True, exist_ok=True)
        try:
            with locked(hidden(job.result, ".lock"), keep=False):
                for path in self._files(job):
                    remove_leftovers_of(path)
                self._expect_free(job)  # another process may have finished it meanwhile
                yield
        except Busy:
            raise UnusableFile(
                f"another ganvas {self.operation.verb} is writing {job.result}; wait for it to finish, or give another"
                " --out"
            ) from None

    def _files(self, job: FileJob) -> list[Path]:
        """What is written for one file: its result, and what goes beside it."""
        beside = self.operation.beside(job.source, job.result)
        return [job.result] if beside is None else [job.result, beside]

    def _expect_free(self, job: FileJob) -> None:
        if self.settings.overwrite:
            return
        if job.result.exists():
            other = "" if self.root else ", or --out FOLDER, where what is done is skipped"
            raise UnusableFile(f"{job.result} {self._conflict(job)}; give --overwrite to replace it{other}")
        made = (self._same(job) or {}).get("beside")
        for path in self._files(job)[1:]:
            if path.exists() and not (made and is_unchanged(made, path)):
                raise UnusableFile(f"{path} exists already; move it away, or give --overwrite to replace it")

    def _write(self, job: FileJob, on_progress: Callable[[float], None]) -> Written:
        began = time.perf_counter()
        photo = None if job.is_video else open_photo(job.source, self.settings.limit)
        choice = self._choice(job, photo)
        facts = {**self._identity(job), "settings": self._settings(job)}
        facts |= {"flaws": choice.flaws} if choice.flaws else {}

        def before(part: Path, beside: Path | None = None) -> None:
            if self.root:
                seconds = round(time.perf_counter() - began, 3)
                parts = [part] if beside is None else [part, beside]
                line, *others = (
                    {"result": path.relative_to(self.root).as_posix(), "part": one.name, "bytes": one.stat().st_size}
                    for path, one in zip(self._files(job), parts, strict=True)
                )
                line |= {"beside": others[0]} if others else {}
                self.manifest.add({"status": "done", **facts, **line, "seconds": seconds})

        if photo is None:
            written = choice.operation.video(job.source, job.result, on_progress=on_progress, before=before)
        else:
            written = choice.operation.photo(photo, job.result, job.form, on_progress=on_progress, before=before)
        return replace(written, about=", ".join(filter(None, (written.about, choice.about))))

    def _choice(self, job: FileJob, photo: Photo | None = None) -> Choice:
        """What is done to a file; looked at once, and not at all if the manifest says what there is to see."""
        if job.source not in self.outcome.choices:

            def look() -> Iterator[Floats]:
                if job.is_video:
                    for frame in video.glimpses(job.source):
                        yield from tiles(frame)
                else:
                    yield from tiles((photo or open_photo(job.source, self.settings.limit)).colour)

            line = self._same(job) or {}
            self.outcome.choices[job.source] = self.operation.chosen(look, line.get("flaws"))
        return self.outcome.choices[job.source]

    def _identity(self, job: FileJob) -> dict[str, Any]:
        """What identifies a file: its name, size and modification time."""
        try:
            stat = job.source.stat()
        except OSError as error:
            raise UnusableFile(f"the file cannot be read ({error.strerror})") from None
        return {"source": job.name, "size": stat.st_size, "mtime": stat.st_mtime_ns}

    def _same(self, job: FileJob) -> Line | None:
        """The manifest's line for a file, if the file is still the same."""
        identity, line = self._identity(job), self.manifest.by_source(job.name) if self.root else None
        return line if line and identity.items() <= line.items() else None

    def _settings(self, job: FileJob) -> dict[str, Any]:
        """All settings that change the result of a file."""
        form = "" if job.is_video else job.form
        return {**self._choice(job).operation.settings(job.source), "form": form}

    def _conflict(self, job: FileJob) -> str:
        line = self.manifest.by_result(job.result.relative_to(self.root).as_posix()) if self.root else None
        if line is None:
            return "exists already"
        if line["source"] != job.name:
            return f"exists already, made from {line['source']}"
        if line.get("settings") != self._settings(job):
            return "exists already, made with other settings"
        return "exists already, but it or the photo has changed since"

    def _is_result(self, path: Path) -> bool:
        """Whether a file named like a result is one: by the manifest, or where there is none by its mark."""
        if self.root is None:
            try:
                return path.suffix.lower() not in VIDEOS and is_marked(open_photo(path, inf).metadata.xmp)
            except UnusableFile:
                return False
        try:
            name = Path(os.path.realpath(path)).relative_to(os.path.realpath(self.root)).as_posix()
        except ValueError:
            return False
        return self.manifest.by_result(name) is not None

    def _check(self, job: FileJob, result: Path) -> None:
        if not self.settings.check or job.is_video:
            return
        try:
            self.progress.report(check(job.source, result))
        except (UnusableFile, pyvips.Error) as error:
            raise UnusableFile(f"its result cannot be read again: {error}") from None


def _summary(written: Written, seconds: float) -> str:
    size = f"{written.path}  {written.width} x {written.height}"
    line = f"{size}, {seconds:.1f} s, {seconds / max(written.megapixels, 1e-6):.2f} s/MP"
    return f"{line}, {written.about}" if written.about else line


def _refuse_own_sources(planned: JobList, overwrite: bool) -> None:
    for job in planned.jobs:
        with suppress(OSError):  # whatever is wrong with a path, its own turn will tell
            if not overwrite and job.result.exists() and job.result.samefile(job.source):
                raise InputError(
                    f"{job.result} would replace its own source; give another --out, or --overwrite to replace the"
                    " photo."
                )


@contextmanager
def _locked(root: Path | None, verb: str) -> Iterator[None]:
    """Create the folder of results if necessary, check that it is writable, and lock it for this process."""
    with ExitStack() as held:
        try:
            if root is not None:
                root.mkdir(parents=True, exist_ok=True)
                held.enter_context(locked(root / f".ganvas-{verb}.lock", keep=False))
        except Busy:
            raise InputError(
                f"another ganvas {verb} is writing to {root}; wait for it to finish, or give another --out."
            ) from None
        except OSError as error:
            raise cannot("write", root, error) from None
        yield
