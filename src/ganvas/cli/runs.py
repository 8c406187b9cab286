"""List runs with their state and age: ganvas runs"""

from __future__ import annotations

import time
from pathlib import Path

from ganvas.cli._parser import Parser


def main(argv: list[str]) -> int:
    """Run ``ganvas runs [FOLDER]``."""
    parser = Parser("ganvas runs", description=__doc__)
    parser.add_argument("folder", nargs="?", default="runs", help="folder of the runs (default: runs)")
    arguments = parser.parse_args(argv)
    from rich.table import Table

    from ganvas.errors import InputError
    from ganvas.runs.record import broken_runs, find_runs
    from ganvas.terminal.console import Console

    root = Path(arguments.folder)
    if not root.is_dir():
        raise InputError(f"the folder {root} does not exist; give the folder of the runs, or train a first one.")
    table = Table("run", "state", "system", "data", "images", "last update", box=None)
    for run in find_runs(root):
        images = (
            f"{run.images_seen:,} of {run.total_images:,} ({min(1.0, run.images_seen / max(1, run.total_images)):.0%})"
        )
        table.add_row(run.name, run.state, run.system, run.data, images, _ago(time.time() - run.changed))
    broken, console = broken_runs(root), Console()
    if table.row_count:
        console.print(table)
    for name, why in broken.items():
        console.print(f" {name}  broken: {why}", soft_wrap=True)
    if not (table.row_count or broken):
        console.print(f"no runs in {root}")
    return 0


def _ago(seconds: float) -> str:
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now"
