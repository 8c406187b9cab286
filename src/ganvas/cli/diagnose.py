"""Say what is going wrong in a run, since when, and which flag helps: ganvas diagnose runs/x"""

from __future__ import annotations

from pathlib import Path

from ganvas.cli._parser import Parser
from ganvas.terminal import print


def main(argv: list[str]) -> int:
    """Run ``ganvas diagnose RUN``."""
    parser = Parser("ganvas diagnose", description=__doc__)
    parser.add_argument("run", help="run folder")
    parser.add_argument("--out", type=Path, help="PNG file of the chart (default: diagnosis.png in the run)")
    arguments = parser.parse_args(argv)
    from ganvas.diagnosis import advice, diagnose, draw_diagnosis
    from ganvas.files import expect_ending
    from ganvas.runs.record import Record
    from ganvas.systems import read_recipe
    from ganvas.terminal.console import Console

    if arguments.out:
        expect_ending(arguments.out, ".png", flag="--out")
    record = Record(arguments.run)
    diagnosis = diagnose(record)
    console = Console(highlight=False, soft_wrap=True)
    for verdict in diagnosis.timeline:
        console.print(f"image {verdict.images:>11,}  {verdict}")
    if diagnosis.interlace is not None:
        console.print(
            f"losses interlace {diagnosis.interlace:.2f} (0 apart, 1 interlaced) over the last tenth of the run"
        )
    for sentence in diagnosis.unjudged:
        console.print(f"not judged: {sentence}")
    now = diagnosis.timeline[-1]
    recipe = read_recipe(record.plain, str(record.folder.recipe))
    for line in advice(now.name, recipe, now.images, record.folder):
        console.print(f"remedy: {line}")
    # Print first, since the chart takes longer.
    out = arguments.out or record.path / "diagnosis.png"
    draw_diagnosis(record, diagnosis, out)
    print(out)
    return 0
