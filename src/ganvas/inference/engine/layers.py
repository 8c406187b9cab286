"""The layers that are known to be local, and the input rows that each of their output rows depends on."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

Range = tuple[int, int]


class NotLocal(Exception):
    """A network contains an operation that is not known to be local; the message names it."""


@dataclass(frozen=True)
class LocalLayer:
    """One operation, and the rows (or columns) that it reads.

    Attributes:
        run: maps the inputs to the output. Its input rows already include the padding above and below the image, so it
            must add none there.
        kernel, stride, dilation, padding: (vertical, horizontal) of a convolution; 1, 1, 1, 0 otherwise.
        border: padding beyond the image's border: "zeros", "reflect", "replicate", or "clip" for none.
        grow: output rows per input row.
        halo: neighbours on either side that an interpolation reads.
        module, activation: the module of a convolution, or of an elementwise operation.
    """

    run: Callable[..., Tensor]
    kernel: Range = (1, 1)
    stride: Range = (1, 1)
    dilation: Range = (1, 1)
    padding: Range = (0, 0)
    border: str = "clip"
    grow: int = 1
    halo: int = 0
    module: nn.Module | None = None
    activation: nn.Module | None = None

    def reads(self, first: int, last: int, axis: int = 0) -> Range:
        """The first and last input row that output rows `first` to `last` depend on."""
        if self.grow > 1:
            if not self.halo:
                return first // self.grow, last // self.grow
            low, high = (math.floor((row + 0.5) / self.grow - 0.5) for row in (first, last))
            return low - self.halo + 1, high + self.halo
        reach = self.dilation[axis] * (self.kernel[axis] - 1)
        start = self.stride[axis], self.padding[axis]
        return first * start[0] - start[1], last * start[0] - start[1] + reach

    def ready(self, rows: int, total: int) -> int:
        """The number of output rows that depend only on the first `rows` of `total` input rows."""
        if rows == total:
            return self.total(total)
        if self.grow > 1:
            return max(0, math.ceil((rows - self.halo + 0.5) * self.grow - 0.5)) if self.halo else rows * self.grow
        reach = self.dilation[0] * (self.kernel[0] - 1)
        return max(0, (rows - 1 + self.padding[0] - reach) // self.stride[0] + 1)

    def total(self, rows: int) -> int:
        """The height of the output for an input of `rows` rows."""
        reach = self.dilation[0] * (self.kernel[0] - 1)
        return ((rows + 2 * self.padding[0] - reach - 1) // self.stride[0] + 1) * self.grow


_POINTWISE_MODULES = (
    nn.PReLU, nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.Hardtanh, nn.ELU, nn.Mish,
    nn.BatchNorm2d,
)  # fmt: skip
_POINTWISE = {
    operator.add, operator.sub, operator.mul, operator.truediv, operator.neg, operator.iadd, operator.imul,
    operator.isub, operator.itruediv, torch.add, torch.sub, torch.mul, torch.div, torch.tanh, torch.sigmoid,
    torch.relu, torch.clamp, functional.relu, functional.leaky_relu, functional.tanh, functional.sigmoid,
    functional.gelu, functional.silu, functional.prelu, torch.cat,
    "tanh", "sigmoid", "relu", "add", "sub", "mul", "div", "clamp", "neg",
}  # fmt: skip
_NEUTRAL = (nn.Identity, nn.Dropout, nn.Dropout2d)
_HALO = {"nearest": 0, "bilinear": 1, "bicubic": 2}


def local_layer(
    node: fx.Node, modules: dict[str, nn.Module], args: Sequence[Any], kwargs: dict[str, Any]
) -> LocalLayer | None:
    """The local layer of a traced operation, or None if it changes no value.

    Raises:
        NotLocal: the operation is not known to be local.
    """
    if node.op == "call_module":
        return _of_module(modules[str(node.target)])
    target: Any = node.target
    if target is getattr or target in ("to", "float", "contiguous"):
        return None
    if target in (functional.pixel_shuffle, torch.pixel_shuffle):
        return _shuffle(int(args[1] if len(args) > 1 else kwargs["upscale_factor"]))
    if target is functional.pixel_unshuffle:
        factor = int(args[1] if len(args) > 1 else kwargs["downscale_factor"])
        return LocalLayer(lambda x, *rest: functional.pixel_unshuffle(x, factor), (factor,) * 2, (factor,) * 2)
    if target is operator.getitem:
        if not isinstance(args[1], tuple) or len(args[1]) != 2 or args[1][0] != slice(None):
            raise NotLocal("it takes a part of an image")
        return LocalLayer(operator.getitem)
    if target is functional.interpolate:
        named = dict(zip(("input", "size", "scale_factor", "mode", "align_corners"), args, strict=False)) | kwargs
        return _interpolation(named.get("size"), named.get("scale_factor"), named.get("mode", "nearest"),
                              named.get("align_corners"))  # fmt: skip
    if target is torch.cat and (args[1] if len(args) > 1 else kwargs.get("dim", 0)) not in (1, -3):
        raise NotLocal("it joins tensors along rows or columns")
    if target in _POINTWISE:
        if isinstance(target, str):
            return LocalLayer(lambda x, *rest, **named: getattr(x, target)(*rest, **named))
        kept = {operator.iadd: operator.add, operator.imul: operator.mul, operator.isub: operator.sub,
                operator.itruediv: operator.truediv}  # fmt: skip
        call = kept.get(target, target)
        return LocalLayer(lambda *rest, inplace=False, **named: call(*rest, **named))
    raise NotLocal(f"{getattr(target, '__name__', target)} is not known to be local")


def _of_module(module: nn.Module) -> LocalLayer | None:
    if isinstance(module, _NEUTRAL):
        return None
    if isinstance(module, nn.Conv2d):
        return _convolution(module)
    if isinstance(module, nn.PixelShuffle):
        return _shuffle(module.upscale_factor)
    if isinstance(module, nn.Upsample):
        return _interpolation(module.size, module.scale_factor, module.mode, module.align_corners)
    if isinstance(module, _POINTWISE_MODULES):
        if hasattr(module, "inplace"):
            module.inplace = False  # the rows that it would overwrite may be read again
        return LocalLayer(_prelu(module) if isinstance(module, nn.PReLU) else module, activation=module)
    raise NotLocal(f"{type(module).__name__} is not known to be local")


def _prelu(module: nn.PReLU) -> Callable[[Tensor], Tensor]:
    return lambda x: functional.prelu(x, module.weight.to(x.dtype))


def _convolution(module: nn.Conv2d) -> LocalLayer:
    if isinstance(module.padding, str) or module.padding_mode not in ("zeros", "reflect", "replicate"):
        raise NotLocal(f"a convolution with padding {module.padding!r}, {module.padding_mode}")
    across = int(module.padding[1])

    def run(x: Tensor) -> Tensor:
        side, x = across, x.to(module.weight.dtype)
        if module.padding_mode != "zeros" and side:
            x, side = functional.pad(x, (side, side, 0, 0), mode=module.padding_mode), 0
        return convolve(x, module.weight, module.bias, module.stride, (0, side), module.dilation, module.groups)

    pair: Callable[[Any], Range] = lambda v: (int(v[0]), int(v[1]))  # noqa: E731
    return LocalLayer(run, pair(module.kernel_size), pair(module.stride), pair(module.dilation), pair(module.padding),
                 module.padding_mode, module=module)  # fmt: skip


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Range, dilation: Any, groups: int
) -> Tensor:
    """torch's convolution, bit for bit the same for every part of an image.

    On the CPU, torch uses different kernels for small and large inputs, which sum in different orders.
    """
    if x.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        made: Tensor = torch.ops.aten.mkldnn_convolution(x, weight, bias, padding, stride, dilation, groups)
        return made
    return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


def _shuffle(factor: int) -> LocalLayer:
    return LocalLayer(lambda x: functional.pixel_shuffle(x, factor), grow=factor)


def _interpolation(size: Any, factor: Any, mode: str, aligned: bool | None) -> LocalLayer:
    factors = set(factor) if isinstance(factor, tuple | list) else {factor}
    if size is not None or len(factors) != 1 or mode not in _HALO or aligned or float(factor := factors.pop()) % 1:
        raise NotLocal(f"an interpolation ({mode}) to {size or factor}")
    whole = int(factor)
    # If the factor is a power of two, positions and weights are exact, and so the same in every part.
    if _HALO[mode] and whole & (whole - 1):
        raise NotLocal(f"an interpolation ({mode}) by {whole}, whose weights are not exact")

    def run(x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=float(whole), mode=mode)

    return LocalLayer(run, grow=whole, halo=_HALO[mode])
