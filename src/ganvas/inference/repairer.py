"""Repair photographs in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ganvas.errors import InputError, listed, nearest
from ganvas.inference.base import Model, Predictor
from ganvas.inference.engine.raster import ArrayRaster, Floats, is_grey, like, read
from ganvas.recipe.degradations import Aged
from ganvas.systems.repair.networks import Repair, Toning

FOUND = 0.5  # probability from which a pixel is called damaged


class Repaired(NamedTuple):
    """A photograph, repaired.

    Attributes:
        image: of the type and size of the photograph.
        damage: the damage map, float32 (H, W, 3) in [0, 1]: probabilities of holes, of scratches and dust, and of
            stains. It can be changed and given back as a mask.
    """

    image: Any
    damage: Floats


class Repairer(Predictor):
    """Repairs old photographs.

    Attributes:
        strengths: of the defects of the last photograph, in 0..1, by their names in `Aged.DEFECTS`.
        toning: what was done to the tone of the last photograph; None without.
    """

    task = "repair"
    inputs = "image+mask"
    does = "repairs photographs"
    use = "ganvas.open('{model}').repair(image)"

    def __init__(self, model: Model) -> None:
        self.about, self.network = model.about, model.network
        self.strengths: dict[str, float] = {}
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
        """Repair one photograph.

        Args:
            image: a PIL image (modes L and RGB), or an array (H, W), (H, W, 1) or (H, W, 3) of uint8, uint16 or float32
                in [0, 1]. A grey image, or one of three equal channels, stays grey.
            mask: what is lost, in place of what the model finds: a PIL image (modes 1 and L), or an array (H, W),
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
        if not 0 <= strength <= 1:
            raise InputError(f"strength {strength} is out of range; give 0 (fill what is lost alone) to 1 (all).")
        if isinstance(image, Image.Image) and image.mode not in ("L", "RGB"):
            raise InputError(f"images of mode {image.mode} are not supported; convert the image to L or RGB.")
        pixels = np.asarray(image)
        raster = ArrayRaster(pixels)
        given = None if mask is None else _masks(mask, (raster.height, raster.width))
        network: Repair = self.network  # type: ignore[assignment]
        device = next(network.parameters()).device
        grey = raster.channels == 1 or is_grey(raster)
        if not grey and self.about.channels == 1:
            raise InputError(f"{self.name} repairs grey photographs, and the image has colours; convert it to L.")
        planes = read(raster, 0, 0, raster.height, raster.width)[:, : self.about.channels]
        with torch.no_grad():
            planes = planes.to(device, memory_format=torch.channels_last)
            logits, estimates = network.inspect(planes)
            damage = logits.float().sigmoid() if given is None else given.to(device)
            masks = (damage >= FOUND).float()
            levels = self._strengths(estimates, strengths or {})
            repaired, _, self.toning = network.repair(planes, masks, levels, amount=strength, tone=tone)
        rows = (repaired[0].float().cpu().clamp(-1, 1) + 1) / 2
        made = rows.mean(0, keepdim=True) if grey else rows
        made = made.permute(1, 2, 0).expand(*pixels.shape[:2], raster.channels)
        result = like(made.contiguous().numpy(), image).reshape(pixels.shape)
        found = damage[0].permute(1, 2, 0).contiguous().cpu().numpy()
        return Repaired(Image.fromarray(result) if isinstance(image, Image.Image) else result, found)

    def _strengths(self, estimates: Tensor, given: Mapping[str, float]) -> Tensor:
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
        self.strengths = dict(zip(Aged.DEFECTS, levels[0].tolist(), strict=True))
        return levels


def _masks(mask: Any, size: tuple[int, int]) -> Tensor:
    """(1, 3, H, W) in [0, 1], of holes, scratches and stains; a mask of one channel is of holes.

    Raises:
        InputError: see `Repairer.repair`.
    """
    if isinstance(mask, Image.Image) and mask.mode not in ("1", "L"):
        raise InputError(f"masks of mode {mask.mode} are not supported; convert the mask to L, white where damaged.")
    values: NDArray[Any] = np.asarray(mask)
    values = values[..., None] if values.ndim == 2 else values
    if values.ndim != 3 or values.shape[2] not in (1, 3):
        raise InputError(f"an array of shape {values.shape} is not a mask; give (H, W), or a damage map (H, W, 3).")
    if values.shape[:2] != size:
        raise InputError(
            f"the mask has {values.shape[1]} x {values.shape[0]} pixels and the image {size[1]} x {size[0]}; give a"
            " mask of the image's size."
        )
    if values.dtype == np.uint8:
        values = values / np.float32(255)
    elif values.dtype != bool and not np.issubdtype(values.dtype, np.floating):
        raise InputError(f"masks of type {values.dtype} are not supported; give booleans, uint8, or floats in 0..1.")
    planes = torch.from_numpy(values.astype(np.float32)).permute(2, 0, 1)[None]
    if not (planes.min() >= 0 and planes.max() <= 1):  # refuses NaN too
        raise InputError("the mask has values outside 0 to 1; give 1 where the image is damaged and 0 elsewhere.")
    if bool((planes[:, :2].amax(1) >= FOUND).all()):
        raise InputError("the mask covers the whole image, so nothing is left to repair it from; is it inverted?")
    return planes if planes.shape[1] == 3 else torch.cat([planes, torch.zeros_like(planes).expand(-1, 2, -1, -1)], 1)
