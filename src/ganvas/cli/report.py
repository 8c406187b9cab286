"""Write one run as a report to hand in, a page or Markdown: ganvas report runs/x"""

from __future__ import annotations

from pathlib import Path

from ganvas.cli._parser import Parser
from ganvas.terminal import print


def main(argv: list[str]) -> int:
    """Run ``ganvas report RUN``."""
    parser = Parser("ganvas report", description=__doc__)
    parser.add_argument("run", help="run folder")
    parser.add_argument(
        "--out",
        type=Path,
        help="page to write (default: report.html in the run); with the ending .md, Markdown with its pictures beside"
        " it",
    )
    parser.add_argument("--csv", type=Path, metavar="DIR", help="also write log.csv and figures.csv into this folder")
    parser.add_argument("--no-reals", action="store_true", help="omit the real images")
    arguments = parser.parse_args(argv)
    from ganvas.reports.report import write_csv, write_report
    from ganvas.runs.record import Record

    record = Record(arguments.run)
    out = arguments.out or record.path / "report.html"
    written = write_report(record, out, reals=not arguments.no_reals)
    written += write_csv(record, arguments.csv) if arguments.csv else []
    for path in written:
        print(path)
    return 0
