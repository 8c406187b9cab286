"""Resizing as MATLAB does it, against the files that MATLAB wrote."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.imaging.tensors import DENSE, bicubic, imresize
from tests.conftest import SHARED

SETS = SHARED / "data" / "sr_eval"
present = pytest.mark.skipif(not SETS.is_dir(), reason=f"needs the benchmark pictures in {SETS}")


def read(path: str) -> torch.Tensor:
    pixels = np.array(Image.open(path))
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1).copy())


@present
@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_makes_the_published_low_resolution_files_byte_for_byte(name: str) -> None:
    files = sorted((SETS / name / "HR").iterdir())
    assert files
    for file in files:
        high = read(str(file))
        height, width = (side // 4 * 4 for side in high.shape[1:])
        assert torch.equal(bicubic(high[:, :height, :width], 0.25), read(str(SETS / name / "LRx4" / file.name)))


def test_a_flat_picture_stays_flat_in_both_directions() -> None:
    flat = torch.full((3, 20, 28), 77, dtype=torch.uint8)
    for scale in (0.25, 0.5, 2, 3, 4):
        assert bicubic(flat, scale).unique().tolist() == [77]


def test_large_pictures_are_resized_as_small_ones_are() -> None:
    tall = torch.randint(0, 256, (1, DENSE + 40, 9), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    small, part = bicubic(tall, 0.25), bicubic(tall[:, :400], 0.25)
    assert torch.equal(small[:, :90], part[:, :90])


def test_without_rounding_gradients_pass() -> None:
    pictures = torch.rand(1, 1, 12, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: imresize(x, 0.25), pictures)


def test_a_shrunk_and_enlarged_ramp_keeps_its_slope() -> None:
    ramp = torch.arange(64, dtype=torch.float64).expand(1, 64, 64)
    back = imresize(imresize(ramp, 0.5), 2)
    torch.testing.assert_close(back[:, 12:-12, 12:-12], ramp[:, 12:-12, 12:-12])
