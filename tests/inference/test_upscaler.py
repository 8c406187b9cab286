"""Upscaling from Python: colours, strength, grey, precision and refusals."""

from __future__ import annotations

import copy
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas.errors import InputError
from ganvas.imaging.tensors import imresize
from ganvas.inference import Generator, Upscaler, open_as
from ganvas.inference.engine import precision
from ganvas.inference.engine.colour import Reduce, difference
from ganvas.inference.engine.cpu_kernels import optimize_for_cpu
from ganvas.inference.engine.precision import PrecisionTrial, table
from ganvas.inference.engine.raster import ArrayRaster
from ganvas.inference.engine.tiling import Engine, Tiling
from ganvas.inference.loading import starting_weights
from ganvas.runs import checkpoint
from ganvas.systems.esrgan.networks import Compact
from tests.conftest import Cli, assert_refused, same, tiny
from tests.inference.networks import lively, photo, saved, small

BASE = small(norm="none", base="bilinear", final="none")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return saved(tmp_path / "m.safetensors", BASE)


def test_open_gives_what_the_model_is(model: Path) -> None:
    upscaler = ganvas.open(model)
    assert isinstance(upscaler, Upscaler)
    assert (upscaler.name, upscaler.scale, upscaler.images_seen, upscaler.channels) == ("m", 4, 7, 3)
    ganvas.train(tiny(images=16), name="r")
    assert isinstance(ganvas.open("runs/r"), Generator)
    with pytest.raises(
        InputError,
        match=r"runs/r makes images .* upscales images is needed; .* ganvas generate",
    ):
        open_as(Upscaler, "runs/r")


def test_an_enlarging_model_generates_nothing(model: Path, cli: Cli) -> None:
    assert_refused(
        cli("generate", str(model)), "upscales images", "from noise is needed", f"ganvas upscale --model {model}"
    )


def test_every_kind_of_image_comes_back_as_its_kind(model: Path) -> None:
    upscaler = ganvas.open(model)
    pixels = photo(20, 30)
    eight = upscaler.upscale(pixels)
    assert (eight.dtype, eight.shape) == (np.uint8, (80, 120, 3))
    sixteen = upscaler.upscale(pixels.astype(np.uint16) * 257)
    assert sixteen.dtype == np.uint16
    exact = upscaler.upscale(pixels.astype(np.float32) / 255)
    assert exact.dtype == np.float32
    assert 0 <= exact.min() <= exact.max() <= 1
    assert np.abs(sixteen / 65535 - exact).max() < 1e-4
    assert np.array_equal(np.rint(exact * 255), eight)
    image = upscaler.upscale(Image.fromarray(pixels))
    assert (image.mode, image.size) == ("RGB", (120, 80))
    assert np.array_equal(np.asarray(image), eight)


def test_grey_stays_grey(model: Path, tmp_path: Path) -> None:
    pixels = photo(20, 30)[..., :1]
    colour = ganvas.open(model)
    plane = colour.upscale(pixels)
    assert plane.shape == (80, 120, 1)
    thrice = colour.upscale(np.repeat(pixels, 3, 2).astype(np.float32) / 255)
    assert np.abs(thrice * 255 - plane).max() <= 0.51  # an image of colours that holds none has none afterwards
    assert np.array_equal(colour.upscale(pixels[..., 0]), plane[..., 0])
    assert colour.upscale(Image.fromarray(pixels[..., 0])).mode == "L"
    grey = ganvas.open(saved(tmp_path / "grey.safetensors", small(channels=1)))
    assert grey.channels == 1
    assert grey.upscale(photo(20, 30)).shape == (80, 120, 3)


def test_colours_are_locked(tmp_path: Path) -> None:
    upscaler = ganvas.open(saved(tmp_path / "shifted.safetensors", BASE, shift=0.2))
    pixels = photo(60, 50)
    locked = upscaler.upscale(pixels)
    report = upscaler.last
    assert report is not None
    assert report.colour_before is not None
    assert report.colour_after is not None
    assert report.colour_before > 3
    assert report.colour_after < report.colour_before / 4
    low = imresize(torch.from_numpy(locked).permute(2, 0, 1)[None].float(), 0.25)
    shift = low[0].permute(1, 2, 0).numpy() - pixels
    assert np.abs(shift.mean((0, 1))).max() < 1
    free = upscaler.upscale(pixels, colour_lock=False)
    assert not np.array_equal(free, locked)
    assert upscaler.last is not None
    assert upscaler.last.colour_after is None


def test_the_lock_goes_row_by_row_too(model: Path) -> None:
    pixels = ArrayRaster(photo(90, 70))
    one, other = ganvas.open(model), ganvas.open(model, tile=16)
    assert np.array_equal(np.concatenate(list(one.bands(pixels))), np.concatenate(list(other.bands(pixels))))
    assert one.last is not None
    assert other.last is not None
    assert other.last.tile == 16
    assert one.last.exact
    assert one.last.context == 12  # 4 + 2 * 2 + 1 + 1 + 1/2 + 1 = 11.5


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_reducing_is_matlabs_bicubic(scale: int) -> None:
    high = torch.rand(1, 1, 24 * scale, 10 * scale)
    with torch.inference_mode():
        assert torch.allclose(Reduce(scale)(high), imresize(high, 1 / scale), atol=1e-5)


def test_colour_difference_is_that_of_the_cie() -> None:
    red, blue, grey = (torch.tensor(c).view(1, 3, 1, 1).float() for c in ((1, -1, -1), (-1, -1, 1), (0, 0, 0)))
    assert float(difference(red, blue)) == pytest.approx(
        176.3, abs=0.1
    )  # Lab (53.24, 80.09, 67.20), (32.30, 79.19, -107.86)
    assert float(difference(grey, grey)) == 0


def test_strength_mixes_with_what_the_model_started_from(tmp_path: Path) -> None:
    faithful = saved(tmp_path / "faithful.safetensors", BASE, seed=1)
    sharp = saved(tmp_path / "sharp.safetensors", BASE, seed=2, start=str(faithful))
    pixels = photo(24, 24)
    assert np.array_equal(ganvas.open(sharp, strength=0).upscale(pixels), ganvas.open(faithful).upscale(pixels))
    one, other = (checkpoint.load(path)[0] for path in (faithful, sharp))
    checkpoint.save(
        tmp_path / "half.safetensors", {n: (t + other[n]) / 2 for n, t in one.items()}, checkpoint.about(sharp)
    )
    half = ganvas.open(tmp_path / "half.safetensors").upscale(pixels).astype(int)
    assert np.abs(ganvas.open(sharp, strength=0.5).upscale(pixels) - half).max() <= 1


def test_a_run_names_what_it_started_from(tmp_path: Path) -> None:
    from ganvas.experiment.session import train

    saved(tmp_path / "first.safetensors", small(size=16, d_width=2, d_hidden=4), start="")
    folder = tmp_path / "photos"
    folder.mkdir()
    for index in range(4):
        Image.fromarray(photo(40, 40, seed=index)).save(folder / f"{index}.png")
    system = small(size=16, d_width=2, d_hidden=4)
    from ganvas.recipe import Recipe
    from ganvas.recipe.sources import Crops

    recipe = Recipe(system=system, data=Crops(source=str(folder)), start="first.safetensors", batch_size=4, images=8)
    train(recipe, name="r")
    assert ganvas.open("runs/r", strength=0.3).upscale(photo(9, 9)).shape == (36, 36, 3)


def test_a_training_does_not_start_from_weights_that_are_no_numbers(tmp_path: Path) -> None:
    own = saved(tmp_path / "first.safetensors", small())
    tensors, about = checkpoint.load(own)
    checkpoint.save(own, {name: tensor * float("nan") for name, tensor in tensors.items()}, about)
    other = tmp_path / "other.pth"
    weights = Compact(scale=4, channels=3, width=4, blocks=1).state_dict()
    torch.save({name: tensor * float("nan") for name, tensor in weights.items()}, other)
    for path in (own, other):
        with pytest.raises(InputError, match=f"{path.name} has weights that are not numbers"):
            starting_weights(path)


def test_auto_takes_the_fastest_that_nobody_sees(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(precision, "SECONDS", 0.0)
    # On a machine without reduced precisions, the same engine under another name.
    there = precision.candidates(ganvas.open(model)._exact)
    others = there or {"bf16": lambda: replace(ganvas.open(model)._exact, name="bf16")}
    monkeypatch.setattr(precision, "candidates", lambda engine: others)
    upscaler = ganvas.open(model, precision="auto")
    assert upscaler.trials == ()
    pixels = photo(30, 40)
    upscaler.upscale(pixels)
    names = [trial.name for trial in upscaler.trials]
    assert names[0] == "fp32"
    assert upscaler.trials[0].decibels == np.inf
    best = min((t for t in upscaler.trials if t.decibels >= 50), key=lambda t: t.seconds)
    assert upscaler.last is not None
    assert upscaler.last.precision == best.name
    assert f"* {best.name}" in table(upscaler.trials)
    # The second time, what was found is taken from the cache.
    (file,) = Path(os.environ["GANVAS_CACHE"]).glob("precision.json")
    kept = json.loads(file.read_text())
    assert len(kept) == 1
    monkeypatch.setattr(precision, "_tried", lambda *_: pytest.fail("tried again"))
    again = ganvas.open(model, precision="auto")
    again.upscale(photo(1, 1))
    assert again.trials == upscaler.trials
    file.write_text("damaged")
    monkeypatch.setattr(
        precision, "_tried", lambda *_: [PrecisionTrial("fp32", 1.0, np.inf), PrecisionTrial("bf16", 0.1, 49.9)]
    )
    third = ganvas.open(model, precision="auto")
    third.upscale(pixels)
    assert third.last is not None
    assert third.last.precision == "fp32"
    file.unlink()


def test_auto_tries_nothing_where_there_is_one_precision(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "candidates", lambda engine: {})
    monkeypatch.setattr(precision, "_tried", lambda *_: pytest.fail("tried"))
    upscaler = ganvas.open(model, precision="auto")
    pixels = photo(20, 24)
    assert (upscaler.upscale(pixels) == ganvas.open(model).upscale(pixels)).all()
    assert upscaler.trials == ()


def test_bf16_stays_close(model: Path) -> None:
    exact = ganvas.open(model)._exact
    others = precision.candidates(exact)
    if "bf16" not in others:
        pytest.skip("no bf16 on this processor")
    trials = precision._tried(exact, others, ArrayRaster(photo(64, 64)))
    assert next(t for t in trials if t.name == "bf16").decibels > 50


@pytest.mark.parametrize("width", [4, 8])
def test_the_fast_way_is_the_same_but_for_rounding(width: int) -> None:
    # A width of 4 has the activation and the several pixels at the first convolution.
    network = lively(small(g_width=width, norm="none", base="bilinear", final="none").generator())
    exact, quick = (Engine(copy.deepcopy(network), 4, torch.device("cpu")) for _ in range(2))
    assert exact.graph is not None
    assert quick.graph is not None
    optimize_for_cpu(quick.graph)
    assert len(quick.graph.layers) < len(exact.graph.layers)
    assert quick.graph.context() == exact.graph.context()
    pixels = ArrayRaster(photo(40, 32))
    one, other = (torch.cat(list(Tiling(engine, pixels, rows=9).parts()), 2) for engine in (exact, quick))
    assert (one - other).abs().max() < 1e-4


BAD = {
    "unknown": ({"model": "srgan-x5"}, r"there is no srgan-x5"),
    "strength": ({"strength": 1.5}, r"--strength 1\.5 is out of range; give 0"),
    "strength-nan": ({"strength": float("nan")}, r"--strength nan is out of range; give 0"),
    "no-start": ({"strength": 0.5}, r"--strength 0\.5 needs the SRResNet that m started from, which is unknown"),
    "negative-tile": ({"tile": -1}, r"--tile -1 is negative"),
    "small-tile": ({"tile": 8}, r"--tile 8 is too small; give at least 16"),
    "device": ({"device": "cuda:99"}, r"the device 'cuda:99' is not available"),
    "no-device": ({"device": "abacus"}, r"the device 'abacus' is not available"),
    "precision": ({"precision": "int4"}, r"precision 'int4' is not available; available: fp32, auto"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_options_are_refused(model: Path, name: str) -> None:
    options, message = BAD[name]
    with pytest.raises(InputError, match=message):
        ganvas.open(**{"model": model, **options})


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
    ],
)
def test_shapes_that_are_not_images_are_refused(model: Path, image: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"is not an image; give \(H, W\)"):
        ganvas.open(model).upscale(image)


def test_other_pixels_are_refused(model: Path) -> None:
    with pytest.raises(InputError, match=r"pixels of type int64 are not supported; give uint8"):
        ganvas.open(model).upscale(np.zeros((4, 4, 3), np.int64))
    for value in (255, -1, np.nan):
        with pytest.raises(InputError, match="float pixels are outside 0 to 1; divide them"):
            ganvas.open(model).upscale(np.full((4, 4, 3), value, np.float32))
    with pytest.raises(InputError, match=r"images of mode RGBA are not supported"):
        ganvas.open(model).upscale(Image.new("RGBA", (4, 4)))


def test_damaged_models_are_refused(model: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(model.read_bytes()[:300])
    with pytest.raises(InputError, match=r"torn\.safetensors is not an intact ganvas checkpoint"):
        ganvas.open(torn)
    other = saved(tmp_path / "other.safetensors", BASE, seed=5)
    weights, about = checkpoint.load(other)
    checkpoint.save(other, weights, {**about, "system": {**about["system"], "blocks": 3}})
    with pytest.raises(InputError, match=r"do not match its system"):
        ganvas.open(other)
    start = saved(tmp_path / "wide.safetensors", small(g_width=4))
    sharp = saved(tmp_path / "sharp.safetensors", BASE, start=str(start))
    with pytest.raises(InputError, match=r"are different networks; leave --strength out"):
        ganvas.open(sharp, strength=0.5)
    assert same(weights, checkpoint.load(other)[0])
