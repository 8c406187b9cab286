"""Convolutions and activations whose gradients are cheap to differentiate: what penalties on gradients need."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

How = tuple[Any, ...]


class Convolution(nn.Conv2d):
    """`torch.nn.Conv2d` with zero padding, several times as fast where its gradient is differentiated again.

    PyTorch differentiates a convolution twice through other, slow shapes (kernels as large as the picture, group by
    group). Yet a convolution is linear in both its arguments, so that the second derivative consists of the same three
    products as the first. Same parameters, same names, same mathematics; third derivatives are not to be had.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H', W')"""
        weight, bias = self.weight, self.bias
        device = x.device.type
        if torch.is_autocast_enabled(device):
            half = torch.get_autocast_dtype(device)
            x, weight = x.to(half), weight.to(half)
            bias = None if bias is None else bias.to(half)
        how = (self.stride, self.padding, self.dilation, False, (0, 0), self.groups)
        # A view, since autograd tells of no leaf whether its gradient is asked for.
        y: Tensor = _Convolve.apply(x, weight.view_as(weight), bias, how)  # type: ignore[no-untyped-call]
        return y


class _Convolve(torch.autograd.Function):
    """y = w * x + b"""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, how: How) -> Tensor:
        ctx.how = how
        ctx.save_for_backward(x, weight)
        return torch.convolution(x, weight, bias, *how)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        x, weight = ctx.saved_tensors
        (slope,) = gradients
        for_x = _InputGradient.apply(slope, weight, x, ctx.how) if ctx.needs_input_grad[0] else None  # type: ignore[no-untyped-call]
        # A penalty asks for the slope at the pictures alone, and would throw the weights' gradients away.
        for_weight = for_bias = None
        if ctx.needs_input_grad[1] and torch._C._will_engine_execute_node(ctx.next_functions[1][0]):
            for_weight = _product(slope, x, weight, ctx.how, 1)
            for_bias = slope.sum((0, 2, 3)) if ctx.needs_input_grad[2] else None
        return for_x, for_weight, for_bias, None


class _InputGradient(torch.autograd.Function):
    """The transpose of w applied to dL/dy: linear in both, so that its gradients are the same products again."""

    @staticmethod
    def forward(ctx: Any, slope: Tensor, weight: Tensor, x: Tensor, how: How) -> Tensor:
        ctx.how = how
        ctx.save_for_backward(slope, weight)
        return _product(slope, x, weight, how, 0)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        slope, weight = ctx.saved_tensors
        (gradient,) = gradients
        for_slope = torch.convolution(gradient, weight, None, *ctx.how) if ctx.needs_input_grad[0] else None
        for_weight = _product(slope, gradient, weight, ctx.how, 1) if ctx.needs_input_grad[1] else None
        return for_slope, for_weight, None, None


def _product(slope: Tensor, x: Tensor, weight: Tensor, how: How, which: int) -> Tensor:
    """dL/dx (0) or dL/dw (1) from dL/dy."""
    mask = [which == 0, which == 1, False]
    found: Tensor = torch.ops.aten.convolution_backward(slope, x, weight, None, *how, mask)[which]
    return found


class LeakyReLU(nn.LeakyReLU):
    """`torch.nn.LeakyReLU`, in place, whose second derivative costs nothing since it is 0."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape; x is overwritten."""
        y: Tensor = _Leaky.apply(x, self.negative_slope)  # type: ignore[no-untyped-call]
        return y


class _Leaky(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        ctx.slope = slope
        ctx.mark_dirty(x)
        y: Tensor = functional.leaky_relu_(x, slope)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (y,) = ctx.saved_tensors
        return _LeakyGradient.apply(gradients[0], y, ctx.slope), None  # type: ignore[no-untyped-call]


class _LeakyGradient(torch.autograd.Function):
    """Linear in dL/dy; where y lies decides only the factor."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, y: Tensor, slope: float) -> Tensor:
        ctx.slope = slope
        ctx.save_for_backward(y)
        found: Tensor = torch.ops.aten.leaky_relu_backward(gradient, y, slope, True)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (y,) = ctx.saved_tensors
        return torch.ops.aten.leaky_relu_backward(gradients[0], y, ctx.slope, True), None, None
