"""Real old photographs, repaired and enlarged, to look at: python benchmarks/old_photos.py PHOTOS --out FOLDER

There is no original to compare with. Writes repaired.webp, each photo beside what `ganvas repair` makes of it and the
damage that it found; and crops.webp, five crops of each photo, from the centre and the quarters, by bicubic and by each
model. --only chooses crops by their numbers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas.imaging.grid import Pixels, label_columns, label_rows, labels_width
from ganvas.inference import Repairer, Upscaler, open_as

SIDE, GAP = 64, 8  # of a crop, and between pictures, in pixels
PLACES = ((0.5, 0.5), (0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75))


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path, help="folder of photographs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repair", default="repair", help="model that repairs")
    parser.add_argument("--upscale", nargs="+", default=["srgan-x4", "photo-x4"], help="models that upscale")
    parser.add_argument("--only", nargs="+", type=int, default=[], help="numbers of crops, from 0")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    photos = [Image.open(path).convert("RGB") for path in sorted(arguments.photos.iterdir())]
    _save(_repaired(photos, arguments.repair), arguments.out / "repaired.webp")
    _save(_crops(photos, arguments.upscale, arguments.only), arguments.out / "crops.webp")


def _repaired(photos: list[Image.Image], name: str) -> Pixels:
    """A row for each photo: as it is, repaired, and its damage."""
    model = open_as(Repairer, name)
    rows = []
    for photo in photos:
        after, damage = model.repair(photo)
        print(f"{photo.width} x {photo.height}: {model.last}")
        found = np.rint(damage * 255).astype(np.uint8)
        rows.append(np.concatenate([_framed(part) for part in (np.asarray(photo), np.asarray(after), found)], 1))
    widest = max(row.shape[1] for row in rows)
    return np.concatenate([_framed(row, widest - row.shape[1], 0) for row in rows])


def _framed(pixels: Pixels, right: int = GAP, below: int = GAP) -> Pixels:
    """With white pixels to its right and below it."""
    return np.pad(pixels, ((0, below), (0, right), (0, 0)), constant_values=255)


def _crops(photos: list[Image.Image], names: list[str], only: list[int]) -> Pixels:
    """A row for each crop: bicubic, and every model, which sees the whole photo."""
    models = [open_as(Upscaler, name) for name in names]
    cut: list[list[Pixels]] = []
    for photo in photos:
        large = [photo.resize((4 * photo.width, 4 * photo.height), Image.Resampling.BICUBIC)]
        large += [model.upscale(photo) for model in models]
        for across, down in PLACES:
            left, top = round(across * photo.width - SIDE / 2), round(down * photo.height - SIDE / 2)
            box = (4 * left, 4 * top, 4 * (left + SIDE), 4 * (top + SIDE))
            cut.append([np.asarray(image.crop(box)) for image in large])
    numbers = only or list(range(len(cut)))
    rows = np.concatenate([np.concatenate(cut[number], 1) for number in numbers])
    labels = [str(number) for number in numbers]
    return label_columns(label_rows(rows, labels), ["bicubic", *names], labels_width(labels))


def _save(pixels: Pixels, path: Path) -> None:
    Image.fromarray(pixels).save(path, quality=85, method=6)
    print(f"{path}: {pixels.shape[1]} x {pixels.shape[0]}")


if __name__ == "__main__":
    main()
