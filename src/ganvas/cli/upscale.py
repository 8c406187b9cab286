"""Upscale photos, folders and videos, preserving metadata: ganvas upscale photo.jpg"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganvas.cli._parser import Parser
from ganvas.errors import InputError
from ganvas.files import expect_ending
from ganvas.terminal import print

CLEAN, SPOILED = "srgan-x4", "photo-x4"  # the bundled models for clean photos and for those with flaws
FORMATS = ("png", "jpeg", "webp", "tiff", "avif")

EPILOG = """photo.jpg becomes photo_x4.jpg, in the folder --out (which keeps the folder structure) or next to the
photo. Photos that differ only in their extensions become photo_jpg_x4.png and photo_png_x4.png. Existing files are kept
unless --overwrite is given. Run the same command again, even after a kill, to continue with the remaining files. Exit
code: 0 all done, 1 some files failed (listed at the end), 2 invalid command."""


def main(argv: list[str]) -> int:
    """Run ``ganvas upscale IN.. [--out OUT] ...``; 0 all done, 1 some files failed."""
    parser = Parser("ganvas upscale", description=__doc__, epilog=EPILOG)
    parser.add_argument("inputs", nargs="+", metavar="IN", help="images, videos, folders (recursive) or patterns")
    parser.add_argument(
        "--out", type=Path, help="output folder, or output file of a single image (default: next to the input)"
    )
    parser.add_argument(
        "--model",
        help="bundled model (srgan-x4: sharp; photo-x4: for blocks, noise and blur; srresnet-x4: faithful), run folder"
        " or weights file (default: of the first two, the one that the photo needs)",
    )
    parser.add_argument("--scale", type=float, default=0, help="from 1 to the model's own scale, which is the default")
    parser.add_argument(
        "--strength", type=float, help="from 0, faithful (SRResNet), to 1, sharp (SRGAN, the default); for srgan-x4"
    )
    parser.add_argument("--format", choices=FORMATS, default="", help="output format (default: that of each image)")
    parser.add_argument(
        "--quality",
        type=int,
        default=0,
        help="quality of JPEG, WebP and AVIF, 1 to 100 (default: 95, 95 and 90; not for videos)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace existing files unless they were made with the same settings"
    )
    parser.add_argument("--limit", type=float, default=100.0, help="maximum megapixels of an input (default: 100)")
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
    parser.add_argument("--check", action="store_true", help="reread every result and report what was preserved")
    parser.add_argument("--no-colour-lock", action="store_true", help="allow the model to shift colours")
    parser.add_argument(
        "--strip-location",
        action="store_true",
        help="leave out where a photo or video was taken (GPS, place names, maker note), which is kept otherwise",
    )
    parser.add_argument(
        "--compare", type=Path, metavar="PAGE", help="also write an HTML page with slider and magnifier"
    )
    parser.add_argument(
        "--original", type=Path, help="for --compare: the high-resolution original, or a folder with the same names"
    )
    parser.add_argument("--device", default="cpu", help="device (default: cpu)")
    arguments = parser.parse_args(argv)
    _check(arguments.scale, arguments.quality, arguments.limit, arguments.original, arguments.compare)

    from ganvas.imageio.planning import plan
    from ganvas.runs.models import bundled, find

    # A strength is one of srgan-x4, and says that the choice has been made.
    chooses = arguments.model is None and arguments.strength is None and SPOILED in bundled()
    first = CLEAN if arguments.model is None else arguments.model
    # Reject wrong paths before importing torch.
    find(first)
    plan(arguments.inputs, arguments.out, "_x4", arguments.format)

    from ganvas.imageio.interrupts import stoppable
    from ganvas.imageio.job import JobSettings, run
    from ganvas.imageio.progress import JobProgress
    from ganvas.imageio.upscale import ChosenUpscaling, UpscaleOptions, Upscaling
    from ganvas.inference import Upscaler, open_as
    from ganvas.terminal.console import Console

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
    settings = JobSettings(arguments.limit, arguments.overwrite, arguments.check)
    progress = JobProgress(Console(highlight=False), Console(stderr=True, highlight=False), operation.growth)
    with stoppable():
        try:
            outcome = run(planned, operation, settings, progress)
        finally:
            progress.close()
        if arguments.compare:
            from ganvas.imageio.compare_page import write_page

            chosen = ((source, choice.operation) for source, choice in outcome.choices.items())
            upscalers = {source: made.upscaler for source, made in chosen if isinstance(made, Upscaling)}
            compared = [*outcome.before, *(job for job, _ in outcome.made)]
            write_page(arguments.compare, compared, upscalers, arguments.original, faithful)
            print(arguments.compare)
    return _summary(outcome.bad, len(outcome.made), len(outcome.before), planned.skipped)


def _summary(bad: dict[Path, str], made: int, before: int, skipped: int) -> int:
    parts = [f"{made} upscaled"]
    parts += [f"{before} already done"] if before else []
    parts += [f"{skipped} other files skipped"] if skipped else []
    files = made + before + len(bad)
    listed = bad if files > 1 else {}  # for a single file, the line above gives the reason
    parts += [f"{len(bad)} failed{':' if listed else ''}"] if bad else []
    if files > 1 or skipped or before or bad:
        print(", ".join(parts))
    for path, why in listed.items():
        print(f"  {path}: {why}")
    return 1 if bad else 0


def _check(scale: float, quality: int, limit: float, original: Path | None, page: Path | None) -> None:
    if scale < 0 or (0 < scale < 1):
        raise InputError(f"--scale must be between 1 and the model's own scale; got {scale:g}.")
    if quality and not 1 <= quality <= 100:
        raise InputError(f"--quality must be between 1 and 100; got {quality}.")
    if not limit > 0:
        raise InputError(f"--limit must be above 0 megapixels, such as 100; got {limit:g}.")
    if page:
        expect_ending(page, ".html", ".htm", flag="--compare")
    if original and not page:
        raise InputError("--original requires --compare PAGE.html; give both.")
    if original and not original.exists():
        raise InputError(
            f"--original {original} does not exist; give the high-resolution image, or a folder with the same names."
        )
