"""Training throughput of SRResNet against the code of tutorials, in one run: python benchmarks/super_resolution.py

Both pretrain the paper's SRResNet on crops of 96 px in batches of 16, data loading included, in turns of a few steps.
The tutorial opens every photograph with PIL, crops it at random, shrinks the crop with PIL's bicubic, and computes in
fp32 in PyTorch's default layout. The result is the median ratio of neighbouring turns.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from ganvas.data import open_data
from ganvas.experiment import Host
from ganvas.recipe import WHOLE, Adam, Recipe, Schedule
from ganvas.recipe.reconstruction import Pixel
from ganvas.recipe.sources import Crops
from ganvas.systems.srgan import SRGAN
from ganvas.tasks import task_of
from ganvas.training.loop import train
from ganvas.training.run import Run

BATCH, CROP, SCALE = 16, 96, 4


class OneByOne(TorchDataset[Any]):
    """A photograph opened, cut and shrunk for every crop, as tutorials do."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".jpg", ".png", ".webp"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        with Image.open(self.files[index]) as opened:
            image = opened.convert("RGB")
        left, top = (random.randint(0, side - CROP) for side in image.size)
        high = image.crop((left, top, left + CROP, top + CROP))
        low = high.resize((CROP // SCALE, CROP // SCALE), Image.Resampling.BICUBIC)
        return self._tensor(low), self._tensor(high)

    @staticmethod
    def _tensor(image: Image.Image) -> torch.Tensor:
        return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 127.5 - 1


def tutorial(folder: Path, workers: int) -> Callable[[int], None]:
    """A function that trains a number of steps as tutorials do."""
    network = SRGAN().generator()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4)
    loss = nn.MSELoss()
    loader = DataLoader(
        OneByOne(folder), BATCH, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0
    )

    def forever() -> Any:
        while True:
            yield from loader

    batches = forever()

    def steps(count: int) -> None:
        for _ in range(count):
            low, high = next(batches)
            optimizer.zero_grad()
            loss(network(low), high).backward()
            optimizer.step()

    return steps


def main() -> None:
    """Print the table, with what it was measured on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, default=Path("../shared/data/sr_train/photos480"))
    parser.add_argument("--workers", type=int, default=2, help="of the tutorial's loader")
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--length", type=int, default=6, help="steps in a turn")
    arguments = parser.parse_args()

    recipe = Recipe(
        system=SRGAN(),
        data=Crops(source=str(arguments.photos)),
        reconstruction=(Pixel(loss="mse"),),
        adam_g=Adam(lr=1e-4, beta1=0.9),
        schedule=Schedule(pretrain=WHOLE),
        batch_size=BATCH,
        images=10**9,
    )
    dataset = open_data(recipe.data, recipe.system.shape).split(0.0)[0]
    theirs = tutorial(arguments.photos, arguments.workers)
    device = Host().torch_device()
    print("| precision | tutorial, images/s | ganvas, images/s | ratio | smallest to largest | data wait |")
    print("|---|--:|--:|--:|--:|--:|")
    for precision in ("fp32", "bf16"):
        run = Run(replace(recipe, precision=precision), device)
        feed = task_of(run.recipe).feed(run.recipe, dataset, device)

        def ours(count: int, run: Run = run, feed: Any = feed) -> None:
            left = iter(range(count))
            train(run, feed, (), stop=lambda: next(left, None) is None)

        theirs(2)
        ours(2)
        feed.waited = 0.0
        times = [(_seconds(theirs, arguments.length), _seconds(ours, arguments.length)) for _ in range(arguments.turns)]
        ratios = [a / b for a, b in times]
        slow, fast = (BATCH * arguments.length / statistics.median(column) for column in zip(*times, strict=True))
        print(
            f"| {precision} | {slow:.1f} | {fast:.1f} | **{statistics.median(ratios):.2f}** | {min(ratios):.2f} to"
            f" {max(ratios):.2f} | {feed.waited / sum(b for _, b in times):.1%} |",
            flush=True,
        )
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    print(
        f"\n{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__},"
        f" commit {commit}; {arguments.turns} turns of {arguments.length} steps, {arguments.workers} workers"
    )


def _seconds(steps: Callable[[int], None], count: int) -> float:
    began = time.perf_counter()
    steps(count)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
