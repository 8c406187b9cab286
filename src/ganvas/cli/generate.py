"""Generate images, sentences or points with a trained run: ganvas generate runs/x -n 64 --grid out.png"""

from __future__ import annotations

from pathlib import Path

from ganvas.cli._parser import Parser
from ganvas.terminal import print


def main(argv: list[str]) -> int:
    """Run ``ganvas generate RUN ...``."""
    parser = Parser("ganvas generate", description=__doc__)
    parser.add_argument("run", help="run folder, or .safetensors file written by ganvas")
    parser.add_argument(
        "-n",
        type=int,
        help="number of images (default: 64, or 8 per class), sentences (default: 20), 2-D points (default: 2500), or"
        " stops of an interpolation (default: 6)",
    )
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        default=[],
        metavar="CLASS",
        help="class name or number, if the run has classes; repeatable (default: all)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="random seed; the same seed gives the same images (default: 0)"
    )
    parser.add_argument("--grid", type=Path, help="PNG file of the sample grid (default: RUN[-CLASS]-seedN.png)")
    parser.add_argument(
        "--out",
        type=Path,
        help="folder for single PNG files, with one subfolder per class; for an interpolation, a .gif or .mp4 file; for"
        " sentences, a .txt or .jsonl file (default: printed); for 2-D points, a .csv or .npz file",
    )
    parser.add_argument(
        "--temperature",
        type=float,
        help="for sentences: below 1 the commonest phrases, above 1 rarer words (default: 1, as trained)",
    )
    parser.add_argument("--interpolate", action="store_true", help="interpolate from each random sample to the next")
    parser.add_argument(
        "--steps", type=int, default=16, help="images from one stop of an interpolation to the next (default: 16)"
    )
    parser.add_argument(
        "--which", choices=("last", "best"), default="last", help="state of the run: last or best (default: last)"
    )
    parser.add_argument("--device", default="cpu", help="device (default: cpu)")
    arguments = parser.parse_args(argv)

    from ganvas.errors import InputError
    from ganvas.runs.models import find

    find(arguments.run, arguments.which)  # rejects a wrong path before importing torch

    from ganvas.files import plain_name
    from ganvas.inference import open_as
    from ganvas.inference.generator import class_folder
    from ganvas.inference.progress import generating
    from ganvas.inference.sampler import Sampler

    options = {} if arguments.temperature is None else {"temperature": arguments.temperature}
    generator = open_as(Sampler, arguments.run, which=arguments.which, device=arguments.device, **options)
    seed, grid, out = arguments.seed, arguments.grid, arguments.out
    asked, known = arguments.classes, generator.classes
    # A class may be called all.
    if not asked or (asked == ["all"] and known and "all" not in known):
        asked = known
    labels = list(dict.fromkeys(map(generator.number, asked)))
    n = generator.default_count if arguments.n is None else arguments.n
    if not grid and not out and not arguments.interpolate and (lines := generator.lines(n, seed)):
        for line in lines:
            print(line)
        return 0
    if not grid and not out:
        shown = plain_name("-".join(class_folder(known[label], label) for label in labels))
        grid = Path(f"{generator.name}{'' if asked is known else f'-{shown}'}-seed{seed}.png")
    if arguments.interpolate:
        if arguments.classes and len(labels) > 1:
            raise InputError(
                f"an interpolation stays in one class, but {len(labels)} were given; give a single --class."
            )
        label = labels[0] if arguments.classes else None
        n = 6 if arguments.n is None else arguments.n
        with generating(generator, n * arguments.steps):
            paths = generator.write_interpolation(n, arguments.steps, seed, grid, out, label)
    else:
        default = 8 if len(labels) > 1 else generator.default_count
        n = default if arguments.n is None else arguments.n
        with generating(generator, n * max(1, len(labels)) * (bool(out) + bool(grid))):
            paths = generator.write_samples(n, seed, out, labels) if out else []
            of_grid = [generator.write_grid(n, seed, grid, labels)] if grid else []
        if out and out.is_dir():  # a line for each of thousands of files tells nobody anything
            print(f"{out}: {len(paths):,} images")
            paths = []
        paths += of_grid
    for path in paths:
        print(path)
    return 0
