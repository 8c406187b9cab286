"""What ganvas upscale and ganvas repair share: which files, where to, and how to write them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.cli._parser import Parser
from ganvas.errors import InputError
from ganvas.files import expect_ending
from ganvas.terminal import print

if TYPE_CHECKING:
    from ganvas.imageio.job import JobOutcome
    from ganvas.imageio.operation import Operation
    from ganvas.imageio.planning import JobList

FORMATS = ("png", "jpeg", "webp", "tiff", "avif")


def epilog(suffix: str) -> str:
    """What the names of results are, and what happens when a command is repeated."""
    return f"""photo.jpg becomes photo{suffix}.jpg, in the folder --out (which keeps the folder structure) or next to
the photo. Photos that differ only in their extensions become photo_jpg{suffix}.png and photo_png{suffix}.png. Existing
files are kept unless --overwrite is given. Run the same command again, even after a kill, to continue with the
remaining files. Exit code: 0 all done, 1 some files failed (listed at the end), 2 invalid command."""


def add_inputs(parser: Parser, kinds: str) -> None:
    """Add the files to read, and where results go."""
    parser.add_argument("inputs", nargs="+", metavar="IN", help=f"{kinds}, folders (recursive) or patterns")
    parser.add_argument(
        "--out", type=Path, help="output folder, or output file of a single image (default: next to the input)"
    )


def add_writing(parser: Parser) -> None:
    """Add how results are written and checked."""
    parser.add_argument("--format", choices=FORMATS, default="", help="output format (default: that of each image)")
    parser.add_argument(
        "--quality",
        type=int,
        default=0,
        help="quality of JPEG, WebP and AVIF, 1 to 100 (default: 95, 95 and 90; not for videos)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace existing files unless they were made with the same settings"
    )
    parser.add_argument("--limit", type=float, default=100.0, help="maximum megapixels of an input (default: 100)")
    parser.add_argument("--check", action="store_true", help="reread every result and report what was preserved")
    parser.add_argument(
        "--strip-location",
        action="store_true",
        help="leave out where a photo or video was taken (GPS, place names, maker note), which is kept otherwise",
    )
    parser.add_argument(
        "--compare", type=Path, metavar="PAGE", help="also write an HTML page with slider and magnifier"
    )
    parser.add_argument("--device", default="cpu", help="device (default: cpu)")


def check_writing(arguments: argparse.Namespace) -> None:
    """Refuse numbers out of range, and a page of another ending.

    Raises:
        InputError: one of them is.
    """
    quality, limit = arguments.quality, arguments.limit
    if quality and not 1 <= quality <= 100:
        raise InputError(f"--quality must be between 1 and 100; got {quality}.")
    if not limit > 0:
        raise InputError(f"--limit must be above 0 megapixels, such as 100; got {limit:g}.")
    if arguments.compare:
        expect_ending(arguments.compare, ".html", ".htm", flag="--compare")


def run_job(
    arguments: argparse.Namespace, planned: JobList, operation: Operation, write_page: Callable[[JobOutcome], None]
) -> int:
    """Make the results and, with --compare, the page; return the exit code."""
    from ganvas.imageio.interrupts import stoppable
    from ganvas.imageio.job import JobSettings, run
    from ganvas.imageio.progress import JobProgress
    from ganvas.terminal.console import Console

    settings = JobSettings(arguments.limit, arguments.overwrite, arguments.check)
    consoles = Console(highlight=False), Console(stderr=True, highlight=False)
    progress = JobProgress(*consoles, operation.growth, operation.doing)
    with stoppable():
        try:
            outcome = run(planned, operation, settings, progress)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("stopped; run the same command to make what is left") from None
        finally:
            progress.close()
        if arguments.compare:
            write_page(outcome)
            print(arguments.compare)
    return _summarize(operation.past, outcome, planned.skipped + outcome.ignored)


def _summarize(past: str, outcome: JobOutcome, skipped: int) -> int:
    """Print how many files were made, and why others were not; return the exit code."""
    made, before, bad = len(outcome.made), len(outcome.before), outcome.bad
    parts = [f"{made} {past}"]
    parts += [f"{before} already done"] if before else []
    parts += [f"{skipped} other files skipped"] if skipped else []
    files = made + before + len(bad)
    listed = bad if files > 1 else {}  # for a single file, the line above gives the reason
    parts += [f"{len(bad)} failed{':' if listed else ''}"] if bad else []
    if files > 1 or skipped or before or bad:
        print(", ".join(parts))
    for path, why in listed.items():
        print(f"  {path}: {why}")
    return 1 if bad else 0
