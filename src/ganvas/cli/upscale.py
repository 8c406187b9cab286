"""Upscale photos, folders and videos, preserving metadata: ganvas upscale photo.jpg"""

from __future__ import annotations

import argparse
from pathlib import Path

from ganvas.cli._parser import Parser
from ganvas.cli._photos import add_inputs, add_writing, check_writing, epilog, summarize
from ganvas.errors import InputError
from ganvas.terminal import print


def main(argv: list[str]) -> int:
    """Run ``ganvas upscale IN.. [--out OUT] ...``; 0 all done, 1 some files failed."""
    parser = Parser("ganvas upscale", description=__doc__, epilog=epilog("_x4"))
    add_inputs(parser, "images, videos")
    parser.add_argument(
        "--model",
        default="srgan-x4",
        help="bundled model (srgan-x4: sharp, the default; srresnet-x4: faithful), run folder or weights file",
    )
    parser.add_argument("--scale", type=float, default=0, help="from 1 to the model's own scale, which is the default")
    parser.add_argument(
        "--strength", type=float, default=1.0, help="from 0, faithful (SRResNet), to 1, sharp (SRGAN, the default)"
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
    from ganvas.runs.models import find

    # Reject wrong paths before importing torch.
    find(arguments.model)
    plan(arguments.inputs, arguments.out, "_x4", arguments.format)

    from ganvas.imageio.interrupts import stoppable
    from ganvas.imageio.job import JobSettings, run
    from ganvas.imageio.progress import JobProgress
    from ganvas.imageio.upscale import UpscaleOptions, Upscaling
    from ganvas.inference import Upscaler, open_as
    from ganvas.terminal.console import Console

    names = ("strength", "device", "precision", "tile")
    opening = {"model": arguments.model} | {name: getattr(arguments, name) for name in names}
    options = UpscaleOptions(
        form=arguments.format,
        quality=arguments.quality,
        strip_location=arguments.strip_location,
        scale=arguments.scale,
        colour_lock=not arguments.no_colour_lock,
    )
    upscaler = open_as(Upscaler, **opening)
    model = {"model": upscaler.name, "images": upscaler.images_seen, "strength": arguments.strength}
    operation = Upscaling(upscaler, options, model | {"precision": arguments.precision})
    planned = plan(arguments.inputs, arguments.out, operation.suffix, options.form)
    settings = JobSettings(arguments.limit, arguments.overwrite, arguments.check)
    progress = JobProgress(Console(highlight=False), Console(stderr=True, highlight=False), operation.growth)
    with stoppable():
        try:
            outcome = run(planned, operation, settings, progress)
        finally:
            progress.close()
        if arguments.compare:
            from ganvas.imageio.compare_page import write_page

            compared = [*outcome.before, *(job for job, _ in outcome.made)]
            write_page(arguments.compare, compared, upscaler, arguments.original, opening)
            print(arguments.compare)
    return summarize(operation.past, outcome.bad, len(outcome.made), len(outcome.before), planned.skipped)


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
