"""Generate images with a trained run: ganvas generate runs/x -n 64 --grid out.png"""

from __future__ import annotations

from pathlib import Path

from ganvas.cli._parser import Parser

NAMES = 100  # characters that the classes take of a file's name at most


def main(argv: list[str]) -> int:
    """Run ``ganvas generate RUN ...``."""
    parser = Parser("ganvas generate", description=__doc__)
    parser.add_argument("run", help="a run's folder, or a .safetensors file that ganvas wrote")
    parser.add_argument(
        "-n",
        type=int,
        help="number of images (default: 64; of several classes 8 of each) or points (default: 2500), or of stops of"
        " a walk (default: 6)",
    )
    parser.add_argument(
        "--class",
        dest="classes",
        action="append",
        default=[],
        metavar="CLASS",
        help="of a run with classes: the name or number of one, repeatable (default: all)",
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same images (default: 0)")
    parser.add_argument("--grid", type=Path, help="write one sheet, a PNG file (default: RUN[-CLASS]-seedN.png)")
    parser.add_argument(
        "--out",
        type=Path,
        help="write single PNG files into this folder, those of classes in one for each; of a walk, a .gif or .mp4"
        " file; of points, a .csv or .npz file",
    )
    parser.add_argument("--interpolate", action="store_true", help="walk from each random point to the next")
    parser.add_argument(
        "--steps", type=int, default=16, help="images from one stop of a walk to the next (default: 16)"
    )
    parser.add_argument("--which", choices=("last", "best"), default="last", help="the newest state or the best one")
    parser.add_argument("--device", default="cpu", help="where to compute (default: cpu)")
    arguments = parser.parse_args(argv)

    from ganvas.errors import InputError
    from ganvas.runs.models import find

    find(arguments.run, arguments.which)  # a wrong path is refused before torch is loaded

    from ganvas.inference import open_as
    from ganvas.inference.generator import class_folder
    from ganvas.inference.sampler import Sampler

    generator = open_as(Sampler, arguments.run, which=arguments.which, device=arguments.device)
    seed, sheet, out = arguments.seed, arguments.grid, arguments.out
    asked, known = arguments.classes, generator.classes
    # A class may be called all.
    if not asked or (asked == ["all"] and known and "all" not in known):
        asked = known
    labels = list(dict.fromkeys(map(generator.number, asked)))
    if not sheet and not out:
        which = "" if asked is known else "-" + "-".join(class_folder(known[label], label) for label in labels)[:NAMES]
        sheet = Path(f"{generator.name}{which}-seed{seed}.png")
    if arguments.interpolate:
        if arguments.classes and len(labels) > 1:
            raise InputError(f"a walk stays in one class, and {len(labels)} are given; leave all --class but one out.")
        label = labels[0] if arguments.classes else None
        n = 6 if arguments.n is None else arguments.n
        paths = generator.write_interpolation(n, arguments.steps, seed, sheet, out, label)
    else:
        usual = 8 if len(labels) > 1 else generator.default_count
        n = usual if arguments.n is None else arguments.n
        paths = generator.write_samples(n, seed, out, labels) if out else []
        paths += [generator.write_grid(n, seed, sheet, labels)] if sheet else []
    print("\n".join(map(str, paths)))
    return 0
