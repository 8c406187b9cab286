"""A whole job: many files, of which some are bad, that may be killed at any moment and begun again."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pyvips
from filelock import FileLock, Timeout

from ganvas.errors import InputError
from ganvas.imageio import video as film
from ganvas.imageio.checking import check
from ganvas.imageio.manifest import Manifest, adopt
from ganvas.imageio.planning import Job, Planned
from ganvas.imageio.progress import Progress
from ganvas.imageio.reading import LIMIT, Unusable, open_photo
from ganvas.imageio.upscale import Done, Enlarger, Wish, enlarge, temporary

LOCK = ".ganvas-upscale.lock"
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


@dataclass
class Outcome:
    """How a job ended.

    Attributes:
        made: what was enlarged now, in order.
        before: what was there already, made with the same settings.
        bad: source -> why it could not be enlarged.
    """

    made: list[tuple[Job, Done]] = field(default_factory=list)
    before: list[Job] = field(default_factory=list)
    bad: dict[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Way:
    """How a job is done.

    Attributes:
        model: what was asked for, besides the wish, that changes pixels; part of the manifest.
        limit: megapixels that a photo may have.
        overwrite: replace files that are there and were not made so.
        check: print what was kept, read from the files.
    """

    wish: Wish
    model: dict[str, Any]
    limit: float = LIMIT
    overwrite: bool = False
    check: bool = False


def run(planned: Planned, upscaler: Enlarger, way: Way, progress: Progress) -> Outcome:
    """Enlarge all files; bad ones are listed and the others go on.

    Raises:
        InputError: nothing can be written, or another process works on the same folder.
    """
    _refuse_own_sources(planned.jobs, way.overwrite)
    if any(job.is_film for job in planned.jobs):
        film.programs()
    with _held(planned.root):
        outcome = Outcome()
        manifest = Manifest(planned.root)
        made_here = {job.result.resolve() for job in planned.jobs}
        left = []
        for job in planned.jobs:
            if planned.root and job.source.resolve() in made_here and _made(manifest, planned.root, job.source):
                continue  # a result among the sources: where the folder of results is that of the photos
            state = _state(job, manifest, planned.root, way)
            if state == "done":
                outcome.before.append(job)
                line = manifest.made_from(job.name) if planned.root else None
                # Its name may be of another time, when no other photo had its stem.
                was = planned.root / line["result"] if planned.root and line else job.result
                _check(outcome, manifest, progress, job, was, way)
            elif state:
                _set_aside(outcome, manifest, progress, job, state)
            else:
                left.append(job)
        weighed = list(_weighed(left, way, lambda job, why: _set_aside(outcome, manifest, progress, job, why)))
        progress.start(sum(weight for _, weight in weighed), len(weighed))
        for job, weight in weighed:
            began = time.perf_counter()
            with progress.file(weight) as tell:
                try:
                    done = _one(job, upscaler, way, manifest, planned.root, tell)
                except OSError as error:
                    raise _cannot_write(job.result, error) from None
                except (Unusable, InputError) as error:
                    _set_aside(outcome, manifest, progress, job, str(error))
                    continue
                except (MemoryError, RuntimeError, ValueError, ArithmeticError, pyvips.Error) as error:
                    _set_aside(
                        outcome, manifest, progress, job, f"{type(error).__name__}: {' '.join(str(error).split())}"
                    )
                    continue
            outcome.made.append((job, done))
            progress.say(_told(done, time.perf_counter() - began))
            for note in done.notes:
                progress.say(f"  {note}")
            _check(outcome, manifest, progress, job, done.path, way)
        return outcome


def _one(
    job: Job,
    upscaler: Enlarger,
    way: Way,
    manifest: Manifest,
    root: Path | None,
    tell: Callable[[float], None],
) -> Done:
    began = time.perf_counter()
    facts = _facts(job, way)

    def before(part: Path) -> None:
        if root is None:
            return
        seconds = round(time.perf_counter() - began, 3)
        result = job.result.relative_to(root).as_posix()
        size = part.stat().st_size
        manifest.add({"status": "done", **facts, "result": result, "bytes": size, "seconds": seconds})

    if job.is_film:
        return film.enlarge(job.source, upscaler, job.result, way.wish, tell=tell, before=before)
    wish = replace(way.wish, form=job.form)
    return enlarge(open_photo(job.source, way.limit), upscaler, job.result, wish, tell=tell, before=before)


def _facts(job: Job, way: Way) -> dict[str, Any]:
    """What makes a result the same: the photo's name, size and time, and the settings."""
    try:
        stat = job.source.stat()
    except OSError as error:
        raise Unusable(f"it cannot be read ({error.strerror})") from None
    settings = {**way.model, **asdict(way.wish), "form": "" if job.is_film else job.form}
    return {"source": job.name, "size": stat.st_size, "mtime": stat.st_mtime_ns, "settings": settings}


def _state(job: Job, manifest: Manifest, root: Path | None, way: Way) -> str:
    """ "done", why nothing may be made, or "" for to do."""
    line = manifest.made_from(job.name) if root else None
    try:
        facts = _facts(job, way)
    except Unusable as error:
        return str(error)
    if (
        root
        and line
        and all(line.get(key) == value for key, value in facts.items())
        and adopt(line, root / line["result"])
    ):
        return "done"
    with suppress(OSError):  # whatever stands in the way here will be told when the file is written
        temporary(job.result).unlink(missing_ok=True)
    if not job.result.exists() or way.overwrite:
        return ""
    line = manifest.makes(job.result.relative_to(root).as_posix()) if root else None
    if line is None:
        why = "is there already"
    elif line["source"] != job.name:
        why = f"is there already, made of {line['source']}"
    elif line["settings"] != facts["settings"]:
        why = "is there already, made with other settings"
    else:
        why = "is there already, and it or the photo was changed since"
    return f"{job.result} {why}; --overwrite replaces it"


def _made(manifest: Manifest, root: Path, path: Path) -> bool:
    try:
        name = path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return False
    return manifest.makes(name) is not None


def _weighed(jobs: Sequence[Job], way: Way, set_aside: Callable[[Job, str], None]) -> Iterator[tuple[Job, float]]:
    """Each job with its megapixels, without decoding any; those that cannot be opened are set aside."""
    for job in jobs:
        try:
            yield job, film.look(job.source).megapixels if job.is_film else open_photo(job.source, way.limit).megapixels
        except Unusable as error:
            set_aside(job, str(error))


def _check(outcome: Outcome, manifest: Manifest, progress: Progress, job: Job, result: Path, way: Way) -> None:
    if not way.check or job.is_film:
        return
    try:
        progress.say(check(job.source, result))
    except (Unusable, pyvips.Error) as error:
        _set_aside(outcome, manifest, progress, job, f"its result cannot be read again: {error}")


def _set_aside(outcome: Outcome, manifest: Manifest, progress: Progress, job: Job, why: str) -> None:
    outcome.bad[job.source] = why
    manifest.add({"status": "failed", "source": job.name, "reason": why})
    progress.say(f"{job.source} is set aside: {why}", bad=True)


def _told(done: Done, seconds: float) -> str:
    said = (
        f"{done.path}  {done.width} x {done.height}, {seconds:.1f} s, {seconds / max(done.megapixels, 1e-6):.2f} s/MP"
    )
    before, after = (getattr(done.report, f"colour_{when}", None) for when in ("before", "after"))
    return said if before is None else f"{said}, dE {before:.2f} -> {after:.2f}"


def _refuse_own_sources(jobs: Sequence[Job], overwrite: bool) -> None:
    for job in jobs:
        if not overwrite and job.result.exists() and job.result.samefile(job.source):
            raise InputError(
                f"{job.result} is both the photo and its result; give another --out, or --overwrite to replace"
                " the photo."
            )


@contextmanager
def _held(root: Path | None) -> Iterator[None]:
    """The folder of results, made where it is not, writable, and this process's own."""
    if root is None:
        yield
        return
    try:
        root.mkdir(parents=True, exist_ok=True)
        probe = temporary(root / "probe")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _cannot_write(root, error) from None
    lock = FileLock(root / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"another ganvas upscale is writing into {root}; wait for it, or give another --out."
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # before it is given free: then another's may stand there
            (root / LOCK).unlink(missing_ok=True)
        lock.release()


def _cannot_write(path: Path, error: OSError) -> InputError:
    reason = error.strerror or str(error)
    remedy = "free some space" if error.errno in _NO_ROOM else "give another --out"
    return InputError(f"cannot write {path} ({reason}); {remedy}, then run the same command again.")
