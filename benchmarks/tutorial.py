"""The baseline: the training loop that tutorials show, in plain PyTorch. Nothing of ganvas's engine is in it.

Images are opened and transformed one by one with PIL in a DataLoader, reals and fakes pass the discriminator
apart, Adam is the default one, everything is fp32 and in PyTorch's default memory layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


def mlp() -> tuple[nn.Module, nn.Module]:
    """The perceptrons of the best known hand-written 2014 GAN, 28 px."""
    widths = (128, 256, 512, 1024)
    g: list[nn.Module] = [nn.Linear(100, 128), nn.LeakyReLU(0.2, inplace=True)]
    for before, after in pairwise(widths):
        g += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.LeakyReLU(0.2, inplace=True)]
    g += [nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))]
    d = [nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2, inplace=True)]
    d += [nn.Linear(512, 256), nn.LeakyReLU(0.2, inplace=True), nn.Linear(256, 1), nn.Flatten(0)]
    return nn.Sequential(*g), nn.Sequential(*d)


def dcgan() -> tuple[nn.Module, nn.Module]:
    """The DCGAN of the tutorials, 64 px, 64 channels, three colours."""
    g: list[nn.Module] = [nn.Unflatten(1, (100, 1, 1)), nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False)]
    for before in (512, 256, 128):
        g += [
            nn.BatchNorm2d(before),
            nn.ReLU(True),
            nn.ConvTranspose2d(before, before // 2, 4, 2, 1, bias=False),
        ]
    g += [nn.BatchNorm2d(64), nn.ReLU(True), nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh()]
    d: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    for before in (64, 128, 256):
        d += [nn.Conv2d(before, before * 2, 4, 2, 1, bias=False)]
        d += [nn.BatchNorm2d(before * 2), nn.LeakyReLU(0.2, inplace=True)]
    d += [nn.Conv2d(512, 1, 4), nn.Flatten(0)]
    return nn.Sequential(*g), nn.Sequential(*d)


class Tutorial:
    """The loop of the tutorials, one `step` at a time."""

    def __init__(self, networks: tuple[nn.Module, nn.Module], data: Dataset[Any], workers: int) -> None:
        self.g, self.d = networks
        self.adam_g = torch.optim.Adam(self.g.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.adam_d = torch.optim.Adam(self.d.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.loss = nn.BCEWithLogitsLoss()
        self.loader = DataLoader(
            data, 64, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
        )
        self.batches = self._forever()

    def step(self) -> None:
        """One update of each player."""
        real = next(self.batches)
        ones, zeros = torch.ones(len(real)), torch.zeros(len(real))
        self.adam_d.zero_grad()
        fake = self.g(torch.randn(len(real), 100))
        self.loss(self.d(real), ones).backward()
        self.loss(self.d(fake.detach()), zeros).backward()
        self.adam_d.step()
        self.adam_g.zero_grad()
        self.loss(self.d(fake), ones).backward()
        self.adam_g.step()

    def _forever(self) -> Iterator[Tensor]:
        while True:
            for images, _ in self.loader:
                yield images
