"""Linear layers as fast as the convolutions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class Linear(nn.Linear):
    """`torch.nn.Linear`, computed by oneDNN if the weights are fp32 on a CPU.

    PyTorch uses MKL for fp32 matrix products, which is half as fast as oneDNN on non-Intel processors (measured by
    `benchmarks/throughput.py`). Parameters, names and mathematics are the same; any order of derivative.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(..., in_features) -> (..., out_features)"""
        if not _ONEDNN or x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        product = _product(x, self.weight)
        return product if self.bias is None else product + self.bias


class _Product(torch.autograd.Function):
    """a @ b.T, whose gradients are products of the same kind."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        product: Tensor = torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
        return product

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (gradient,) = gradients
        a, b = ctx.saved_tensors
        for_a = _product(gradient, b.t()) if ctx.needs_input_grad[0] else None
        for_b = _product(gradient.t(), a.t()) if ctx.needs_input_grad[1] else None
        return for_a, for_b


def _product(a: Tensor, b: Tensor) -> Tensor:
    product: Tensor = _Product.apply(a, b)  # type: ignore[no-untyped-call]
    return product


def _has_onednn() -> bool:
    try:
        one = torch.ones(1, 1)
        torch.ops.mkldnn._linear_pointwise(one, one, None, "none", [], "")
    except (AttributeError, RuntimeError):
        return False
    return True


_ONEDNN = _has_onednn()
