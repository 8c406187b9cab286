"""Mode coverage: which of the 1,000 stacks of three digits the fakes show, and how evenly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ganvas
from ganvas.data import load
from ganvas.errors import InputError
from ganvas.evaluation.features import remembered
from ganvas.evaluation.measures import EXTRACTOR, Figure, figure
from ganvas.evaluation.samples import Sets
from ganvas.files import write_atomically
from ganvas.imaging.grid import Pixels, grid, some
from ganvas.metrics.extractors import Extractor, open_extractor
from ganvas.metrics.intervals import Estimate
from ganvas.metrics.mode_coverage import spread
from ganvas.recipe.sources import Images

SOURCE, UNSEEN = "stacked-mnist", "stacked-mnist-test"
FAKES = 26_000  # as in all published tables
DIGITS, CLASSES = 3, 1_000
COLUMNS = 8

Labels = NDArray[np.int64]


def expect_countable(measures: Sequence[str], extractor: str, source: str) -> None:
    """Refuse what does not go with counting modes.

    Raises:
        InputError: the reals are no stacks, another measure is asked for too, or another extractor.
    """
    if source not in (SOURCE, UNSEEN):
        raise InputError(
            f"modes are counted in stacks of three digits, and the reals here are {source or 'not known'}; leave modes"
            f" out, or name the source of stacks: {SOURCE}."
        )
    others = [measure for measure in measures if measure != "modes"]
    if others:
        raise InputError(f"modes are counted alone, in {FAKES:,} fakes; ask for {', '.join(others)} in another call.")
    if extractor not in ("digits", EXTRACTOR):
        raise InputError(f"modes are counted by the classifier of digits, not by {extractor}; leave --extractor out.")


def expect_channels(sets: Sets) -> None:
    """Refuse fakes that are no stacks.

    Raises:
        InputError: they have not three channels.
    """
    channels = sets.fakes.shape[-1]
    if channels != DIGITS:
        raise InputError(
            f"{sets.name} makes pictures of {channels} channels; stacks have {DIGITS} (--system.channels)."
        )


def read(extractor: Extractor, stacks: Pixels, advance: Callable[[int], object], *, keep: bool = False) -> Labels:
    """The class of each stack (N, H, W, 3): the digits that the classifier sees in its channels, as one number.

    Args:
        extractor: the classifier of digits.
        stacks: uint8 pictures.
        advance: told of every so many digits done.
        keep: remember the answer in the cache, as for reals.
    """
    digits = np.ascontiguousarray(np.moveaxis(stacks, 3, 1)).reshape(-1, *stacks.shape[1:3], 1)
    found = remembered(extractor, digits, advance) if keep else extractor.extract(digits, advance=advance)
    seen: Labels = found.probabilities.argmax(1).reshape(-1, DIGITS) @ 10 ** np.arange(DIGITS)[::-1]
    return seen


def figures(extractor: Extractor, labels: Labels, protocol: dict[str, Any]) -> list[Figure]:
    """Modes, modes covered and KL of classes read by the extractor."""
    found = spread(labels, CLASSES)
    resize = "each channel for itself, " + extractor.resize.removeprefix("grey, ")
    about = {"extractor": extractor.name, "weights": extractor.weights, "resize": resize, **protocol}
    estimates = {"modes": found.modes, "modes covered": found.covered, "modes KL": found.kl}
    return [figure(name, estimate, about) for name, estimate in estimates.items()]


def floor(count: int) -> str:
    """What the figures of a perfect sampler are, in a sentence."""
    least = (CLASSES - 1) / (2 * count)
    return (
        f"A perfect sampler of {CLASSES:,} equally frequent classes has a KL of about {least:.3f} in"
        f" {count:,} pictures; modes counts a class from its first on, modes covered from a tenth of its share on."
    )


def of_reals(size: int, count: int = FAKES) -> dict[str, Estimate]:
    """The same figures of stacks of MNIST's test digits, which neither game nor classifier has seen: what is possible.

    Raises:
        InputError: MNIST is not at hand.
    """
    extractor = open_extractor("digits")
    reals = load(Images(source=UNSEEN), size=size, channels=DIGITS, progress=True).take(slice(count))
    labels = read(extractor, reals, lambda count: None, keep=True)
    return {found.measure: found.estimate for found in figures(extractor, labels, {})}


def draw(path: Path, sets: Sets, labels: Labels) -> None:
    """Write a PNG of fakes, reals, and the counts of the classes in falling order.

    Raises:
        InputError: the file cannot be written.
    """
    from matplotlib.figure import Figure as Canvas

    canvas = Canvas(figsize=(11, 9), layout="constrained", dpi=110)
    parts: Any = canvas.subfigures(2, 1, height_ratios=[5, 3])
    of = f"{sets.state} state at image {sets.images:,}" if sets.folder else "given pictures"
    canvas.suptitle(f"{sets.name}: {of}, {len(labels):,} fakes", x=0.01, ha="left")
    titles = ("fakes, none chosen", "reals")
    for axes, title, pictures in zip(parts[0].subplots(1, 2), titles, (sets.fakes, sets.reals), strict=True):
        axes.imshow(grid(some(pictures, COLUMNS**2), COLUMNS), interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(title, fontsize="small")
    counts = np.sort(np.bincount(labels, minlength=CLASSES))[::-1]
    axes = parts[1].subplots()
    axes.fill_between(np.arange(CLASSES), counts, step="mid", linewidth=0, label="fakes")
    axes.axhline(len(labels) / CLASSES, color="black", linestyle=":", label="fair share")
    axes.set_xlim(0, CLASSES)
    axes.set_xlabel("classes, the most frequent first")
    axes.set_ylabel("fakes of the class")
    axes.legend(frameon=False)
    text = {
        "Software": f"ganvas {ganvas.__version__}",
        "Description": f"Mode coverage of {sets.name}, with synthetic pictures",
    }
    write_atomically(path, lambda part: canvas.savefig(part, format="png", metadata=text))
