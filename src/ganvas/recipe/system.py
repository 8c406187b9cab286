"""What every GAN answers: System, and its kinds.

A system is a frozen dataclass whose fields are its architecture. It builds the two networks and says what the
discriminator is to judge; it knows nothing of optimizers, losses, files or time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from ganvas.recipe.noise import noise

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor, nn

    from ganvas.recipe.batch import Batch


class System(ABC):
    """One GAN. Subclasses are frozen dataclasses and final."""

    task: ClassVar[str]
    """The modality: images, restoration, toy2d."""
    interchangeable: ClassVar[tuple[str, ...]] = ()
    """Fields by which two systems may differ, and the weights of one's generator still fit the other's."""
    classes: int = 0
    """How many classes both networks are told of; a field where a system can be told, 0 is none."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one thing that is judged, without the batch: (channels, size, size) of pictures, (2,) of points."""

    def tiny(self) -> Self:
        """The same system, narrow and small enough to train in a second on a CPU; override where it is large."""
        return self

    @abstractmethod
    def generator(self) -> nn.Module:
        """A fresh generator, initialised from torch's global random state."""

    @abstractmethod
    def discriminator(self) -> nn.Module:
        """A fresh discriminator: (B, *shape), pictures in [-1, 1] -> logits (B,), or what `logits` reads them from."""

    def logits(self, scores: Tensor, labels: Tensor | None) -> Tensor:
        """The logits (B,) in what the discriminator made of pictures of these classes (B,).

        A projection discriminator (Miyato & Koyama 2018, arXiv:1802.05637) makes (B, classes): one logit for every
        class that the picture could claim to be of.
        """
        if not self.classes or labels is None:
            return scores
        return scores.gather(1, labels[:, None])[:, 0]

    def class_logits(self, scores: Tensor) -> Tensor | None:
        """An auxiliary classifier's logits (B, classes) in the same (Odena et al. 2017, arXiv:1610.09585), if any."""
        return None

    @abstractmethod
    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """What the discriminator is to judge: (B, *shape), pictures in [-1, 1]."""

    @abstractmethod
    def inputs(self, count: int, seed: int, labels: Sequence[int] | None = None) -> Tensor:
        """The generator's inputs (count, ...) that samples are made of; the same for the same seed, everywhere.

        Of a system with classes they are of these, or of one after the other in turn.
        """


class Translation(System):
    """The generator maps a low-resolution picture (B, C, H, W) to (B, C, scale H, scale W), both in [-1, 1]."""

    task = "restoration"
    interchangeable = ("size",)
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
        fake: Tensor = g(batch["input"])
        return fake

    def inputs(self, count: int, seed: int, labels: Sequence[int] | None = None) -> Tensor:
        """Low-resolution noise (count, channels, size / scale, size / scale), to draw shapes and costs with."""
        import torch

        side = self.size // self.scale
        values = np.random.default_rng(seed).uniform(-1, 1, (count, self.channels, side, side))
        return torch.from_numpy(values.astype(np.float32))


class FromNoise(System):
    """The generator maps noise z ~ N(0, I) of shape (B, latent) to (B, *shape).

    Where there are classes, the one-hot class stands behind z: (B, latent + classes).
    """

    latent: int
    """Length of the noise vector z."""

    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """From fresh noise of torch's global random state; every fake is of the class of the real in its place."""
        import torch

        fake: Tensor = g(self.joined(torch.randn(len(batch), self.latent, device=batch.device), batch.labels))
        return fake

    def inputs(self, count: int, seed: int, labels: Sequence[int] | None = None) -> Tensor:
        """z (count, latent), and the classes behind it: these, or one after the other in turn.

        The first rows do not depend on `count`.
        """
        import torch

        z = torch.from_numpy(noise(count, self.latent, seed))
        if not self.classes:
            return z
        return self.joined(z, torch.arange(count) % self.classes if labels is None else torch.tensor(labels))

    def joined(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """z (B, latent) with the one-hot classes behind it, where there are any."""
        if not self.classes:
            return z
        assert labels is not None  # as the session has seen to
        import torch
        from torch.nn import functional

        return torch.cat([z, functional.one_hot(labels, self.classes).to(z)], 1)

    def labels_of(self, inputs: Tensor) -> Tensor | None:
        """The classes (B,) in inputs that `joined` made, or None where there are none."""
        return inputs[:, self.latent :].argmax(1) if self.classes else None


class Synthesis(FromNoise):
    """Noise to picture."""

    task = "images"
    size: int
    """Side of the square pictures, in pixels."""
    channels: int
    """1 for grey, 3 for RGB."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, size, size)"""
        return self.channels, self.size, self.size
