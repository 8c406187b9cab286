"""What the measures report on images damaged on purpose: python benchmarks/damaged_images.py

Real images are divided into a training part, a part to evaluate with, and new ones. "Fakes" are new images, or the
same after one kind of damage, so that what each measure should say is known. Prints markdown tables, and draws what was
measured.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageFilter

from ganvas.data import load
from ganvas.evaluation.features import remembered
from ganvas.experiment import Host
from ganvas.imaging.grid import Pixels, grid, to_image
from ganvas.metrics.class_histogram import classes
from ganvas.metrics.classifier_score import classifier_score
from ganvas.metrics.density_coverage import density_coverage
from ganvas.metrics.extractors import Extracted, open_extractor
from ganvas.metrics.fid import frechet_distance
from ganvas.metrics.intervals import Estimate
from ganvas.metrics.kid import kid
from ganvas.metrics.memorization import memorization, nearest
from ganvas.metrics.precision_recall import precision_recall
from ganvas.recipe.sources import Images

RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Parts:
    """One data set, divided."""

    reals: Pixels
    training: Pixels
    yardstick: Pixels
    new: Pixels
    labels: np.ndarray | None


def divide(source: str, size: int, channels: int, count: int, training: int) -> Parts:
    """Shuffle, then: training images (the first `count` are the reals), `count` new ones, the rest a yardstick."""
    data = load(Images(source=source), size=size, channels=channels, progress=True)
    order = RNG.permutation(len(data))
    images = data.take(order)
    new = slice(training, training + count)
    labels = None if data.labels is None else data.labels[order][new]
    return Parts(images[:count], images[:training], images[new.stop :][:2000], images[new], labels)


def each(change: Callable[[Image.Image], Image.Image], images: Pixels) -> Pixels:
    """Apply a PIL operation to every image."""
    made = [np.asarray(change(to_image(image))) for image in images]
    return np.stack(made).reshape(images.shape)


def blur(images: Pixels, radius: float) -> Pixels:
    """Gaussian blur."""
    return each(lambda image: image.filter(ImageFilter.GaussianBlur(radius)), images)


def jpeg(images: Pixels, quality: int) -> Pixels:
    """Compress and decompress."""

    def change(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, format="JPEG", quality=quality)
        return Image.open(file)

    return each(change, images)


def noise(images: Pixels, deviation: float) -> Pixels:
    """Gaussian noise on every pixel, in grey levels."""
    noisy = images + deviation * RNG.standard_normal(images.shape)
    return noisy.round().clip(0, 255).astype(np.uint8)


def fake_sets(parts: Parts) -> dict[str, Pixels]:
    """The sets to measure, by what was done to them."""
    new, count = parts.new, len(parts.new)
    sets = {
        "new images": new,
        "blurred, radius 1": blur(new, 1),
        "noise of 8 grey levels": noise(new, 8),
        "contrast at 80 %": (new * 0.8 + 25).astype(np.uint8),
        "JPEG at quality 30": jpeg(new, 30),
        "one in ten is pure noise": np.where(
            np.arange(count)[:, None, None, None] % 10 == 0, RNG.integers(0, 256, new.shape, dtype=np.uint8), new
        ),
        "an eighth of them, 8 times": np.tile(new[: count // 8], (8, 1, 1, 1)),
        "training images": parts.training[count : 2 * count],
        "training images, mirrored": parts.training[count : 2 * count, :, ::-1],
        "half new, half training": np.concatenate([new[: count // 2], parts.training[-count // 2 :]]),
    }
    if parts.labels is not None:
        left = new[parts.labels != 7]
        sets["without the digit 7"] = left[RNG.integers(0, len(left), count)]
        left = new[parts.labels < 5]
        sets["without 5 to 9"] = left[RNG.integers(0, len(left), count)]
    return sets


def measure(fake: Extracted, real: Extracted, digits: bool) -> dict[str, Estimate]:
    """All measures on features."""
    found = {"FD": frechet_distance(fake.features, real.features), "KID x 1000": kid(fake.features, real.features)}
    one = found["KID x 1000"]
    found["KID x 1000"] = Estimate(1000 * one.value, 1000 * one.low, 1000 * one.high)
    found |= precision_recall(fake.features, real.features) | density_coverage(fake.features, real.features)
    found["score"] = classifier_score(fake.probabilities)
    if digits:
        histogram = classes(fake.probabilities, real.probabilities)
        found |= {"modes": histogram.modes, "class KL": histogram.kl}
    return found


def table(name: str, parts: Parts, extractor_name: str, side: int, chart: Path | None = None) -> list[str]:
    """Measure every set of one data set."""
    extractor = open_extractor(extractor_name, side)
    sets = fake_sets(parts)
    real = remembered(extractor, parts.reals, lambda count: None)
    held_out = nearest(parts.yardstick, [parts.training])
    rows: list[str] = []
    began, done = time.perf_counter(), 0
    for what, fakes in sets.items():
        found = measure(remembered(extractor, fakes, lambda count: None), real, bool(extractor.class_names))
        found |= memorization(nearest(fakes, [parts.training]), held_out)
        done += len(fakes)
        if not rows:
            rows += [f"| {name} | {' | '.join(found)} |", f"|---|{'--:|' * len(found)}"]
        rows.append(f"| {what} | {' | '.join(_cell(estimate) for estimate in found.values())} |")
        print(rows[-1], f"({done / (time.perf_counter() - began):.0f} images/s)", flush=True)
    if chart:
        _draw(sets, chart)
    about = f"{name}: {len(parts.reals):,} reals, {len(parts.new):,} fakes, {len(parts.training):,} training images"
    about += f", {len(parts.yardstick):,} as the yardstick; {extractor.name} {extractor.weights}, {extractor.resize}."
    return [about, "", *rows, ""]


def _cell(estimate: Estimate) -> str:
    half = (estimate.high - estimate.low) / 2
    return f"{estimate.value:.3g} ± {half:.1g}"


def by_count(name: str, parts: Parts, extractor_name: str, side: int, counts: tuple[int, ...]) -> list[str]:
    """FD and KID of new images at several counts: what bias by N means."""
    extractor = open_extractor(extractor_name, side)
    real = remembered(extractor, parts.reals, lambda count: None).features
    new = remembered(extractor, parts.new, lambda count: None).features
    blurred = remembered(extractor, blur(parts.new, 1), lambda count: None).features
    rows = [f"| {name}, images of each | FD of new | FD of blurred | KID x 1000 of new | KID x 1000 of blurred |"]
    rows.append("|--:|--:|--:|--:|--:|")
    for count in counts:
        cells = [frechet_distance(x[:count], real[:count]) for x in (new, blurred)]
        for x in (new, blurred):
            found = kid(x[:count], real[:count])
            cells.append(Estimate(1000 * found.value, 1000 * found.low, 1000 * found.high))
        rows.append(f"| {count:,} | {' | '.join(map(_cell, cells))} |")
        print(rows[-1], flush=True)
    return [*rows, ""]


def by_side(name: str, parts: Parts, sides: tuple[int, ...]) -> list[str]:
    """The same images by EfficientNet-Lite0 at several sides."""
    rows = [
        f"| {name}, resized to | FD of new | FD of blurred | FD blurred / new | images/s |",
        "|--:|--:|--:|--:|--:|",
    ]
    for side in sides:
        extractor = open_extractor("efficientnet-lite0", side)
        began = time.perf_counter()
        real, new, blurred = (extractor.extract(x).features for x in (parts.reals, parts.new, blur(parts.new, 1)))
        rate = (len(parts.reals) + 2 * len(parts.new)) / (time.perf_counter() - began)
        fd, fd_blurred = frechet_distance(new, real), frechet_distance(blurred, real)
        ratio = fd_blurred.value / fd.value
        rows.append(f"| {side} px | {_cell(fd)} | {_cell(fd_blurred)} | {ratio:.1f} | {rate:.0f} |")
        print(rows[-1], flush=True)
    return [*rows, ""]


def _draw(sets: dict[str, Pixels], path: Path) -> None:
    shown = 12
    figure = Figure(figsize=(9, 0.62 * len(sets)), layout="constrained", dpi=100)
    for axes, (what, images) in zip(figure.subplots(len(sets), 1), sets.items(), strict=True):
        strip = grid(images[:shown], shown)
        axes.imshow(np.broadcast_to(strip, (*strip.shape[:2], 3)), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_frame_on(False)
        axes.set_ylabel(what, rotation=0, ha="right", va="center", fontsize="small")
    figure.savefig(path, metadata={"Description": "Real images, damaged on purpose"})


def main() -> None:
    """Measure, print, and write the tables and images."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", default="../shared/data/faces/faces-6500.zip", help="zip of 6,500 faces")
    parser.add_argument("--mnist", default="mnist", help="source of MNIST (default: the named set)")
    parser.add_argument("--side", type=int, default=128, help="side for efficientnet-lite0 (default: 128)")
    parser.add_argument("--out", type=Path, default=Path("docs/results"), help="folder of tables and images")
    arguments = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    host = Host().describe()
    lines = [
        "# The measures on images damaged on purpose",
        "",
        "How to read these tables: [What each measure can and cannot say](../measures.md).",
        "",
        f"{host['processor']}, {host['cores']} cores, torch {host['torch']}, commit {commit.stdout.strip()}:"
        " `python benchmarks/damaged_images.py`",
        "",
    ]
    digits = divide(arguments.mnist, 28, 1, 5000, 20_000)
    lines += table("MNIST", digits, "digits", 0, arguments.out / "measures-mnist.png")
    lines += by_count("MNIST", digits, "digits", 0, (200, 500, 1000, 2000, 5000))
    # No chart of the faces: the people in them were not asked.
    faces = divide(arguments.faces, 64, 3, 1800, 4000)
    lines += table("faces", faces, "efficientnet-lite0", arguments.side)
    lines += by_count("faces", faces, "efficientnet-lite0", arguments.side, (1300, 1500, 1800))
    lines += by_side("faces", faces, (64, 128, 224))
    (arguments.out / "measures.md").write_text("\n".join(lines).strip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
