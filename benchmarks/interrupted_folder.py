"""Upscale a folder of mixed files, kill it again and again, and check what is left.

    python benchmarks/interrupted_folder.py FOLDER_OF_PHOTOS [--files 200] [--kills 5] [--model srgan-x4] [--side 48]

Makes FILES photos of all formats, depths and orientations from crops of the given ones, starts ``ganvas upscale``,
kills it with SIGKILL at random moments KILLS times, lets it end, and counts: results that open whole, results that
are missing or torn, photos that were upscaled twice, files left over. Exit code 0 if all is well.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyvips
from PIL import Image, ImageOps

from ganvas.imageio.checking import check

NAME = ".ganvas-upscale.jsonl"  # of the manifest
KINDS = (
    ".jpg",
    ".png",
    ".webp",
    ".tif",
    ".avif",
    "grey.jpg",
    "alpha.png",
    "16.png",
    "16.tif",
    "palette.png",
    "cmyk.jpg",
)


def write(path: Path, image: Image.Image, kind: str, orientation: int) -> None:
    """One photo of a kind: an ending, with what is special before it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "benchmark"
    if kind.startswith("16"):
        values = np.asarray(image).astype(np.uint16) * 257
        pyvips.Image.new_from_array(values).copy(interpretation="rgb16").write_to_file(str(path))
        return
    if kind.startswith("alpha"):
        image.putalpha(Image.radial_gradient("L").resize(image.size))
    mode = {"grey": "L", "cmyk": "CMYK"}.get(kind.split(".")[0])
    image = image.convert(mode) if mode else image.quantize(64) if kind.startswith("palette") else image
    image.save(path, exif=exif, dpi=(300, 300))


def make(source: Path, folder: Path, files: int, side: int, chance: random.Random) -> None:
    """Write the photos, in folders of fifty."""
    photos = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".png", ".webp", ".jpeg"))
    for index in range(files):
        kind = KINDS[index % len(KINDS)]
        with Image.open(photos[index % len(photos)]) as opened:
            size = side + chance.randrange(side), side + chance.randrange(side)
            image = ImageOps.fit(opened.convert("RGB"), size)
        ending = kind[kind.rindex(".") :]
        path = folder / f"part{index // 50}" / f"photo{index:03d}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, image, kind, 1 + index % 8)


def stopped(command: list[str], manifest: Path, kills: int, files: int, chance: random.Random) -> int:
    """Run the command, killing it so often; how many of the kills found it still at work. Then run it to its end."""
    hits = 0
    for kill in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        aim = (kill + chance.random()) * files / (kills + 1)  # lines, so that the kills are spread over the job
        while process.poll() is None and (not manifest.exists() or manifest.read_bytes().count(b"\n") <= aim):
            time.sleep(0.001)
        time.sleep(chance.random() * 0.5)
        hits += process.poll() is None
        process.kill()
        process.wait()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return hits


def main() -> int:
    """Make, kill, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument(
        "--side", type=int, default=48, help="smallest side of the photos in pixels; the largest is twice that"
    )
    parser.add_argument("--model", default="srgan-x4")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as place:
        source, out = Path(place) / "in", Path(place) / "out"
        make(arguments.photos, source, arguments.files, arguments.side, chance)
        command = [
            sys.executable,
            "-m",
            "ganvas",
            "upscale",
            str(source),
            "--out",
            str(out),
            "--model",
            arguments.model,
        ]
        began = time.perf_counter()
        hits = stopped(command, out / NAME, arguments.kills, arguments.files, chance)
        seconds = time.perf_counter() - began
        texts = (out / NAME).read_text(encoding="utf-8").splitlines()
        lines = [json.loads(text) for text in texts if text.endswith("}")]
        count = Counter(line["source"] for line in lines if line["status"] == "done")
        bad = []
        for photo in sorted(path for path in source.rglob("*") if path.is_file()):
            name = photo.relative_to(source)
            result = out / name.with_name(f"{name.stem}_x4{name.suffix}")
            try:
                check(photo, result)
                with Image.open(result) as opened:
                    opened.load()
            except Exception as error:
                bad.append(f"{name}: {error}")
        results = [path for path in out.rglob("*") if path.is_file() and not path.name.startswith(".")]
        left = [path.name for path in out.rglob(".*") if path.name != NAME]
        twice = [name for name, times in count.items() if times > 1]
    print(f"{arguments.files} photos, {hits} of {arguments.kills} kills found it at work, {seconds:.0f} s in all")
    print(f"results {len(results)}, missing or torn {len(bad)}, made twice {len(twice)}, left over {len(left)}")
    for line in [*bad, *twice, *left]:
        print(f"  {line}")
    return 0 if len(results) == arguments.files and not bad and not twice and not left else 1


if __name__ == "__main__":
    sys.exit(main())
