"""A small classifier of handwritten digits: which digits a generator makes, and features that small sets suffice for.

Trained by scripts/train_digit_classifier.py; digits.md beside this file is its model card.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

from safetensors.torch import load
from torch import Tensor, nn
from torch.nn import functional

from ganvas.metrics.extractors.extractor import Extractor
from ganvas.metrics.weights import HASH

FILE = "digits.safetensors"
SIDE = 28
WIDTHS = ((1, 32, 1), (32, 32, 2), (32, 64, 1), (64, 64, 2), (64, 128, 1))  # inputs, outputs and stride of every layer


class Digits(Extractor):
    """128 features of a grey image, and the probabilities of the ten digits."""

    name, count = "digits", WIDTHS[-1][1]
    class_names = tuple("0123456789")
    class_count = len(class_names)
    licence = "CC BY-SA 3.0"
    resize = f"grey, bicubic with antialiasing to {SIDE} px"

    def __init__(self) -> None:
        """Load the weights that ganvas ships."""
        content = files("ganvas.metrics.extractors").joinpath(FILE).read_bytes()
        self.weights = hashlib.sha256(content).hexdigest()[:HASH]
        self.network = DigitsNetwork()
        self.network.load_state_dict(load(content))
        self.network.eval().requires_grad_(False)

    def prepare(self, images: Tensor) -> Tensor:
        """(B, 1, 28, 28) in 0..1, light on dark as they come."""
        grey = images.mean(1, keepdim=True)
        if grey.shape[-1] != SIDE:
            grey = functional.interpolate(grey, (SIDE, SIDE), mode="bicubic", antialias=True).clamp_(0, 255)
        return grey / 255


class DigitsNetwork(nn.Module):
    """Five convolutions, the mean over the image, and one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs, stride in WIDTHS:
            layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers)
        self.classify = nn.Linear(WIDTHS[-1][1], 10)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Images (B, 1, 28, 28) to features (B, 128) and logits (B, 10)."""
        features = self.convolutions(x).mean((2, 3))
        return features, self.classify(features)
