"""What every extractor answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Extracted:
    """What a network says of N pictures.

    Attributes:
        features: float32 (N, F).
        probabilities: of its classes, float32 (N, K).
    """

    features: Floats
    probabilities: Floats


class Extractor(ABC):
    """A fixed network from pictures to features.

    Attributes:
        name: as in `NAMES`.
        weights: the beginning of the SHA-256 of its weights.
        resize: the rule by which pictures come to its size, in words.
        count: features of a picture.
        batch: pictures at a time on a CPU.
    """

    name: str
    weights: str
    resize: str
    count: int
    batch: int = 32
    network: nn.Module
    """Prepared pictures (B, C, H, W) -> features (B, F) and logits (B, K)."""

    @abstractmethod
    def prepare(self, pictures: Tensor) -> Tensor:
        """float32 (B, C, H, W) in 0..255, C 1 or 3, to what the network takes."""

    def extract(
        self, pixels: Pixels, batch: int = 0, advance: Callable[[int], object] = lambda count: None
    ) -> Extracted:
        """Features and class probabilities of uint8 (N, H, W, C).

        Args:
            batch: pictures at a time; the result depends on it by rounding alone. 0 is what is quick on the device.
            advance: told of every so many pictures done.
        """
        import torch

        device = next(self.network.parameters()).device
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


def rgb(pictures: Tensor) -> Tensor:
    """Three equal channels of grey pictures (B, 1, H, W); others as they are."""
    return pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures
