"""Self-attention over a feature map."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SHARE = 8  # input channels per channel of the queries, keys and values (section 3 of the paper)


class LearnedGain(nn.Module):
    """x times a learned scalar, initialized to 0."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape."""
        return self.weight * x


class Attention(nn.Module):
    """x + gain * attention(x), over all positions (Zhang et al. 2019, arXiv:1805.08318, eq. 1 to 3).

    The gain starts at 0, so that the network is initially the same as without attention.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        narrow = max(1, width // SHARE)
        self.query, self.key, self.value = (nn.Conv2d(width, narrow, 1, bias=False) for _ in range(3))
        self.out = nn.Conv2d(narrow, width, 1, bias=False)
        self.gain = LearnedGain()

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, H, W) -> the same; any order of derivative. Memory grows with (H W)^2."""
        # Plain products and a softmax: torch's fused attention has no second derivative.
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))
        weights = torch.softmax(query.transpose(1, 2) @ key, 2)  # (B, queries, keys), every row sums to 1
        mixed = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
        attended: Tensor = x + self.gain(self.out(mixed))
        return attended
