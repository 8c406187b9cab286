"""The first layers of a frozen network, whose features a perceptual loss compares."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate

import torch
from torch import Tensor, nn

from ganvas.errors import InputError
from ganvas.metrics.extractors.efficientnet_lite0 import STAGES, EfficientNetLite0, EfficientNetLite0Network
from ganvas.metrics.extractors.extractor import rgb
from ganvas.metrics.weights import fetched, read_weights

VGG_FILE = "vgg19-dcbb9e9d.pth"
VGG_URL = f"https://download.pytorch.org/models/{VGG_FILE}"
VGG_SHA256 = "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"
VGG_WIDTHS, VGG_REPEATS = (64, 128, 256, 512, 512), (2, 2, 4, 4, 4)


@lru_cache(4)
def layers_up_to(extractor: str, layer: tuple[int, int], before_activation: bool, device: torch.device) -> nn.Module:
    """Images (B, C, H, W) in [-1, 1] -> features of one layer, without gradients to the weights.

    Args:
        extractor: vgg19 or efficientnet-lite0.
        layer: (i, j), of vgg19 the j-th convolution before the i-th max-pooling, of efficientnet-lite0 the j-th block
            after the i-th halving.
        before_activation: take vgg19's features before the ReLU.

    Raises:
        InputError: there is no such layer, or its weights are not available or the wrong ones.
    """
    build = _vgg19 if extractor == "vgg19" else _efficientnet
    network = build(*layer, before_activation)
    return network.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


class _Scaled(nn.Module):
    """Layers behind the scaling of images that they were trained with."""

    factor: Tensor
    shift: Tensor

    def __init__(self, layers: nn.Module, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.layers = layers
        # From [-1, 1] at once: (x / 2 + 1 / 2 - mean) / std.
        self.register_buffer("factor", 0.5 / torch.tensor(std).view(1, 3, 1, 1))
        self.register_buffer("shift", ((0.5 - torch.tensor(mean)) / torch.tensor(std)).view(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(rgb(x) * self.factor + self.shift)
        return y


def _vgg19(i: int, j: int, before_activation: bool) -> nn.Module:
    _expect("vgg19", i, j, VGG_REPEATS)
    instead = "another extractor, as in --reconstruction.0.extractor efficientnet-lite0 (of a study --extractor)"
    path = fetched("VGG19", [VGG_FILE], VGG_URL, VGG_SHA256, instead)
    state = read_weights(path, VGG_SHA256)
    layers: list[nn.Module] = []
    before = 3
    for width, repeats in list(zip(VGG_WIDTHS, VGG_REPEATS, strict=True))[:i]:
        for _ in range(repeats):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(inplace=True)]
            before = width
        layers.append(nn.MaxPool2d(2))
    after = 2 * (VGG_REPEATS[i - 1] - j) + 1 + before_activation
    network = nn.Sequential(*layers[: len(layers) - after])
    own = {name: state[f"features.{name}"] for name in network.state_dict()}
    network.load_state_dict(own)
    return _Scaled(network, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def _efficientnet(i: int, j: int, before_activation: bool) -> nn.Module:
    # A new resolution begins where a stage has stride 2; the stem has halved once already.
    counts = [0]
    for _, _, stride, _, repeats in STAGES:
        if stride == 2:
            counts.append(0)
        counts[-1] += repeats
    _expect("efficientnet-lite0", i, j, tuple(counts))
    whole: EfficientNetLite0Network = EfficientNetLite0().network  # type: ignore[assignment]
    blocks = list(accumulate([0, *counts]))[i - 1] + j
    return _Scaled(nn.Sequential(whole.stem, *list(whole.blocks)[:blocks]), [127 / 255] * 3, [128 / 255] * 3)


def _expect(network: str, i: int, j: int, counts: tuple[int, ...]) -> None:
    if not (1 <= i <= len(counts) and 1 <= j <= counts[i - 1]):
        known = ", ".join(f"({i + 1}, 1..{count})" for i, count in enumerate(counts))
        raise InputError(f"{network} has no layer ({i}, {j}); there are {known}.")
