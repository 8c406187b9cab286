"""The Inception network of 2015 that the FID, the KID and the Inception score are defined on.

Paper: Szegedy et al. 2016, Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567

The weights are Google's, as converted for pytorch-fid and torch-fidelity (Apache-2.0); the names of the layers are that
file's. It differs from torchvision's Inception v3 in its 1,008 classes, in leaving the padding out of its means, and in
one maximum where the paper has a mean.
"""

from __future__ import annotations

from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.metrics.extractors.extractor import Extractor, rgb
from ganvas.metrics.weights import HASH, fetched, read_weights

FILE = "weights-inception-2015-12-05-6726825d.pth"
SAME_FILE = "pt_inception-2015-12-05-6726825d.pth"
"""Another name under which it is passed on."""
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}"
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
SIDE = 299


class Inception(Extractor):
    """2,048 features, and the probabilities of 1,008 classes."""

    name, count, class_count, licence = "inception", 2048, 1008, "Apache-2.0"
    names = MappingProxyType({"FD": "FID", "classifier score": "Inception score"})
    batch = 8
    resize = f"bilinear without antialiasing to {SIDE} px, as TensorFlow 1"

    def __init__(self) -> None:
        """Load the weights from $GANVAS_WEIGHTS, else a folder in the user's cache, or download them there.

        Raises:
            InputError: they are neither there nor available, or the file is another.
        """
        names = (FILE, SAME_FILE)
        path = fetched("the extractor inception", names, URL, SHA256, "--extractor efficientnet-lite0")
        state = read_weights(path, SHA256)
        self.weights = SHA256[:HASH]
        self.network = InceptionNetwork()
        self.network.load_state_dict(state)
        self.network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def prepare(self, images: Tensor) -> Tensor:
        """RGB at 299 px, (x - 128) / 128."""
        if images.shape[2:] != (SIDE, SIDE):
            rows, columns = (_weights(side, images) for side in images.shape[2:])
            images = rows @ images @ columns.T
        return rgb((images - 128) / 128)


def _weights(side: int, like: Tensor) -> Tensor:
    """Weights (299, side) that put pixel i of the result at i * side / 299, with no regard for the pixels' middles."""
    place = torch.arange(SIDE, device=like.device) * torch.tensor(side / SIDE, device=like.device)
    low = place.long()
    share = (place - low)[:, None]
    one = torch.eye(side, device=like.device)
    return one[low] * (1 - share) + one[(low + 1).clamp_max(side - 1)] * share


class _Conv(nn.Module):
    """Convolution, normalisation, ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1, pad: bool = True
    ) -> None:
        super().__init__()
        sides = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = (sides[0] // 2, sides[1] // 2) if pad else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, sides, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)), inplace=True)


class _A(nn.Module):
    def __init__(self, inputs: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(inputs, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = _Conv(inputs, 48, 1), _Conv(48, 64, 5)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Conv(inputs, 64, 1), _Conv(64, 96, 3)
        self.branch3x3dbl_3 = _Conv(96, 96, 3)
        self.branch_pool = _Conv(inputs, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(_mean(x))], 1)


class _B(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.branch3x3 = _Conv(inputs, 384, 3, 2, pad=False)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Conv(inputs, 64, 1), _Conv(64, 96, 3)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, 2, pad=False)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, functional.max_pool2d(x, 3, 2)], 1)


class _C(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(768, 192, 1)
        self.branch7x7_1, self.branch7x7_2 = _Conv(768, width, 1), _Conv(width, width, (1, 7))
        self.branch7x7_3 = _Conv(width, 192, (7, 1))
        self.branch7x7dbl_1, self.branch7x7dbl_2 = _Conv(768, width, 1), _Conv(width, width, (7, 1))
        self.branch7x7dbl_3, self.branch7x7dbl_4 = _Conv(width, width, (1, 7)), _Conv(width, width, (7, 1))
        self.branch7x7dbl_5 = _Conv(width, 192, (1, 7))
        self.branch_pool = _Conv(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_mean(x))], 1)


class _D(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = _Conv(768, 192, 1), _Conv(192, 320, 3, 2, pad=False)
        self.branch7x7x3_1, self.branch7x7x3_2 = _Conv(768, 192, 1), _Conv(192, 192, (1, 7))
        self.branch7x7x3_3, self.branch7x7x3_4 = _Conv(192, 192, (7, 1)), _Conv(192, 192, 3, 2, pad=False)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, functional.max_pool2d(x, 3, 2)], 1)


class _E(nn.Module):
    def __init__(self, inputs: int, maximum: bool) -> None:
        super().__init__()
        self.maximum = maximum
        self.branch1x1 = _Conv(inputs, 320, 1)
        self.branch3x3_1 = _Conv(inputs, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = _Conv(384, 384, (1, 3)), _Conv(384, 384, (3, 1))
        self.branch3x3dbl_1, self.branch3x3dbl_2 = _Conv(inputs, 448, 1), _Conv(448, 384, 3)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = _Conv(384, 384, (1, 3)), _Conv(384, 384, (3, 1))
        self.branch_pool = _Conv(inputs, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = functional.max_pool2d(x, 3, 1, 1) if self.maximum else _mean(x)
        parts = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(pooled)]
        return torch.cat(parts, 1)


def _mean(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


class InceptionNetwork(nn.Module):
    """Images (B, 3, 299, 299) to features (B, 2048) and logits (B, 1008)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3, self.Conv2d_2a_3x3 = _Conv(3, 32, 3, 2, pad=False), _Conv(32, 32, 3, pad=False)
        self.Conv2d_2b_3x3 = _Conv(32, 64, 3)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = _Conv(64, 80, 1), _Conv(80, 192, 3, pad=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _A(192, 32), _A(256, 64), _A(288, 64)
        self.Mixed_6a = _B(288)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = _C(128), _C(160), _C(160), _C(192)
        self.Mixed_7a, self.Mixed_7b, self.Mixed_7c = _D(), _E(1280, maximum=False), _E(2048, maximum=True)
        self.fc = nn.Linear(2048, 1008)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The logits leave out the bias, as the first code of the Inception score did."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = functional.max_pool2d(x, 3, 2)
        x = functional.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        features = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x))).mean((2, 3))
        return features, functional.linear(features, self.fc.weight)
