"""Make extra training samples and say whether they help: ganvas augment pictures/ --per-class 500 --out extra"""

from __future__ import annotations

import argparse
import dataclasses
import signal

from ganvas.cli._parser import Parser

USELESS = 3  # the exit code where the fakes do not help, or it cannot be told

HELP = {
    "per_class": "pictures wanted of every class",
    "real_per_class": "learn from so many real pictures of every class alone (default: all that are not held out)",
    "test": "source of real pictures to test on (default: a share of SOURCE)",
    "test_share": "share of every class of SOURCE that is held out to test on (default: 0.2)",
    "model": "a conditional run's folder or model file to take (default: train one)",
    "recipe": "recipe of the generator to train (default: a small conditional dcgan with DiffAugment)",
    "images": "real images in its training (default: 200,000, or the recipe's)",
    "size": "side of the pictures in pixels, for the default recipe (default: what fits SOURCE)",
    "candidates": "pictures made for every one wanted (default: 5)",
    "confidence": "least probability of its class by a classifier of the reals (default: 0.5; 0 rejects none)",
    "realness": "share of what is left of every class that D finds least real, which is rejected (default: 0.1)",
    "copies": "share of a class's reals as near to another as what counts as a copy (default: 0.01; 0 rejects none)",
    "fake_share": "share of fakes in a batch of reals and fakes (default: 0.5)",
    "updates": "updates of every classifier (default: 600)",
    "seeds": "classifiers of every arm (default: 3)",
    "seed": "of the choice of reals, the generator, its noise and the first classifier (default: 0)",
    "precision": "fp32 or bf16: arithmetic of the classifiers (default: fp32)",
}


def main(argv: list[str]) -> int:
    """Run ``ganvas augment SOURCE ...``."""
    parser = Parser(
        "ganvas augment",
        description=__doc__,
        epilog=f"exit code: 0 the fakes help, {USELESS} they do not or it cannot be told, 2 unusable input, 1 diverged",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="labelled real pictures: a name, or a folder, zip, parquet, npz"
    )
    parser.add_argument("--out", required=True, help="folder for the pictures, the manifest and the report")
    parser.add_argument("--no-flips", dest="flips", action="store_false", help="never mirror: for digits and letters")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    from ganvas.studies.synthetic.settings import Settings

    for field in dataclasses.fields(Settings):
        if field.name in HELP:
            _add(parser, field)
    words = vars(parser.parse_args(argv))
    out, device = words.pop("out"), words.pop("device")
    settings = Settings(**words)

    from rich.console import Console

    from ganvas.studies.synthetic.augmenting import augment
    from ganvas.training.loop import Diverged

    console = Console(stderr=True)
    try:
        ended = augment(settings, out=out, device=device, console=console)
    except Diverged as error:
        console.print(
            f"ganvas: the generator diverged: {error}. Give another --recipe, or fewer --images, with a new --out.",
            style="red",
            highlight=False,
            soft_wrap=True,
        )
        return 1
    if ended.judgement is None or ended.filtered is None:
        console.print("stopped while training the generator; the same command goes on from there")
        return 128 + (ended.signal or signal.SIGINT)

    from ganvas.studies.synthetic.writing import rows_of_arms, rows_of_classes, rows_of_filter

    for rows in (
        rows_of_filter(ended.filtered, ended.judgement.classes),
        rows_of_classes(ended.judgement),
        rows_of_arms(ended.judgement),
    ):
        _print(rows)
    place = ended.place
    print("\n".join([*ended.notes, ended.judgement.sentence]))
    made = {"pictures": place.pictures, "manifest": place.manifest, "report": place.report, "picture": place.picture}
    for what, path in made.items():
        print(f"{what:<10}{path}")
    return 0 if ended.judgement.helps else USELESS


def _add(parser: argparse.ArgumentParser, field: dataclasses.Field[object]) -> None:
    required = field.default is dataclasses.MISSING
    kind = int if required else type(field.default)
    choices = ("fp32", "bf16") if field.name == "precision" else None
    parser.add_argument(
        f"--{field.name.replace('_', '-')}",
        type=kind,
        choices=choices,
        help=HELP[field.name],
        **({"required": True} if required else {"default": field.default}),
    )


def _print(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        print("  ".join(cells).rstrip())
    print()
