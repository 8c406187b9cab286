"""What a step of R3GAN costs beyond its convolutions: python benchmarks/step.py

Notes every convolution of one round (forward, backward and double backward) as it is called, then does these calls
alone, in their order and on memory of the same shapes, and compares whole rounds with that, in turns. A round trains
both players once: game, R1, R2, Adam and moving average included.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from ganvas.data import Dataset
from ganvas.experiment import Host
from ganvas.systems import named_recipe
from ganvas.tasks import task_of
from ganvas.training.allocator import keep_freed_memory
from ganvas.training.loop import train
from ganvas.training.run import Run

PLAIN, BACK = torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default
FUSED = torch.ops.mkldnn._convolution_pointwise.default
Call = tuple[Any, tuple[Any, ...]]


class Note(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the calls of convolutions, each with memory of its own, alike in shapes, types and layouts."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls: list[Call] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Let every operator pass."""
        wanted, given = func, args
        if func is FUSED:
            # What counts is the convolution alone, without the activation.
            x, weight, bias, padding, stride, dilation, groups = args[:7]
            wanted, given = PLAIN, (x, weight, bias, stride, padding, dilation, False, (0, 0), groups)
        if wanted in (PLAIN, BACK):
            self.calls.append((wanted, tree_map(lambda x: torch.randn_like(x) if isinstance(x, Tensor) else x, given)))
        return func(*args, **(kwargs or {}))


def median(work: Callable[[], object], times: int) -> float:
    """Seconds of one call."""
    work()
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def main() -> None:
    """Print the table, with what it was measured on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="r3gan-small")
    parser.add_argument("--turns", type=int, default=6)
    arguments = parser.parse_args()
    keep_freed_memory()
    device = Host().torch_device()
    print("| precision | step, ms | its convolutions, ms | ratio | smallest to largest | images/s |")
    print("|---|--:|--:|--:|--:|--:|")
    for precision in ("bf16", "fp32"):
        recipe = replace(named_recipe(arguments.recipe), images=2**62, precision=precision)
        size, channels = recipe.system.shape[-1], recipe.system.shape[0]
        pixels = np.random.default_rng(0).integers(
            0, 256, (8 * recipe.batch_size, size, size, channels), dtype=np.uint8
        )
        run = Run(recipe, device)
        feed = task_of(recipe).feed(recipe, Dataset(pixels), device)

        def step(run: Run = run, feed: Any = feed) -> None:
            left = iter(range(1))
            train(run, feed, (), stop=lambda: next(left, None) is None)

        step()
        with Note() as noted:
            step()

        def convolve(calls: list[Call] = noted.calls) -> None:
            for function, given in calls:
                function(*given)

        steps, sums = [], []
        for _ in range(arguments.turns):
            steps.append(median(step, 3))
            sums.append(median(convolve, 3))
        ratios = [one / other for one, other in zip(steps, sums, strict=True)]
        whole, convolved, ratio = map(statistics.median, (steps, sums, ratios))
        print(
            f"| {precision} | {1e3 * whole:.0f} | {1e3 * convolved:.0f} | {ratio:.2f} | {min(ratios):.2f} to"
            f" {max(ratios):.2f} | {recipe.batch_size / whole:.0f} |",
            flush=True,
        )
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    print(f"\n{platform.platform()}, torch {torch.__version__}, {torch.get_num_threads()} threads, commit {commit}")
    print(f"{len(noted.calls)} convolutions a step")


if __name__ == "__main__":
    main()
