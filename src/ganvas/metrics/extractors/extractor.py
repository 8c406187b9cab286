"""What every extractor provides. Imports torch only where one computes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Extracted:
    """What a network says of N images.

    Attributes:
        features: float32 (N, F).
        probabilities: of its classes, float32 (N, K).
    """

    features: Floats
    probabilities: Floats


class Extractor(ABC):
    """A fixed network from images to features, and what it is.

    A class of your own counts like those of this folder as soon as its module is imported.
    """

    name: str
    """The word on the command line."""
    count: int
    """Features of an image."""
    class_count: int = 0
    """Classes that it tells apart; 0 where it is no classifier."""
    class_names: tuple[str, ...] = ()
    """What they are, where they are those of a dataset that GANs learn."""
    licence: str
    """Of its weights."""
    weights: str
    """The beginning of the SHA-256 of its weights."""
    resize: str
    """The rule by which images come to its size, in words."""
    batch: int = 32
    """Images at a time on a CPU."""
    names: Mapping[str, str] = MappingProxyType({})
    """What figures on its features are called, where they have names of their own, such as FID for FD."""
    network: nn.Module
    """Prepared images (B, C, H, W) -> features (B, F) and logits (B, K)."""

    @classmethod
    def open(cls, side: int = 0) -> Extractor:
        """Load it.

        Args:
            side: pixels to which images are resized for it; 0 is what it was trained at.

        Raises:
            InputError: its weights are not available or the wrong ones, or it has one side.
        """
        if side:
            raise InputError(f"--resize {side} does not go with {cls.name}, which has one size; leave it out.")
        return cls()

    @property
    def protocol(self) -> dict[str, Any]:
        """What a figure on its features has to say of it."""
        return {"extractor": self.name, "weights": self.weights, "resize": self.resize}

    @abstractmethod
    def prepare(self, images: Tensor) -> Tensor:
        """float32 (B, C, H, W) in 0..255, C 1 or 3, to what the network takes."""

    def extract(
        self, pixels: Pixels, batch: int = 0, advance: Callable[[int], object] = lambda count: None
    ) -> Extracted:
        """Features and class probabilities of uint8 (N, H, W, C).

        Args:
            batch: images at a time; the result depends on it by rounding alone. 0 is what is quick on the device.
            advance: called with every so many images done.
        """
        import torch

        device = next((weight.device for weight in self.network.parameters()), torch.device("cpu"))
        batch = batch or (self.batch if device.type == "cpu" else 64)
        found: list[tuple[Floats, Floats]] = []
        with torch.inference_mode():
            for start in range(0, len(pixels), batch):
                part = torch.from_numpy(np.array(pixels[start : start + batch])).to(device)
                x = self.prepare(part.permute(0, 3, 1, 2).float()).contiguous(memory_format=torch.channels_last)
                features, logits = self.network(x)
                found.append((features.cpu().numpy(), logits.softmax(1).cpu().numpy()))
                advance(len(part))
        features_, probabilities = zip(*found, strict=True)
        return Extracted(np.concatenate(features_), np.concatenate(probabilities))


def rgb(images: Tensor) -> Tensor:
    """Three equal channels of grey images (B, 1, H, W); others as they are."""
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images
