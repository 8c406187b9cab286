"""Convolutions with fast second derivatives, as needed by penalties on gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Geometry = tuple[Any, ...]  # stride, padding, dilation, transposed, output padding, groups


class Convolution(nn.Conv2d):
    """`torch.nn.Conv2d` with zero padding and optional leaky ReLU, whose second derivative is several times as fast.

    PyTorch computes the second derivative of a convolution through slow, unusual shapes (kernels as large as the image,
    group by group). But a convolution is linear in both of its arguments, so the second derivative consists of the same
    three products as the first. Parameters, names and mathematics are the same; there is no third derivative.
    """

    def __init__(self, *args: Any, slope: float = 1.0, **kwargs: Any) -> None:
        """As `torch.nn.Conv2d`; `slope` is the negative slope of the leaky ReLU, 1 for none."""
        super().__init__(*args, **kwargs)
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H', W')"""
        weight, bias = self.weight, self.bias
        device = x.device.type
        if torch.is_autocast_enabled(device):
            half = torch.get_autocast_dtype(device)
            x, weight = x.to(half), weight.to(half)
            bias = None if bias is None else bias.to(half)
        geometry = (self.stride, self.padding, self.dilation, False, (0, 0), self.groups)
        # A view, since autograd does not say whether the gradient of a leaf is needed.
        y: Tensor = _Convolve.apply(x, weight.view_as(weight), bias, geometry, self.slope)  # type: ignore[no-untyped-call]
        return y


class _Convolve(torch.autograd.Function):
    """y = leaky(w * x + b)"""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, slope: float) -> Tensor:
        y = _forward(x, weight, bias, geometry, slope)
        ctx.geometry, ctx.slope = geometry, slope
        ctx.save_for_backward(x, weight, *([] if slope == 1 else [y]))
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        x, weight, *activated = ctx.saved_tensors
        (gradient,) = gradients
        for y in activated:
            gradient = _LeakyGradient.apply(gradient, y, ctx.slope)  # type: ignore[no-untyped-call]
        for_x = _InputGradient.apply(gradient, weight, x, ctx.geometry) if ctx.needs_input_grad[0] else None  # type: ignore[no-untyped-call]
        # A penalty needs only the gradient with respect to the images, and would discard those of the weights.
        for_weight = for_bias = None
        if ctx.needs_input_grad[1] and torch._C._will_engine_execute_node(ctx.next_functions[1][0]):
            _, for_weight, for_bias = _products(
                gradient, x, weight, ctx.geometry, (False, True, ctx.needs_input_grad[2])
            )
        return for_x, for_weight, for_bias, None, None


class _InputGradient(torch.autograd.Function):
    """The transpose of w applied to dL/dy: linear in both, so its gradients are the same products again."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, weight: Tensor, x: Tensor, geometry: Geometry) -> Tensor:
        ctx.geometry = geometry
        ctx.save_for_backward(gradient, weight)
        for_x: Tensor = _products(gradient, x, weight, geometry, (True, False, False))[0]
        return for_x

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        gradient, weight = ctx.saved_tensors
        (above,) = gradients
        for_gradient = torch.convolution(above, weight, None, *ctx.geometry) if ctx.needs_input_grad[0] else None
        wanted = (False, ctx.needs_input_grad[1], False)
        return for_gradient, _products(gradient, above, weight, ctx.geometry, wanted)[1], None, None


class _LeakyGradient(torch.autograd.Function):
    """Linear in dL/dy; y determines only the factor, so leaky ReLU has no second derivative."""

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


def _forward(x: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry, slope: float) -> Tensor:
    if slope == 1:
        return torch.convolution(x, weight, bias, *geometry)
    if x.device.type == "cpu" and x.dtype in _FUSED_TYPES:
        stride, padding, dilation, *_, groups = geometry
        fused = torch.ops.mkldnn._convolution_pointwise
        y: Tensor = fused(x, weight, bias, padding, stride, dilation, groups, "leaky_relu", [slope], "")
        return y
    return functional.leaky_relu_(torch.convolution(x, weight, bias, *geometry), slope)


def _products(gradient: Tensor, x: Tensor, weight: Tensor, geometry: Geometry, wanted: tuple[bool, bool, bool]) -> Any:
    """Those of dL/dx, dL/dw and dL/db that are wanted, from dL/dy."""
    if len(weight) == 1 and x.device.type == "cpu" and x.dtype not in _FUSED_TYPES:
        # What torch does without oneDNN, such as bf16 on processors that have none, takes no other memory order here.
        weight = weight.contiguous()
    return torch.ops.aten.convolution_backward(gradient, x, weight, [len(weight)], *geometry, wanted)


def _fused_types() -> tuple[torch.dtype, ...]:
    """The types for which oneDNN fuses convolution and leaky ReLU; depends on the PyTorch build and the processor."""
    if not (torch._C._has_mkldnn and hasattr(torch.ops.mkldnn, "_convolution_pointwise")):
        return ()
    # oneDNN rejects bf16 on processors without instructions for it.
    half = (torch.bfloat16,) if torch.ops.mkldnn._is_mkldnn_bf16_supported() else ()
    return (torch.float32, *half)


_FUSED_TYPES = _fused_types()
