"""Train a plan of many runs and compare them: ganvas study FILE"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.cli._parser import Parser

if TYPE_CHECKING:
    from rich.console import Console

    from ganvas.studies import Study
    from ganvas.training import Host


def main(argv: list[str]) -> int:
    """Run ``ganvas study FILE``."""
    parser = Parser("ganvas study", description=__doc__)
    parser.add_argument("file", metavar="FILE", type=Path, help="a .json file, or a .py file that defines a study")
    parser.add_argument("--dry-run", action="store_true", help="print the runs and how long they will take")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default: 1)")
    parser.add_argument("--runs", default="runs", help="folder that holds the study's folder (default: runs)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    parser.add_argument("--workers", type=int, default=0, help="threads that decode pictures (default: one per core)")
    parser.add_argument("--only", default="", help=argparse.SUPPRESS)  # how a study starts its own children
    arguments = parser.parse_args(argv)
    from rich.console import Console

    from ganvas.studies import read_study, run_study
    from ganvas.studies.jobs import train_one
    from ganvas.training import Diverged, Host

    host = Host(device=arguments.device, workers=arguments.workers, runs=arguments.runs)
    if arguments.only:
        try:
            train_one(arguments.file, arguments.only, host)
        except Diverged:
            return 1
        return 0
    study = read_study(arguments.file)
    console = Console(highlight=False)
    if arguments.dry_run:
        _dry_run(study, host, arguments.jobs, console)
        return 0
    # As Ctrl-C: the runs in progress are kept first.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    ended = run_study(study, host=host, jobs=arguments.jobs, console=console)
    if ended.comparison:
        from ganvas.cli.compare import show

        show(ended.comparison, console)
        print(ended.page)
    return 1 if ended.failures else 0


def _dry_run(study: Study, host: Host, jobs: int, console: Console) -> None:
    from rich.table import Column, Table

    from ganvas.cli.plan import duration
    from ganvas.studies import forecast

    told = forecast(study, host)
    table = Table("run", *(Column(head, justify="right") for head in ("images", "left", "time")), box=None)
    for job, left, seconds in told:
        table.add_row(job.name, f"{job.recipe.images:,}", f"{left:,}", duration(seconds) if left else "-")
    console.print(table)
    total = sum(seconds for _, _, seconds in told)
    note = f"; with --jobs {jobs} at best {duration(total / jobs)}" if jobs > 1 else ""
    console.print(f"{len(told)} runs, {duration(total)} of training one after the other{note}; evaluation not counted")
