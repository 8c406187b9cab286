"""Measure a run, or a folder of fakes, against real pictures: ganvas evaluate runs/x"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.cli import _score
from ganvas.cli._parser import Parser
from ganvas.errors import InputError

if TYPE_CHECKING:
    from ganvas.evaluation import Evaluation

CLASSES = 20  # lines of the table of classes
NOT_SHOWN = ("ganvas", "data", "k", "splits")  # in figures.jsonl and --json all the same


def main(argv: list[str]) -> int:
    """Run ``ganvas evaluate RUN|FOLDER ...``."""
    if _score.asked(argv):
        return _score.main(argv)
    parser = Parser(
        "ganvas evaluate",
        description=__doc__,
        epilog="ganvas evaluate --prove --help shows what goes with --on and --prove.",
    )
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="source",
        help="a run's folder, a .safetensors file, or a folder, zip, parquet or npz of fakes",
    )
    parser.add_argument("--on", nargs="+", metavar="SET", help="score what enlarges pictures, one or several models")
    parser.add_argument("--prove", action="store_true", help="prove the scoring on published files")
    parser.add_argument("--against", default="", help="source of the real pictures (default: those of the run)")
    parser.add_argument(
        "--extractor",
        default="efficientnet-lite0",
        help="network whose features are compared: efficientnet-lite0 (default), digits or inception",
    )
    parser.add_argument(
        "--measures",
        nargs="+",
        default=[],
        metavar="MEASURE",
        help="some of fd, kid, pr, dc, score, classes, by-class, memorisation, perceptual (default: those that are"
        " defined); or modes, the default for stacked-mnist",
    )
    parser.add_argument(
        "--perceptual",
        default="st-lpips",
        help="distance of the measure perceptual: st-lpips (default), or lpips, whose AlexNet must be fetched",
    )
    parser.add_argument(
        "--fakes",
        type=int,
        default=0,
        help="pictures (default: 2,048, or as many as there are reals; 26,000 for modes)",
    )
    parser.add_argument("--split", choices=("train", "held-out", "all"), default="train", help="part of the reals")
    parser.add_argument("--seed", type=int, default=0, help="of the fakes, the choice of reals and the intervals")
    parser.add_argument("--which", choices=("last", "best"), default="last", help="the newest state or the best one")
    parser.add_argument(
        "--resize", type=int, default=0, help="pixels for efficientnet-lite0 (default: 224; 128 is quick)"
    )
    parser.add_argument("--out", default="", help="PNG file of the picture (default: evaluation.png in the run)")
    parser.add_argument("--json", type=Path, help="also write the figures with their protocols to this file")
    parser.add_argument("--device", default="cpu", help="where to compute (default: cpu)")
    arguments = parser.parse_args(argv)
    source, *others = arguments.sources
    if others:
        raise InputError(
            f"{source} and {others[0]} are two, and one is measured at a time; give --on SET for models that enlarge,"
            " or ganvas compare for runs."
        )

    from ganvas.evaluation import evaluate
    from ganvas.files import write_text

    aside = ("sources", "json", "on", "prove")
    options = {name: value for name, value in vars(arguments).items() if name not in aside}
    found = evaluate(source, **options, progress=True)
    _print(found)
    if arguments.json:
        plain = {"name": found.name, "figures": [figure.line() for figure in found.figures], "notes": found.notes}
        write_text(arguments.json, json.dumps(plain, indent=2) + "\n")
        print(arguments.json)
    return 0


def _print(found: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    from ganvas.evaluation.per_class import worst_first
    from ganvas.runs.figures import HIGHER, LOWER

    console = Console(highlight=False, soft_wrap=True)
    right = {"justify": "right"}
    table = Table("measure", Column("value", **right), Column("95 % interval", **right), "better", "on", box=None)  # type: ignore[arg-type]
    by_class = worst_first(found.figures)
    of_all = [figure for figure in found.figures if figure not in by_class]
    for figure in of_all:
        better = "lower" if figure.measure in LOWER else "higher" if figure.measure in HIGHER else ""
        value, low, high = (_number(x) for x in (figure.estimate.value, figure.estimate.low, figure.estimate.high))
        table.add_row(figure.measure, value, f"{low} .. {high}", better, figure.protocol["extractor"])
    console.print(table)
    if by_class:
        of_classes = Table("class", Column("KID", **right), Column("95 % interval", **right), "fakes, reals", box=None)  # type: ignore[arg-type]
        for figure in by_class[:CLASSES]:
            e, protocol = figure.estimate, figure.protocol
            counts = f"{protocol['fakes']}, {protocol['reals']}"
            of_classes.add_row(protocol["class"], _number(e.value), f"{_number(e.low)} .. {_number(e.high)}", counts)
        console.print(of_classes)
        rest = f"; {len(by_class) - CLASSES} better ones are not shown" if len(by_class) > CLASSES else ""
        console.print(f"The worst class is {by_class[0].protocol['class']}{rest}.", markup=False)
    protocols = [{k: v for k, v in f.protocol.items() if k not in NOT_SHOWN} for f in of_all]
    for index, protocol in enumerate(protocols):
        if protocol not in protocols[:index]:
            console.print("; ".join(f"{key} {value}" for key, value in protocol.items()), markup=False)
    for note in found.notes:
        console.print(note, markup=False)
    print(found.picture)


def _number(value: float) -> str:
    """Four digits, plain: 12.34, 0.01234, 0.00001."""
    return f"{value:.4g}" if abs(value) >= 1e-3 else f"{value:.6f}"
