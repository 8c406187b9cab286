"""Repair photographs of any size, in memory that hardly grows with their height."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from PIL import Image
from torch import Tensor

from ganvas.errors import InputError, listed, nearest
from ganvas.imaging.damage_map import is_lost, is_stained
from ganvas.imaging.grid import Pixels
from ganvas.inference.base import Model, Predictor
from ganvas.inference.engine.colour import difference
from ganvas.inference.engine.raster import ArrayRaster, Floats, GreyRaster, Raster, is_grey, like
from ganvas.inference.repair_passes import RepairPasses
from ganvas.recipe.degradations import Aged
from ganvas.systems.repair.networks import MULTIPLE, Toning

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
        photo = RepairPasses(image, self.about.channels, self.network)
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
            raise InputError(f"strength {strength:g} is out of range; give 0 (only fill what is lost) to 1 (all).")
        if is_grey(image):
            told = self.bands(
                GreyRaster(image), mask, strength=strength, tone=tone, strengths=strengths, on_progress=on_progress
            )
            yield from (band.repeat(3, 2) for band in told)
            return
        if image.channels == 3 and self.about.channels == 1:
            raise InputError(f"{self.name} repairs grey photographs, and the image has colours; convert it to L.")
        photo = RepairPasses(image, self.about.channels, self.network, on_progress)
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
            levels[:, Aged.DEFECTS.index(name)] = float(value)
        return levels

    def _report(self, photo: RepairPasses, levels: Tensor, look: Tensor | None, masked: bool) -> RepairReport:
        image = photo.image
        filled, stained = (float(part.mean()) for part in (is_lost(self.damage), is_stained(self.damage)))
        widest = photo.widest()
        warnings = []
        if masked and filled > MUCH:
            warnings.append(f"the mask covers {filled:.0%} of the photo; is it inverted?")
        if widest > max(MULTIPLE, WIDE * min(image.height, image.width)):
            warnings.append(f"a hole is {widest} px wide: what fills it is invented, so check it, above all faces")
        moved = 0.0
        if self.toning and look is not None:
            planes = [x.expand(1, 3, -1, -1).float().cpu() for x in (look, self.toning.of(look))]
            moved = float(difference(*planes).mean())
        known = dict(zip(Aged.DEFECTS, levels[0].tolist(), strict=True))
        return RepairReport(filled, stained, widest, moved, known, tuple(warnings))


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
