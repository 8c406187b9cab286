"""The measuring instrument: a small convolutional classifier, trained the same way on any mix of images.

Convolution, batch normalization (Ioffe & Szegedy 2015, arXiv:1502.03167) and ReLU, six times, then the mean over the
image: the plain net of He et al. 2016 (arXiv:1512.03385, section 4.2) made short. Adam, its rate on half a cosine to
0 (Loshchilov & Hutter 2017, arXiv:1608.03983). Flips and crops as in He et al.: a shift of up to an eighth of the side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ganvas.studies.synthetic.reals import LabelledImages

LAYERS = ((32, 1), (32, 2), (64, 1), (64, 2), (128, 1), (128, 2))  # channels and stride of every convolution
RATE, BATCH = 2e-3, 64
AT_ONCE = 500  # images classified at a time


@dataclass(frozen=True)
class ClassifierConfig:
    """How a classifier is trained, the same for every mix."""

    classes: int
    updates: int
    precision: Literal["fp32", "bf16"] = "fp32"
    device: str = "cpu"

    def autocast(self) -> torch.autocast:
        """The arithmetic of the network; weights and loss stay in fp32."""
        return torch.autocast(torch.device(self.device).type, torch.bfloat16, enabled=self.precision == "bf16")


@dataclass(frozen=True)
class TrainingMix:
    """What a classifier is trained on.

    Attributes:
        reals, fakes: one of them may be None.
        fake_share: share of fakes in every batch, if there are both.
        crops: shift every image at random by up to an eighth of its side.
        flips: mirror every image with probability one half.
    """

    reals: LabelledImages | None
    fakes: LabelledImages | None = None
    fake_share: float = 0.5
    crops: bool = False
    flips: bool = False


class Classifier(nn.Module):
    """Images (B, C, H, W) in [-1, 1] to logits (B, classes)."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for width, stride in LAYERS:
            layers += [
                nn.Conv2d(channels, width, 3, stride, 1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
            ]
            channels = width
        self.convolutions = nn.Sequential(*layers)
        self.classify = nn.Linear(channels, classes)

    def forward(self, x: Tensor) -> Tensor:
        """The mean over the image feeds the linear layer."""
        logits: Tensor = self.classify(self.convolutions(x).mean((2, 3)))
        return logits


def train_classifier(mix: TrainingMix, config: ClassifierConfig, seed: int) -> Classifier:
    """Train a fresh classifier; the same for the same seed."""
    parts = [part for part in (mix.reals, mix.fakes) if part is not None]
    random = np.random.default_rng(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = Classifier(parts[0].images.shape[-1], config.classes)
    network.to(config.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    share = mix.fake_share if len(parts) == 2 else 0.0
    fakes = round(share * BATCH)
    orders = [_Order(len(part), size, random) for part, size in zip(parts, (BATCH - fakes, fakes), strict=False)]
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.updates)
    for _ in range(config.updates):
        chosen = [(part, order.next()) for part, order in zip(parts, orders, strict=True)]
        images = np.concatenate([part.images[index] for part, index in chosen])
        labels = np.concatenate([part.labels[index] for part, index in chosen])
        images = crop_and_flip(images, mix.crops, mix.flips, random)
        with config.autocast():
            logits = network(_tensor(images, config.device))
        loss = functional.cross_entropy(logits.float(), torch.from_numpy(labels).to(config.device))
        optimizer.zero_grad()
        torch.autograd.backward([loss])
        optimizer.step()
        schedule.step()
    return network.eval().requires_grad_(False)


def probabilities(network: Classifier, images: NDArray[np.uint8], config: ClassifierConfig) -> NDArray[np.float32]:
    """Probabilities of every class, float32 (N, classes), for images uint8 (N, H, W, C)."""
    found = [np.zeros((0, config.classes), np.float32)]
    with torch.inference_mode(), config.autocast():
        for start in range(0, len(images), AT_ONCE):
            logits = network(_tensor(images[start : start + AT_ONCE], config.device))
            found.append(logits.float().softmax(1).cpu().numpy())
    return np.concatenate(found)


def crop_and_flip(
    images: NDArray[np.uint8], crops: bool, flips: bool, random: np.random.Generator
) -> NDArray[np.uint8]:
    """The images (N, H, W, C), at random mirrored left to right, and shifted with reflected edges."""
    count, size = images.shape[:2]
    if flips:
        mirrored = random.random(count) < 0.5
        images[mirrored] = images[mirrored, :, ::-1]
    if not crops:
        return images
    margin = size // 8
    wide = np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), "reflect")
    top, left = random.integers(0, 2 * margin + 1, (2, count, 1)) + np.arange(size)
    shifted: NDArray[np.uint8] = wide[np.arange(count)[:, None, None], top[:, :, None], left[:, None, :]]
    return shifted


class _Order:
    """Shuffled indices below `count`, `size` at a time; each comes once before any repeats."""

    def __init__(self, count: int, size: int, random: np.random.Generator) -> None:
        self._count, self._size, self._random = count, size, random
        self._left = np.zeros(0, np.int64)

    def next(self) -> NDArray[np.int64]:
        while len(self._left) < self._size:
            self._left = np.concatenate([self._left, self._random.permutation(self._count)])
        taken, self._left = np.split(self._left, [self._size])
        return taken


def _tensor(images: NDArray[np.uint8], device: str) -> Tensor:
    """uint8 (N, H, W, C) to (N, C, H, W) in [-1, 1], the channels last in memory."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
