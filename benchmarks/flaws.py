"""How often the measures of a photo call it spoiled: clean pictures, and the same spoiled in known ways.

    python benchmarks/flaws.py ../shared/data/sr_eval/Set5 ../shared/data/sr_eval/Set14 ../shared/data/sr_eval/BSD100
    python benchmarks/flaws.py ../shared/data/sr_train/photos480 ../shared/data/sr_train/bsds250 --every 4

A folder with HR and LRx4 in it is taken as it is; the photographs of others are shrunk by MATLAB's bicubic. Spoiling
is of the small pictures, by fixed seeds, but for Blind and BlindOnce, which make them of the large ones; noise is
grey in every second picture. --whole also judges the large pictures themselves.
"""

from __future__ import annotations

import argparse
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from ganvas.imaging.flaws import LIMITS, Flaws, measured, tiles
from ganvas.imaging.grid import Pixels
from ganvas.imaging.tensors import bicubic
from ganvas.inference.engine.raster import ArrayRaster
from ganvas.recipe.degradations import Blind, BlindOnce


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=1, help="take every so many pictures")
    parser.add_argument("--whole", action="store_true", help="also judge the large pictures")
    given = parser.parse_args()
    found: dict[str, list[Flaws]] = defaultdict(list)
    for folder in given.folders:
        for index, (large, small) in enumerate(pairs(folder, given.every)):
            if given.whole:
                found[f"{folder.name}, whole"].append(flaws(large))
            found[f"{folder.name}, clean"].append(flaws(small))
            for name, pixels in spoiled(large, small, index):
                found[name].append(flaws(pixels))
    names = [one.name for one in fields(Flaws)]
    print("| pictures | number | spoiled | " + " | ".join(names) + " |\n|---|" + "--:|" * (len(names) + 2))
    for kind, values in found.items():
        above = [value.above(LIMITS) for value in values]
        shares = [any(above[i]) for i in range(len(above))], *([name in one for one in above] for name in names)
        cells = " | ".join(f"{100 * np.mean(share):.1f} %" for share in shares)
        print(f"| {kind} | {len(values)} | {cells} |")


def pairs(folder: Path, every: int) -> Iterator[tuple[Pixels, Pixels]]:
    """The large and the small pictures of a folder, uint8 (H, W, 3)."""
    large = folder / "HR" if (folder / "HR").is_dir() else folder
    for path in sorted(large.iterdir())[::every]:
        high = read(path)
        if large != folder:
            yield high, read(folder / "LRx4" / path.name)
            continue
        planes = torch.from_numpy(high[: high.shape[0] // 4 * 4, : high.shape[1] // 4 * 4].copy()).permute(2, 0, 1)
        yield high, np.ascontiguousarray(bicubic(planes, 0.25).permute(1, 2, 0).numpy())


def spoiled(large: Pixels, small: Pixels, index: int) -> Iterator[tuple[str, Pixels]]:
    """Versions of a small picture, by name."""
    random = np.random.default_rng(index)
    for quality in (30, 50, 70, 80, 90):
        yield f"JPEG, quality {quality}", jpeg(small, quality, random)
    for sigma in (3, 5, 10, 20, 30):
        noise = random.normal(0, sigma, (*small.shape[:2], 1 if index % 2 else 3))
        kind = "grey noise" if index % 2 else "colour noise"
        yield f"{kind}, {sigma} of 255", np.rint(small + noise).clip(0, 255).astype(np.uint8)
    for width in (1.0, 1.5, 2.0, 3.0):
        yield f"blur, {width:g} px", np.rint(gaussian_filter(small.astype(float), (width, width, 0))).astype(np.uint8)
    height, width = (side // 4 * 4 for side in large.shape[:2])
    planes = torch.from_numpy(large[:height, :width].copy()).permute(2, 0, 1)[None]
    for degradation in (Blind(), BlindOnce()):
        for seed in (index, index + 1000):
            made = degradation.apply(planes, 4, torch.Generator().manual_seed(seed))["input"][0]
            yield type(degradation).__name__, made.permute(1, 2, 0).numpy().astype(np.uint8)


def jpeg(pixels: Pixels, quality: int, random: np.random.Generator) -> Pixels:
    """Compressed with the grid at any phase, and with or without colours of half the resolution."""
    top, left, subsampling = int(random.integers(8)), int(random.integers(8)), int(random.choice([0, 2]))
    file, padded = io.BytesIO(), np.pad(pixels, ((top, 0), (left, 0), (0, 0)), mode="edge")
    Image.fromarray(padded).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))[top:, left:]


def read(path: Path) -> Pixels:
    """uint8 (H, W, 3)"""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def flaws(pixels: Pixels) -> Flaws:
    """Of a picture in memory."""
    return measured(list(tiles(ArrayRaster(pixels))))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
