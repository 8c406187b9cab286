"""Put runs side by side on one offline page: ganvas compare runs/a runs/b"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.cli._parser import Parser
from ganvas.terminal import print

if TYPE_CHECKING:
    from rich.console import Console

    from ganvas.reports import Comparison

PAGE = "comparison.html"


def main(argv: list[str]) -> int:
    """Run ``ganvas compare RUN...``."""
    parser = Parser("ganvas compare", description=__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folder, or folder of runs")
    parser.add_argument("--out", type=Path, default=Path(PAGE), help=f"page to write (default: {PAGE})")
    parser.add_argument(
        "--by",
        choices=("images", "hours"),
        default="images",
        help="x axis: images seen or hours of training (default: images)",
    )
    parser.add_argument("--unfinished", action="store_true", help="include runs that are still training")
    parser.add_argument("--no-reals", action="store_true", help="omit the real images from the page")
    arguments = parser.parse_args(argv)
    from ganvas.files import expect_ending
    from ganvas.reports import compare
    from ganvas.terminal.console import Console

    expect_ending(arguments.out, ".html", ".htm", flag="--out")
    comparison = compare(arguments.runs, by=arguments.by, unfinished=arguments.unfinished)
    show(comparison, Console(highlight=False))
    # Print first, since the page takes longer.
    from ganvas.reports.page import write_page

    write_page(comparison, arguments.out, reals=not arguments.no_reals)
    print(arguments.out)
    return 0


def show(comparison: Comparison, console: Console) -> None:
    """Print the differing settings, the measures and the notes."""
    from rich.table import Column, Table

    from ganvas.reports.table import interval, number
    from ganvas.runs.record import MEASURE

    labels = [variant.label for variant in comparison.variants]
    if comparison.differing:
        rows = [["", *labels], *([path, *values] for path, values in comparison.differing.items())]
        if len(labels) > len(rows) - 1:
            rows = [list(row) for row in zip(*rows, strict=True)]
        differs = Table(*rows[0], box=None)
        for row in rows[1:]:
            differs.add_row(*row)
        console.print(differs, "")
    measures = Table("measure", "", "variant", Column("value [interval]", justify="right"), "runs", box=None)
    found = [(c.title, c.means, c.ranks, c.real) for c in comparison.columns if not c.is_intermediate]
    for title, means, ranks, real in [
        *found,
        (f"{MEASURE} ↓ at {comparison.end_text}", comparison.distances, {}, None),
    ]:
        lines = [] if real is None else [("", "(real)", number(real), "")]
        for label in list(ranks) or list(means):
            lines.append((ranks.get(label, ""), label, interval(means[label]), str(means[label].n)))
        for index, cells in enumerate(lines):
            measures.add_row("" if index else title, *cells)
    console.print(measures, "")
    for text in comparison.verdicts:
        console.print(text, soft_wrap=True)
    against = Table("measure", "variant", Column("minus", justify="right"), "seeds", "", box=None)
    against.title, against.title_justify = f"each variant minus {labels[0]}, seed by seed", "left"
    for gain in (gain for gain in comparison.gains if not gain.column.is_intermediate):
        against.add_row(gain.column.title, gain.label, interval(gain.mean), str(gain.mean.n), gain.conclusion)
    if against.row_count:
        console.print(against, "")
    for text in comparison.warnings:
        console.print(f"note: {text}", soft_wrap=True)
