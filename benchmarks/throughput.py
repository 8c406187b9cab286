"""Training throughput against the tutorials' loop, in one run: python benchmarks/throughput.py

Both sides train the same networks on the same images with batches of 64, data loading included, in turns: a chunk of
steps of the one, a chunk of the other, and so on. The result is the ratio of neighbouring chunks; its median is
printed, with the smallest and largest. The last column is the share of the convolution rate that this machine reaches
on the largest layer alone.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from tutorial import Tutorial, of_2014, of_faces

from ganvas.data import Dataset, load
from ganvas.data.feed import Feed, image_feed
from ganvas.experiment import Host
from ganvas.recipe import EMA, Adam, Augment, Recipe
from ganvas.recipe.sources import Images
from ganvas.systems.dcgan import DCGAN
from ganvas.systems.mlp import MLP
from ganvas.training.loop import train
from ganvas.training.observer import Observer
from ganvas.training.run import Run


def ganvas_steps(recipe: Recipe, dataset: Dataset) -> tuple[Callable[[int], None], Feed]:
    """A function that trains so many rounds with ganvas's loop, and the feed it draws from."""
    device = Host().torch_device()
    run = Run(recipe, device)
    feed = image_feed(dataset, batch_size=recipe.batch_size, seed=0, device=device, flip=recipe.augment.flip)
    observers: list[Observer] = []

    def steps(count: int) -> None:
        left = iter(range(count))
        train(run, feed, observers, stop=lambda: next(left, None) is None)

    return steps, feed


def seconds(work: Callable[..., object], *given: int, times: int = 1) -> float:
    """Wall-clock time of so many calls."""
    began = time.perf_counter()
    for _ in range(times):
        work(*given)
    return time.perf_counter() - began


def flops_of_a_round(recipe: Recipe, dataset: Dataset) -> int:
    """Multiplications and additions in the matrix products and convolutions of one round."""
    counted = replace(recipe, precision="fp32")
    steps, _ = ganvas_steps(counted, dataset)
    with FlopCounterMode(display=False) as counter:
        steps(1)
    return int(counter.get_total_flops())


def convolution_rate(precision: str) -> float:
    """FLOP/s of the machine on a DCGAN layer, forward and backward, channels last."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    layer = nn.Conv2d(128, 256, 4, 2, 1, bias=False, dtype=dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x: Tensor = torch.randn(64, 128, 16, 16).to(dtype).to(memory_format=torch.channels_last).requires_grad_()

    def once() -> None:
        torch.autograd.backward([layer(x).float().sum()])

    once()
    rounds = 10
    return 3 * 2 * 64 * 8 * 8 * 256 * 128 * 16 * rounds / seconds(once, times=rounds)


def compare(name: str, baseline: Tutorial, recipe: Recipe, dataset: Dataset, chunks: int, length: int) -> list[str]:
    """Rows of the table for both precisions."""
    rows = []
    flops = flops_of_a_round(recipe, dataset) if isinstance(recipe.system, DCGAN) else 0
    for precision in ("fp32", "bf16"):
        ours, feed = ganvas_steps(replace(recipe, precision=precision), dataset)
        for _ in range(max(2, length // 4)):
            baseline.step()
        ours(max(2, length // 4))
        feed.waited, theirs_s, ours_s = 0.0, [], []
        for _ in range(chunks):
            theirs_s.append(seconds(baseline.step, times=length))
            ours_s.append(seconds(ours, length))
        ratios = [a / b for a, b in zip(theirs_s, ours_s, strict=True)]
        rate = 64 * length / statistics.median(ours_s)
        share = f"{flops * length / statistics.median(ours_s) / convolution_rate(precision):.0%}" if flops else ""
        rows.append(
            f"| {name} | {precision} | {64 * length / statistics.median(theirs_s):,.0f} | {rate:,.0f} |"
            f" **{statistics.median(ratios):.2f}** | {min(ratios):.2f} to {max(ratios):.2f} |"
            f" {feed.waited / sum(ours_s):.1%} | {share} |"
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Print the table and write it beside the other results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mnist", default="../shared/data/mnist", help="folder of MNIST's four IDX files")
    parser.add_argument("--faces", default="../shared/data/faces/faces-6500.zip", help="zip of JPEG faces")
    parser.add_argument("--chunks", type=int, default=7)
    parser.add_argument("--only", choices=("mlp", "dcgan"), help="measure one of the two")
    parser.add_argument("--out", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    host = Host().describe()
    rows = [
        f"{host['processor']}, {host['cores']} cores, torch {host['torch']}, Python {platform.python_version()}, commit"
        f" {commit.stdout.strip()}: `python benchmarks/throughput.py`",
        "",
        "| networks | precision | tutorial img/s | ganvas img/s | ratio | range | data wait | of convolution rate |",
        "|---|---|--:|--:|--:|---|--:|--:|",
    ]
    print("\n".join(rows), json.dumps(host), sep="\n", flush=True)
    game = {"adam_g": Adam(), "adam_d": Adam(), "ema": EMA(), "augment": Augment(), "images": 10**9}
    small = Recipe(system=MLP(), data=Images(source=arguments.mnist), **game)  # type: ignore[arg-type]
    large = Recipe(system=DCGAN(size=64), data=Images(source=arguments.faces), **game)  # type: ignore[arg-type]
    if arguments.only != "dcgan":
        images = load(Images(source=arguments.mnist), size=28, channels=1, progress=True)
        rows += compare("mlp, MNIST 28 px", of_2014(Path(arguments.mnist)), small, images, arguments.chunks, 100)
    if arguments.only != "mlp":
        images = load(Images(source=arguments.faces), size=64, channels=3, progress=True)
        rows += compare("dcgan, faces 64 px", of_faces(Path(arguments.faces)), large, images, arguments.chunks, 6)
    if arguments.out:
        arguments.out.write_text("\n".join(rows) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
