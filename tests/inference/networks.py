"""Small networks of every family that can be opened, and images to upscale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ganvas.recipe.serialization import to_plain
from ganvas.runs import checkpoint
from ganvas.systems.srgan import SRGAN


def small(**changes: object) -> SRGAN:
    """An SRGAN that upscales in milliseconds."""
    return SRGAN(**{"g_width": 8, "blocks": 2, "size": 32, **changes})  # type: ignore[arg-type]


def saved(path: Path, system: SRGAN, seed: int = 0, start: str = "", shift: float = 0.0) -> Path:
    """A model file of a generator with random weights, away from what they begin with."""
    network = lively(system.generator(), seed)
    with torch.no_grad():
        *_, weight, bias = network.parameters()
        weight *= 0.05  # most of the result within the range, as of a trained network
        bias += shift
    weights = {f"g.{name}": tensor for name, tensor in network.state_dict().items()}
    about = {"run": path.stem, "system": to_plain(system), "images": 7, "data": "", "start": start}
    checkpoint.save(path, weights, about)
    return path


def lively(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with random weights and statistics, none of them zero."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, 0, 0.05)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return network.eval().requires_grad_(False)


def photo(height: int, width: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """Something smooth with noise on it."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [120 + 80 * np.sin(rows / (5 + k) + k) * np.cos(columns / (7 - k)) for k in range(channels)]
    return np.clip(np.stack(waves, -1) + rng.normal(0, 12, (height, width, channels)), 0, 255).astype(np.uint8)


class RRDBNet(nn.Module):
    """ESRGAN's generator as its authors' files name its parts, with one block of 4 channels."""

    def __init__(self, width: int = 4, growth: int = 32) -> None:
        super().__init__()

        def conv(before: int, after: int) -> nn.Conv2d:
            return nn.Conv2d(before, after, 3, padding=1)

        block = nn.Module()
        for name in ("rdb1", "rdb2", "rdb3"):
            dense = nn.Module()
            for index in range(5):
                after = width if index == 4 else growth
                dense.add_module(f"conv{index + 1}", conv(width + index * growth, after))
            block.add_module(name, dense)
        self.body = nn.Sequential(block)
        self.conv_first, self.conv_body, self.conv_up1 = conv(3, width), conv(width, width), conv(width, width)
        self.conv_up2, self.conv_hr, self.conv_last = conv(width, width), conv(width, width), conv(width, 3)

    def forward(self, x: Tensor) -> Tensor:
        def leaky(y: Tensor) -> Tensor:
            return functional.leaky_relu(y, 0.2)

        def twice(y: Tensor) -> Tensor:
            return functional.interpolate(y, scale_factor=2.0)

        first = y = self.conv_first(x)
        for dense in self.body[0].children():
            *others, last = dense.children()
            seen = y
            for layer in others:
                seen = torch.cat([seen, leaky(layer(seen))], 1)
            y = last(seen) * 0.2 + y
        y = first + self.conv_body(y * 0.2 + first)
        y = leaky(self.conv_up2(twice(leaky(self.conv_up1(twice(y))))))
        made: Tensor = self.conv_last(leaky(self.conv_hr(y)))
        return made


def rrdb() -> nn.Module:
    """A tiny ESRGAN with random weights."""
    return lively(RRDBNet())
