"""The networks and the estimated cost of a run."""

from __future__ import annotations

import io
import sys
import time
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from ganvas.data import Dataset
from ganvas.data.feed import Feed
from ganvas.imaging.grid import to_image
from ganvas.observers.checkpoints import NEWEST
from ganvas.observers.previews import Previewer, first_moments
from ganvas.observers.watch import Watch
from ganvas.recipe import Recipe
from ganvas.tasks import task_of
from ganvas.training.allocator import keep_freed_memory
from ganvas.training.loop import train
from ganvas.training.run import Run

PROBE_BATCHES = 4
SECONDS = 4.0  # of training from which a rate is reckoned
FEW = 2  # images in the batches that tell how large a batch can be timed
BUDGET = 30.0  # seconds that timing may take, about
WRAPPED = "parametrizations"  # where torch keeps what a weight is made of, as for spectral norm


@dataclass(frozen=True)
class Layer:
    """One layer of a network."""

    kind: str
    shape: tuple[int, ...]
    """Shape of its output, without the batch."""
    parameters: int


@dataclass(frozen=True)
class Cost:
    """The estimated cost of a whole run on this machine."""

    images_per_second: float
    seconds: float
    memory: int
    """Peak memory in bytes with the batches that were timed: of the device on CUDA, else of the whole process."""
    disk: int
    """Size of the finished run folder in bytes."""
    batch: int
    """Images in the batches that were timed: fewer than the recipe's where those would have taken too long."""


def layers(network: nn.Module, example: Tensor) -> list[Layer]:
    """The layers of a network in order of execution, with the shapes for an example (B, ...).

    A layer is a module that has weights of its own or no submodules; the parameters of one that is used twice count
    once. A recurrent network takes the same layers at every step: they are listed once.
    """
    found: list[Layer] = []
    counted: set[nn.Parameter] = set()

    recurrent = any(isinstance(module, nn.RNNBase) for module in network.modules())
    seen: set[nn.Module] = set()

    def note(layer: nn.Module, inputs: object, output: Tensor | tuple[Tensor, object]) -> None:
        if recurrent and layer in seen:
            return
        seen.add(layer)
        output = output[0] if isinstance(output, tuple) else output  # an LSTM also gives its state
        own = set(_own(layer)) - counted
        counted.update(own)
        kind = type(layer).__name__
        if hasattr(layer, WRAPPED):  # torch replaces the class by one of another name
            norms = [type(norm).__name__.strip("_") for wrapped in layer.parametrizations.values() for norm in wrapped]  # type: ignore[operator]
            kind = ", ".join([kind.removeprefix("Parametrized"), *norms])
        found.append(Layer(kind, tuple(output.shape[1:]), sum(parameter.numel() for parameter in own)))

    hooks = [
        module.register_forward_hook(note)
        for name, module in network.named_modules()
        if WRAPPED not in name.split(".") and (_own(module) or not any(module.children()))
    ]
    try:
        with torch.no_grad():
            network(example)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _own(layer: nn.Module) -> list[nn.Parameter]:
    """The parameters of a module without those of its submodules, except those with which its weights are made."""
    named = layer.named_parameters()
    return [parameter for name, parameter in named if "." not in name or name.startswith(f"{WRAPPED}.")]


def estimate_cost(recipe: Recipe, device: torch.device, epoch: int, watch: Watch, seconds: float | None = None) -> Cost:
    """Estimate the cost of a recipe's whole run by training on placeholder data for about `seconds`, by default four.

    Where few of its batches would take longer than `BUDGET`, their time is extrapolated from that of smaller ones.

    Args:
        epoch: number of samples in the real data.

    Raises:
        InputError: the recipe's parts are incompatible.
    """
    task = task_of(recipe)
    task.check(recipe)
    keep_freed_memory()
    dataset = task.placeholder(recipe, PROBE_BATCHES * recipe.batch_size)
    # The estimate may take more images than a short run.
    run = Run(replace(recipe, images=2**62), device)
    few = _timed(run, dataset, FEW, 0)
    batch = min(recipe.batch_size, max(2 * FEW, int(FEW * BUDGET / (2 * few[0]))))
    more = _timed(run, dataset, batch, SECONDS if seconds is None else seconds)
    larger = (recipe.batch_size - batch) / max(1, batch - FEW)
    of_round, images = (y + max(0, y - x) * larger for x, y in zip(few, more, strict=True))
    rate = images / of_round
    memory = torch.cuda.max_memory_allocated() if device.type == "cuda" else _peak_memory()
    memory += epoch * task.bytes_each(recipe, dataset) - dataset.images.nbytes
    intervals = task.preview_intervals(recipe, watch, epoch)
    previews = 2 + sum(recipe.images // interval for interval in intervals if interval)
    previews += len(first_moments(intervals, recipe.batch_size))
    kept = recipe.images // watch.keep_every if watch.keep_every else 0
    kept += int(task.has_words and 0 < recipe.schedule.pretrain < recipe.images)
    state: int = sum(tensor.nbytes for tensor in run.state_dict().values())
    model: int = sum(tensor.nbytes for tensor in run.sampler.state_dict().values())
    # A state has weights and both moments; there are the newest, the best and the kept ones.
    disk = (
        state * (NEWEST + 1 + kept) + model + previews * _preview(task.previewer(recipe, watch, dataset, dataset), run)
    )
    return Cost(rate, recipe.images / rate, memory, disk, batch)


def _timed(run: Run, dataset: Dataset, batch: int, seconds: float) -> tuple[float, int]:
    """The seconds and the images of a round of such batches, after one to warm up."""
    run.recipe = replace(run.recipe, batch_size=batch)
    feed = task_of(run.recipe).feed(run.recipe, dataset, run.device)
    _round(run, feed)
    began, first, rounds = time.perf_counter(), run.images_seen, 0
    while not rounds or time.perf_counter() - began < seconds:
        _round(run, feed)
        rounds += 1
    return (time.perf_counter() - began) / rounds, (run.images_seen - first) // rounds


def _round(run: Run, feed: Feed) -> None:
    left = iter(range(1))
    train(run, feed, (), stop=lambda: next(left, None) is None)
    if run.device.type == "cuda":
        torch.cuda.synchronize()


def _preview(previewer: Previewer, run: Run) -> int:
    """Size of one preview in bytes."""
    previewer.start(run)
    drawn = previewer.draw(run)
    if isinstance(drawn, str):
        return len(drawn.encode())
    buffer = io.BytesIO()
    to_image(drawn).save(buffer, "PNG", compress_level=1)
    return buffer.tell()


def _peak_memory() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024
