"""A sheet of what a degradation makes of the photographs of a source."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ganvas.data.decode import Unusable, open_image, to_mode
from ganvas.data.listing import open_source
from ganvas.data.transforms import degraded
from ganvas.errors import InputError
from ganvas.imaging.grid import Pixels, grid, label_columns, label_rows, labels_width
from ganvas.recipe.degradations import MARGIN, Degradation

ROWS, COLUMNS = 8, 4  # photographs, and versions of each
SIDE, UNIT = 256, 16  # the largest crop, and what its side is a multiple of, beside the scale
COLOURS = ((255, 40, 40), (40, 220, 40), (70, 110, 255), (255, 200, 0))  # of masks, one after the other


def degraded_sheet(
    source: str, rule: Degradation, *, scale: int, column: str = "", labels: str = "", seed: int = 0
) -> Pixels:
    """Photographs spread over a source, one a row: a crop, several inputs made of it, and their masks in colour.

    Crops are cut from the centres, and degraded as in training. Masks are whatever the degradation names of the form
    (B, 1, H, W), painted over the input.

    Returns:
        uint8 (H, W, 3)

    Raises:
        InputError: the source does not exist, or none of its photographs is large enough for a crop.
    """
    listing = open_source(source, column, labels)
    found: dict[str, Pixels] = {}
    for index in np.linspace(0, len(listing.items) - 1, min(4 * ROWS, len(listing.items))).round().astype(int):
        item = listing.items[index]
        try:
            found[item.name] = np.asarray(to_mode(open_image(item.read()), 3))
        except (Unusable, OSError):
            continue  # the examination names it
    step = np.lcm(UNIT, scale)
    sides = sorted(min(photo.shape[:2]) for photo in found.values())
    side = min(SIDE, sides[len(sides) // 2] if sides else 0) // step * step
    chosen = {name: photo for name, photo in found.items() if side and min(photo.shape[:2]) >= side}
    if not chosen:
        raise InputError(
            f"{listing.name} has no photograph of {step} x {step} pixels or more to degrade; give larger ones."
        )
    some = np.linspace(0, len(chosen) - 1, min(ROWS, len(chosen))).round().astype(int)
    names = [list(chosen)[i] for i in some]
    crops = torch.from_numpy(np.stack([_centre(chosen[name], side, MARGIN * scale) for name in names]))
    wide = crops.permute(0, 3, 1, 2).repeat_interleave(COLUMNS, 0)
    named = degraded(wide, rule, scale, torch.Generator().manual_seed(seed))
    high = named.pop("real")
    masks = [one for name, one in named.items() if name != "input" and one.ndim == 4 and one.shape[1] == 1]
    tiles = [_large(named["input"], side)]
    if masks:
        tiles.append(_large(_painted(named["input"], masks), side))
    versions = torch.stack(tiles, 1).view(len(names), -1, *high.shape[1:])
    rows = torch.cat([high[::COLUMNS, None], versions], 1)
    shown = grid(rows.flatten(0, 1).permute(0, 2, 3, 1).contiguous().numpy(), rows.shape[1])
    kinds = ["input", "damage"][: len(tiles)]
    return label_columns(label_rows(shown, names), ["original", *kinds * COLUMNS], labels_width(names))


def _centre(photo: Pixels, side: int, margin: int) -> Pixels:
    height, width = photo.shape[:2]
    steps = np.arange(-margin, side + margin)
    rows, columns = (np.clip((n - side) // 2 + steps, 0, n - 1) for n in (height, width))
    cut: Pixels = photo[rows[:, None], columns]
    return cut


def _painted(images: Tensor, masks: list[Tensor]) -> Tensor:
    out = images.float()
    for mask, colour in zip(masks, COLOURS * len(masks), strict=False):
        out = torch.lerp(out, out.new_tensor(colour).view(1, 3, 1, 1), 0.75 * (mask > 0).float())
    return out.byte()


def _large(images: Tensor, side: int) -> Tensor:
    return torch.nn.functional.interpolate(images.float(), (side, side)).byte()
