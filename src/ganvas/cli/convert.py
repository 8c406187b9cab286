"""Turn another program's checkpoint into a safetensors file: ganvas convert FILE.pth --out FILE.safetensors"""

from __future__ import annotations

from pathlib import Path

from ganvas.cli._parser import Parser


def main(argv: list[str]) -> int:
    """Run ``ganvas convert FILE --out OUT``."""
    parser = Parser("ganvas convert", description=__doc__)
    parser.add_argument("file", type=Path, help="a .pth or .pt checkpoint; only the weights in it are read")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors file to write")
    arguments = parser.parse_args(argv)

    from ganvas.inference.upscaling.foreign import convert

    loaded = convert(arguments.file, arguments.out)
    print(
        f"{arguments.out}: {loaded.kind}, x{loaded.scale}; open it as a model: ganvas upscale --model {arguments.out}"
    )
    return 0
