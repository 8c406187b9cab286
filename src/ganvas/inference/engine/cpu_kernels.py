"""Two things that a processor does faster than torch asks it to, for networks in reduced precision.

An activation is a pass over memory of its own, unless it is done where the convolution writes its sums. And a
convolution into three channels fills three lanes of sixteen, unless four neighbouring pixels are made at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.inference.engine.layers import LocalLayer
from ganvas.inference.engine.receptive_field import LayerGraph

ABREAST = 4  # pixels made at once


def fuse_for_cpu(graph: LayerGraph) -> None:
    """Change a graph in place; what it makes stays the same but for rounding. For the CPU only."""
    for name in list(graph.layers):
        slope = _slope(graph.layers[name][0])
        if slope is None:
            continue
        source = graph.sources(name)[0]
        before = source
        # Moving pixels about and an activation of each of them change places freely.
        while before in graph.layers and graph.layers[before][0].module is None and _shuffles(graph.layers[before][0]):
            before = graph.sources(before)[0] if len(graph.readers(before)) == 1 else ""
        layer = graph.layers[before][0] if before in graph.layers else None
        if (
            layer
            and isinstance(layer.module, nn.Conv2d)
            and layer.border == "zeros"
            and len(graph.readers(before)) == 1
        ):
            graph.change(before, replace(layer, run=_activated(layer.module, slope)))
            graph.drop(name, source)
    for name, (layer, _, _) in list(graph.layers.items()):
        module = layer.module
        if isinstance(module, nn.Conv2d) and module.out_channels <= 4 and min(module.kernel_size) >= 5:
            plain = module.stride == (1, 1) and module.dilation == (1, 1) and module.groups == 1
            if plain and layer.border == "zeros":
                graph.change(name, replace(layer, run=_abreast(module, layer.run)))


def _slope(layer: LocalLayer) -> float | None:
    """Of a leaky ReLU with one slope for all channels."""
    module = layer.activation
    if isinstance(module, nn.PReLU) and module.num_parameters == 1:
        return float(module.weight)
    if isinstance(module, nn.LeakyReLU):
        return float(module.negative_slope)
    return 0.0 if isinstance(module, nn.ReLU) else None


def _shuffles(layer: LocalLayer) -> bool:
    return layer.grow > 1 and not layer.halo


def _activated(module: nn.Conv2d, slope: float) -> Any:
    def run(x: Tensor) -> Tensor:
        made: Tensor = torch.ops.mkldnn._convolution_pointwise(
            x.to(module.weight.dtype),
            module.weight,
            module.bias,
            (0, int(module.padding[1])),
            module.stride,
            module.dilation,
            module.groups,
            "leaky_relu",
            [slope],
            "",
        )
        return made

    return run


def _abreast(module: nn.Conv2d, plain: Any) -> Any:
    """A convolution with stride ABREAST along the rows, whose channels are neighbouring pixels of each colour."""
    colours, before, high, wide = module.weight.shape
    weight = module.weight.new_zeros(colours * ABREAST, before, high, wide + ABREAST - 1)
    for index in range(ABREAST):
        weight[index::ABREAST, :, :, index : index + wide] = module.weight
    weight = weight.contiguous(memory_format=torch.channels_last)
    bias = None if module.bias is None else module.bias.repeat_interleave(ABREAST)
    side = int(module.padding[1])

    def run(x: Tensor) -> Tensor:
        width = x.shape[3]
        if width % ABREAST:
            made: Tensor = plain(x)
            return made
        x = functional.pad(x.to(weight.dtype), (side, side, 0, 0))
        sums = torch.ops.aten.mkldnn_convolution(x, weight, bias, (0, 0), (1, ABREAST), (1, 1), 1)
        return sums.unflatten(1, (colours, ABREAST)).permute(0, 1, 3, 4, 2).flatten(3)  # type: ignore[no-any-return]

    return run
