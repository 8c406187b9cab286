"""Upscale photos, folders of them and videos, preserving metadata: ganvas upscale photo.jpg"""

from __future__ import annotations

from pathlib import Path

from ganvas.cli._parser import Parser
from ganvas.errors import InputError

FORMATS = ("png", "jpeg", "webp", "tiff", "avif")

NAMES = """The result of photo.jpg is photo_x4.jpg: in the folder --out, where a folder's structure is kept, or beside
the photo. Two photos that differ only in their endings become photo_jpg_x4.png and photo_png_x4.png. Files that are
there stay, unless --overwrite. The same command run again, after a kill too, goes on with what is left. Exit code: 0
all done, 1 some files were set aside (listed at the end), 2 unusable command."""


def main(argv: list[str]) -> int:
    """Run ``ganvas upscale IN.. [--out OUT] ...``; 0 all done, 1 some files were set aside."""
    parser = Parser("ganvas upscale", description=__doc__, epilog=NAMES)
    parser.add_argument("inputs", nargs="+", metavar="IN", help="images, videos, folders (with all below), patterns")
    parser.add_argument("--out", type=Path, help="folder of the results, or of one image a file (default: beside it)")
    parser.add_argument(
        "--model",
        default="srgan-x4",
        help="a name (srgan-x4, the default: sharp; srresnet-x4: faithful), a run's folder, or a file of weights",
    )
    parser.add_argument("--scale", type=float, default=0, help="1 up to the model's own, which is the default")
    parser.add_argument(
        "--strength", type=float, default=1.0, help="0 faithful (SRResNet) to 1 sharp (SRGAN, the default)"
    )
    parser.add_argument("--format", choices=FORMATS, default="", help="of the results (default: that of each image)")
    parser.add_argument(
        "--quality",
        type=int,
        default=0,
        help="of JPEG, WebP, AVIF, 1 to 100 (default: 95, 95, 90; videos have their own)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there and was not made so before")
    parser.add_argument(
        "--limit", type=float, default=100.0, help="megapixels a file may have before it is upscaled (default: 100)"
    )
    parser.add_argument(
        "--tile", type=int, default=0, help="side of the parts in pixels (default: by the memory at hand)"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "auto"),
        default="fp32",
        help="auto: the fastest that is 50 dB or more from fp32",
    )
    parser.add_argument(
        "--check", action="store_true", help="read every result anew and say what was preserved, a line each"
    )
    parser.add_argument("--no-colour-lock", action="store_true", help="let the model shift colours")
    parser.add_argument("--compare", type=Path, metavar="PAGE", help="also write an HTML page with slider and loupe")
    parser.add_argument(
        "--original", type=Path, help="of --compare: the large original, or a folder with the same names"
    )
    parser.add_argument("--device", default="cpu", help="where to compute (default: cpu)")
    arguments = parser.parse_args(argv)
    _check(arguments.scale, arguments.quality, arguments.limit, arguments.original, arguments.compare)

    from ganvas.imageio.planning import plan
    from ganvas.runs.models import find

    # Wrong paths are refused before torch is loaded.
    find(arguments.model)
    plan(arguments.inputs, arguments.out, 1, arguments.format)

    from rich.console import Console

    from ganvas.imageio.interrupts import stoppable
    from ganvas.imageio.job import JobSettings, run
    from ganvas.imageio.progress import JobProgress
    from ganvas.imageio.upscale import OutputOptions
    from ganvas.inference import Upscaler, open_as

    names = ("strength", "device", "precision", "tile")
    opening = {"model": arguments.model} | {name: getattr(arguments, name) for name in names}
    options = OutputOptions(arguments.scale, arguments.format, arguments.quality, not arguments.no_colour_lock)
    upscaler = open_as(Upscaler, **opening)
    scale = options.scale_for(upscaler)
    planned = plan(arguments.inputs, arguments.out, scale, options.form)
    model = {"model": upscaler.name, "images": upscaler.images_seen, "strength": arguments.strength}
    model["precision"] = arguments.precision
    settings = JobSettings(options, model, arguments.limit, arguments.overwrite, arguments.check)
    progress = JobProgress(Console(highlight=False), Console(stderr=True, highlight=False), scale**2)
    with stoppable():
        try:
            outcome = run(planned, upscaler, settings, progress)
        finally:
            progress.close()
        if arguments.compare:
            from ganvas.imageio.compare_page import write_page

            shown = [*outcome.before, *(job for job, _ in outcome.made)]
            write_page(arguments.compare, shown, upscaler, arguments.original, opening)
            print(arguments.compare)
    return _summary(outcome.bad, len(outcome.made), len(outcome.before), planned.skipped)


def _summary(bad: dict[Path, str], made: int, before: int, skipped: int) -> int:
    parts = [f"{made} upscaled"]
    parts += [f"{before} were done before"] if before else []
    parts += [f"{skipped} other files skipped"] if skipped else []
    files = made + before + len(bad)
    listed = bad if files > 1 else {}  # of one file, the line just above says why
    parts += [f"{len(bad)} set aside{':' if listed else ''}"] if bad else []
    if files > 1 or skipped or before or bad:
        print(", ".join(parts))
    for path, why in listed.items():
        print(f"  {path}: {why}")
    return 1 if bad else 0


def _check(scale: float, quality: int, limit: float, original: Path | None, page: Path | None) -> None:
    if scale < 0 or (0 < scale < 1):
        raise InputError(f"--scale {scale:g} upscales nothing; give 1 up to the model's own scale.")
    if quality and not 1 <= quality <= 100:
        raise InputError(f"--quality {quality} is out of range; give 1 to 100.")
    if not limit > 0:
        raise InputError(f"--limit {limit:g} lets no image pass; give megapixels, such as 100.")
    if page and page.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--compare {page} is not a page; give a name that ends in .html.")
    if original and not page:
        raise InputError("--original is for --compare PAGE.html; give both.")
    if original and not original.exists():
        raise InputError(f"--original {original} is not there; give the large image, or a folder with the same names.")
