"""Repair and blind upscaling, judged on spoiled test sets: python benchmarks/photos.py [--every 4] [--timed]

Needs the test sets (GANVAS_SHARED or GANVAS_DATA) and, for the classical fills, opencv-python-headless. Repair is
compared with the input, and under holes and scratches with OpenCV's Telea and Navier-Stokes, which fill the aged input
under the same true masks; a cascade would only be worse. Blind upscaling is compared with bicubic and other models.
--timed also measures seconds per megapixel of the result, in turns in one process, and the greatest resident memory of
a photo of 100 megapixels, repaired in a process of its own; run it on an idle machine. Prints Markdown.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import ganvas
from ganvas.evaluation import Scores, score
from ganvas.evaluation.test_sets import TestSet, find_set
from ganvas.imaging.saving import save_png
from ganvas.inference import Repairer, Upscaler, open_as
from ganvas.inference.engine.raster import Floats
from ganvas.machine import processor
from ganvas.metrics.measure import RepairCase, lost
from ganvas.metrics.repair import HolePSNR

RADIUS = 3  # px, of OpenCV's fills
REPAIR, UPSCALE = ("aged:BSD100", "aged:Set14"), ("blind:BSD100", "blind:Set14", "blindonce:BSD100", "blindonce:Set14")
SIDE = 1024  # of the timed photo


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repair", default="repair", help="model that repairs")
    parser.add_argument(
        "--upscale", nargs="+", default=["srresnet-x4", "srgan-x4", "photo-x4"], help="models that upscale"
    )
    parser.add_argument("--every", type=int, default=1, help="take every k-th picture of a set")
    parser.add_argument("--sets", nargs="+", default=[*REPAIR, *UPSCALE])
    parser.add_argument("--timed", action="store_true", help="also measure speed and memory; minutes")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(_memory(arguments.repair))
        return
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    print(f"ganvas {ganvas.__version__}, {commit or 'no commit'}; {processor()}; {' '.join(sys.argv)}\n")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.sets:
            word, _, rest = name.partition(":")
            models = ["input", arguments.repair] if word == "aged" else ["bicubic", *arguments.upscale]
            scale = 1 if word == "aged" else 4
            some = f"{word}:{_part(rest, scale, arguments.every, Path(folder))}"
            _table(name, [score(model, some, out=folder, progress=True)[0] for model in models])
            if word == "aged":
                _fills(find_set(some, 1))
    if arguments.timed:
        _speeds(arguments.repair, arguments.upscale)


def _part(name: str, scale: int, every: int, folder: Path) -> Path | str:
    """A folder with every k-th original of a set; the set itself for all."""
    if every == 1:
        return name
    target = folder / f"every{every}" / name
    for index, pair in enumerate(find_set(name, scale)):
        if index % every == 0 and not (target / f"{pair.name}.png").exists():
            target.mkdir(parents=True, exist_ok=True)
            save_png(pair.high, target / f"{pair.name}.png")
    return target


def _table(name: str, found: Sequence[Scores]) -> None:
    count = found[0].figures[0].protocol["pictures"]
    measures = list(dict.fromkeys(measure for one in found for measure in one.measures))
    print(f"| {name}, {count} pictures | {' | '.join(one.name for one in found)} |")
    print(f"|---|{'--:|' * len(found)}")
    for measure in measures:
        cells = [f"{one[measure].value:.4g}" if measure in one.measures else "" for one in found]
        print(f"| {measure} | {' | '.join(cells)} |")
    print(flush=True)


def _fills(pairs: TestSet) -> None:
    """Hole pixels of OpenCV's two fills."""
    try:
        import cv2
    except ImportError:
        print("OpenCV is not installed, so its fills are left out: pip install opencv-python-headless\n")
        return
    measure = HolePSNR()
    sums = {"Telea": np.zeros(2), "Navier-Stokes": np.zeros(2)}
    for pair in pairs:
        assert pair.damage is not None
        mask = (lost(pair.damage) * 255).astype(np.uint8)
        for title, method in (("Telea", cv2.INPAINT_TELEA), ("Navier-Stokes", cv2.INPAINT_NS)):
            filled: Any = cv2.inpaint(pair.low, mask, RADIUS, method)
            sums[title] += measure.sums(RepairCase(pair.high, filled, pair.damage, *[pair.damage] * 4))
    print(
        "; ".join(f"hole PSNR of {title}, masks given: {measure.of(one)[0]:.2f} dB" for title, one in sums.items()),
        "\n",
    )


def _speeds(repair: str, upscale: Sequence[str]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (SIDE // 16, SIDE // 16, 3), dtype=np.uint8)
    photo = photo.repeat(16, 0).repeat(16, 1)
    small = np.ascontiguousarray(photo[: SIDE // 4, : SIDE // 4])
    jobs: dict[str, Callable[[], object]] = {repair: partial(open_as(Repairer, repair).repair, photo)}
    jobs |= {name: partial(open_as(Upscaler, name).upscale, small) for name in upscale}
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(4):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            seconds[name].append((time.perf_counter() - began) / (SIDE * SIDE / 1e6))
    print("| model | s per megapixel of the result |\n|---|--:|")
    for name, taken in seconds.items():
        print(f"| {name} | {statistics.median(taken[1:]):.2f} |")
    done = subprocess.run(
        [sys.executable, __file__, "--child", "--repair", repair], capture_output=True, text=True, check=True
    )
    print(f"\nGreatest resident memory, 100 megapixels repaired: {done.stdout.strip()}")


class Endless:
    """A photograph of 100 megapixels that is not held."""

    channels, height, width = 3, 8_334, 12_000

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, 3) in [0, 1]"""
        rows, columns = np.arange(top, top + height)[:, None], np.arange(left, left + width)
        waves = [np.sin(rows / (30 + 7 * c)) * np.cos(columns / (50 - 9 * c)) for c in range(3)]
        return (np.stack(waves, 2) * 0.4 + 0.5).astype(np.float32)


def _memory(repair: str) -> str:
    repairer = open_as(Repairer, repair)
    rows = sum(len(band) for band in repairer.bands(Endless()))
    assert rows == Endless.height
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"


if __name__ == "__main__":
    main()
