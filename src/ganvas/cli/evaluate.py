"""Measure a run, or a folder of fakes, against real images: ganvas evaluate runs/x"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.cli import _score
from ganvas.cli._parser import Parser
from ganvas.errors import InputError
from ganvas.terminal import print

if TYPE_CHECKING:
    from ganvas.evaluation import Evaluation
    from ganvas.metrics.figure import Figure

CLASSES = 20  # lines of the table of classes
NOT_SHOWN = ("ganvas", "data", "k", "splits")  # but kept in figures.jsonl and --json


def main(argv: list[str]) -> int:
    """Run ``ganvas evaluate RUN|FOLDER ...``."""
    if _score.asked(argv):
        return _score.main(argv)
    from ganvas.data import NAMES
    from ganvas.metrics import measures
    from ganvas.metrics.extractors import known_extractors
    from ganvas.metrics.measure import OF_SAMPLES
    from ganvas.runs.models import find
    from ganvas.systems import load_systems

    load_systems()  # measures and extractors of your own may stand in these files
    parser = Parser(
        "ganvas evaluate",
        description=__doc__,
        epilog="ganvas evaluate --selfcheck --help shows the options of --on and --selfcheck.",
    )
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="source",
        help="a run's folder, a .safetensors file, or a folder, zip, parquet or npz of fakes",
    )
    parser.add_argument("--on", nargs="+", metavar="SET", help="score super-resolution models")
    parser.add_argument("--selfcheck", action="store_true", help="check the scoring itself against published files")
    parser.add_argument("--against", default="", help="source of the real images (default: those of the run)")
    parser.add_argument(
        "--extractor",
        default="efficientnet-lite0",
        help=f"network whose features are compared: {', '.join(known_extractors())} (default: efficientnet-lite0)",
    )
    parser.add_argument(
        "--measures",
        nargs="+",
        default=[],
        metavar="MEASURE",
        help=f"any of {', '.join(one.name for one in measures(OF_SAMPLES))} (default: the usual ones that apply,"
        " for stacked-mnist only modes)",
    )
    parser.add_argument(
        "--perceptual",
        default="st-lpips",
        help="distance of the measure perceptual: st-lpips (default), or lpips, whose AlexNet must be downloaded",
    )
    parser.add_argument(
        "--fakes",
        type=int,
        default=0,
        help="number of fakes (default: 2,048, or as many as there are reals; 26,000 for modes)",
    )
    parser.add_argument(
        "--split", choices=("train", "held-out", "all"), help="which reals (default: train; of text held-out)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the fakes, the choice of reals and the intervals")
    parser.add_argument("--which", choices=("last", "best"), default="last", help="the newest state or the best one")
    parser.add_argument(
        "--resize", type=int, default=0, help="side in pixels for efficientnet-lite0 (default: 224; 128 is fast)"
    )
    parser.add_argument("--out", default="", help="PNG file of the chart (default: evaluation.png in the run)")
    parser.add_argument("--json", type=Path, help="also write the figures and their protocols to this file")
    parser.add_argument("--device", default="cpu", help="where to compute (default: cpu)")
    arguments = parser.parse_args(argv)
    source, *others = arguments.sources
    if others:
        raise InputError(
            f"{source} and {others[0]} are two sources, but only one is measured at a time; add --on SET to score"
            " super-resolution models, or use ganvas compare for runs."
        )

    is_weights = Path(source).suffix.lower() in (".pth", ".pt")
    if not Path(source).exists() and source not in (*NAMES, "bicubic") and not is_weights:
        find(source)  # refuses what does not exist before torch is imported

    from ganvas.evaluation import evaluate
    from ganvas.files import write_text

    aside = ("sources", "json", "on", "selfcheck")
    options = {name: value for name, value in vars(arguments).items() if name not in aside}
    found = evaluate(source, **options, progress=True)
    _print(found)
    if arguments.json:
        plain = {"name": found.name, "figures": [figure.to_plain() for figure in found.figures], "notes": found.notes}
        write_text(arguments.json, json.dumps(plain, indent=2) + "\n")
        print(arguments.json)
    return 0


def _print(found: Evaluation) -> None:
    from rich.table import Column, Table

    from ganvas.metrics.likelihood_curve import by_temperature
    from ganvas.metrics.per_class import worst_first
    from ganvas.terminal.console import Console

    console = Console(highlight=False, soft_wrap=True)
    right = {"justify": "right"}
    by_class, curves = worst_first(found.figures), by_temperature(found.figures)
    of_all = [figure for figure in found.figures if figure not in by_class and not figure.is_point]
    has_reals = any(figure.real is not None for figure in of_all)
    table = Table("measure", box=None)
    for head in (*(["real"] if has_reals else []), "value", "95 % interval"):
        table.add_column(head, justify="right")
    for head in ("better", "on"):
        table.add_column(head)
    for figure in of_all:
        better = {True: "higher", False: "lower", None: ""}[figure.higher_is_better]
        real = ["" if figure.real is None else _number(figure.real)] if has_reals else []
        row = (figure.title, *real, _number(figure.value), _interval(figure), better)
        table.add_row(*row, str(figure.protocol.get("extractor", "")))
    console.print(table)
    for name, points in curves.items():
        of_curve = Table(f"{name}, at T", box=None)
        for figure in next(iter(points.values())):
            of_curve.add_column(figure.measure, justify="right")
        for temperature, figures in points.items():
            of_curve.add_row(f"{temperature:g}", *(_number(figure.value) for figure in figures))
        console.print(of_curve)
    if by_class:
        of_classes = Table("class", Column("KID", **right), Column("95 % interval", **right), "fakes, reals", box=None)  # type: ignore[arg-type]
        for figure in by_class[:CLASSES]:
            counts = f"{figure.protocol['fakes']}, {figure.protocol['reals']}"
            of_classes.add_row(figure.protocol["class"], _number(figure.value), _interval(figure), counts)
        console.print(of_classes)
        rest = f"; {len(by_class) - CLASSES} better ones are not shown" if len(by_class) > CLASSES else ""
        console.print(f"The worst class is {by_class[0].protocol['class']}{rest}.")
    protocols = [{k: v for k, v in f.protocol.items() if k not in NOT_SHOWN} for f in of_all]
    for index, protocol in enumerate(protocols):
        if protocol not in protocols[:index]:
            console.print("; ".join(f"{key} {value}" for key, value in protocol.items()))
    for note in found.notes:
        console.print(note)
    if found.chart:
        print(found.chart)


def _interval(figure: Figure) -> str:
    return "" if figure.low is None or figure.high is None else f"{_number(figure.low)} .. {_number(figure.high)}"


def _number(value: float) -> str:
    """Four digits, plain: 12.34, 0.01234, 0.00001."""
    return f"{value:.4g}" if abs(value) >= 1e-3 else f"{value:.6f}"
