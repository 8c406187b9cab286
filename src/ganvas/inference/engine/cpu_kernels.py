"""Two CPU optimizations that torch lacks.

An activation costs a separate pass over memory unless it is fused into the convolution before it. And a convolution
with three output channels fills 3 of 16 SIMD lanes unless four adjacent pixels are computed at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.inference.engine.layers import LocalLayer
from ganvas.inference.engine.receptive_field import LayerGraph

PIXELS = 4  # adjacent pixels computed at once


def fuse_for_cpu(graph: LayerGraph) -> set[str]:
    """Fuse activations into convolutions, in place: the same bits in less time. For the CPU only.

    Returns:
        the layers that now have one.
    """
    fused = set()
    for name in list(graph.layers):
        slope = _slope(graph.layers[name][0])
        if slope is None:
            continue
        source = graph.sources(name)[0]
        before = source
        # A pixel shuffle and an elementwise activation commute.
        while before in graph.layers and graph.layers[before][0].module is None and _shuffles(graph.layers[before][0]):
            before = graph.sources(before)[0] if len(graph.readers(before)) == 1 else ""
        layer = graph.layers[before][0] if before in graph.layers else None
        if (
            layer
            and isinstance(layer.module, nn.Conv2d)
            and layer.border == "zeros"
            and len(graph.readers(before)) == 1
        ):
            graph.change(before, replace(layer, run=_with_activation(layer.module, slope)))
            graph.drop(name, source)
            fused.add(before)
    return fused


def optimize_for_cpu(graph: LayerGraph) -> None:
    """Fuse, and compute several pixels at once, in place; the output changes by rounding alone. For the CPU only."""
    fused = fuse_for_cpu(graph)
    for name, (layer, _, _) in list(graph.layers.items()):
        module = layer.module
        if name in fused:
            continue
        if isinstance(module, nn.Conv2d) and module.out_channels <= 4 and min(module.kernel_size) >= 5:
            plain = module.stride == (1, 1) and module.dilation == (1, 1) and module.groups == 1
            if plain and layer.border == "zeros":
                graph.change(name, replace(layer, run=_several_pixels(module, layer.run)))


def _slope(layer: LocalLayer) -> float | None:
    """The slope of a leaky ReLU with one slope for all channels; None for anything else."""
    module = layer.activation
    if isinstance(module, nn.PReLU) and module.num_parameters == 1:
        return float(module.weight)
    if isinstance(module, nn.LeakyReLU):
        return float(module.negative_slope)
    return 0.0 if isinstance(module, nn.ReLU) else None


def _shuffles(layer: LocalLayer) -> bool:
    return layer.grow > 1 and not layer.halo


def _with_activation(module: nn.Conv2d, slope: float) -> Any:
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


def _several_pixels(module: nn.Conv2d, plain: Any) -> Any:
    """A convolution with stride PIXELS along the rows, whose output channels are adjacent pixels of each colour."""
    colours, before, high, wide = module.weight.shape
    weight = module.weight.new_zeros(colours * PIXELS, before, high, wide + PIXELS - 1)
    for index in range(PIXELS):
        weight[index::PIXELS, :, :, index : index + wide] = module.weight
    weight = weight.contiguous(memory_format=torch.channels_last)
    bias = None if module.bias is None else module.bias.repeat_interleave(PIXELS)
    side = int(module.padding[1])

    def run(x: Tensor) -> Tensor:
        width = x.shape[3]
        if width % PIXELS:
            made: Tensor = plain(x)
            return made
        x = functional.pad(x.to(weight.dtype), (side, side, 0, 0))
        sums = torch.ops.aten.mkldnn_convolution(x, weight, bias, (0, 0), (1, PIXELS), (1, 1), 1)
        return sums.unflatten(1, (colours, PIXELS)).permute(0, 1, 3, 4, 2).flatten(3)  # type: ignore[no-any-return]

    return run
