"""What the scripts that train the bundled models for photographs share: crops, a schedule in seconds, and averages.

Both scripts train for a given time on one device, since a GPU is lent by the minute.
"""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

GROUP = 8  # crops that are resized together
WARMED = 0.03  # share of the time in which the rate rises


def photographs(folder: Path, device: torch.device) -> Tensor:
    """uint8 (N, 3, H, W): photographs of one size, but for every twentieth, which is held out."""
    files = [file for index, file in enumerate(sorted(folder.iterdir())) if index % 20]
    with ThreadPoolExecutor() as pool:
        pixels = list(pool.map(lambda file: np.asarray(Image.open(file).convert("RGB")), files))
    return torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous().to(device)


def crops(photos: Tensor, count: int, size: int, rng: np.random.Generator) -> Tensor:
    """uint8 (count, 3, size, size), turned and mirrored, of photographs in their own size or down to 0.55 of it."""
    found = []
    for _ in range(count // GROUP):
        x = photos[torch.from_numpy(rng.integers(0, len(photos), GROUP)).to(photos.device)].float()
        whole = photos.shape[-1]
        least = max(size / whole, 0.55)
        side = max(size, round(whole * (least ** rng.uniform(0, 1) if rng.random() < 0.7 else 1)))
        if side != whole:
            rule = "bicubic" if rng.random() < 0.5 else "bilinear"
            x = functional.interpolate(x, (side, side), mode=rule, antialias=True)
        corners = rng.integers(0, side - size + 1, (GROUP, 2)).tolist()
        x = torch.stack(
            [one[:, top : top + size, left : left + size] for one, (top, left) in zip(x, corners, strict=True)]
        )
        found.append(x.clamp(0, 255).round().byte())
    return turned(torch.cat(found), rng)[0]


def turned(first: Tensor, rng: np.random.Generator, *others: Tensor) -> tuple[Tensor, ...]:
    """Square images, all turned and mirrored alike."""
    turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
    turns_of = (torch.rot90(x, turns, (2, 3)) for x in (first, *others))
    return tuple(x.flip(3) if mirrored else x for x in turns_of)


def signed(images: Tensor) -> Tensor:
    """uint8 -> fp32 in [-1, 1], channels last"""
    return (images.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


class Clock:
    """The time that there is, and the rate that belongs to it."""

    def __init__(self, seconds: float) -> None:
        self.began, self.seconds = time.time(), seconds

    @property
    def passed(self) -> float:
        """Seconds."""
        return time.time() - self.began

    @property
    def share(self) -> float:
        """0 to 1."""
        return min(1.0, self.passed / self.seconds)

    def rate(self, highest: float, lowest: float = 1e-6) -> float:
        """A cosine, after a short rise."""
        if self.share < WARMED:
            return highest * max(self.share / WARMED, 0.02)
        return lowest + (highest - lowest) * 0.5 * (1 + math.cos(math.pi * (self.share - WARMED) / (1 - WARMED)))


class Average:
    """The moving average of a network's state."""

    def __init__(self, network: nn.Module) -> None:
        self.state = {name: value.detach().clone().float() for name, value in network.state_dict().items()}
        self.count = 0

    @torch.no_grad()
    def add(self, network: nn.Module) -> None:
        """One more update."""
        self.count += 1
        keep = min(0.999, self.count / (self.count + 9))
        for held, now in zip(self.state.values(), network.state_dict().values(), strict=True):
            held.lerp_(now.float(), 1 - keep)

    def save(self, path: Path) -> None:
        """fp16, under the names of the bare network."""
        save_file({name: value.half().cpu().contiguous() for name, value in self.state.items()}, path)
