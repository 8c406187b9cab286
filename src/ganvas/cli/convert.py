"""Turn a run, or another program's checkpoint, into one safetensors file: ganvas convert FILE --out FILE.safetensors"""

from __future__ import annotations

from pathlib import Path

from ganvas.cli._parser import Parser


def main(argv: list[str]) -> int:
    """Run ``ganvas convert FILE --out OUT``."""
    parser = Parser("ganvas convert", description=__doc__)
    parser.add_argument("file", type=Path, help="a run, or a .pth or .pt checkpoint; only weights are read")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    parser.add_argument("--half", action="store_true", help="store the weights in half precision")
    parser.add_argument("--which", choices=("last", "best"), default="last", help="the run's newest state or its best")
    arguments = parser.parse_args(argv)

    from ganvas.inference.opening import is_ours, write_model
    from ganvas.runs.models import find

    file = find(arguments.file, arguments.which)
    if is_ours(file):
        about = write_model(file, arguments.out, half=arguments.half)
        print(f"{arguments.out}: the generator of {about['run']} at image {about['images']:,}")
        return 0

    from ganvas.inference.importers.convert import convert

    loaded = convert(file, arguments.out, half=arguments.half)
    print(
        f"{arguments.out}: {loaded.kind}, x{loaded.scale}; open it as a model: ganvas upscale --model {arguments.out}"
    )
    return 0
