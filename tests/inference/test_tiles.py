"""Parts equal the whole, bit for bit; errors on the way cost time, never pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ganvas
from ganvas.errors import InputError
from ganvas.inference import Upscaler
from ganvas.inference.base import Descriptor
from ganvas.inference.engine.layers import NotLocal
from ganvas.inference.engine.precision import exact_engine
from ganvas.inference.engine.raster import ArrayRaster, Floats
from ganvas.inference.engine.receptive_field import LayerGraph
from ganvas.inference.engine.tiling import Engine, Tiling
from ganvas.runs import checkpoint
from ganvas.systems.srgan import SRGAN
from tests.inference.networks import lively, photo, rrdb, saved, small

CPU = torch.device("cpu")
SETTINGS = {
    "paper": small(),
    "bundled": small(norm="none", base="bilinear", final="none"),
    "reflect": small(padding="reflect", kernel=5),
    "twice": small(scale=2, end_kernel=5),
    "eightfold": small(scale=8, norm="none"),
    "grey": small(channels=1),
}


def described(scale: int) -> Descriptor:
    return Descriptor("m", "restoration", "image", scale)


def whole(network: nn.Module, pixels: np.ndarray) -> Tensor:
    """The network over the whole image, by torch itself."""
    x = torch.from_numpy(pixels.astype(np.float32) / np.float32(255)).permute(2, 0, 1)[None] * 2 - 1
    with torch.inference_mode():
        made: Tensor = network(x.contiguous(memory_format=torch.channels_last))
    return made


def parts(engine: Engine, pixels: np.ndarray, tile: int = 0, rows: int = 0) -> Tensor:
    return torch.cat(list(Tiling(engine, ArrayRaster(pixels), tile, rows).parts()), 2)


def test_the_context_of_srresnet_is_40_pixels() -> None:
    assert LayerGraph(SRGAN().generator().eval()).context() == 40  # 4 + 32 + 1 + 1 + 1/2 + 1 = 39.5
    assert LayerGraph(SRGAN(norm="none", base="bilinear", final="none").generator().eval()).context() == 40
    assert LayerGraph(SRGAN(scale=2).generator().eval()).context() == 40  # 4 + 32 + 1 + 1 + 4/2


@pytest.mark.parametrize("name", SETTINGS)
def test_the_context_is_what_a_pixel_is_seen_from(name: str) -> None:
    network = lively(SETTINGS[name].generator()).double()
    scale, channels = SETTINGS[name].scale, SETTINGS[name].channels
    context = LayerGraph(network).context()
    middle, size = context + 3, 2 * context + 7
    x = torch.randn(1, channels, size, size, dtype=torch.float64)
    changed = []
    for distance in (context, context + 1):
        y = x.clone()
        y[:, :, middle + distance, middle] += 10
        y[:, :, middle, middle - distance] += 10
        there = slice(middle * scale, (middle + 1) * scale)
        changed.append(bool((network(x) != network(y))[:, :, there, there].any()))
    assert changed == [True, False]


@pytest.mark.parametrize("name", SETTINGS)
def test_parts_equal_the_whole(name: str) -> None:
    system = SETTINGS[name]
    engine = exact_engine(lively(system.generator()), system.scale, CPU, system.channels)
    pixels = photo(71, 83)
    expected = parts(engine, pixels, tile=83, rows=71)
    for tile, rows in ((16, 5), (40, 71), (83, 1), (23, 64)):
        assert torch.equal(parts(engine, pixels, tile, rows), expected), (tile, rows)


def test_parts_equal_what_torch_makes_of_the_whole() -> None:
    network = lively(small(norm="none", base="bilinear", final="none").generator()).to(
        memory_format=torch.channels_last
    )
    pixels = photo(64, 90)
    assert torch.equal(parts(exact_engine(network, 4, CPU), pixels, tile=30, rows=7), whole(network, pixels))
    folded = lively(small().generator())
    assert (parts(exact_engine(folded, 4, CPU), pixels) - whole(folded, pixels)).abs().max() < 1e-4


def test_parts_of_the_real_network_equal_the_whole() -> None:
    network = lively(SRGAN(norm="none", base="bilinear", final="none", blocks=1).generator())
    engine = exact_engine(network, 4, CPU)
    pixels = photo(40, 60)
    assert torch.equal(parts(engine, pixels, tile=16, rows=6), whole(engine.network, pixels))


def test_esrgan_goes_row_by_row_too() -> None:
    engine = exact_engine(rrdb(), 4, CPU)
    pixels = photo(50, 40)
    assert engine.exact
    assert torch.equal(parts(engine, pixels, rows=3), parts(engine, pixels, rows=50))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (2, 3), (37, 1)])
@pytest.mark.parametrize("name", ["paper", "reflect"])
def test_small_images_can_be_upscaled(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    upscaler = ganvas.open(saved(tmp_path / "m.safetensors", SETTINGS[name]))
    assert upscaler.upscale(photo(*size)).shape == (4 * size[0], 4 * size[1], 3)


class Attention(nn.Module):
    """Every pixel sees all."""

    scale = 2

    def forward(self, low: Tensor) -> Tensor:
        return nn.functional.interpolate(low - low.mean((2, 3), keepdim=True), scale_factor=2.0)


def test_a_network_that_sees_everything_is_reported_as_not_exact() -> None:
    with pytest.raises(NotLocal, match="mean"):
        LayerGraph(Attention())
    upscaler = Upscaler(exact_engine(Attention(), 2, CPU), described(2), tile=32)
    assert upscaler.upscale(photo(70, 50)).shape == (140, 100, 3)
    assert upscaler.last is not None
    assert (upscaler.last.exact, upscaler.last.context, upscaler.last.tile) == (False, 32, 32)


class Scarce(nn.Module):
    """Runs out of memory above so many pixels at once."""

    def __init__(self, network: nn.Module, most: int) -> None:
        super().__init__()
        self.network, self.most = network, most

    def forward(self, low: Tensor) -> Tensor:
        if low.shape[2] * low.shape[3] > self.most:
            raise torch.OutOfMemoryError("out of memory")
        made: Tensor = self.network(low)
        return made


def test_tiles_are_halved_when_memory_runs_out() -> None:
    network = lively(small(norm="none", blocks=0, end_kernel=3).generator())
    engine = Engine(Scarce(network, 90 * 90), 4, CPU)
    assert not engine.exact  # the question of how much is no layer
    pixels = photo(120, 100)
    tiling = Tiling(engine, ArrayRaster(pixels), tile=100)
    made = torch.cat(list(tiling.parts()), 2)
    assert (tiling.tile, tiling.halvings) == (25, 2)
    assert torch.allclose(made, whole(network, pixels), atol=1e-5)


def test_rows_are_halved_when_memory_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = exact_engine(lively(small().generator()), 4, CPU)
    pixels = photo(70, 60)
    expected = parts(engine, pixels)
    assert engine.graph is not None
    name = list(engine.graph.layers)[-2]
    layer, *arguments = engine.graph.layers[name]

    def scarce(x: Tensor) -> Tensor:
        if x.shape[2] * x.shape[3] > 5000:
            raise MemoryError
        return layer.run(x)

    engine.graph.layers[name] = (replace(layer, run=scarce), *arguments)  # type: ignore[assignment]
    tiling = Tiling(engine, ArrayRaster(pixels), rows=64)
    assert torch.equal(torch.cat(list(tiling.parts()), 2), expected)
    assert tiling.halvings > 0
    assert tiling.rows < 64

    def never(x: Tensor) -> Tensor:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    engine.graph.layers[name] = (replace(layer, run=never), *arguments)  # type: ignore[assignment]
    with pytest.raises(InputError, match="not enough memory for tiles of 16 px"):
        parts(engine, pixels)


class Patchy(ArrayRaster):
    """Counts what is read at once."""

    most = 0

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        assert min(top, left, self.height - top - height, self.width - left - width) >= 0
        self.most = max(self.most, height)
        return super().region(top, left, height, width)


def test_a_tall_image_is_read_bit_by_bit(tmp_path: Path) -> None:
    upscaler = ganvas.open(saved(tmp_path / "m.safetensors", small()))
    image = Patchy(photo(900, 20))
    rows = [band.shape for band in upscaler.bands(image)]
    assert sum(shape[0] for shape in rows) == 3600
    assert {shape[1:] for shape in rows} == {(80, 3)}
    assert image.most <= 80
    assert max(shape[0] for shape in rows) <= 4 * 80


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -5.0])
def test_an_invalid_result_is_recomputed_in_fp32(wrong: float) -> None:
    engine = exact_engine(lively(small().generator()), 4, CPU)
    pixels = photo(150, 40)
    expected = parts(engine, pixels)
    faulty = Engine(engine.network, 4, CPU, torch.bfloat16, "bf16")
    assert faulty.graph is not None
    output = faulty.graph.output
    layer, *arguments = faulty.graph.layers[output]
    calls = []

    def fault(x: Tensor) -> Tensor:
        calls.append(x)
        return layer.run(x) if len(calls) == 1 else torch.full_like(layer.run(x), wrong)

    faulty.graph.layers[output] = (replace(layer, run=fault), *arguments)  # type: ignore[assignment]
    upscaler = Upscaler(engine, described(4))
    upscaler._chosen = faulty
    made = np.concatenate(list(upscaler.bands(ArrayRaster(pixels), colour_lock=False)))
    assert np.array_equal(made, ((expected[0] + 1) / 2).clamp(0, 1).permute(1, 2, 0).numpy())
    assert upscaler.last is not None
    assert upscaler.last.retries == 1


def test_a_model_that_outputs_only_nan_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "m.safetensors", small(final="none"))
    weights, about = checkpoint.load(path)
    *_, last = (name for name in weights if name.endswith("weight"))
    weights[last] = torch.full_like(weights[last], 3e38)  # finite, but no sum of it is
    checkpoint.save(path, weights, about)
    with pytest.raises(InputError, match="NaN or infinite values even in fp32"):
        ganvas.open(path).upscale(photo(20, 20))
