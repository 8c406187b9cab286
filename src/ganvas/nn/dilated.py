"""Dilated convolutions that stay in fp32 on processors."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def keep_exact(network: nn.Module) -> None:
    """Have a network's dilated convolutions computed in fp32 under autocast on a processor.

    oneDNN's bf16 gradients of their weights are wrong, or not numbers, from some 32 x 32 pixels on, on processors with
    bf16 instructions (torch 2.13). Parameters and names stay.
    """
    for module in network.modules():
        if type(module) is nn.Conv2d and max(module.dilation) > 1:
            module.__class__ = _Exact


class _Exact(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return super().forward(x.to(self.weight.dtype))
