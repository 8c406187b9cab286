"""Repair old photos: scratches, tears, stains, fading: ganvas repair photo.jpg"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.cli._parser import Parser
from ganvas.cli._photos import add_inputs, add_writing, check_writing, epilog, run_job
from ganvas.errors import InputError

if TYPE_CHECKING:
    from ganvas.imageio.job import JobOutcome

UPSCALER = "photo-x4"  # of what was repaired, which is an old print


def main(argv: list[str]) -> int:
    """Run ``ganvas repair IN.. [--out OUT] ...``; 0 all done, 1 some files failed."""
    parser = Parser("ganvas repair", description=__doc__, epilog=epilog("_repaired"))
    add_inputs(parser, "images")
    parser.add_argument("--model", default="repair", help="run folder, weights file or bundled model (default: repair)")
    parser.add_argument(
        "--mask",
        default="",
        help="what is lost, white where it is, in place of what the model finds: an image, a folder of images with the"
        " photos' names, or none to fill nothing",
    )
    parser.add_argument(
        "--strength",
        type=float,
        default=1.0,
        help="share of the change where nothing is lost, from 0 (only fill what is lost) to 1 (default: 1)",
    )
    parser.add_argument(
        "--tone",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="correct fading, casts and uneven light (default: --tone)",
    )
    parser.add_argument(
        "--denoise",
        type=float,
        default=-1.0,
        help="how strong grain, noise and JPEG blocks are, from 0 (keep them) to 1 (default: as the model finds)",
    )
    parser.add_argument(
        "--scale",
        type=int,
        choices=(1, 2, 4),
        default=1,
        help=f"also upscale the repaired photo, by {UPSCALER} (default: 1)",
    )
    parser.add_argument(
        "--damage-map",
        action="store_true",
        help="also write what was found as photo_damage.png: holes red, scratches green, stains blue; edit it, and give"
        " it back with --mask",
    )
    add_writing(parser)
    arguments = parser.parse_args(argv)
    _check(arguments)

    from ganvas.imageio.planning import plan
    from ganvas.runs.models import find

    # Reject wrong paths before importing torch.
    find(arguments.model)
    planned = plan(arguments.inputs, arguments.out, "_repaired", arguments.format, apart=True)

    from ganvas.imageio.repair import Repairing, RepairOptions
    from ganvas.inference import Repairer, Upscaler, open_as

    options = RepairOptions(
        form=arguments.format,
        quality=arguments.quality,
        strip_location=arguments.strip_location,
        mask=arguments.mask,
        strength=arguments.strength,
        tone=arguments.tone,
        denoise=arguments.denoise,
        scale=arguments.scale,
        damage_map=arguments.damage_map,
    )
    repairer = open_as(Repairer, arguments.model, device=arguments.device)
    upscaler = open_as(Upscaler, UPSCALER, device=arguments.device) if options.scale > 1 else None
    facts = {"model": repairer.name, "images": repairer.images_seen}
    operation = Repairing(repairer, options, facts, upscaler, planned.jobs)

    def write_page(outcome: JobOutcome) -> None:
        from ganvas.imageio import repair_page

        repair_page.write_page(arguments.compare, outcome.jobs, operation)

    return run_job(arguments, planned, operation, write_page)


def _check(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.strength <= 1:
        raise InputError(f"--strength must be between 0 (only fill what is lost) and 1; got {arguments.strength:g}.")
    if arguments.denoise != -1 and not 0 <= arguments.denoise <= 1:
        raise InputError(f"--denoise must be between 0 (keep the grain) and 1; got {arguments.denoise:g}.")
    check_writing(arguments)
    if arguments.mask not in ("", "none") and not Path(arguments.mask).exists():
        raise InputError(
            f"--mask {arguments.mask} does not exist; give an image, white where the photo is damaged, a folder of"
            " them, or none."
        )
