"""List runs with their state and age, or free disk space: ganvas runs"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.cli._parser import Parser
from ganvas.terminal import print

if TYPE_CHECKING:
    from ganvas.runs.record import Record

WIDEST = 10_000  # columns: a name that is cut off cannot be copied
KEPT_TOO = "These include states kept by --watch.keep-every, which can then no longer be opened or evaluated."


def main(argv: list[str]) -> int:
    """Run ``ganvas runs [FOLDER]``."""
    parser = Parser("ganvas runs", description=__doc__)
    parser.add_argument("folder", nargs="?", default="runs", help="folder of the runs, or a run (default: runs)")
    parser.add_argument("--json", action="store_true", help="print a JSON array, with one object for each run")
    parser.add_argument(
        "--tidy",
        action="store_true",
        help="list the files of finished runs that nothing needs, such as spare checkpoints, and delete them if you"
        " agree",
    )
    parser.add_argument("--kept", action="store_true", help="with --tidy: also the states of --watch.keep-every")
    parser.add_argument("--yes", action="store_true", help="with --tidy: delete without asking")
    arguments = parser.parse_args(argv)
    from rich.table import Table

    from ganvas.errors import InputError
    from ganvas.runs.record import find_runs
    from ganvas.terminal.console import Console

    root = Path(arguments.folder)
    if root.exists() and not root.is_dir():
        raise InputError(f"{root} is not a folder; give the folder of the runs.")
    if not root.is_dir():
        raise InputError(f"the folder {root} does not exist; give the folder of the runs, or train a first one.")
    found, broken = find_runs(root)
    if arguments.tidy:
        return _tidy(found, kept=arguments.kept, yes=arguments.yes)
    if arguments.json:
        unread = [{"name": one.name, "path": str(one.path), "state": "broken", "about": one.why} for one in broken]
        print(*json.dumps([*map(_plain, found), *unread], indent=2).splitlines(), sep="\n")
        return 0
    table = Table("run", "state", "system", "data", "images", "last update", box=None)
    for run in found:
        images = (
            f"{run.images_seen:,} of {run.total_images:,} ({min(1.0, run.images_seen / max(1, run.total_images)):.0%})"
        )
        table.add_row(run.name, run.state, run.system, run.data, images, _ago(time.time() - run.changed))
    console = Console(width=WIDEST)
    if table.row_count:
        console.print(table)
    for one in broken:
        console.print(f" {one.name}  broken: {one.why}", soft_wrap=True)
    if not (table.row_count or broken):
        console.print(f"no runs in {root}")
    return 0


def _plain(run: Record) -> dict[str, Any]:
    """What the table shows, for programs."""
    return {
        "name": run.name,
        "path": str(run.path),
        "state": run.state,
        "about": run.about,
        "system": run.system,
        "data": run.data,
        "seed": run.seed,
        "images_seen": run.images_seen,
        "images": run.total_images,
        "hours": round(run.hours(run.images_seen), 4),
        "changed": round(run.changed, 3),
    }


def _tidy(runs: list[Record], kept: bool, yes: bool) -> int:
    from ganvas.errors import InputError
    from ganvas.runs.tidying import remove, size, superseded

    found = [(run, files) for run in runs if (files := superseded(run, kept))]
    for run, files in found:
        names = ", ".join(str(file.relative_to(run.path)) for file in files)
        print(f"{run.path}: {_megabytes(size(files))} in {names}")
    if not found:
        print("nothing to delete: no finished run has files that nothing needs")
        return 0
    total = _megabytes(sum(size(files) for _, files in found))
    if any(file.name.startswith("kept-") for _, files in found for file in files):
        print(KEPT_TOO)
    if not yes:
        if not sys.stdin.isatty():
            raise InputError(f"nothing was deleted; add --yes to delete these files ({total}).")
        if input(f"Delete these files ({total})? All runs can still be opened and lengthened. [y/N] ").lower() != "y":
            print("nothing was deleted")
            return 0
    print(f"deleted {_megabytes(sum(remove(run, files) for run, files in found))}")
    return 0


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _ago(seconds: float) -> str:
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now"
