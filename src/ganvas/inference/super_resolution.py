"""The base of all upscalers."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from ganvas.inference.base import Predictor


class SuperResolution(Predictor):
    """Upscales images by a whole factor."""

    inputs = "image"
    does = "upscales images"
    use = "ganvas upscale --model {model}"

    @property
    def scale(self) -> int:
        """Factor by which both sides grow."""
        return self.about.scale

    @abstractmethod
    def upscale(self, image: Any, *, colour_lock: bool = True) -> Any:
        """Return an image `scale` times as high and wide, of the same type.

        Args:
            colour_lock: keep the input's colours where the model would shift them.

        Raises:
            InputError: the image is of an unsupported kind.
        """
