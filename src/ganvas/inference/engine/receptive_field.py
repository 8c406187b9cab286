"""What a network's layers read: the rows of its input that every row of its output depends on.

A network whose layers are all known here can be run on any part of a picture, with the same result as on the whole
(`ganvas.inference.engine.row_stream`), and has a receptive field that is computed, not guessed.
"""

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


class Unknown(Exception):
    """A network does something that is not known to be local; the message names it."""


@dataclass(frozen=True)
class Layer:
    """One operation, and the rows (or columns) that it reads.

    Attributes:
        run: from its inputs to its output. The rows that `reads` asks for come with the picture's border already
            added above and below, so that it adds none there.
        kernel, stride, dilation, padding: (vertical, horizontal), of a convolution; else 1, 1, 1, 0.
        border: what lies beyond the picture's border: "zeros", "reflect", "replicate", or "clip" for nothing.
        grow: rows out for every row in.
        halo: neighbours on either side that an interpolation reads.
        module, activation: what it runs, of a convolution, or of something done to every value by itself.
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
        """The first and the last row of the input that rows `first` to `last` of the output depend on."""
        if self.grow > 1:
            if not self.halo:
                return first // self.grow, last // self.grow
            low, high = (math.floor((row + 0.5) / self.grow - 0.5) for row in (first, last))
            return low - self.halo + 1, high + self.halo
        reach = self.dilation[axis] * (self.kernel[axis] - 1)
        start = self.stride[axis], self.padding[axis]
        return first * start[0] - start[1], last * start[0] - start[1] + reach

    def ready(self, rows: int, total: int) -> int:
        """How many rows of the output can be made of the first `rows` of `total` rows of the input."""
        if rows == total:
            return self.total(total)
        if self.grow > 1:
            return max(0, math.ceil((rows - self.halo + 0.5) * self.grow - 0.5)) if self.halo else rows * self.grow
        reach = self.dilation[0] * (self.kernel[0] - 1)
        return max(0, (rows - 1 + self.padding[0] - reach) // self.stride[0] + 1)

    def total(self, rows: int) -> int:
        """The height of the output for an input of this height."""
        reach = self.dilation[0] * (self.kernel[0] - 1)
        return ((rows + 2 * self.padding[0] - reach - 1) // self.stride[0] + 1) * self.grow


class Graph:
    """A network as layers in the order of their work.

    Attributes:
        inputs: names of what goes in, in the order of forward's arguments.
        layers: name -> (layer, its arguments with `Ref` in place of tensors of other layers), in order.
        output: name of what comes out.
    """

    def __init__(self, network: nn.Module) -> None:
        """Raises Unknown where a layer is none of those known here."""
        try:
            traced = fx.symbolic_trace(network)
        except Exception as error:  # whatever a network's own code does when no tensor comes in
            raise Unknown(f"{type(network).__name__} cannot be traced ({str(error).splitlines()[0]})") from None
        modules = dict(traced.named_modules())
        self.inputs: list[str] = []
        self.layers: dict[str, tuple[Layer, tuple[Any, ...], dict[str, Any]]] = {}
        self.constants: dict[str, Tensor] = {}
        self._sources: dict[str, list[str]] = {}
        alias: dict[str, str] = {}
        self.output = ""
        for node in traced.graph.nodes:
            if node.op == "placeholder":
                self.inputs.append(node.name)
            elif node.op == "get_attr":
                self.constants[node.name] = operator.attrgetter(node.target)(traced)
            elif node.op == "output":
                if not isinstance(node.args[0], fx.Node):
                    raise Unknown("it returns more than one tensor")
                self.output = alias.get(node.args[0].name, node.args[0].name)
            else:
                args = _with_refs(node.args, alias)
                kwargs = _with_refs(node.kwargs, alias)
                layer = _layer(node, modules, args, kwargs)
                if layer is None:  # changes no value
                    alias[node.name] = args[0].name if args and isinstance(args[0], Ref) else ""
                    continue
                tensors = (
                    (args[:1], {})
                    if layer.border != "clip" or layer.grow > 1 or node.op == "call_module"
                    else (args, kwargs)
                )
                self.layers[node.name] = (layer, *tensors)
                names = dict.fromkeys(ref.name for ref in refs(tensors))
                self._sources[node.name] = [name for name in names if name not in self.constants]

    def sources(self, name: str) -> list[str]:
        """The tensors that a layer reads, constants left out."""
        return self._sources[name]

    def readers(self, name: str) -> list[str]:
        """The layers that read a tensor, and "" for the world outside."""
        return [n for n in self.layers if name in self._sources[n]] + [""] * (name == self.output)

    def change(self, name: str, layer: Layer) -> None:
        """Put another layer in the place of one."""
        self.layers[name] = (layer, *self.layers[name][1:])

    def drop(self, name: str, instead: str) -> None:
        """Leave a layer out; those that read it read another."""
        del self.layers[name]
        for reader, (layer, args, kwargs) in self.layers.items():
            if name in self._sources[reader]:
                swap = {name: instead}
                self.layers[reader] = (layer, _swapped(args, swap), _swapped(kwargs, swap))
                self._sources[reader] = list(dict.fromkeys(swap.get(n, n) for n in self._sources[reader]))
        self.output = instead if self.output == name else self.output

    def scale(self) -> int:
        """Rows out for every row in."""
        heights = dict.fromkeys(self.inputs, 1024)
        for name, (layer, _, _) in self.layers.items():
            heights[name] = layer.total(heights[self.sources(name)[0]])
        return heights[self.output] // 1024

    def context(self) -> int:
        """Pixels of the input on every side that the output for one pixel depends on, besides that pixel."""
        scale = self.scale()
        reach = 0
        for axis in (0, 1):
            asked: dict[str, Range] = {self.output: (0, scale - 1)}
            for name in reversed(self.layers):
                if name not in asked:
                    continue
                read = self.layers[name][0].reads(*asked[name], axis)
                for source in self.sources(name):
                    before = asked.get(source, read)
                    asked[source] = min(before[0], read[0]), max(before[1], read[1])
            reach = max([reach, *(max(-asked[name][0], asked[name][1]) for name in self.inputs if name in asked)])
        return reach


@dataclass(frozen=True)
class Ref:
    """Stands for a tensor in a layer's arguments."""

    name: str


def _with_refs(value: Any, alias: dict[str, str]) -> Any:
    """Nested arguments of a node with stand-ins in the place of nodes."""
    if isinstance(value, fx.Node):
        return Ref(alias.get(value.name, value.name))
    if isinstance(value, dict):
        return {key: _with_refs(item, alias) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_with_refs(item, alias) for item in value)
    return value


def _swapped(value: Any, swap: dict[str, str]) -> Any:
    """Nested arguments with other stand-ins."""
    if isinstance(value, Ref):
        return Ref(swap.get(value.name, value.name))
    if isinstance(value, dict):
        return {key: _swapped(item, swap) for key, item in value.items()}
    return tuple(_swapped(item, swap) for item in value) if isinstance(value, list | tuple) else value


def refs(value: Any) -> list[Ref]:
    """All stand-ins within nested arguments."""
    if isinstance(value, Ref):
        return [value]
    if isinstance(value, dict):
        return refs(list(value.values()))
    return [ref for item in value for ref in refs(item)] if isinstance(value, list | tuple) else []


def fill(value: Any, tensors: dict[str, Tensor]) -> Any:
    """The arguments with tensors in the place of their stand-ins."""
    if isinstance(value, Ref):
        return tensors[value.name]
    if isinstance(value, dict):
        return {key: fill(item, tensors) for key, item in value.items()}
    return tuple(fill(item, tensors) for item in value) if isinstance(value, list | tuple) else value


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


def _layer(node: fx.Node, modules: dict[str, nn.Module], args: Sequence[Any], kwargs: dict[str, Any]) -> Layer | None:
    if node.op == "call_module":
        return _of_module(modules[str(node.target)])
    target: Any = node.target
    if target is getattr or target in ("to", "float", "contiguous"):
        return None
    if target in (functional.pixel_shuffle, torch.pixel_shuffle):
        return _shuffle(int(args[1] if len(args) > 1 else kwargs["upscale_factor"]))
    if target is functional.interpolate:
        named = dict(zip(("input", "size", "scale_factor", "mode", "align_corners"), args, strict=False)) | kwargs
        return _interpolation(named.get("size"), named.get("scale_factor"), named.get("mode", "nearest"),
                              named.get("align_corners"))  # fmt: skip
    if target is torch.cat and (args[1] if len(args) > 1 else kwargs.get("dim", 0)) not in (1, -3):
        raise Unknown("it joins tensors along rows or columns")
    if target in _POINTWISE:
        if isinstance(target, str):
            return Layer(lambda x, *rest, **named: getattr(x, target)(*rest, **named))
        kept = {operator.iadd: operator.add, operator.imul: operator.mul, operator.isub: operator.sub,
                operator.itruediv: operator.truediv}  # fmt: skip
        call = kept.get(target, target)
        return Layer(lambda *rest, inplace=False, **named: call(*rest, **named))
    raise Unknown(f"{getattr(target, '__name__', target)} is not known to be local")


def _of_module(module: nn.Module) -> Layer | None:
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
            module.inplace = False  # the rows that it would write over may be read once more
        return Layer(_prelu(module) if isinstance(module, nn.PReLU) else module, activation=module)
    raise Unknown(f"{type(module).__name__} is not known to be local")


def _prelu(module: nn.PReLU) -> Callable[[Tensor], Tensor]:
    return lambda x: functional.prelu(x, module.weight.to(x.dtype))


def _convolution(module: nn.Conv2d) -> Layer:
    if isinstance(module.padding, str) or module.padding_mode not in ("zeros", "reflect", "replicate"):
        raise Unknown(f"a convolution with padding {module.padding!r}, {module.padding_mode}")
    across = int(module.padding[1])

    def run(x: Tensor) -> Tensor:
        side, x = across, x.to(module.weight.dtype)
        if module.padding_mode != "zeros" and side:
            x, side = functional.pad(x, (side, side, 0, 0), mode=module.padding_mode), 0
        return convolve(x, module.weight, module.bias, module.stride, (0, side), module.dilation, module.groups)

    pair: Callable[[Any], Range] = lambda v: (int(v[0]), int(v[1]))  # noqa: E731
    return Layer(run, pair(module.kernel_size), pair(module.stride), pair(module.dilation), pair(module.padding),
                 module.padding_mode, module=module)  # fmt: skip


def convolve(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Range, dilation: Any, groups: int
) -> Tensor:
    """torch's convolution, bit for bit the same for every part of a picture.

    On the CPU torch hands small inputs to another kernel than large ones, which adds up in another order.
    """
    if x.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        made: Tensor = torch.ops.aten.mkldnn_convolution(x, weight, bias, padding, stride, dilation, groups)
        return made
    return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)


def _shuffle(factor: int) -> Layer:
    return Layer(lambda x: functional.pixel_shuffle(x, factor), grow=factor)


def _interpolation(size: Any, factor: Any, mode: str, aligned: bool | None) -> Layer:
    factors = set(factor) if isinstance(factor, tuple | list) else {factor}
    if size is not None or len(factors) != 1 or mode not in _HALO or aligned or float(factor := factors.pop()) % 1:
        raise Unknown(f"an interpolation ({mode}) to {size or factor}")
    whole = int(factor)
    # Where the factor is a power of two, places and weights are exact numbers, and so the same in every part.
    if _HALO[mode] and whole & (whole - 1):
        raise Unknown(f"an interpolation ({mode}) by {whole}, whose weights are not exact numbers")

    def run(x: Tensor) -> Tensor:
        return functional.interpolate(x, scale_factor=float(whole), mode=mode)

    return Layer(run, grow=whole, halo=_HALO[mode])
