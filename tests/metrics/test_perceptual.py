"""ST-LPIPS against reference outputs, and what diversity says of sets whose variety is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ganvas.errors import InputError
from ganvas.metrics import perceptual
from ganvas.metrics.perceptual import Perceptual, diversity
from tests.conftest import SHARED

FIXTURES = SHARED / "data" / "weights" / "fixtures.npz"
WEIGHTS = SHARED / "data" / "weights" / "stlpips_alex_fp16.safetensors"


@pytest.mark.skipif(not FIXTURES.exists(), reason=f"the reference outputs {FIXTURES} are not here")
def test_distances_equal_the_reference_outputs() -> None:
    fixtures = np.load(FIXTURES)
    names = ("images_uint8_nhwc", "bicubic_x4_uint8_nhwc")
    a, b = (torch.from_numpy(fixtures[name]).permute(0, 3, 1, 2).float() / 127.5 - 1 for name in names)
    network = Perceptual({name: tensor.float() for name, tensor in load_file(WEIGHTS).items()})
    with torch.inference_mode():
        assert np.allclose(network(a, b).numpy(), fixtures["stlpips_alex"], atol=1e-5)
        assert not network(a, a).any()


def test_diversity_falls_as_pictures_become_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptual, "PAIRS", 48)
    pytest.importorskip("stlpips_pytorch", reason="the weights come with the extra perceptual")
    network = Perceptual()
    rng = np.random.default_rng(0)
    varied = rng.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    alike = (varied[:1] * 0.8 + varied * 0.2).astype(np.uint8)
    found, less = diversity(network, varied), diversity(network, alike)
    assert less.high < found.low
    assert found == diversity(network, varied)
    assert diversity(network, varied[[3, 3]]).value == 0
    with pytest.raises(InputError, match="1 picture"):
        diversity(network, varied[:1])


def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptual, "PACKAGE", "not_installed")
    with pytest.raises(InputError, match=r"pip install 'ganvas\[perceptual\]'"):
        Perceptual()
