"""What a GPU gives: python benchmarks/cuda.py [--seconds 3] [--faces FACES.zip]

Images per second of whole rounds of ganvas's loop, both players, penalties and moving average included, on stand-in
data held on the device, in fp32 (TF32 in convolutions, as torch has it) and bf16, at growing batches; the share of the
time that the loop spends in fetching data, where it waits, too, while the device's queue is full; and the share of the
matrix rate that the card reaches in the same call. With --faces, also the loop of the tutorials (tutorial.py) on the
same device. Prints Markdown.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from ganvas.experiment import Host
from ganvas.recipe import Recipe
from ganvas.systems import named_recipe
from ganvas.tasks import task_of
from ganvas.training.loop import train
from ganvas.training.run import Run

RECIPES = {"dcgan-faces64": (64, 256, 1024, 4096), "r3gan-cifar10": (256, 1024), "srresnet-x4": (16, 128)}
SIDE = 8192  # of the matrices whose product is the measure


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row")
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--faces", type=Path, help="zip of JPEG faces, for the loop of the tutorials")
    arguments = parser.parse_args()
    device = Host().torch_device()
    if device.type != "cuda":
        parser.error("no GPU of CUDA was found.")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    rates = {"fp32": matrix_rate(torch.float32, device), "bf16": matrix_rate(torch.bfloat16, device)}
    print(
        f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}, Python {platform.python_version()}, commit"
        f" {commit.stdout.strip()}: `python benchmarks/cuda.py`; products of {SIDE} x {SIDE}:"
        f" {rates['fp32'] / 1e12:.0f} TFLOP/s in fp32, {rates['bf16'] / 1e12:.0f} in bf16\n"
    )
    print("| recipe | batch | precision | images/s | data wait | of the matrix rate | GiB |")
    print("|---|--:|---|--:|--:|--:|--:|")
    for name in arguments.recipes:
        for batch in RECIPES.get(name, (named_recipe(name).batch_size,)):
            for precision in ("fp32", "bf16"):
                recipe = replace(named_recipe(name), batch_size=batch, precision=precision, images=2**62)
                try:
                    found = row(recipe, device, arguments.seconds, rates[precision])
                except torch.OutOfMemoryError:
                    found = "out of memory | | |"
                print(f"| {name} | {batch} | {precision} | {found} |", flush=True)
                torch.cuda.empty_cache()
    if arguments.faces:
        from tutorial import of_faces

        baseline = of_faces(arguments.faces, device)
        baseline.step()
        rounds, taken = timed(lambda: baseline.step() and None, device, arguments.seconds)
        print(f"| the tutorials' DCGAN | 64 | fp32 | {64 * rounds / taken:,.0f} | | | |", flush=True)


def matrix_rate(dtype: torch.dtype, device: torch.device) -> float:
    """FLOP/s of a matrix product."""
    a, b = (torch.randn(SIDE, SIDE, device=device, dtype=dtype) for _ in range(2))
    torch.mm(a, b)
    rounds, taken = timed(lambda: torch.mm(a, b) is None, device, 0.5)
    return 2 * SIDE**3 * rounds / taken


def timed(work: Callable[[], object], device: torch.device, seconds: float) -> tuple[int, float]:
    """How often something was done, and in how many seconds."""
    torch.cuda.synchronize(device)
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for _ in range(3):
            work()
        torch.cuda.synchronize(device)
        rounds += 3
    return rounds, time.perf_counter() - began


def row(recipe: Recipe, device: torch.device, seconds: float, rate: float) -> str:
    """The cells of a row."""
    torch.cuda.reset_peak_memory_stats(device)
    task = task_of(recipe)
    run = Run(recipe, device)
    feed = task.feed(recipe, task.placeholder(recipe, 2 * recipe.batch_size), device)

    def step() -> None:
        left = iter(range(1))
        train(run, feed, (), stop=lambda: next(left, None) is None)

    step()
    with FlopCounterMode(display=False) as counter:
        step()
    step()
    feed.waited = 0.0
    rounds, taken = timed(step, device, seconds)
    share = counter.get_total_flops() * rounds / taken / rate
    memory = torch.cuda.max_memory_allocated(device) / 2**30
    return f"{recipe.batch_size * rounds / taken:,.0f} | {feed.waited / taken:.1%} | {share:.1%} | {memory:.1f}"


if __name__ == "__main__":
    main()
