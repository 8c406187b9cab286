"""Repair and blind upscaling, judged on spoiled test sets: python benchmarks/photos.py [--every 4] [--timed] [--out D]

Needs the test sets (GANVAS_SHARED or GANVAS_DATA) and, for the classical fills, opencv-python-headless. Repair is
compared with the input, and under holes and scratches with OpenCV's Telea and Navier-Stokes, which fill the aged input
under the same true masks; a cascade would only be worse. Blind upscaling is compared with bicubic and other models.
--timed also measures seconds per megapixel of the result, in turns in one process, and the greatest resident memory of
one large result of each model, made in a process of its own; run it on an idle machine. Prints Markdown. --out keeps
the spoiled pictures, their masks, every picture's scores, and the worst pictures.
"""

from __future__ import annotations

import argparse
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.errors import InputError
from ganvas.evaluation import Scores, score
from ganvas.evaluation.test_sets import TestSet, find_set
from ganvas.experiment import Host
from ganvas.imaging.damage_map import is_lost
from ganvas.imaging.saving import save_png
from ganvas.inference import Repairer, Upscaler, open_as
from ganvas.inference.base import Predictor
from ganvas.inference.engine.raster import Floats
from ganvas.metrics.measure import RepairCase
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
    parser.add_argument("--large", type=int, default=100, help="megapixels of the result whose memory is measured")
    parser.add_argument("--out", type=Path, help="folder to keep what was made and found")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.every < 1 or arguments.large < 1:
        parser.error("--every and --large must be at least 1.")
    try:
        if arguments.child:
            print(_memory(arguments.child, arguments.large))
            return
        print(_stamp())
        with tempfile.TemporaryDirectory() as folder:
            _judge(arguments, Path(folder))
        if arguments.timed:
            _speeds([arguments.repair, *arguments.upscale], arguments.large)
    except InputError as error:
        parser.error(str(error))


def _stamp() -> str:
    """Machine, versions, commit and command."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    host = Host().describe()
    words = " ".join(re.sub(r"[^:]*/", "", word) for word in sys.argv[1:])  # without folders
    return (
        f"{host['processor']}, {host['cores']} cores, Python {host['python']}, torch {host['torch']}, commit"
        f" {commit.stdout.strip()}: `python benchmarks/photos.py {words}`\n"
    )


def _judge(arguments: argparse.Namespace, folder: Path) -> None:
    # Models and sets that are not there are to be told before hours of work.
    sets = {name: find_set(name, _scale(name)) for name in arguments.sets}
    models = {_scale(name): [] for name in sets} | {1: ["input", arguments.repair], 4: ["bicubic", *arguments.upscale]}
    for scale in {_scale(name) for name in sets}:
        for model in models[scale][1:]:
            if (grows := _opened(model).about.scale) != scale:
                raise InputError(f"{model} has a scale of {grows}, and these sets need {scale}; give another model.")
    for name, whole in sets.items():
        source = name if arguments.every == 1 else _part(whole, arguments.every, folder)
        out = arguments.out or folder
        _table([score(model, source, out=out, progress=True)[0] for model in models[whole.scale]])
        if whole.scale == 1:
            _fills(find_set(source, 1))


def _scale(name: str) -> int:
    return 1 if name.lower().startswith("aged:") else 4


def _part(whole: TestSet, every: int, folder: Path) -> str:
    """A folder with every k-th original of a spoiled set, which is spoiled as the whole one is: by names."""
    word, _, name = whole.name.partition(":")
    target = folder / word / name
    target.mkdir(parents=True)
    for pair in replace(whole, items=whole.items[::every]):
        save_png(pair.high, target / f"{pair.name}.png")
    return f"{word}:{target}"


def _table(found: Sequence[Scores]) -> None:
    count = found[0].figures[0].protocol["pictures"]
    measures = list(dict.fromkeys(measure for one in found for measure in one.measures))
    print(f"| {found[0].set}, {count} pictures | {' | '.join(one.name for one in found)} |")
    print(f"|---|{'--:|' * len(found)}")
    for measure in measures:
        cells = [f"{one[measure].value:.4g}" if measure in one.measures else "" for one in found]
        print(f"| {measure} | {' | '.join(cells)} |")
    notes = dict.fromkeys(note for one in found for note in one.notes)
    print("".join(f"\n{note}\n" for note in notes), flush=True)


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
        mask = (is_lost(pair.damage) * 255).astype(np.uint8)
        for title, method in (("Telea", cv2.INPAINT_TELEA), ("Navier-Stokes", cv2.INPAINT_NS)):
            filled: Any = cv2.inpaint(pair.low, mask, RADIUS, method)
            sums[title] += measure.sums(RepairCase(pair.high, filled, pair.damage, *[pair.damage] * 4))
    print(f"| OpenCV {cv2.__version__}, radius {RADIUS} px | {' | '.join(sums)} |\n|---|--:|--:|")
    print(
        f"| hole PSNR, masks given | {' | '.join(f'{measure.of(one)[0]:.4g}' for one in sums.values())} |\n", flush=True
    )


def _speeds(models: Sequence[str], large: int) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (SIDE // 16, SIDE // 16, 3), dtype=np.uint8)
    photo = photo.repeat(16, 0).repeat(16, 1)
    jobs: dict[str, Callable[[], object]] = {}
    for name in models:
        model = _opened(name)
        side = SIDE // model.about.scale
        make = model.repair if isinstance(model, Repairer) else model.upscale
        jobs[name] = partial(make, np.ascontiguousarray(photo[:side, :side]))
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(4):
        for name, job in jobs.items():
            began = time.perf_counter()
            job()
            seconds[name].append((time.perf_counter() - began) / (SIDE * SIDE / 1e6))
    middle = {name: statistics.median(taken[1:]) for name, taken in seconds.items()}
    print(f"| model | s per megapixel of the result | times the first | GiB at most, {large} megapixels |")
    print("|---|--:|--:|--:|")
    for name, taken in middle.items():
        command = [sys.executable, __file__, "--child", name, "--large", str(large)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        ratio = taken / middle[models[0]]
        print(f"| {Path(name).stem} | {taken:.2f} | {ratio:.2f} | {done.stdout.strip()} |", flush=True)


def _opened(name: str) -> Repairer | Upscaler:
    model = open_as(Predictor, name)  # type: ignore[type-abstract]
    if not isinstance(model, Repairer | Upscaler):
        raise InputError(f"{name} {model.does}, but a model that upscales or repairs images is needed; give one.")
    return model


class Endless:
    """A photograph of any size that is not held."""

    channels = 3

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, 3) in [0, 1]"""
        rows, columns = np.arange(top, top + height)[:, None], np.arange(left, left + width)
        waves = [np.sin(rows / (30 + 7 * c)) * np.cos(columns / (50 - 9 * c)) for c in range(3)]
        return (np.stack(waves, 2) * 0.4 + 0.5).astype(np.float32)


def _memory(name: str, large: int) -> str:
    model = _opened(name)
    width = round((1.44 * large * 1e6) ** 0.5) // model.about.scale  # 12,000 x 8,333 px of 100 megapixels
    photo = Endless(round(width / 1.44), width)
    for _ in model.bands(photo):
        pass
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f}"


if __name__ == "__main__":
    main()
