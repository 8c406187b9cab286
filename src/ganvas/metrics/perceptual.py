"""How different two pictures look: ST-LPIPS, and how varied a set of pictures is by it.

Paper: Ghildyal & Liu 2022, Shift-tolerant Perceptual Similarity Metric, arXiv:2207.13686

It is LPIPS (Zhang et al. 2018, arXiv:1801.03924) with an AlexNet that filters before it leaves pixels out, so that a
shift of a pixel counts for little. The weights are those of the package stlpips-pytorch (BSD-2); the names of the
layers are that file's. LPIPS itself needs torchvision's AlexNet, which no package brings.
"""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ganvas.errors import InputError
from ganvas.metrics.extractors.extractor import HASH, read_weights, rgb
from ganvas.metrics.intervals import Estimate, mean

PACKAGE, FILE = "stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth"
SHA256 = "b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee"
NAME = "st-lpips-alex"
SIDE = 64  # px, below which AlexNet's layers see little but their own padding
PAIRS = 512
BATCH = 8


class Perceptual(nn.Module):
    """The distance of pictures, pair by pair."""

    def __init__(self, state: dict[str, Tensor] | None = None) -> None:
        """Load the weights of the installed package, or take those given.

        Raises:
            InputError: the package is not installed, or its file is another.
        """
        super().__init__()
        state = _read() if state is None else state
        for name in ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13"):
            convolution = name.replace(".", "_")
            self.register_buffer(f"{convolution}_weight", state[f"net.{name}.weight"])
            self.register_buffer(f"{convolution}_bias", state[f"net.{name}.bias"])
        for layer in range(5):
            self.register_buffer(f"lin{layer}", state[f"lin{layer}.model.1.weight"])
        self.register_buffer("shift", state["scaling_layer.shift"])
        self.register_buffer("scale", state["scaling_layer.scale"])

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances (B,), at least 0, of pictures (B, C, H, W) in [-1, 1] with C 1 or 3."""
        total = a.new_zeros(len(a))
        for layer, (x, y) in enumerate(zip(self._layers(a), self._layers(b), strict=True)):
            gap = (functional.normalize(x, eps=1e-10) - functional.normalize(y, eps=1e-10)).square()
            total = total + functional.conv2d(gap, self.get_buffer(f"lin{layer}")).mean((1, 2, 3))
        return total

    def _layers(self, pictures: Tensor) -> list[Tensor]:
        x = (rgb(pictures) - self.get_buffer("shift")) / self.get_buffer("scale")
        first = _halve(self._convolve(x, "slice1_0", 2)).relu()
        second = self._convolve(_halve(functional.max_pool2d(first, 3, 1)), "slice2_5", 2).relu()
        third = self._convolve(_halve(functional.max_pool2d(second, 3, 1)), "slice3_9", 1).relu()
        fourth = self._convolve(third, "slice4_11", 1).relu()
        return [first, second, third, fourth, self._convolve(fourth, "slice5_13", 1).relu()]

    def _convolve(self, x: Tensor, name: str, padding: int) -> Tensor:
        return functional.conv2d(x, self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias"), padding=padding)


def diversity(network: Perceptual, pixels: NDArray[np.uint8], seed: int = 0) -> Estimate:
    """Mean distance of random pairs of pictures: less than that of reals where fakes look alike.

    Args:
        network: the distance.
        pixels: uint8 (N, H, W, C), N at least 2; enlarged to 64 px if smaller.
        seed: of the 512 pairs, and of the interval, which resamples the pairs.

    Raises:
        InputError: there is no pair.
    """
    if len(pixels) < 2:
        raise InputError(f"{len(pixels)} picture has nothing to differ from; give 2 or more.")
    rng = np.random.default_rng(seed)
    first = rng.integers(0, len(pixels), PAIRS)
    second = (first + rng.integers(1, len(pixels), PAIRS)) % len(pixels)
    device = network.get_buffer("shift").device
    found = []
    with torch.inference_mode():
        for start in range(0, PAIRS, BATCH):
            part = slice(start, start + BATCH)
            found.append(network(*(_prepare(pixels[chosen[part]]).to(device) for chosen in (first, second))).cpu())
    return mean(torch.cat(found).double().numpy(), seed)


def _prepare(pixels: NDArray[np.uint8]) -> Tensor:
    pictures = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1
    if pictures.shape[-1] < SIDE:
        pictures = functional.interpolate(pictures, (SIDE, SIDE), mode="bicubic", antialias=True).clamp_(-1, 1)
    return pictures


def _halve(x: Tensor) -> Tensor:
    """Blur by [1, 2, 1] both ways and leave every other pixel out (Zhang 2019, arXiv:1904.11486)."""
    one = torch.tensor([1.0, 2.0, 1.0], device=x.device) / 4
    filters = torch.outer(one, one).expand(x.shape[1], 1, 3, 3)
    return functional.conv2d(functional.pad(x, [2] * 4, mode="reflect"), filters, stride=2, groups=x.shape[1])


def _read() -> dict[str, Tensor]:
    try:
        with as_file(files(PACKAGE) / FILE) as path:
            return read_weights(path, SHA256)
    except (ModuleNotFoundError, FileNotFoundError):
        raise InputError(
            "the measure perceptual needs the weights of ST-LPIPS; run pip install 'ganvas[perceptual]'."
        ) from None


WEIGHTS = SHA256[:HASH]
