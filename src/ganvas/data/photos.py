"""Photographs of any size, decoded once and cut into crops on the device."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganvas.data.dataset import Dataset, decoded
from ganvas.data.decode import Pixels, Unusable, open_picture, to_mode
from ganvas.data.feed import SCALE, Feed, free_bytes
from ganvas.data.feed import SHARE as SHARE_OF_MEMORY
from ganvas.data.listing import open_source
from ganvas.errors import InputError
from ganvas.recipe.degradations import MARGIN, Degradation
from ganvas.recipe.sources import Crops


@dataclass(frozen=True)
class Photographs(Dataset):
    """Whole photographs; their rows, as pictures, are the crops from their centres.

    Attributes:
        images: uint8 (pixels of all photographs, C), one after the other.
        places: int64 (N, 3): the first pixel of each photograph, its height and width.
        size: side of the crops.
        kind: what the rows are called in messages.
    """

    places: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 3), np.int64))
    size: int = 0
    kind: str = "photographs"

    def __len__(self) -> int:
        return len(self._places)

    @property
    def _places(self) -> NDArray[np.int64]:
        return self.places if self.rows is None else self.places[self.rows]

    def take(self, index: NDArray[np.int64] | slice) -> Pixels:
        """The crops from the centres of some photographs: uint8 (n, size, size, C)."""
        return self.wide(index, 0)

    def wide(self, index: NDArray[np.int64] | slice, margin: int) -> Pixels:
        """The same with `margin` pixels more on each side; beyond a photograph's border its last pixels repeat."""
        places = self._places[index]
        corners = (places[:, 1:] - self.size) // 2
        return np.asarray(self.images[pixels_of(places, corners, self.size, margin)])


def pixels_of(places: NDArray[np.int64], corners: NDArray[np.int64], size: int, margin: int) -> NDArray[np.int64]:
    """Which pixels make up crops (n, size + 2 margin, size + 2 margin), given their top left corners (n, 2)."""
    steps = np.arange(-margin, size + margin)
    rows = np.clip(corners[:, :1] + steps, 0, places[:, 1:2] - 1)
    columns = np.clip(corners[:, 1:] + steps, 0, places[:, 2:] - 1)
    starts: NDArray[np.int64] = places[:, 0, None] + rows * places[:, 2:]
    pixels: NDArray[np.int64] = starts[:, :, None] + columns[:, None, :]
    return pixels


def load_photographs(
    crops: Crops, *, size: int, channels: int, workers: int = 0, progress: bool = False
) -> Photographs:
    """Decode a source to 1 or 3 channels at full size, or take it from the cache.

    Raises:
        InputError: the source is not to be had, or fewer than two photographs in it are as large as a crop.
    """

    def whole(content: bytes | Pixels) -> Pixels:
        image = to_mode(open_picture(content), channels)
        if min(image.size) < size:
            raise Unusable(f"{image.width} x {image.height} pixels are less than a crop of {size}")
        return np.asarray(image).reshape(image.height, image.width, channels)

    listing = open_source(crops.source)
    folder, about = decoded(listing, f"whole {size} {channels}", whole, workers=workers, progress=progress)
    sides = np.array(about["sides"], np.int64)
    counts = sides.prod(1)
    starts = np.cumsum(counts) - counts
    if len(sides) < 2:
        raise InputError(
            f"{listing.name} has one photograph that can be used, so none could be held out to judge by; give two or"
            " more."
        )
    return Photographs(
        np.memmap(folder / "images.u8", np.uint8, "r", shape=(int(counts.sum()), channels)),
        skipped=about["skipped"],
        fingerprint=folder.name,
        name=listing.name,
        places=np.column_stack([starts, sides]),
        size=size,
    )


class CropFeed(Feed):
    """Cuts, turns and degrades on the device, a batch at a time."""

    def __init__(
        self,
        dataset: Photographs,
        crops: Crops,
        *,
        scale: int,
        batch_size: int,
        seed: int,
        device: torch.device,
        resident_bytes: int | None = None,
    ) -> None:
        """Prepare to serve; `scale` is how much smaller the low-resolution versions are."""
        self.dataset: Photographs = dataset
        self.crops, self.scale = crops, scale
        self.batch_size = self.local_size = batch_size
        self.seed, self.device = seed, device
        self._share = slice(0, batch_size)
        self._orders = {}
        self.waited = 0.0
        allowed = free_bytes(device) * SHARE_OF_MEMORY if resident_bytes is None else resident_bytes
        self.resident = dataset.images.nbytes <= allowed
        if self.resident:
            self._images = torch.from_numpy(np.array(dataset.images)).to(device)
        self._minus_one = torch.tensor(-1.0, device=device)

    def fetch(self, images_seen: int, stream: int) -> dict[str, Tensor]:
        """High- and low-resolution pictures of a batch."""
        began = time.perf_counter()
        random = np.random.default_rng((self.seed, stream, images_seen, 2))
        places = self.dataset._places[self._index(images_seen, stream)]
        size, margin = self.dataset.size, MARGIN * self.scale
        corners = random.integers(0, places[:, 1:] - size + 1)
        pixels = pixels_of(places, corners, size, margin)
        if self.crops.turn:
            pixels = _turned(pixels, random.integers(0, 8, len(pixels)))
        index = torch.from_numpy(np.ascontiguousarray(pixels)).flatten()
        if self.resident:
            rows = self._images.index_select(0, index.to(self.device))
        else:
            rows = torch.from_numpy(np.asarray(self.dataset.images[index.numpy()])).to(self.device)
        wide = rows.view(*pixels.shape, -1).permute(0, 3, 1, 2)
        noise = torch.Generator().manual_seed(int(random.integers(2**62)))
        high, low = trimmed(wide, self.crops.degradation, self.scale, noise)
        found = {"real": self._scaled(high), "input": self._scaled(low)}
        self.waited += time.perf_counter() - began
        return found

    def _index(self, images_seen: int, stream: int) -> NDArray[np.int64]:
        # A batch may be larger than the folder: other crops of the same photographs are other pictures.
        epoch, offset = divmod(images_seen, len(self.dataset))
        needed = 1 + (offset + self.batch_size - 1) // len(self.dataset)
        orders = [self._order(stream, epoch + i) for i in range(needed)]
        return np.concatenate(orders)[offset : offset + self.batch_size]

    def _scaled(self, pictures: Tensor) -> Tensor:
        return torch.add(self._minus_one, pictures, alpha=SCALE).contiguous(memory_format=torch.channels_last)


def trimmed(wide: Tensor, rule: Degradation, scale: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Crops with a margin of MARGIN low-resolution pixels, uint8 (B, C, H, W) -> high and low without it.

    The low-resolution version of a crop alone would differ at its rim from the crop of a low-resolution version.
    """
    low = rule.apply(wide, scale, random)["input"][..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    cut = MARGIN * scale
    return wide[..., cut:-cut, cut:-cut], low


def lows(dataset: Photographs, index: NDArray[Any], rule: Degradation, scale: int) -> tuple[Pixels, Tensor]:
    """Crops from the centres, uint8 (n, size, size, C), and their low-resolution versions (n, C, ..), in [-1, 1]."""
    wide = torch.from_numpy(dataset.wide(index, MARGIN * scale)).permute(0, 3, 1, 2)
    high, low = trimmed(wide, rule, scale, torch.Generator().manual_seed(0))
    return high.permute(0, 2, 3, 1).numpy(), low * SCALE - 1


def _turned(pixels: NDArray[np.int64], turns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each square (n, s, s) in one of its eight turns and mirrorings."""
    turned = np.where((turns & 1)[:, None, None], pixels.transpose(0, 2, 1), pixels)
    turned = np.where((turns >> 1 & 1)[:, None, None], turned[:, ::-1], turned)
    return np.where((turns >> 2)[:, None, None], turned[:, :, ::-1], turned)
