"""The interface of every GAN: System and its kinds.

A system is a frozen dataclass whose fields are its architecture. It builds the two networks and produces the fakes for
the discriminator; it knows nothing about optimizers, losses, files or time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import abc
from collections.abc import Callable, Iterator, Mapping
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
    """The modality: images, restoration, repair, text, toy2d."""
    makes: ClassVar[tuple[str, ...]] = ()
    """What the generator makes beside fakes, by name; reconstruction losses may need it."""
    interchangeable: ClassVar[tuple[str, ...]] = ()
    """Fields in which two systems may differ while their generators' weights stay compatible."""
    classes: int = 0
    """Number of classes that condition both networks, 0 for none; a field if the system supports classes."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample, without the batch: (channels, size, size) for images, (2,) for points."""

    def tiny(self) -> Self:
        """The same system, narrow and small enough to train in a second on a CPU; override it in large systems."""
        return self

    @abstractmethod
    def generator(self) -> nn.Module:
        """A new generator, initialized from torch's global random state."""

    @abstractmethod
    def discriminator(self) -> nn.Module:
        """A new discriminator: (B, *judged_shape), images in [-1, 1] -> logits (B,), or scores from which `logits`
        takes them."""

    @property
    def judged_shape(self) -> tuple[int, ...]:
        """The shape of what the discriminator sees of one sample; by default the sample's."""
        return self.shape

    def judged(self, samples: Tensor, batch: Batch) -> Tensor:
        """What the discriminator sees of the samples (B, *shape) of a batch: (B, *judged_shape); by default they alone.

        A conditional discriminator (Mirza & Osindero 2014, arXiv:1411.1784) also sees what they were made from.
        """
        return samples

    def logits(self, scores: Tensor, labels: Tensor | None) -> Tensor:
        """The logits (B,) among the discriminator's scores for samples of these classes (B,).

        A projection discriminator (Miyato & Koyama 2018, arXiv:1802.05637) returns (B, classes): one logit for each
        class that a sample could have.
        """
        if not self.classes or labels is None:
            return scores
        return scores.gather(1, labels[:, None])[:, 0]

    def class_logits(self, scores: Tensor) -> Tensor | None:
        """The logits (B, classes) of an auxiliary classifier (Odena et al. 2017, arXiv:1610.09585), if any."""
        return None

    @abstractmethod
    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """Fakes for the discriminator: (B, *shape), images in [-1, 1]."""

    def outputs(self, g: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """All that the generator makes of a batch: `fake`, as above, and what `makes` names."""
        return {"fake": self.fake(g, batch)}

    @abstractmethod
    def inputs(self, count: int, seed: int, labels: abc.Sequence[int] | None = None) -> Tensor:
        """Generator inputs (count, ...) for samples, reproducible from the seed on every machine.

        A system with classes uses `labels`, or else cycles through the classes.
        """


class Translation(System):
    """The generator maps a low-resolution image (B, C, H, W) to (B, C, scale H, scale W), both in [-1, 1]."""

    task = "restoration"
    interchangeable: ClassVar[tuple[str, ...]] = ("size",)
    restores: ClassVar[bool] = False
    """Whether its recipes learn to remove noise and blocks."""
    scale: int
    """Upscaling factor of each side."""
    size: int
    """Side of the high-resolution crops trained on, in pixels."""
    channels: int
    """1 for grey, 3 for RGB."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, size, size)"""
        return self.channels, self.size, self.size

    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """The batch's low-resolution images, upscaled."""
        fake: Tensor = g(batch["input"])
        return fake

    def inputs(self, count: int, seed: int, labels: abc.Sequence[int] | None = None) -> Tensor:
        """Low-resolution noise (count, channels, size / scale, size / scale), for measuring shapes and costs."""
        import torch

        side = self.size // self.scale
        values = np.random.default_rng(seed).uniform(-1, 1, (count, self.channels, side, side))
        return torch.from_numpy(values.astype(np.float32))


class FromNoise(System):
    """The generator maps noise z ~ N(0, I) of shape (B, latent) to (B, *shape).

    If there are classes, the one-hot class is appended to z: (B, latent + classes).
    """

    latent: int
    """Length of the noise vector z."""

    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """Samples from fresh noise of torch's global random state; each fake has the class of the corresponding
        real."""
        import torch

        fake: Tensor = g(self.with_classes(torch.randn(len(batch), self.latent, device=batch.device), batch.labels))
        return fake

    def inputs(self, count: int, seed: int, labels: abc.Sequence[int] | None = None) -> Tensor:
        """z (count, latent), with the classes appended: `labels`, or else all classes in turn.

        The first rows do not depend on `count`.
        """
        import torch

        z = torch.from_numpy(noise(count, self.latent, seed))
        if not self.classes:
            return z
        return self.with_classes(z, torch.arange(count) % self.classes if labels is None else torch.tensor(labels))

    def with_classes(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """z (B, latent) with the one-hot classes appended, if there are any."""
        if not self.classes:
            return z
        assert labels is not None  # checked before training starts
        import torch
        from torch.nn import functional

        return torch.cat([z, functional.one_hot(labels, self.classes).to(z)], 1)

    def labels_of(self, inputs: Tensor) -> Tensor | None:
        """The classes (B,) of inputs made by `with_classes`, or None if there are none."""
        return inputs[:, self.latent :].argmax(1) if self.classes else None


class Synthesis(FromNoise):
    """Image synthesis: noise to image."""

    task = "images"
    size: int
    """Side of the square images, in pixels."""
    channels: int
    """1 for grey, 3 for RGB."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(channels, size, size)"""
        return self.channels, self.size, self.size


class Sequence(System):
    """The generator draws a sentence place by place: uniform numbers (B, places) to one-hot kinds (B, places, words).

    A kind is a word or a character; `ganvas.recipe.text` says which are none. The generator also gives the log
    probability of every kind at every place after the real kinds before it: `predictions` (B, places, words).
    """

    task = "text"
    makes: ClassVar[tuple[str, ...]] = ("predictions",)
    words: int
    """Number of kinds, with padding, unknown and end."""

    @property
    @abstractmethod
    def places(self) -> int:
        """Places of a row: the longest sentence, and its end."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(places, words)"""
        return self.places, self.words

    @abstractmethod
    def predictions(self, g: nn.Module, batch: Batch) -> Tensor:
        """Log probabilities (B, places, words), fp32, each place after the batch's real kinds before it."""

    @abstractmethod
    def rows(self, g: nn.Module, uniform: Tensor, temperature: float = 1.0) -> Tensor:
        """Sentences as kinds (B, places), int64, of uniform numbers (B, places): those of g's one-hot outputs at 1."""

    @abstractmethod
    def nats(self, g: nn.Module, rows: Tensor) -> tuple[float, int]:
        """The negative log-likelihood of kinds (B, places) in nats, and how many words and ends it is of."""

    def outputs(self, g: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
        """`fake` and `predictions`, each computed when it is asked for: pretraining needs no fakes."""
        return _Lazy({"fake": lambda: self.fake(g, batch), "predictions": lambda: self.predictions(g, batch)})

    def inputs(self, count: int, seed: int, labels: abc.Sequence[int] | None = None) -> Tensor:
        """Uniform numbers in [0, 1) (count, places); the first rows do not depend on `count`."""
        import torch

        return torch.from_numpy(np.random.default_rng(seed).random((count, self.places), np.float32))


class _Lazy(Mapping[str, "Tensor"]):
    """Tensors by name, each made once, when it is first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], Tensor]]) -> None:
        self._makers = makers
        self._made: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)
