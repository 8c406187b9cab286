"""Upscale photos, folders and videos, preserving metadata: ganvas upscale photo.jpg"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.cli._parser import Parser
from ganvas.cli._photos import add_inputs, add_writing, check_writing, epilog, run_job
from ganvas.errors import InputError

if TYPE_CHECKING:
    from ganvas.imageio.job import JobOutcome

CLEAN, SPOILED = "srgan-x4", "photo-x4"  # the bundled models for clean photos and for those with flaws


def main(argv: list[str]) -> int:
    """Run ``ganvas upscale IN.. [--out OUT] ...``; 0 all done, 1 some files failed."""
    parser = Parser("ganvas upscale", description=__doc__, epilog=epilog("_x4"))
    add_inputs(parser, "images, videos")
    parser.add_argument(
        "--model",
        help="bundled model (srgan-x4: sharp; photo-x4: for blocks, noise and blur; srresnet-x4: faithful), run folder"
        " or weights file (default: of the first two, the one that the photo needs)",
    )
    parser.add_argument("--scale", type=float, default=0, help="from 1 to the model's own scale, which is the default")
    parser.add_argument(
        "--strength", type=float, help="from 0, faithful (SRResNet), to 1, sharp (SRGAN, the default); for srgan-x4"
    )
    parser.add_argument(
        "--tile", type=int, default=0, help="side of the tiles in pixels (default: depends on the available memory)"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "auto"),
        default="auto",
        help="auto: the fastest with at least 50 dB PSNR against fp32, tried once per machine and model; fp32: results"
        " that do not depend on the machine's speed (default: auto)",
    )
    parser.add_argument("--no-colour-lock", action="store_true", help="allow the model to shift colours")
    parser.add_argument(
        "--original", type=Path, help="for --compare: the high-resolution original, or a folder with the same names"
    )
    add_writing(parser)
    arguments = parser.parse_args(argv)
    _check(arguments)

    from ganvas.imageio.planning import plan
    from ganvas.runs.models import bundled, find

    # A strength is one of srgan-x4, and says that the choice has been made.
    chooses = arguments.model is None and arguments.strength is None and SPOILED in bundled()
    first = CLEAN if arguments.model is None else arguments.model
    # Reject wrong paths before importing torch.
    find(first)
    plan(arguments.inputs, arguments.out, "_x4", arguments.format)

    from ganvas.imageio.upscale import ChosenUpscaling, UpscaleOptions, Upscaling
    from ganvas.inference import Upscaler, open_as

    strength = 1.0 if arguments.strength is None else arguments.strength
    opening: dict[str, Any] = {"strength": strength}
    opening |= {name: getattr(arguments, name) for name in ("device", "precision", "tile")}
    options = UpscaleOptions(
        form=arguments.format,
        quality=arguments.quality,
        strip_location=arguments.strip_location,
        scale=arguments.scale,
        colour_lock=not arguments.no_colour_lock,
    )

    def upscaling(model: str) -> Upscaling:
        upscaler = open_as(Upscaler, model, **opening)
        facts = {"model": upscaler.name, "images": upscaler.images_seen, "strength": strength}
        return Upscaling(upscaler, options, facts | {"precision": arguments.precision})

    def faithful(upscaler: Upscaler) -> Upscaler | None:
        """The start of the model that was asked for, or of the one for clean photos."""
        if strength == 0 or upscaler is not operation.upscaler:
            return None
        try:
            return open_as(Upscaler, first, **(opening | {"strength": 0.0}))
        except InputError:  # the model has no known start
            return None

    operation = upscaling(first)
    if chooses:
        operation = ChosenUpscaling(operation, lambda: upscaling(SPOILED))
    planned = plan(arguments.inputs, arguments.out, operation.suffix, options.form)

    def write_page(outcome: JobOutcome) -> None:
        from ganvas.imageio import compare_page

        chosen = ((source, choice.operation) for source, choice in outcome.choices.items())
        upscalers = {source: made.upscaler for source, made in chosen if isinstance(made, Upscaling)}
        compare_page.write_page(
            arguments.compare, outcome.jobs, upscalers, operation.past, arguments.original, faithful
        )

    return run_job(arguments, planned, operation, write_page)


def _check(arguments: argparse.Namespace) -> None:
    scale, original = arguments.scale, arguments.original
    if scale < 0 or (0 < scale < 1):
        raise InputError(f"--scale must be between 1 and the model's own scale; got {scale:g}.")
    check_writing(arguments)
    if original and not arguments.compare:
        raise InputError("--original requires --compare PAGE.html; give both.")
    if original and not original.exists():
        raise InputError(
            f"--original {original} does not exist; give the high-resolution image, or a folder with the same names."
        )
