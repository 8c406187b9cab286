"""Rows of a network with several outputs: each once, equal to those of the whole, and not kept for nobody."""

from __future__ import annotations

import gc

import torch
from torch import Tensor, nn

from ganvas.inference.engine.cpu_kernels import fuse_for_cpu
from ganvas.inference.engine.receptive_field import LayerGraph
from ganvas.inference.engine.row_stream import RowStream
from tests.inference.networks import lively

ODD = 7  # channels that nothing else here has


class Several(nn.Module):
    """The output is read again by the first tap; no layer reads the taps."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, ODD, 3, padding=1)
        self.slope = nn.ReLU()

    def forward(self, x: Tensor, unused: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        one = self.one(x)
        return one, self.two(one), self.slope(self.two(one * 2))


def streamed(graph: LayerGraph, *images: Tensor, rows: int = 2) -> list[Tensor]:
    """The outputs of a graph over images, by so many rows at once."""
    made: dict[str, list[Tensor]] = {name: [] for name in (graph.output, *graph.taps)}
    stream = RowStream(graph, [image.shape[2] for image in images], rows)
    stream.on_tap = lambda name, part: made[name].append(part)
    for bands in zip(*(image.split(rows, 2) for image in images), strict=True):
        stream.push(*bands)
        while (part := stream.pull()) is not None:
            made[graph.output].append(part)
    return [torch.cat(parts, 2) for parts in made.values()]


def test_every_output_is_that_of_the_whole() -> None:
    network, images = lively(Several()), (torch.randn(1, 1, 23, 9), torch.randn(1, 3, 23, 9))
    plain, fused = LayerGraph(network), LayerGraph(network)
    fuse_for_cpu(fused)
    for graph in (plain, fused):
        for made, whole in zip(streamed(graph, *images), network(*images), strict=True):
            torch.testing.assert_close(made, whole)


def test_an_image_that_nothing_changes_comes_back() -> None:
    image = torch.randn(1, 1, 9, 5)
    (made,) = streamed(LayerGraph(nn.Identity()), image)
    assert torch.equal(made, image)


def test_rows_that_no_layer_reads_are_not_kept() -> None:
    stream = RowStream(LayerGraph(lively(Several())), [60, 60], 2)
    for _ in range(30):
        stream.push(torch.randn(1, 1, 2, 9), torch.randn(1, ODD, 2, 9))
        while stream.pull() is not None:
            pass
    kept = [one.shape[2] for one in gc.get_objects() if type(one) is Tensor and one.dim() == 4 and one.shape[1] == ODD]
    assert max(kept, default=0) <= 3  # rows; the kernel of `two` has three, too
