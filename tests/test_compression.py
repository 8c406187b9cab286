"""JPEG on tensors, against Pillow's."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.imaging.compression import compressed

CLOSE = 46  # decibels: no pixel differs but by the rounding of integer arithmetic


def photograph(height: int = 133, width: int = 137) -> torch.Tensor:
    from sklearn.datasets import load_sample_image

    cut = load_sample_image("flower.jpg")[100 : 100 + height, 200 : 200 + width]
    return torch.from_numpy(np.ascontiguousarray(cut)).permute(2, 0, 1)[None].float()


def by_pillow(image: torch.Tensor, quality: int, subsampling: int = 0) -> torch.Tensor:
    pixels = image[0].byte().permute(1, 2, 0).numpy()
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(
        buffer, "JPEG", quality=quality, subsampling=subsampling
    )
    found = np.array(Image.open(buffer))
    return torch.from_numpy(found.reshape(*found.shape[:2], -1)).permute(2, 0, 1)[None].float()


def decibels(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(10 * torch.log10(255**2 / (one - other).square().mean().clamp(min=1e-9)))


@pytest.mark.parametrize("subsampled", [False, True])
@pytest.mark.parametrize("quality", [10, 49, 50, 75, 95, 100])
def test_it_is_that_of_pillow(quality: int, subsampled: bool) -> None:
    image = photograph()
    theirs = by_pillow(image, quality, 2 * subsampled)
    ours = compressed(image, torch.tensor([quality]), subsampled=torch.tensor([subsampled]))
    assert decibels(ours, theirs) > CLOSE
    assert decibels(ours, theirs) > decibels(image, theirs) - 1
    assert torch.equal(ours, ours.round())


def test_grey_images_have_luma_alone() -> None:
    image = photograph()[:, :1]
    assert decibels(compressed(image, torch.tensor([60])), by_pillow(image, 60)) > CLOSE


@pytest.mark.parametrize("phase", [(0, 0), (3, 8), (15, 1)])
@pytest.mark.parametrize("subsampled", [False, True])
def test_any_phase_is_that_of_an_image_cut_out_after_its_compression(phase: tuple[int, int], subsampled: bool) -> None:
    whole = photograph(144, 160)
    down, along = phase
    cut = whole[:, :, down : down + 96, along : along + 112]
    theirs = by_pillow(whole, 50, 2 * subsampled)[:, :, down : down + 96, along : along + 112]
    ours = compressed(cut, torch.tensor([50]), phase=torch.tensor([phase]), subsampled=torch.tensor([subsampled]))
    inside = (..., slice(16, 80), slice(16, 96))  # blocks that do not reach beyond the cut
    assert decibels(ours[inside], theirs[inside]) > CLOSE


def test_every_image_of_a_batch_is_compressed_in_its_own_way() -> None:
    images = photograph(48, 40).repeat(4, 1, 1, 1)
    quality, subsampled = torch.tensor([20, 90, 20, 55]), torch.tensor([False, True, True, False])
    phase = torch.tensor([[0, 0], [3, 9], [15, 15], [8, 1]])
    together = compressed(images, quality, phase=phase, subsampled=subsampled)
    for i in range(4):
        some = slice(i, i + 1)
        alone = compressed(images[some], quality[some], phase=phase[some], subsampled=subsampled[some])
        assert torch.equal(together[some], alone)
