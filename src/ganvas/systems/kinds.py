"""What every GAN answers: System, and its kinds.

A system is a frozen dataclass whose fields are its architecture. It builds the two networks and says what the
discriminator is to judge; it knows nothing of optimizers, losses, files or time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.data import Batch
from ganvas.noise import noise


class System(ABC):
    """One GAN. Subclasses are frozen dataclasses and final."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one thing that is judged, without the batch: (channels, size, size) of pictures, (2,) of points."""

    @abstractmethod
    def generator(self) -> nn.Module:
        """A fresh generator, initialised from torch's global random state."""

    @abstractmethod
    def discriminator(self) -> nn.Module:
        """A fresh discriminator: (B, *shape), pictures in [-1, 1] -> logits (B,)."""

    @abstractmethod
    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """What the discriminator is to judge: (B, *shape), pictures in [-1, 1]."""

    @abstractmethod
    def inputs(self, count: int, seed: int) -> Tensor:
        """The generator's inputs (count, ...) that samples are made of; the same for the same seed, everywhere."""


class Translation(System):
    """The generator maps a low-resolution picture (B, C, H, W) to (B, C, scale H, scale W), both in [-1, 1]."""

    scale: int
    """How many times the sides grow."""
    size: int
    """Side of the high-resolution crops trained on, in pixels."""
    channels: int
    """1 for grey, 3 for RGB."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, size, size)"""
        return self.channels, self.size, self.size

    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """The batch's low-resolution pictures, enlarged."""
        fake: Tensor = g(batch.low)
        return fake

    def inputs(self, count: int, seed: int) -> Tensor:
        """Low-resolution noise (count, channels, size / scale, size / scale), to draw shapes and costs with."""
        side = self.size // self.scale
        values = np.random.default_rng(seed).uniform(-1, 1, (count, self.channels, side, side))
        return torch.from_numpy(values.astype(np.float32))


class FromNoise(System):
    """The generator maps noise z ~ N(0, I) of shape (B, latent) to (B, *shape)."""

    latent: int
    """Length of the noise vector z."""

    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """From fresh noise of torch's global random state."""
        fake: Tensor = g(torch.randn(len(batch), self.latent, device=batch.device))
        return fake

    def inputs(self, count: int, seed: int) -> Tensor:
        """z (count, latent); the first rows do not depend on `count`."""
        return torch.from_numpy(noise(count, self.latent, seed))


class Synthesis(FromNoise):
    """Noise to picture."""

    size: int
    """Side of the square pictures, in pixels."""
    channels: int
    """1 for grey, 3 for RGB."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, size, size)"""
        return self.channels, self.size, self.size
