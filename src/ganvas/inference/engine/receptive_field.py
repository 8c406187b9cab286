"""A network as a graph of local layers, and its receptive field.

A network whose layers are all known to be local can run on any part of an image with the same result as on the whole
(`ganvas.inference.engine.row_stream`), and its receptive field is computed, not guessed.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

from torch import Tensor, fx, nn

from ganvas.inference.engine.layers import LocalLayer, NotLocal, Range, local_layer

SIDE = 1024  # of an image that sizes are tried with


class LayerGraph:
    """A network as layers in the order of execution.

    Attributes:
        inputs: names of the inputs, in the order of forward's arguments.
        layers: name -> (layer, positional and keyword arguments with `TensorRef` in place of tensors), in order.
        output: name of the output.
        taps: names of what the network returns beside it, which may be of other sizes.
    """

    def __init__(self, network: nn.Module) -> None:
        """Trace a network.

        Raises:
            NotLocal: a layer is not known to be local.
        """
        try:
            traced = fx.symbolic_trace(network)
        except Exception as error:  # a network's own code may fail in any way on a proxy tensor
            raise NotLocal(f"{type(network).__name__} cannot be traced ({str(error).splitlines()[0]})") from None
        modules = dict(traced.named_modules())
        self.inputs: list[str] = []
        self.layers: dict[str, tuple[LocalLayer, tuple[Any, ...], dict[str, Any]]] = {}
        self.constants: dict[str, Tensor] = {}
        self._sources: dict[str, list[str]] = {}
        alias: dict[str, str] = {}
        self.output = ""
        self.taps: list[str] = []
        for node in traced.graph.nodes:
            if node.op == "placeholder":
                self.inputs.append(node.name)
            elif node.op == "get_attr":
                self.constants[node.name] = operator.attrgetter(node.target)(traced)
            elif node.op == "output":
                made = node.args[0] if isinstance(node.args[0], tuple) else node.args[:1]
                if not all(isinstance(one, fx.Node) for one in made):
                    raise NotLocal("it returns something other than tensors")
                self.output, *self.taps = (alias.get(one.name, one.name) for one in made)
            else:
                args = _with_refs(node.args, alias)
                kwargs = _with_refs(node.kwargs, alias)
                layer = local_layer(node, modules, args, kwargs)
                if layer is None:  # changes no value
                    alias[node.name] = args[0].name if args and isinstance(args[0], TensorRef) else ""
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
        """The tensors that a layer reads, without constants."""
        return self._sources[name]

    def readers(self, name: str) -> list[str]:
        """The layers that read a tensor, and "" if it is an output."""
        return [n for n in self.layers if name in self._sources[n]] + [""] * (name in (self.output, *self.taps))

    def change(self, name: str, layer: LocalLayer) -> None:
        """Replace a layer."""
        self.layers[name] = (layer, *self.layers[name][1:])

    def drop(self, name: str, instead: str) -> None:
        """Remove a layer; its readers read `instead`."""
        del self.layers[name]
        for reader, (layer, args, kwargs) in self.layers.items():
            if name in self._sources[reader]:
                swap = {name: instead}
                self.layers[reader] = (layer, _swapped(args, swap), _swapped(kwargs, swap))
                self._sources[reader] = list(dict.fromkeys(swap.get(n, n) for n in self._sources[reader]))
        self.output, *self.taps = (instead if one == name else one for one in (self.output, *self.taps))

    def scale(self) -> int:
        """Output rows per input row."""
        return self._heights()[self.output] // SIDE

    def period(self) -> int:
        """Input rows to one row of its smallest layer: what is cut at multiples of it is halved as the whole is."""
        return SIDE // min(SIDE, *self._heights().values())

    def _heights(self) -> dict[str, int]:
        heights = dict.fromkeys(self.inputs, SIDE)
        for name, (layer, _, _) in self.layers.items():
            heights[name] = layer.total(heights[self.sources(name)[0]])
        return heights

    def context(self) -> int:
        """Radius of the receptive field: input pixels on every side that the output of one period depends on; a
        multiple of the period."""
        scale, period = self.scale(), self.period()
        reach = 0
        for axis in (0, 1):
            needed: dict[str, Range] = {self.output: (0, scale * period - 1)}
            for name in reversed(self.layers):
                if name not in needed:
                    continue
                read = self.layers[name][0].reads(*needed[name], axis)
                for source in self.sources(name):
                    before = needed.get(source, read)
                    needed[source] = min(before[0], read[0]), max(before[1], read[1])
            seen = [needed[name] for name in self.inputs if name in needed]
            reach = max([reach, *(max(-first, last - period + 1) for first, last in seen)])
        return -(-reach // period) * period


@dataclass(frozen=True)
class TensorRef:
    """A reference to a tensor in a layer's arguments."""

    name: str


def _with_refs(value: Any, alias: dict[str, str]) -> Any:
    """Nested arguments of a node, with nodes replaced by references."""
    if isinstance(value, fx.Node):
        return TensorRef(alias.get(value.name, value.name))
    if isinstance(value, dict):
        return {key: _with_refs(item, alias) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_with_refs(item, alias) for item in value)
    return value


def _swapped(value: Any, swap: dict[str, str]) -> Any:
    """Nested arguments with renamed references."""
    if isinstance(value, TensorRef):
        return TensorRef(swap.get(value.name, value.name))
    if isinstance(value, dict):
        return {key: _swapped(item, swap) for key, item in value.items()}
    return tuple(_swapped(item, swap) for item in value) if isinstance(value, list | tuple) else value


def refs(value: Any) -> list[TensorRef]:
    """All references in nested arguments."""
    if isinstance(value, TensorRef):
        return [value]
    if isinstance(value, dict):
        return refs(list(value.values()))
    return [ref for item in value for ref in refs(item)] if isinstance(value, list | tuple) else []


def fill(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Nested arguments, with references replaced by tensors."""
    if isinstance(value, TensorRef):
        return tensors[value.name]
    if isinstance(value, dict):
        return {key: fill(item, tensors) for key, item in value.items()}
    return tuple(fill(item, tensors) for item in value) if isinstance(value, list | tuple) else value
