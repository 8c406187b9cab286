"""LPIPS and ST-LPIPS: how different a result looks from its original."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ganvas.metrics.measure import Evidence, PairMeasure, Quantity
from ganvas.metrics.perceptual import ALEXNET, SIDE, PerceptualDistance, distances, open_perceptual
from ganvas.metrics.weights import weights_dir
from ganvas.nn.device import on_device


class STLPIPS(PairMeasure):
    """Tolerant to shifts."""

    name, order = "st-lpips", 50
    gives: ClassVar[tuple[Quantity, ...]] = (Quantity("ST-LPIPS", higher_is_better=False, least=0),)
    undefined = f"images below {SIDE} px inside the crop"
    network: PerceptualDistance

    def open(self) -> None:
        """Load the network of that name."""
        self.network = open_perceptual(self.name)

    def move(self, device: str) -> None:
        """Compute there."""
        on_device(self.network, device)

    def score(self, result: NDArray[np.uint8], original: NDArray[np.uint8], crop: int) -> float | None:
        """At least 0; None below 64 px."""
        if min(original.shape[:2]) - 2 * crop < SIDE:
            return None
        inside = slice(crop, original.shape[0] - crop), slice(crop, original.shape[1] - crop)
        a, b = (np.ascontiguousarray(pixels[inside])[None] for pixels in (result, original))
        return float(distances(self.network, a, b)[0])

    def about(self) -> dict[str, Any]:
        """The network and its weights."""
        return {"on": "RGB", "extractor": self.network.name, "weights": self.network.weights}


class LPIPS(STLPIPS):
    """As most papers have it."""

    name, order = "lpips", 60
    gives = (Quantity("LPIPS", higher_is_better=False, least=0),)

    def is_default(self, x: Evidence) -> bool:
        """Where its AlexNet is there already, since nobody waits for a download of 244 MB to get a score."""
        return (weights_dir() / ALEXNET).is_file()
