"""Repair photographs of any size, in memory that hardly grows with their height."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import distance_transform_cdt
from torch import Tensor, nn
from torch.nn import functional

from ganvas.errors import InputError, listed, nearest
from ganvas.imaging.grid import Pixels
from ganvas.inference.base import Model, Predictor
from ganvas.inference.engine.colour import difference
from ganvas.inference.engine.cpu_kernels import fuse_for_cpu
from ganvas.inference.engine.memory import budget
from ganvas.inference.engine.raster import ArrayRaster, Floats, GreyRaster, PaddedRaster, Raster, is_grey, like, read
from ganvas.inference.engine.receptive_field import LayerGraph
from ganvas.inference.engine.row_stream import RowStream
from ganvas.recipe.degradations import Aged
from ganvas.systems.repair.networks import LOOK, MULTIPLE, Repair, Restoring, Toning, moments, pull, push, spread

FOUND = 128  # of 255: from here on a pixel is called damaged
ROWS = 128  # processed at once
BYTES = 500  # that all layers need for a pixel, roughly
WIDE = 0.06  # of the shorter side: the width of a hole from which on its content is invented, and worth a warning
MUCH = 0.5  # share of a photograph under a mask from which on the mask may be inverted


class Repaired(NamedTuple):
    """A photograph, repaired.

    Attributes:
        image: of the type and size of the photograph.
        damage: the damage map, float32 (H, W, 3) in [0, 1]: probabilities of holes, of scratches and dust, and of
            stains. It can be changed and given back as a mask.
    """

    image: Any
    damage: Floats


@dataclass(frozen=True)
class RepairReport:
    """How one photograph was repaired.

    Attributes:
        filled: share of its pixels that were lost, and are filled: holes, scratches and dust.
        stained: share of its pixels under stains.
        widest: width in pixels of the widest hole, to 8 pixels.
        tone: mean colour difference (CIE76) that tone and colours were moved by.
        strengths: of the defects, in 0..1, by their names in `Aged.DEFECTS`.
        warnings: what to look at, a sentence each.
    """

    filled: float
    stained: float
    widest: int
    tone: float
    strengths: dict[str, float]
    warnings: tuple[str, ...] = ()


class Repairer(Predictor):
    """Repairs old photographs.

    Attributes:
        last: how the last photograph was repaired; None before the first.
        damage: its damage map, uint8 (H, W, 3), 255 standing for a probability of 1.
        toning: what was done to its tone; None without.
    """

    task = "repair"
    inputs = "image+mask"
    does = "repairs photographs"
    use = "ganvas repair PHOTO --model {model}"

    def __init__(self, model: Model) -> None:
        self.about, self.network = model.about, model.network
        self.last: RepairReport | None = None
        self.damage: Pixels = np.zeros((0, 0, 3), np.uint8)
        self.toning: Toning | None = None

    @classmethod
    def load(cls, model: Model) -> Self:
        """See `Predictor.load`; there are no options."""
        return cls(model)

    def repair(
        self,
        image: Any,
        mask: Any = None,
        *,
        strength: float = 1.0,
        tone: bool = True,
        strengths: Mapping[str, float] | None = None,
    ) -> Repaired:
        """Repair one photograph in memory.

        Args:
            image: a PIL image (modes L and RGB), or an array (H, W), (H, W, 1) or (H, W, 3) of uint8, uint16 or float32
                in [0, 1]. A grey image, or one of three equal channels, stays grey.
            mask: what is lost, in place of what the model finds: a PIL image (modes 1, L and RGB), or an array (H, W),
                (H, W, 1) of booleans, uint8 or floats in [0, 1], damaged from the middle of the range on; or a damage
                map (H, W, 3). All 0 fills nothing.
            strength: share of the change of all pixels that are not lost; at 0 they stay as they are.
            tone: correct tone and colours.
            strengths: how strong defects are, in 0..1, by their names in `Aged.DEFECTS`, in place of what the model
                estimates: ``{"grain": 0, "scan_noise": 0}`` keeps the grain.

        Raises:
            InputError: the image or the mask is of an unsupported kind, the mask has another size or covers all, a
                number is out of range, or the model is for grey images and the image is not.
        """
        if isinstance(image, Image.Image) and image.mode not in ("L", "RGB"):
            raise InputError(f"images of mode {image.mode} are not supported; convert the image to L or RGB.")
        pixels = np.asarray(image)
        given = None if mask is None else mask_of(mask)
        bands = self.bands(ArrayRaster(pixels), given, strength=strength, tone=tone, strengths=strengths)
        made = np.concatenate([like(band, image) for band in bands]).reshape(pixels.shape)
        damage = self.damage.astype(np.float32) / np.float32(255)
        return Repaired(Image.fromarray(made) if isinstance(image, Image.Image) else made, damage)

    def find(self, image: Raster, mask: Raster | None = None) -> Pixels:
        """The damage map of a photograph, uint8 (H, W, 3); that of a mask where there is one.

        Raises:
            InputError: see `repair`.
        """
        photo = _Photograph(image, self.about.channels, self.network, lambda share: None)
        photo.find(mask)
        return photo.damage[: image.height, : image.width]

    def bands(
        self,
        image: Raster,
        mask: Raster | None = None,
        *,
        strength: float = 1.0,
        tone: bool = True,
        strengths: Mapping[str, float] | None = None,
        on_progress: Callable[[float], object] = lambda share: None,
    ) -> Iterator[Floats]:
        """Repair a photograph: bands float32 (rows, width, channels) in [0, 1], unrounded, from top to bottom.

        It is read three times: for its damage, for its tone, and to be repaired.

        Args:
            image: the photograph.
            mask: see `repair`; of one channel or three.
            strength: see `repair`, as for the others.
            on_progress: called with the share of the whole work that is done.

        Raises:
            InputError: see `repair`.
        """
        if not 0 <= strength <= 1:
            raise InputError(f"strength {strength:g} is out of range; give 0 (fill what is lost alone) to 1 (all).")
        if is_grey(image):
            told = self.bands(
                GreyRaster(image), mask, strength=strength, tone=tone, strengths=strengths, on_progress=on_progress
            )
            yield from (band.repeat(3, 2) for band in told)
            return
        if image.channels == 3 and self.about.channels == 1:
            raise InputError(f"{self.name} repairs grey photographs, and the image has colours; convert it to L.")
        photo = _Photograph(image, self.about.channels, self.network, on_progress)
        levels = self._levels(photo.find(mask), strengths or {})
        photo.spread()
        self.damage = photo.damage[: image.height, : image.width]
        look = photo.look() if tone else None
        self.toning = photo.network.tone(look) if look is not None else None
        self.last = self._report(photo, levels, look, mask is not None)
        for band in photo.repaired(levels, self.toning, strength):
            rows = band.mean(2, keepdims=True) if image.channels == 1 else band
            yield rows[:, : image.width]

    def _levels(self, estimates: Tensor, given: Mapping[str, float]) -> Tensor:
        levels = estimates.clone()
        for name, value in given.items():
            if name not in Aged.DEFECTS:
                raise InputError(
                    f"strengths name {name!r}, which is no defect{nearest(name, Aged.DEFECTS)}; known:"
                    f" {listed(Aged.DEFECTS, len(Aged.DEFECTS))}."
                )
            if not 0 <= value <= 1:
                raise InputError(f"strengths give {name} {value:g}; give a number from 0 (none) to 1 (strongest).")
            levels[:, Aged.DEFECTS.index(name)] = value
        return levels

    def _report(self, photo: _Photograph, levels: Tensor, look: Tensor | None, masked: bool) -> RepairReport:
        image = photo.image
        filled, stained = (float(part.mean()) for part in (_lost(self.damage), self.damage[..., 2] >= FOUND))
        widest = photo.widest()
        warnings = []
        if masked and filled > MUCH:
            warnings.append(f"the mask covers {filled:.0%} of the photo: if that is inverted, invert it")
        if widest > max(MULTIPLE, WIDE * min(image.height, image.width)):
            warnings.append(f"a hole is {widest} px wide: what fills it is invented, so check it, above all faces")
        moved = 0.0
        if self.toning and look is not None:
            planes = [x.expand(1, 3, -1, -1).float().cpu() for x in (look, self.toning.of(look))]
            moved = float(difference(*planes).mean())
        known = dict(zip(Aged.DEFECTS, levels[0].tolist(), strict=True))
        return RepairReport(filled, stained, widest, moved, known, tuple(warnings))


class _Photograph:
    """One photograph on its way through a network, a band of rows at a time.

    Attributes:
        damage: the damage map, uint8 (H, W, 3); like all that follows with sides that are multiples of `MULTIPLE`.
    """

    def __init__(
        self, image: Raster, channels: int, network: nn.Module, on_progress: Callable[[float], object]
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
                found = (made[0].float().sigmoid() * 255).round().byte().permute(1, 2, 0)
                self.damage[done : done + count] = found.cpu().numpy()
                done += count
            self.on_progress(0.2 * bottom / self.height)
        if mask is not None:
            self._take(mask)
        cells = [self.height * self.width / 4**level for level in (1, 2, 3)]
        levels = (sums[name] for name in stream.graph.taps)
        return self.network.estimated([sum / count for sum, count in zip(levels, cells, strict=True)])

    def _take(self, mask: Raster) -> None:
        image = self.image
        if (mask.height, mask.width) != (image.height, image.width):
            raise InputError(
                f"the mask has {mask.width} x {mask.height} pixels and the image {image.width} x {image.height}; give a"
                " mask of the image's size."
            )
        given = PaddedRaster(mask, self.height, self.width)
        for top, bottom in self._bands():
            part = np.rint(given.region(top, 0, bottom - top, self.width) * 255).astype(np.uint8)
            self.damage[top:bottom] = part if part.shape[2] == 3 else np.pad(part, ((0, 0), (0, 0), (0, 2)))
        if bool(_lost(self.damage).all()):
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
            stain = self._plane(self.damage[top:bottom, :, 2] >= FOUND)
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
        return 1 - self._plane(_lost(self.damage[top:bottom]))

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


def _lost(damage: Pixels) -> NDArray[np.bool_]:
    """(H, W): where nothing of a photograph is left: holes and scratches"""
    return np.asarray((damage[..., 0] >= FOUND) | (damage[..., 1] >= FOUND))


def mask_of(mask: Any) -> ArrayRaster:
    """A mask as an image of one channel or three.

    Raises:
        InputError: see `Repairer.repair`.
    """
    if isinstance(mask, Image.Image) and mask.mode not in ("1", "L", "RGB"):
        raise InputError(f"masks of mode {mask.mode} are not supported; convert the mask to L, white where damaged.")
    values = np.asarray(mask)
    if values.dtype == bool:
        values = values.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float32)
        if not (values.min(initial=0) >= 0 and values.max(initial=0) <= 1):  # refuses NaN too
            raise InputError("the mask has values outside 0 to 1; give 1 where the image is damaged and 0 elsewhere.")
    elif values.dtype != np.uint8:
        raise InputError(f"masks of type {values.dtype} are not supported; give booleans, uint8, or floats in 0..1.")
    if values.ndim not in (2, 3) or values.shape[2:] not in ((), (1,), (3,)) or 0 in values.shape:
        raise InputError(f"an array of shape {values.shape} is not a mask; give (H, W), or a damage map (H, W, 3).")
    return ArrayRaster(values)
