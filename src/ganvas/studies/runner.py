"""Carry a study out: every run in a process of its own, so that none can take another down."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from ganvas.errors import InputError
from ganvas.experiment import Host
from ganvas.files import write_text
from ganvas.reports import Comparison, compare
from ganvas.runs.record import Record
from ganvas.studies.modes import tabulate
from ganvas.studies.run_jobs import FILE, Job, evaluations, jobs_of
from ganvas.studies.study import Study, to_text

LOOK = 0.1  # seconds between looks at the children
PAGE = "comparison.html"


@dataclass(frozen=True)
class Ended:
    """How a study ended."""

    failures: tuple[str, ...]
    """Of runs that diverged or failed: one line each."""
    comparison: Comparison | None
    page: Path
    more: tuple[Path, ...] = ()
    """Files beside the page: table and picture of a study of modes."""


@dataclass
class _Active:
    """A run whose process lives."""

    job: Job
    words: list[str]
    """The command at work."""
    following: Iterator[list[str]]
    began: float
    process: subprocess.Popen[bytes]
    said: IO[bytes]
    task: TaskID
    trained: bool


def run_study(study: Study, *, host: Host | None = None, jobs: int = 1, console: Console | None = None) -> Ended:
    """Train what is left of a study, evaluate it, and write the comparison page into its folder.

    Interrupted at any moment, the same call goes on: finished runs are skipped, others resume.

    Args:
        study: the plan.
        host: where to compute; the runs are kept in `host.runs`/NAME OF THE STUDY/.
        jobs: runs at a time; each gets its share of the cores.
        console: where one line for each run goes.

    Raises:
        InputError: as `jobs_of`.
        KeyboardInterrupt: stopped by Ctrl-C; every run in progress has been kept first.
    """
    host, console = host or Host(), console or Console(stderr=True)
    if jobs < 1:
        raise InputError(f"--jobs {jobs} trains nothing; give at least 1.")
    host.torch_device()
    planned = jobs_of(study, host.runs)
    folder = Path(host.runs) / study.name
    write_text(folder / FILE, to_text(study))
    failures = _Conductor(study, planned, host, jobs, console).conduct()
    begun = [job.folder.path for job in planned if job.folder.exists()]
    page = folder / PAGE
    if not begun:
        return Ended(tuple(failures), None, page)
    shown: dict[str, Any] = {}
    if study.sets:
        from ganvas.studies.side_by_side import references, side_by_side

        shown = {"references": references(study, folder), "rows": side_by_side(study, planned, folder)}
    comparison = compare(begun, out=page, **shown)
    return Ended(tuple(failures), comparison, page, tabulate(study, comparison, folder) if study.counts_modes else ())


class _Conductor:
    """Keeps `jobs` children at work until all is done."""

    def __init__(self, study: Study, planned: Sequence[Job], host: Host, jobs: int, console: Console) -> None:
        self.study, self.planned, self.host, self.jobs, self.console = study, planned, host, jobs, console
        self.environment = dict(os.environ)
        if jobs > 1:
            # Processes that each take all cores slow each other down tenfold.
            self.environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
        columns = TextColumn("{task.description}"), BarColumn(bar_width=24), TaskProgressColumn()
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self.failures: list[str] = []
        self.told = 0

    def conduct(self) -> list[str]:
        """Train and evaluate; returns a line for each run that diverged or failed."""
        waiting = list(self.planned)
        active: list[_Active] = []
        with self.bar:
            try:
                while waiting or active:
                    while waiting and len(active) < self.jobs:
                        active += self._start(waiting.pop(0))
                    time.sleep(LOOK)
                    active = [one for one in active if self._goes_on(one)]
            except BaseException:
                self._stop(active)
                raise
        return self.failures

    def _start(self, job: Job) -> list[_Active]:
        commands = self._commands(job)
        first = next(commands, None)
        if first is None:
            self._tell(job, "stands already" if Record(job.folder).state != "diverged" else self._diverged(job))
            return []
        said = tempfile.TemporaryFile()  # noqa: SIM115, closed with the process
        task = self.bar.add_task(job.name, total=job.recipe.images)
        return [
            _Active(job, first, commands, time.monotonic(), self._spawn(first, said), said, task, first[0] == "study")
        ]

    def _commands(self, job: Job) -> Iterator[list[str]]:
        """What is left to do for a run, found out step by step."""
        if not job.is_over:
            study = str(Path(self.host.runs) / self.study.name / FILE)
            host = ["--device", self.host.device, "--workers", str(self.host.workers)]
            yield ["study", study, "--only", job.name, *host]
        if self.study.evaluate and Record(job.folder).state == "finished":
            yield from evaluations(self.study, job)

    def _spawn(self, words: list[str], said: IO[bytes]) -> subprocess.Popen[bytes]:
        # The pipe is the leash: when it closes, because we close it or because we are no more, the child stops with a
        # checkpoint. A session of its own keeps the terminal's Ctrl-C from reaching it a second time.
        return subprocess.Popen(
            [sys.executable, "-m", "ganvas", *words],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env=self.environment,
            start_new_session=True,
        )

    def _goes_on(self, one: _Active) -> bool:
        code = one.process.poll()
        if code is None:
            if self.console.is_terminal:
                log = one.job.folder.read_log()[-1:]
                self.bar.update(one.task, completed=log[0]["images"] if log else 0)
            return True
        _close(one)
        following = next(one.following, None) if code == 0 else None
        if following is not None:
            one.words, one.process = following, self._spawn(following, one.said)
            return True
        self.bar.remove_task(one.task)
        job, last_line = one.job, _last_line(one.said)
        one.said.close()
        if code == 0:
            what = f"finished: {Record(job.folder).images_seen:,} images" if one.trained else "evaluated"
            self._tell(job, f"{what}, {_duration(time.monotonic() - one.began)}")
        elif job.folder.exists() and Record(job.folder).state == "diverged":
            self._tell(job, self._diverged(job))
        else:
            why = f"killed by signal {-code}" if code < 0 else last_line or f"exit code {code}"
            self.failures.append(f"{job.name}: {why}")
            self._tell(job, f"failed: {why.removeprefix('ganvas: ')}")
        return False

    def _diverged(self, job: Job) -> str:
        last = job.folder.read_events()[-1]
        if not self.study.counts_modes:
            self.failures.append(f"{job.name}: diverged")
        return f"diverged at image {last['images']:,} ({last['term']})"

    def _tell(self, job: Job, what: str) -> None:
        self.told += 1
        place = f"[{self.told}/{len(self.planned)}]"
        self.console.print(f"{place} {job.name}  {what}", markup=False, highlight=False, soft_wrap=True)

    def _stop(self, active: list[_Active]) -> None:
        for one in active:
            _close(one)
            if one.words[0] == "evaluate":
                one.process.terminate()  # nothing is lost: it is done anew
        self.console.print(f"stopping {len(active)} runs after a checkpoint; the same command goes on", style="yellow")
        try:
            for one in active:
                one.process.wait()
        except KeyboardInterrupt:
            for one in active:
                one.process.kill()


def _close(one: _Active) -> None:
    if one.process.stdin:
        one.process.stdin.close()


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.0f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
