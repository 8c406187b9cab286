"""Convert a run, or another program's checkpoint, to one safetensors file: ganvas convert FILE --out OUT"""

from __future__ import annotations

from pathlib import Path

from ganvas.cli._parser import Parser
from ganvas.terminal import print


def main(argv: list[str]) -> int:
    """Run ``ganvas convert FILE --out OUT``."""
    parser = Parser("ganvas convert", description=__doc__)
    parser.add_argument("file", type=Path, help="run, or .pth or .pt checkpoint; only weights are read, no code is run")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--half", action="store_true", help="store the weights in half precision")
    parser.add_argument(
        "--bare", action="store_true", help="only the weights, under the network's own names, for other programs"
    )
    parser.add_argument(
        "--which", choices=("last", "best"), default="last", help="state of the run: last or best (default: last)"
    )
    arguments = parser.parse_args(argv)

    from ganvas.runs.models import find

    find(arguments.file, arguments.which)  # rejects a wrong path before importing torch

    from ganvas.inference.export import convert
    from ganvas.inference.loading import predictor_of

    about = convert(arguments.file, arguments.out, which=arguments.which, half=arguments.half, bare=arguments.bare)
    command = predictor_of(about.task).use.format(model=arguments.out)
    print(f"{arguments.out}: {about.name}, {about.network}{'' if arguments.bare else f'; next: {command}'}")
    return 0
