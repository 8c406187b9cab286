"""What a run will be and cost, before anything is spent on it."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.data import Dataset, Feed, open_data
from ganvas.data.builtin import COUNTS
from ganvas.data.photos import Photographs
from ganvas.imaging.grid import grid, to_image
from ganvas.imaging.plot2d import Canvas
from ganvas.observers.checkpoints import NEWEST
from ganvas.observers.plane import POINTS
from ganvas.observers.samples import outputs, sample
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.recipe.sources import Crops
from ganvas.recipe.system import System, Translation
from ganvas.tasks.checks import check
from ganvas.tasks.feed_of import make_feed
from ganvas.tasks.observers_of import SHEETS
from ganvas.training.allocator import keep_freed_memory
from ganvas.training.loop import train
from ganvas.training.run import Run

WARM_UP, PROBE_BATCHES = 2, 4
PHOTOGRAPH = 2_900_000  # pixels of one of DIV2K, in the mean


@dataclass(frozen=True)
class Layer:
    """One layer of a network."""

    kind: str
    shape: tuple[int, ...]
    """Of its output, without the batch."""
    parameters: int


@dataclass(frozen=True)
class Cost:
    """Of a whole run on this machine."""

    images_per_second: float
    seconds: float
    memory: int
    """Peak bytes: of the device's memory on CUDA, else of the whole process."""
    disk: int
    """Bytes of the finished run folder."""


def layers(network: nn.Module, example: Tensor) -> list[Layer]:
    """The layers of a network in the order they compute, with the shapes an example of (B, ...) takes."""
    found: list[Layer] = []

    def note(layer: nn.Module, inputs: object, output: Tensor) -> None:
        parameters = sum(p.numel() for p in layer.parameters())
        found.append(Layer(type(layer).__name__, tuple(output.shape[1:]), parameters))

    # Spectral norm wraps a layer's weight in modules of its own: a layer is what holds no other layer but those.
    leaves = [m for m in network.modules() if all(name == "parametrizations" for name, _ in m.named_children())]
    leaves = [m for m in leaves if "parametrize" not in type(m).__module__]
    hooks = [leaf.register_forward_hook(note) for leaf in leaves]
    try:
        with torch.no_grad():
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def probe(recipe: Recipe, device: torch.device, pictures: int, watch: Watch, seconds: float = 4.0) -> Cost:
    """Train on random pictures or points for about `seconds`, and reckon what the whole run of the recipe takes.

    Args:
        pictures: how many of them there are in the real data set.

    Raises:
        InputError: the recipe's parts do not fit each other.
    """
    check(recipe)
    keep_freed_memory()
    system = recipe.system
    dataset = _random(system, PROBE_BATCHES * recipe.batch_size)
    # The probe may see more images than a short run would.
    run = Run(replace(recipe, images=2**62), device)
    feed = make_feed(recipe, dataset, device)
    _rounds(run, feed, rounds=WARM_UP)
    began, first = time.perf_counter(), run.images_seen
    while time.perf_counter() - began < seconds:
        _rounds(run, feed, rounds=1)
    rate = (run.images_seen - first) / (time.perf_counter() - began)
    memory = torch.cuda.max_memory_allocated() if device.type == "cuda" else _peak_memory()
    memory += pictures * _bytes_each(recipe, dataset) - dataset.images.nbytes
    return Cost(rate, recipe.images / rate, memory, _disk(run, dataset, recipe.images, pictures, watch))


def _bytes_each(recipe: Recipe, dataset: Dataset) -> int:
    """Of one picture of the real data, in memory; photographs are kept whole, not as crops."""
    if isinstance(recipe.data, Crops):
        if recipe.data.source in COUNTS:
            return PHOTOGRAPH * recipe.system.shape[0]
        dataset = open_data(recipe.data, recipe.system.shape)
    return dataset.images.nbytes // len(dataset)


def _rounds(run: Run, feed: Feed, rounds: int) -> None:
    left = iter(range(rounds))
    train(run, feed, (), stop=lambda: next(left, None) is None)
    if run.device.type == "cuda":
        torch.cuda.synchronize()


def _random(system: System, count: int) -> Dataset:
    random = np.random.default_rng(0)
    if len(system.shape) < 3:
        return Dataset(random.standard_normal((count, *system.shape), np.float32))
    channels, *sides = system.shape
    pictures = random.integers(0, 256, (count, *sides, channels), dtype=np.uint8)
    if not isinstance(system, Translation):
        return Dataset(pictures, np.arange(count) % system.classes if system.classes else None)
    pixels = pictures.reshape(-1, channels)
    places = [[i * len(pixels) // count, *sides] for i in range(count)]
    return Photographs(pixels, places=np.array(places), size=system.size)


def _disk(run: Run, dataset: Dataset, images: int, pictures: int, watch: Watch) -> int:
    state: int = sum(tensor.nbytes for tensor in run.state_dict().values())
    model: int = sum(tensor.nbytes for tensor in run.sampler.state_dict().values())
    kept = images // watch.keep_every if watch.keep_every else 0
    every = watch.sheet_intervals(pictures, images)
    if isinstance(run.recipe.system, Translation):
        every = (watch.sample_every or max(run.recipe.batch_size, images // SHEETS), 0)
    sheets = 2 + sum(images // interval for interval in every if interval)
    # Weights and both moments; the newest, the best and the kept ones; fakes and reals on every sheet.
    return state * (NEWEST + 1 + kept) + model + sheets * _sheet(run, watch)


def _sheet(run: Run, watch: Watch) -> int:
    """Bytes of one sample sheet."""
    buffer = io.BytesIO()
    if len(run.recipe.system.shape) < 3:
        fakes = outputs(run, run.recipe.system.inputs(POINTS, 0).to(run.device)).numpy()
        to_image(Canvas(fakes, field=True).draw(fakes, "")).save(buffer, "PNG", compress_level=1)
        return buffer.tell()
    pictures = sample(run, run.recipe.system.inputs(2, 0).to(run.device))
    tiles = np.resize(pictures, (watch.grid[0] * watch.grid[1], *pictures.shape[1:]))
    to_image(grid(tiles, watch.grid[1])).save(buffer, "PNG", compress_level=1)
    return 2 * buffer.tell()


def _peak_memory() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024
