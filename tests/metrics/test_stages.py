"""The layers that perceptual losses compare."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from ganvas.errors import InputError
from ganvas.metrics.extractors import stages
from ganvas.metrics.extractors.stages import VGG_REPEATS, VGG_WIDTHS, layers_up_to
from ganvas.recipe.batch import Batch
from ganvas.recipe.reconstruction import Perceptual

CPU = torch.device("cpu")


@pytest.fixture
def vgg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """A file in the format of VGG19's, with narrow random layers, and its true hash."""
    widths = (4, 4, 4, 4, 4)
    state, index, before = {}, 0, 3
    random = torch.Generator().manual_seed(0)
    torch.manual_seed(0)  # of the images, whatever other tests have drawn
    for width, repeats in zip(widths, VGG_REPEATS, strict=True):
        for _ in range(repeats):
            state[f"features.{index}.weight"] = torch.randn(width, before, 3, 3, generator=random) / 3
            state[f"features.{index}.bias"] = torch.randn(width, generator=random)
            before, index = width, index + 2
        index += 1
    torch.save(state, tmp_path / stages.VGG_FILE)
    monkeypatch.setattr(stages, "VGG_WIDTHS", widths)
    monkeypatch.setattr(stages, "VGG_SHA256", hashlib.sha256((tmp_path / stages.VGG_FILE).read_bytes()).hexdigest()[:8])
    monkeypatch.setenv("GANVAS_WEIGHTS", str(tmp_path))
    layers_up_to.cache_clear()
    yield state  # type: ignore[misc]
    layers_up_to.cache_clear()


def by_hand(state: dict[str, torch.Tensor], x: torch.Tensor, names: list[int], pools: set[int]) -> torch.Tensor:
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    x = ((x + 1) / 2 - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    for index in names:
        if index in pools:
            x = torch.nn.functional.max_pool2d(x, 2)
        x = torch.nn.functional.conv2d(x, state[f"features.{index}.weight"], state[f"features.{index}.bias"], padding=1)
        x = x if index == names[-1] else x.relu()
    return x


def test_vgg_2_2_is_the_second_convolution_before_the_second_pooling(vgg: dict[str, torch.Tensor]) -> None:
    pictures = torch.rand(2, 3, 16, 16) * 2 - 1
    wanted = by_hand(vgg, pictures, [0, 2, 5, 7], {5})
    torch.testing.assert_close(layers_up_to("vgg19", (2, 2), True, CPU)(pictures), wanted)
    torch.testing.assert_close(layers_up_to("vgg19", (2, 2), False, CPU)(pictures), wanted.relu())


def test_vgg_5_4_is_the_last_convolution(vgg: dict[str, torch.Tensor]) -> None:
    pictures = torch.rand(1, 3, 32, 32) * 2 - 1
    names = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]
    wanted = by_hand(vgg, pictures, names, {5, 10, 19, 28}).relu()
    torch.testing.assert_close(layers_up_to("vgg19", (5, 4), False, CPU)(pictures), wanted, rtol=1e-4, atol=1e-4)


def test_vgg_is_the_published_network() -> None:
    assert VGG_WIDTHS == (64, 128, 256, 512, 512)
    assert sum(VGG_REPEATS) == 16


def test_a_vgg_file_with_the_wrong_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / stages.VGG_FILE).write_bytes(b"something else")
    monkeypatch.setenv("GANVAS_WEIGHTS", str(tmp_path))
    with pytest.raises(InputError, match="is not the file it should be"):
        layers_up_to("vgg19", (1, 1), False, CPU)


def test_a_vgg_file_that_is_not_to_be_had_says_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(stages, "VGG_URL", "http://127.0.0.1:9/x")
    with pytest.raises(InputError, match=r"put vgg19-dcbb9e9d\.pth.*--reconstruction\.0\.extractor efficientnet-lite0"):
        layers_up_to("vgg19", (1, 1), False, CPU)


@pytest.mark.parametrize(("layer", "channels", "side"), [((1, 1), 16, 32), ((2, 2), 24, 16), ((4, 6), 112, 4)])
def test_efficientnet_is_cut_after_the_block(layer: tuple[int, int], channels: int, side: int) -> None:
    features = layers_up_to("efficientnet-lite0", layer, False, CPU)(torch.rand(1, 3, 64, 64))
    assert features.shape == (1, channels, side, side)


def of(real: torch.Tensor) -> Batch:
    return Batch(len(real), CPU, 0, lambda: {"real": real})


def test_the_perceptual_term_is_zero_for_equal_pictures_and_reaches_the_fake() -> None:
    content = Perceptual(extractor="efficientnet-lite0", layer=(2, 2))
    real = torch.rand(2, 3, 32, 32)
    assert content.term(real, of(real)).item() == 0
    fake = torch.rand(2, 3, 32, 32, requires_grad=True)
    content.term(fake, of(real)).backward()
    assert fake.grad is not None
    assert fake.grad.abs().sum() > 0


def test_the_perceptual_term_favours_no_pixel_of_its_strides() -> None:
    content = Perceptual(extractor="efficientnet-lite0", layer=(2, 2))
    torch.manual_seed(0)
    real = torch.rand(2, 3, 64, 64)
    total = torch.zeros(64, 64)
    for _ in range(24):
        fake = (real + 0.1 * torch.randn_like(real)).requires_grad_()
        content.term(fake, of(real)).backward()
        assert fake.grad is not None
        total += fake.grad.square().sum((0, 1))
    inner = total[8:-8, 8:-8]
    by_phase = torch.stack([inner[i::4, j::4].mean() for i in range(4) for j in range(4)])
    assert by_phase.max() / by_phase.min() < 1.5  # 2.8 where the pictures are never moved
