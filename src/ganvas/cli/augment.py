"""Make extra training samples and test whether they help: ganvas augment images/ --per-class 500 --out extra"""

from __future__ import annotations

import argparse
import dataclasses
import signal

from ganvas.cli._parser import Parser
from ganvas.terminal import print

USELESS = 3  # the exit code if the fakes do not help, or the result is not significant

HELP = {
    "per_class": "images wanted of every class",
    "real_per_class": "real training images of every class (default: all that are not held out)",
    "test": "source of real test images (default: a share of SOURCE)",
    "test_share": "share of every class of SOURCE that is held out for testing (default: 0.2)",
    "model": "a conditional run's folder or model file (default: train a generator)",
    "recipe": "recipe of the generator to train (default: a small conditional dcgan with DiffAugment)",
    "images": "real images in its training (default: 200,000, or the recipe's)",
    "size": "side of the images in pixels, for the default recipe (default: what fits SOURCE)",
    "candidates": "candidates generated for every image wanted (default: 5)",
    "confidence": "minimum probability of its class by a classifier of the reals (default: 0.5; 0 rejects none)",
    "realness": "share of the rest of every class to reject: those that D finds least real (default: 0.1)",
    "copies": "reject what is nearer to a real than all but this share of its reals (default: 0.01; 0 rejects none)",
    "fake_share": "share of fakes in a batch of reals and fakes (default: 0.5)",
    "updates": "updates of every classifier (default: 600)",
    "seeds": "classifiers for every arm (default: 3)",
    "seed": "seed of the choice of reals, the generator, its noise and the first classifier (default: 0)",
    "precision": "arithmetic of the classifiers: fp32 or bf16 (default: fp32)",
}


def main(argv: list[str]) -> int:
    """Run ``ganvas augment SOURCE ...``."""
    parser = Parser(
        "ganvas augment",
        description=__doc__,
        epilog=f"exit code: 0 the fakes help, {USELESS} no significant help, 2 unusable input, 1 diverged",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="labelled real images: a name, or a folder, zip, parquet or npz file"
    )
    parser.add_argument("--out", required=True, help="folder for the images, the manifest and the report")
    parser.add_argument(
        "--no-flips", dest="flips", action="store_false", help="do not mirror images: for digits and letters"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    from ganvas.data.listing import expect_source
    from ganvas.studies.synthetic.settings import SyntheticSettings

    for field in dataclasses.fields(SyntheticSettings):
        if field.name in HELP:
            _add(parser, field)
    given = vars(parser.parse_args(argv))
    out, device = given.pop("out"), given.pop("device")
    settings = SyntheticSettings(**given)
    expect_source(settings.source)

    from ganvas.studies.synthetic.pipeline import augment
    from ganvas.terminal.console import Console
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
    if ended.benefit is None or ended.filtered is None:
        console.print("stopped while training the generator; repeat the command to continue")
        return 128 + (ended.signal or signal.SIGINT)

    from ganvas.studies.synthetic.output_folder import arms_table, classes_table, filter_table

    for rows in (
        filter_table(ended.filtered, ended.benefit.classes),
        classes_table(ended.benefit),
        arms_table(ended.benefit),
    ):
        _print(rows)
    output = ended.output
    print(*ended.notes, ended.benefit.sentence, sep="\n")
    made = {
        "images": output.images,
        "manifest": output.manifest,
        "report": output.report,
        "chart": output.chart,
    }
    for what, path in made.items():
        print(f"{what:<10}{path}")
    return 0 if ended.benefit.helps else USELESS


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
