"""Run a study: every run in its own process, so that a failure takes no other run down."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import TaskID

from ganvas.errors import InputError
from ganvas.experiment import Host
from ganvas.files import remove_leftovers_of, write_text
from ganvas.progress import Bar
from ganvas.reports import Comparison, compare
from ganvas.runs.record import Record
from ganvas.studies.modes import tabulate
from ganvas.studies.processes import POLL, Poll, Processes
from ganvas.studies.run_jobs import FILE, RunJob, evaluations, jobs_of
from ganvas.studies.study import Study, to_text
from ganvas.terminal import console as terminal

READ = 2.0  # seconds between looks at how far the runs are, at least
PAGE = "comparison.html"


@dataclass(frozen=True)
class StudyResult:
    """How a study ended."""

    failures: tuple[str, ...]
    """One line for each run that diverged or failed."""
    comparison: Comparison | None
    page: Path
    extras: tuple[Path, ...] = ()
    """Files beside the page: the table and the image of a study of modes."""


@dataclass
class _Active:
    """A run whose process is alive."""

    job: RunJob
    following: Iterator[list[str]]
    """The commands after the one in progress."""
    began: float
    poll: Poll
    output: IO[bytes]
    task: TaskID
    trained: bool


def run_study(study: Study, *, host: Host | None = None, jobs: int = 1, console: Console | None = None) -> StudyResult:
    """Train what remains of a study, evaluate it, and write the comparison page into its folder.

    After an interruption the same call continues: finished runs are skipped, others resume.

    Args:
        study: the runs, and how they are evaluated.
        host: where to compute; the runs are written to `host.runs`/NAME OF THE STUDY/.
        jobs: parallel runs; each gets its share of the cores.
        console: prints one line for each run.

    Raises:
        InputError: as `jobs_of`.
        KeyboardInterrupt: stopped by Ctrl-C, after a checkpoint of every run in progress.
    """
    host, console = host or Host(), console or terminal.Console(stderr=True)
    if jobs < 1:
        raise InputError(f"--jobs must be at least 1; got {jobs}.")
    host.torch_device()
    planned = jobs_of(study, host.runs)
    folder = Path(host.runs) / study.name
    for name in (FILE, PAGE):
        remove_leftovers_of(folder / name)  # of a study that was killed
    write_text(folder / FILE, to_text(study))
    with Bar(console) as bar:
        failures = tuple(_Runner(study, planned, host, jobs, console, bar).run())
        begun = [job.folder.path for job in planned if job.folder.exists()]
        page = folder / PAGE
        if not begun:
            return StudyResult(failures, None, page)
        bar.add("comparing", 1)
        side: dict[str, Any] = {}
        if study.sets:
            from ganvas.studies.side_by_side import references, side_by_side

            side = {"references": references(study, folder), "rows": side_by_side(study, planned, folder)}
        comparison = compare(begun, out=page, **side)
        extras = tabulate(study, comparison, folder) if study.counts_modes else ()
    return StudyResult(failures, comparison, page, extras)


class _Runner:
    """Keeps `jobs` child processes busy until every run is done."""

    def __init__(
        self, study: Study, planned: Sequence[RunJob], host: Host, jobs: int, console: Console, bar: Bar
    ) -> None:
        self.study, self.planned, self.host, self.jobs, self.console = study, planned, host, jobs, console
        environment = dict(os.environ)
        if jobs > 1:
            # Processes that each use all cores slow one another down tenfold.
            environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
        self.processes = Processes(environment)
        self.read_at = time.monotonic() + READ
        self.bar = bar
        self.failures: list[str] = []
        self.reported = 0

    def run(self) -> list[str]:
        """Train and evaluate; returns a line for each run that diverged or failed."""
        waiting = list(self.planned)
        active: list[_Active] = []
        try:
            while waiting or active:
                while waiting and len(active) < self.jobs:
                    active += self._start(waiting.pop(0))
                time.sleep(POLL)
                self._show(active)
                active = [one for one in active if self._goes_on(one)]
        except BaseException:
            self._stop(active)
            raise
        finally:
            self.processes.close()
        return self.failures

    def _start(self, job: RunJob) -> list[_Active]:
        commands = self._commands(job)
        first = next(commands, None)
        if first is None:
            self._report(job, "already finished" if job.state != "diverged" else self._diverged(job))
            return []
        output = tempfile.TemporaryFile()  # noqa: SIM115, closed with the process
        task = self.bar.add(job.name, job.recipe.images)
        poll = self.processes.start(first, output)
        return [_Active(job, commands, time.monotonic(), poll, output, task, first[0] == "study")]

    def _commands(self, job: RunJob) -> Iterator[list[str]]:
        """The commands that a run still needs; each is decided when the one before has ended."""
        if not job.is_over:
            study = str(Path(self.host.runs) / self.study.name / FILE)
            host = ["--device", self.host.device, "--workers", str(self.host.workers)]
            yield ["study", study, "--only", job.name, *host]
        if self.study.evaluate and job.state == "finished":
            yield from evaluations(self.study, job)

    def _show(self, active: list[_Active]) -> None:
        now = time.monotonic()
        if now < self.read_at:
            return
        for one in active:
            self.bar.update(one.task, completed=one.job.images_seen)
        # The longer a log, the less often it is read.
        self.read_at = now + max(READ, 20 * (time.monotonic() - now))

    def _goes_on(self, one: _Active) -> bool:
        code = one.poll()
        if code is None:
            return True
        following = next(one.following, None) if code == 0 else None
        if following is not None:
            one.poll = self.processes.start(following, one.output)
            return True
        self.bar.remove_task(one.task)
        job, last_line = one.job, _last_line(one.output)
        one.output.close()
        if code == 0:
            what = f"finished: {job.images_seen:,} images" if one.trained else "evaluated"
            self._report(job, f"{what}, {_duration(time.monotonic() - one.began)}")
        elif job.state == "diverged":
            self._report(job, self._diverged(job))
        else:
            why = f"killed by signal {-code}" if code < 0 else last_line or f"exit code {code}"
            self.failures.append(f"{job.name}: {why}")
            self._report(job, f"failed: {why.removeprefix('ganvas: ')}")
        return False

    def _diverged(self, job: RunJob) -> str:
        if not self.study.counts_modes:
            self.failures.append(f"{job.name}: diverged")
        return Record(job.folder).about

    def _report(self, job: RunJob, what: str) -> None:
        self.reported += 1
        self.console.print(
            f"[{self.reported}/{len(self.planned)}] {job.name}  {what}", markup=False, highlight=False, soft_wrap=True
        )

    def _stop(self, active: list[_Active]) -> None:
        self.processes.stop()
        self.console.print(
            f"stopping {len(active)} run{'s' * (len(active) != 1)} after a checkpoint; repeat the command to continue",
            style="yellow",
        )
        try:
            while any(one.poll() is None for one in active):
                time.sleep(POLL)
        except KeyboardInterrupt:
            self.processes.kill()


def _last_line(output: IO[bytes]) -> str:
    output.seek(0)
    lines = [line for line in output.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
