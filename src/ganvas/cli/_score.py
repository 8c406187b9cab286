"""Score models that upscale or repair on test sets (--on SET), or check the scoring itself (--selfcheck)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.cli._parser import Parser
from ganvas.errors import InputError
from ganvas.terminal import print

if TYPE_CHECKING:
    from ganvas.evaluation.pairs import Scores
    from ganvas.metrics.figure import Figure
    from ganvas.metrics.intervals import Estimate

HEADS = ("--on", "--selfcheck", "--prove")


def asked(argv: Sequence[str]) -> bool:
    """Whether a command line of ganvas evaluate is about super-resolution."""
    return any(word.partition("=")[0] in HEADS for word in argv)


def main(argv: list[str]) -> int:
    """Run ``ganvas evaluate MODEL.. --on SET..`` or ``ganvas evaluate --selfcheck``."""
    if "--prove" in argv:
        raise InputError("--prove has been renamed; use --selfcheck.")
    parser = Parser("ganvas evaluate", description=__doc__)
    parser.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="bicubic, input (unchanged), a bundled model's name, a run's folder or a file of weights; all are"
        " compared with the first",
    )
    parser.add_argument(
        "--on",
        nargs="+",
        default=[],
        metavar="SET",
        help="Set5, Set14, BSD100, Urban100, Manga109, or folders of images; aged:SET and blind:SET, or another"
        " degradation's name before the colon, spoil them first",
    )
    parser.add_argument("--selfcheck", action="store_true", help="reproduce published LR files and bicubic rows")
    parser.add_argument(
        "--scale", type=int, default=0, help="scale of bicubic (default: 4, or that of the other models)"
    )
    parser.add_argument(
        "--which", choices=("last", "best"), default="last", help="a run's newest state or the best one"
    )
    parser.add_argument(
        "--strength", type=float, default=1.0, help="strength of SRGANs: 0 is the network they started from"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the intervals")
    parser.add_argument(
        "--out", default="", help="folder for charts and tables (default: the run, or the current folder)"
    )
    parser.add_argument("--json", type=Path, help="also write all figures and the scores of every image to this file")
    parser.add_argument("--device", default="cpu", help="where to run networks (default: cpu)")
    arguments = parser.parse_args(argv)
    if arguments.selfcheck:
        if arguments.models:
            raise InputError(f"--selfcheck takes no model, but {arguments.models[0]} is given; leave one out.")
        return _selfcheck(arguments.on)
    twice = next((model for model in arguments.models if arguments.models.count(model) > 1), None)
    if twice:
        raise InputError(f"{twice} is given twice; give each model once.")
    if not arguments.models:
        raise InputError("--on needs a model to score; name one, such as bicubic.")

    from ganvas.evaluation.pairs import score
    from ganvas.files import write_text

    if arguments.out and Path(arguments.out).is_file():
        raise InputError(f"--out {arguments.out} is a file; give a folder for the charts and tables.")
    options = {name: getattr(arguments, name) for name in ("which", "strength", "seed", "out", "device")}
    by_model, scale = {}, arguments.scale
    mixed = _mixed(arguments.models, arguments.strength)
    for model in sorted(arguments.models, key="bicubic".__eq__):  # last, as it has the scale of the others
        one = options | ({} if model in mixed else {"strength": 1.0})
        by_model[model] = score(model, arguments.on, scale=scale, **one, progress=True)
        scale = by_model[model][0].figures[0].protocol["scale"]
    names = [by_model[model][0].name for model in arguments.models]
    labels = [model if names.count(name) > 1 else name for model, name in zip(arguments.models, names, strict=True)]
    scores = [
        [replace(one, name=label) for one in by_model[model]]
        for model, label in zip(arguments.models, labels, strict=True)
    ]
    _print(scores, arguments.seed)
    if arguments.json:
        plain = [
            {
                "name": one.name,
                "set": one.set,
                "figures": [figure.to_plain() for figure in one.figures],
                "pictures": one.images,
                "notes": one.notes,
            }
            for found in scores
            for one in found
        ]
        write_text(arguments.json, json.dumps(plain, indent=2) + "\n")
        print(arguments.json)
    return 0


def _mixed(models: Sequence[str], strength: float) -> Sequence[str]:
    """The models that --strength applies to; all if it applies to none, so that opening them refuses it."""
    if strength == 1:
        return models
    from ganvas.evaluation.baselines import BICUBIC, INPUT
    from ganvas.inference.loading import read_model

    return [model for model in models if model not in (BICUBIC, INPUT) and read_model(model).about.start] or models


def _print(scores: Sequence[Sequence[Scores]], seed: int) -> None:
    from ganvas.evaluation.pairs import difference

    for rows in zip(*scores, strict=True):
        first, *others = rows
        gaps = [difference(other, first, seed) for other in others]
        lines = [[first.set, *(row.name for row in rows), *(f"{other.name} - {first.name}" for other in others)]]
        for measure in first.measures:
            cells = [_cell(measure, row[measure]) if measure in row.measures else "" for row in rows]
            cells += [_cell(measure, gap[measure], "+") if measure in gap else "" for gap in gaps]
            lines.append([measure, *cells])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print("In brackets: the 95 % interval over images; for differences, paired by image.")
    found = [one for several in scores for one in several]
    for sentence in dict.fromkeys(sentence for one in found for sentence in (_protocol(one), *one.notes)):
        print(sentence)
    for one in found:
        print(one.sheet, one.table, sep="\n")


def _cell(measure: str, estimate: Estimate | Figure, sign: str = "") -> str:
    digits = ".3f" if measure.startswith("PSNR") else ".4f"
    value, low, high = (format(x, sign + digits) for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low} .. {high}]"


def _protocol(one: Scores) -> str:
    """The protocol that all figures of a set share."""
    protocols = [figure.protocol for figure in one.figures]
    shared = {key: value for key, value in protocols[0].items() if all(p.get(key) == value for p in protocols)}
    return "; ".join(f"{key} {value}" for key, value in shared.items() if key != "ganvas")


def _selfcheck(names: Sequence[str]) -> int:
    from ganvas.evaluation.selfcheck import PUBLISHED, selfcheck

    checks = selfcheck(names)
    for check in checks:
        if not check.images:
            print(f"{check.set}: cannot be read")
            continue
        psnr, ssim = PUBLISHED[check.set]
        print(
            f"{check.set}: {check.images} images; bicubic x4 on Y {check.psnr:.4f} dB and {check.ssim:.4f},"
            f" published {psnr:.2f} and {ssim:.4f}; {'not as published' if check.faults else 'files byte for byte'}"
        )
    faults = [fault for check in checks for fault in check.faults]
    print(*faults, "FAIL" if faults else "PASS", sep="\n")
    return 1 if faults else 0
