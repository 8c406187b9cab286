"""The passes over a photograph that is repaired, each from top to bottom in bands of rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_cdt
from torch import Tensor, nn
from torch.nn import functional

from ganvas.errors import InputError
from ganvas.imaging.damage_map import is_lost, is_stained
from ganvas.imaging.grid import Pixels
from ganvas.inference.engine.cpu_kernels import fuse_for_cpu
from ganvas.inference.engine.memory import budget
from ganvas.inference.engine.raster import Floats, PaddedRaster, Raster, read
from ganvas.inference.engine.receptive_field import LayerGraph
from ganvas.inference.engine.row_stream import RowStream
from ganvas.systems.repair.networks import (
    LOOK,
    MULTIPLE,
    Repair,
    Restoring,
    Toning,
    doubted,
    moments,
    pull,
    push,
    spread,
)

ROWS = 64  # processed at once
FINE = 16  # steps between logits of damage that differ by 1, while the strengths are not known
MUCH = 0.5  # share of a photograph from which on what is found is no damage
FAINT = 1.5 / 255  # brightness below which a whole mask was meant otherwise: 0 and 1, or 0 to 255 of 65,535
BYTES = 500  # that all layers need for a pixel, roughly


class RepairPasses:
    """The passes over one photograph, in this order: `find`, `spread`, `look` if tone is corrected, and `repaired`.

    Attributes:
        damage: the damage map, uint8 (H, W, 3), with sides that are multiples of `MULTIPLE`; made by `find`.
        gone: bool (H / 8, W / 8), where not one pixel is left; made by `spread`, as is what follows.
        coarse: (1, channels, H / 8, W / 8) in [-1, 1], the photograph with what is lost filled.
    """

    def __init__(
        self,
        image: Raster,
        channels: int,
        network: nn.Module,
        on_progress: Callable[[float], object] = lambda share: None,
    ) -> None:
        assert isinstance(network, Repair)
        self.network, self.image, self.channels = network, image, channels
        self.height, self.width = (-(-side // MULTIPLE) * MULTIPLE for side in (image.height, image.width))
        self.padded = PaddedRaster(image, self.height, self.width)
        self.device = next(network.parameters()).device
        self.damage: Pixels = np.empty((self.height, self.width, 3), np.uint8)
        room = budget(self.device) // (BYTES * self.width) // MULTIPLE * MULTIPLE
        self.rows = max(MULTIPLE, min(ROWS, room))
        self.on_progress = on_progress

    @torch.inference_mode()
    def find(self, mask: Raster | None) -> Tensor:
        """Fill the damage map, by the mask if there is one; return the strengths of the defects (1, defects)."""
        image = self.image
        if mask is not None and (mask.height, mask.width) != (image.height, image.width):
            raise InputError(
                f"the mask has {mask.width} x {mask.height} pixels and the image {image.width} x {image.height}; give a"
                " mask of the image's size."
            )
        stream = self._stream(_Finding(self.network), 1)
        sums: dict[str, Tensor] = {}

        def add(name: str, rows: Tensor) -> None:
            sums[name] = sums.get(name, 0) + moments(rows)

        stream.on_tap = add
        done = 0
        for top, bottom in self._bands():
            stream.push(self._planes(top, bottom))
            while (made := stream.pull()) is not None:
                count = made.shape[2]
                found = (made[0].float() * FINE + 128).round().clamp(0, 255).byte().permute(1, 2, 0)
                self.damage[done : done + count] = found.cpu().numpy()
                done += count
            self.on_progress(0.2 * bottom / self.height)
        cells = [self.height * self.width / 4**level for level in (1, 2, 3)]
        levels = (sums[name] for name in stream.graph.taps)
        strengths = self.network.estimated([sum / count for sum, count in zip(levels, cells, strict=True)])
        if mask is not None:
            self._take(mask)
            return strengths
        steps = (torch.arange(256, device=self.device) - 128) / FINE
        self.damage = (doubted(steps, strengths).flatten().sigmoid() * 255).round().byte().cpu().numpy()[self.damage]
        if is_lost(self.damage).mean() > MUCH:
            # That is how the photograph looks, as a blank one; filled, nothing of it would be left.
            self.damage[..., :2] = 0
        return strengths

    def _take(self, mask: Raster) -> None:
        given, most = PaddedRaster(mask, self.height, self.width), 0.0
        for top, bottom in self._bands():
            values = given.region(top, 0, bottom - top, self.width)
            most = max(most, float(values.max()))
            part = np.rint(values * 255).astype(np.uint8)
            self.damage[top:bottom] = part if part.shape[2] == 3 else np.pad(part, ((0, 0), (0, 0), (0, 2)))
        if mask.channels == 1 and 0 < most < FAINT:
            raise InputError(
                "the mask is not empty, but nothing in it is brighter than 1 of 255, so it marks nothing; give white"
                " where the image is damaged, not 1."
            )
        if bool(is_lost(self.damage).all()):
            raise InputError("the mask covers the whole image, so nothing is left to repair it from; is it inverted?")

    @torch.inference_mode()
    def spread(self) -> None:
        """Fill what is lost at an eighth of the sides."""
        parts = []
        for top, bottom in self._bands():
            now = self._planes(top, bottom), self._left(top, bottom)
            for _ in range(round(math.log2(MULTIPLE))):
                now = pull(*now)
            parts.append(now)
        coarse, known = (torch.cat(planes, 2) for planes in zip(*parts, strict=True))
        self.gone = known[0, 0].cpu().numpy() == 0
        self.coarse = spread(coarse, known)

    def widest(self) -> int:
        """Pixels across the widest hole."""
        if self.gone.all() or not self.gone.any():
            return 0 if not self.gone.any() else min(self.height, self.width)
        reach = int(distance_transform_cdt(np.pad(self.gone, 1, mode="edge"), "chessboard").max())
        return (2 * reach - 1) * MULTIPLE

    @torch.inference_mode()
    def look(self) -> Tensor:
        """What the tone head sees: (1, channels, LOOK, LOOK)"""
        rows = []
        for top, bottom in self._bands():
            rows.append(functional.adaptive_avg_pool2d(self._filled(top, bottom), (bottom - top, LOOK)))
            self.on_progress(0.2 + 0.1 * bottom / self.height)
        return functional.adaptive_avg_pool2d(torch.cat(rows, 2), LOOK)

    @torch.inference_mode()
    def repaired(self, levels: Tensor, toning: Toning | None, amount: float) -> Iterator[Floats]:
        """Bands float32 (rows, W, channels) in [0, 1] of the image's rows."""
        stream = self._stream(Restoring(self.network.restorer, levels, amount), 4)
        done = 0
        for top, bottom in self._bands():
            filled = self._filled(top, bottom)
            toned = toning.of(filled, top, self.height) if toning else filled
            lost = 1 - self._left(top, bottom)
            stain = self._plane(is_stained(self.damage[top:bottom]))
            stream.push(*(x.contiguous(memory_format=torch.channels_last) for x in (filled, toned, lost, stain)))
            while (made := stream.pull()) is not None:
                band = made[0, :, : self.image.height - done].float().cpu()
                done += made.shape[2]
                self.on_progress(0.3 + 0.7 * min(1, done / self.height))
                if not bool(torch.isfinite(band).all()):
                    raise InputError("the model's result is not a number, so its weights are damaged; train it again.")
                if band.shape[1]:
                    yield ((band.clamp(-1, 1) + 1) / 2).permute(1, 2, 0).contiguous().numpy()

    def _stream(self, network: nn.Module, inputs: int) -> RowStream:
        graph = LayerGraph(network)
        if self.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
            fuse_for_cpu(graph)
        return RowStream(graph, [self.height] * inputs, self.rows)

    def _bands(self) -> Iterator[tuple[int, int]]:
        for top in range(0, self.height, self.rows):
            yield top, min(self.height, top + self.rows)

    def _planes(self, top: int, bottom: int) -> Tensor:
        planes = read(self.padded, top, 0, bottom - top, self.width)[:, : self.channels]
        return planes.to(self.device).contiguous(memory_format=torch.channels_last)

    def _left(self, top: int, bottom: int) -> Tensor:
        return 1 - self._plane(is_lost(self.damage[top:bottom]))

    def _plane(self, values: NDArray[np.bool_]) -> Tensor:
        return torch.from_numpy(values).to(self.device, torch.float32)[None, None]

    def _filled(self, top: int, bottom: int) -> Tensor:
        """Rows with what is lost filled; interpolation reads one row of the coarse image on either side."""
        low, high = max(0, top - MULTIPLE), min(self.height, bottom + MULTIPLE)
        levels = [(self._planes(low, high), self._left(low, high))]
        while len(levels) < math.log2(MULTIPLE):
            levels.append(pull(*levels[-1]))
        now = self.coarse[:, :, low // MULTIPLE : high // MULTIPLE]
        for level in reversed(levels):
            now = push(*level, now)
        return now[:, :, top - low : bottom - low]


class _Finding(nn.Module):
    def __init__(self, network: Repair) -> None:
        super().__init__()
        self.damage = network.damage

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = self.damage(image)
        return found
