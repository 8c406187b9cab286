"""Run a network over a whole image in parts that fit into memory, from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ganvas.errors import InputError
from ganvas.inference.engine.layers import NotLocal
from ganvas.inference.engine.memory import budget
from ganvas.inference.engine.raster import Raster, read
from ganvas.inference.engine.receptive_field import LayerGraph
from ganvas.inference.engine.row_stream import RowStream
from ganvas.machine import out_of_memory

OVERLAP = 32  # pixels of context if the receptive field is unknown
SMALLEST = 16  # side in pixels of the smallest tile: a smaller one would be mostly context
TILE = 192  # side in pixels of the tiles of a network that cannot be streamed by rows
BLACK = -0.98  # in [-1, 1]: a result without any brighter value is black


class InvalidResult(Exception):
    """A result is not finite, or is black where the image is not; the message says which, after "outputs"."""


@dataclass
class Engine:
    """A network that is ready to upscale, on a device and in a precision.

    Attributes:
        network: (1, 3, h, w) in [-1, 1] -> (1, 3, scale h, scale w).
        graph: its layers, or None if some are not known to be local (`why` says which).
        period: what the sides of an image are multiples of.
    """

    network: nn.Module
    scale: int
    device: torch.device
    dtype: torch.dtype = torch.float32
    name: str = "fp32"
    smallest: int = 1
    channels: int = 3
    graph: LayerGraph | None = field(init=False, default=None)
    why: str = field(init=False, default="")
    period: int = field(init=False, default=1)

    def __post_init__(self) -> None:
        try:
            self.graph = LayerGraph(self.network)
            self.period = self.graph.period()
        except NotLocal as reason:
            self.why = str(reason)
        if self.graph:
            # Reflection padding needs that many pixels to reflect.
            mirrored = [layer.padding for layer, _, _ in self.graph.layers.values() if layer.border == "reflect"]
            self.smallest = max([self.smallest, *(max(padding) + 1 for padding in mirrored)])

    @property
    def exact(self) -> bool:
        """Whether parts give the same result as the whole image."""
        return self.graph is not None

    @property
    def context(self) -> int:
        """Pixels around a part that the network also reads."""
        return self.graph.context() if self.graph else OVERLAP

    def convolutions(self) -> list[nn.Module]:
        """All convolutions in the order of execution; none if the graph is unknown."""
        return [layer.module for layer, _, _ in self.graph.layers.values() if layer.module] if self.graph else []

    def prepare(self, region: Tensor) -> Tensor:
        """Convert a region to the input of this engine's network."""
        region = region.transpose(0, 1) if self.channels == 1 else region  # each channel as a separate image
        dtype = torch.float32 if self.graph else self.dtype  # known layers cast by themselves
        return region.to(self.device, dtype).contiguous(memory_format=torch.channels_last)

    def restore(self, made: Tensor) -> Tensor:
        """Convert the network's output to float32 (1, 3, rows, columns) on the CPU."""
        made = made.float().cpu()
        return made.transpose(0, 1) if self.channels == 1 else made

    def pixel_bytes(self) -> int:
        """Rough estimate of the memory per input pixel: that of the largest layers at once."""
        if not self.graph:
            return 16_000 * self.scale
        sizes: list[int] = []
        height, width = (-(-side // self.period) * self.period for side in (SMALLEST, max(8, self.smallest)))
        stream = RowStream(self.graph, [height], height)
        stream.push(self.prepare(torch.zeros(1, 3, height, width)))
        stream.watch = sizes.append
        try:
            stream.pull()
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            return 16_000 * self.scale
        return 3 * max(sizes) // (height * width)


@dataclass
class Tiling:
    """How one image is divided into parts; it adapts when memory runs out.

    Attributes:
        image: its sides are multiples of the engine's period.
        tile: columns processed at once, without context; or the tile's side, if the network cannot be streamed by rows.
        rows: rows processed at once.
        halvings: how often memory ran out.
    """

    engine: Engine
    image: Raster
    tile: int = 0
    rows: int = 0
    halvings: int = 0

    def __post_init__(self) -> None:
        engine, image = self.engine, self.image
        if not engine.exact:
            self.tile = self.tile or TILE
            self.rows = self.tile
            return
        room = max(1, budget(engine.device) // engine.pixel_bytes())
        most = self.tile or image.width
        while not self.tile and most > 512 and room // (most + 2 * engine.context) < 2:
            most = -(-most // 2)
        self.tile = self._whole(most)
        self.rows = self.rows or max(1, min(64, room // min(most + 2 * engine.context, image.width)))

    @torch.inference_mode()
    def parts(self, start: int = 0) -> Iterator[Tensor]:
        """Yield float32 (1, 3, rows, scale width) in about [-1, 1], from the image's row `start` to its end.

        Raises:
            InvalidResult: the network's output is not a valid image.
            InputError: there is not enough memory for the smallest parts.
        """
        scale = self.engine.scale
        done = start * scale
        while done < self.image.height * scale:
            begin = done // scale
            skip = done - begin * scale
            try:
                for part in self._rows(begin) if self.engine.exact else self._tiles(begin):
                    part = part[:, :, skip:] if skip else part
                    skip = 0
                    self._check(part, done)
                    done += part.shape[2]
                    yield part
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                self._halve(error)

    def _halve(self, error: BaseException) -> None:
        if self.tile <= self._whole(SMALLEST):
            raise InputError(
                f"there is not enough memory for tiles of {self.tile} px ({str(error).splitlines()[0]}); close other"
                " programs, or give --device cpu."
            ) from None
        self.tile = self._whole(max(SMALLEST, -(-min(self.tile, self.image.width) // 2)))
        self.rows = self.rows if self.engine.exact else self.tile
        self.halvings += 1

    def _whole(self, columns: int) -> int:
        """Rounded up to whole periods."""
        return -(-columns // self.engine.period) * self.engine.period

    def _rows(self, start: int) -> Iterator[Tensor]:
        engine, image = self.engine, self.image
        assert engine.graph is not None
        context, scale = engine.context, engine.scale
        first = max(0, start - context) // engine.period * engine.period
        strips = list(_spans(image.width, self.tile, context))
        streams = [RowStream(engine.graph, [image.height - first], self.rows) for _ in strips]
        skip = (start - first) * scale
        row = first
        while row < image.height:
            count = min(self.rows, image.height - row)
            for stream, (low, high, _, _) in zip(streams, strips, strict=True):
                stream.push(engine.prepare(read(image, row, low, count, high - low)))
            row += count
            while True:
                pulled = [self._pull(stream) for stream in streams]
                if pulled[0] is None:
                    break
                cores = [
                    made[..., (left - low) * scale : (right - low) * scale]
                    for made, (low, _, left, right) in zip(pulled, strips, strict=True)
                    if made is not None
                ]
                part = engine.restore(torch.cat(cores, 3) if len(cores) > 1 else cores[0])
                dropped = min(skip, part.shape[2])
                skip -= dropped
                if dropped < part.shape[2]:
                    yield part[:, :, dropped:]

    def _pull(self, stream: RowStream) -> Tensor | None:
        while True:
            try:
                return stream.pull()
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error) or stream.quantum <= 1:
                    raise
                self.rows = stream.quantum = -(-stream.quantum // 2)
                self.halvings += 1

    def _tiles(self, start: int) -> Iterator[Tensor]:
        engine, image, scale = self.engine, self.image, self.engine.scale
        for top, bottom, upper, lower in _spans(image.height, self.tile, engine.context, start):
            cores = []
            for low, high, left, right in _spans(image.width, self.tile, engine.context):
                made = engine.network(engine.prepare(read(image, top, low, bottom - top, high - low)))
                cores.append(
                    made[
                        :,
                        :,
                        (upper - top) * scale : (lower - top) * scale,
                        (left - low) * scale : (right - low) * scale,
                    ].cpu()
                )
            yield engine.restore(torch.cat(cores, 3))

    def _check(self, part: Tensor, done: int) -> None:
        if not bool(torch.isfinite(part).all()):
            raise InvalidResult("NaN or infinite values")
        if self.engine.dtype != torch.float32 and float(part.max()) < BLACK:
            row = done // self.engine.scale
            count = min(-(-part.shape[2] // self.engine.scale), self.image.height - row)
            if float(self.image.region(row, 0, count, self.image.width).max()) > 0.1:
                raise InvalidResult("black where the image is not black")


def _spans(length: int, core: int, context: int, start: int = 0) -> Iterator[tuple[int, int, int, int]]:
    """(low, high, first, end): the range to read with context, and the range to keep."""
    for first in range(start, length, core):
        end = min(length, first + core)
        yield max(0, first - context), min(length, end + context), first, end
