"""pix2pix: where it begins, what its critic sees, what it learns from pairs, and how a run is used."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

import ganvas
from ganvas import InputError, Watch, named_recipe, train
from ganvas.imageio.reading import open_photo
from ganvas.inference import Upscaler
from ganvas.inference.engine.precision import exact_engine
from ganvas.inference.engine.raster import ArrayRaster
from ganvas.inference.engine.tiling import Tiling
from ganvas.recipe import Adam, Augment, Recipe
from ganvas.recipe.batch import Batch
from ganvas.recipe.damage import Focal
from ganvas.recipe.serialization import to_plain
from ganvas.recipe.sources import Pairs
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.systems.pix2pix import Pix2Pix
from ganvas.systems.srgan import SRGAN
from ganvas.tasks.checks import check_restoration
from tests.conftest import ROOT, Cli, assert_refused, bundled_photographs
from tests.data.test_pairs import write_pairs
from tests.imageio.conftest import ICC, write_bad_photos
from tests.inference.networks import lively, photo

TINY = Pix2Pix().tiny()


def learning() -> Recipe:
    """A recipe that learns negatives from the pairs of `write_pairs`, and takes a second."""
    recipe = named_recipe("pix2pix")
    data = Pairs(source="before", after="after", held_out=0.25)
    system = replace(TINY, halvings=1)
    return replace(recipe, system=system, data=data, adam_g=Adam(lr=5e-3), batch_size=8, images=8 * 12)


@pytest.fixture
def run() -> RunFolder:
    """Of a generator that has begun to learn."""
    write_pairs(4)
    return train(learning(), name="r", watch=Watch(grid=(2, 4), log_every=8)).folder


def upscaler(folder: RunFolder) -> Upscaler:
    found = ganvas.open(folder.path)
    assert isinstance(found, Upscaler)
    return found


def test_the_sizes_are_those_of_the_page() -> None:
    page = (ROOT / "docs" / "systems" / "pix2pix.md").read_text()
    for part in (Pix2Pix().generator(), Pix2Pix().discriminator()):
        assert f"{sum(parameter.numel() for parameter in part.parameters()):,}" in page


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("halvings", [1, 3, 5])
def test_it_begins_where_it_changes_nothing(channels: int, halvings: int) -> None:
    system = replace(TINY, channels=channels, halvings=halvings)
    image = system.inputs(2, 0)
    assert torch.equal(system.generator()(image), image)


def test_a_flat_image_gets_no_frame() -> None:
    network = lively(replace(TINY, halvings=4).generator()).double()
    made = network(torch.full((1, 3, 32, 48), 0.3, dtype=torch.float64))
    torch.testing.assert_close(made, made[:, :, 16:17, 16:17].expand_as(made))


def test_the_critic_sees_input_and_output() -> None:
    tensors = {"input": torch.zeros(2, 3, 32, 32), "real": torch.ones(2, 3, 32, 32)}
    batch = Batch(2, torch.device("cpu"), 0, lambda: tensors)
    judged = TINY.judged(batch.real, batch)
    assert judged.shape == (2, *TINY.judged_shape)
    assert (judged[:, :3] == 0).all()
    assert (judged[:, 3:] == 1).all()
    assert TINY.discriminator()(judged).shape == (2, 2, 2)


@pytest.mark.parametrize("halvings", [1, 4])
def test_parts_equal_the_whole(halvings: int) -> None:
    network = lively(replace(TINY, halvings=halvings).generator())
    engine = exact_engine(network, 1, torch.device("cpu"))
    assert engine.exact
    assert engine.period == 2**halvings
    pixels = photo(64, 96)

    def parts(tile: int, rows: int, start: int = 0) -> Tensor:
        return torch.cat(list(Tiling(engine, ArrayRaster(pixels), tile, rows).parts(start)), 2)

    expected = parts(96, 64)
    for tile, rows in ((32, 5), (33, 64)):
        assert torch.equal(parts(tile, rows), expected), (tile, rows)
    assert torch.equal(parts(48, 7, start=61), expected[:, :, 61:])


def test_the_context_is_what_a_period_is_seen_from() -> None:
    network = lively(replace(TINY, halvings=2).generator()).double()
    context = exact_engine(network, 1, torch.device("cpu")).context
    side = 2 * context + 12
    x = torch.randn(1, 3, side, side, dtype=torch.float64)
    y = x.clone()
    y[:, :, :4] += 10  # four rows are the period
    far, near = ((network(x) != network(y))[:, :, rows].any() for rows in (slice(context + 4, None), slice(4, context)))
    assert not far
    assert near


def test_it_learns_from_pairs_and_is_used_at_any_size(run: RunFolder) -> None:
    model = upscaler(run)
    assert (model.scale, model.about.network) == (1, "Pix2Pix")
    pixels = bundled_photographs()[0][:37, :51]
    made = model.upscale(pixels)
    assert made.shape == pixels.shape
    # Colours change, though the lock is asked for; grey is no exception, since it may be coloured.
    assert np.abs(made.mean((0, 1)) - pixels.mean((0, 1))).max() > 2
    grey = pixels[..., :1].repeat(3, 2)
    coloured = model.upscale(grey)
    assert (coloured != coloured[..., :1]).any()
    assert (coloured == model.upscale(grey, colour_lock=False)).all()
    assert model.upscale(pixels[..., 0]).shape == (37, 51)
    assert model.upscale(Image.fromarray(pixels)).size == (51, 37)
    terms = [line["g/Pixel"] for line in run.read_log() if "g/Pixel" in line]
    assert terms[-1] < 0.9 * terms[0]


@pytest.fixture
def weights() -> Path:
    """A network of random weights, as a file."""
    path = Path("tiny.safetensors")
    tensors = {f"g.{name}": tensor for name, tensor in lively(TINY.generator()).state_dict().items()}
    checkpoint.save(path, tensors, {"system": to_plain(TINY), "run": "tiny", "images": 0})
    return path


def test_photos_of_every_kind_are_changed_and_bad_ones_listed(weights: Path, cli: Cli) -> None:
    Path("in").mkdir()
    bad = write_bad_photos(Path("in"))
    Image.new("RGB", (1, 1)).save("in/dot.png")
    Image.new("RGB", (40, 30)).save("in/black.jpg")
    Image.new("L", (40, 30), 90).save("in/grey.tif", icc_profile=ICC)
    done = cli("upscale", "in", "--model", str(weights), "--out", "out")
    assert done.returncode == 1
    for name, size in (("dot_changed.png", (1, 1)), ("black_changed.jpg", (40, 30)), ("grey_changed.tif", (40, 30))):
        with Image.open(f"out/{name}") as made:
            assert (made.size, made.mode) == (size, "L" if name.startswith("grey") else "RGB")
    assert "profile left out: it is for RGB" in done.stdout
    assert f"3 changed, {len(bad)} failed" in done.stdout
    for name, why in bad.items():
        line = next(line for line in done.stdout.splitlines() if line.startswith(f"  {Path('in') / name}: "))
        assert why in line, line
    assert "words.jpg could not be changed: " in done.stderr


def test_black_pairs_can_be_trained_on(cli: Cli) -> None:
    for folder in ("before", "after"):
        Path(folder).mkdir()
        for index in range(3):
            Image.new("L" if folder == "before" else "RGB", (40, 32)).save(f"{folder}/{index}.png", icc_profile=ICC)
    small = ["--system.size", "32", "--system.g-width", "4", "--system.halvings", "3", "--system.d-width", "2"]
    done = cli("train", "pix2pix", "--data", "before", "--data.after", "after", *small, "--images", "8")
    assert done.returncode == 0, done.stderr


def test_a_photo_is_changed_by_the_command(run: RunFolder, cli: Cli) -> None:
    Image.fromarray(bundled_photographs()[1][:41, :63]).save("photo.png")
    words = ["--model", str(run.path), "--out", "out", "--precision", "fp32", "--check", "--compare", "page.html"]
    done = cli("upscale", "photo.png", *words)
    assert done.returncode == 0, done.stderr
    assert "by r, ganvas" in done.stdout
    assert b"ganvas:Changed=" in (open_photo(Path("out/photo_changed.png")).metadata.xmp or b"")
    page = Path("page.html").read_text()
    assert "Changed photos" in page
    assert 'data-label="photo"' in page
    assert "bicubic" not in page
    made = np.asarray(Image.open("out/photo_changed.png"))
    assert made.shape == (41, 63, 3)
    assert (made == upscaler(run).upscale(bundled_photographs()[1][:41, :63])).mean() > 0.99
    assert_refused(cli("upscale", "photo.png", "--model", str(run.path), "--out", "x", "--scale", "2"), "upscales by 1")


def test_the_command_line_trains_resumes_and_plans(cli: Cli) -> None:
    write_pairs(4)
    data = ["--data", "before", "--data.after", "after", "--data.input", "right"]
    small = ["--system.size", "32", "--system.g-width", "4", "--system.halvings", "3", "--system.d-width", "2"]
    for images in ("8", "16"):
        done = cli("train", "pix2pix", *data, *small, "--images", images, "--watch.grid", "2", "4")
        assert done.returncode == 0, done.stderr
    assert "4 pairs of before and after" in done.stderr
    assert "ganvas upscale PHOTO --model runs/pix2pix" in done.stdout
    done = cli("plan", "pix2pix", *data, *small)
    assert done.returncode == 0, done.stderr
    assert "6 x 32 x 32" in done.stdout
    assert_refused(cli("train", "pix2pix"), "--data pairs is no folder or file of pairs; give pictures that hold two")


def test_pairs_go_with_systems_of_their_scale() -> None:
    recipe = learning()
    check_restoration(replace(recipe, system=named_recipe("repair").system))
    with pytest.raises(InputError, match=r"SRGAN enlarges by 4, and the pictures after are --data\.scale 1 times"):
        check_restoration(replace(recipe, system=SRGAN()))
    with pytest.raises(InputError, match=r"Focal needs .* which neither Pix2Pix makes nor Pairs gives"):
        check_restoration(replace(recipe, reconstruction=(Focal(),)))
    with pytest.raises(InputError, match="discriminator sees two at once; use --augment"):
        check_restoration(replace(recipe, augment=Augment(differentiable=0.5)))
    with pytest.raises(InputError, match="give it Crops or Pairs"):
        check_restoration(replace(recipe, data=named_recipe("dcgan-digits").data))


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", 100), ("size", 16), ("g_width", 0), ("d_width", 0), ("channels", 2), ("scale", 2), ("halvings", 0)],
)
def test_impossible_fields_are_refused(field: str, value: int) -> None:
    with pytest.raises(InputError, match=f"--system.{field.replace('_', '-')} {value} must be|{value} .*at least 1"):
        replace(TINY, **{field: value})  # type: ignore[arg-type]


def test_it_is_scored_on_pairs_and_not_on_originals_alone(run: RunFolder, cli: Cli) -> None:
    done = cli("evaluate", str(run.path), "--on", "after")
    assert_refused(done, "r changes images", "after has originals alone", "LRx1", "HR", "aged:after")
    Path("set").mkdir()
    Path("before").rename("set/LRx1")
    Path("after").rename("set/HR")
    done = cli("evaluate", str(run.path), "input", "--on", "set", "--json", "found.json")
    assert done.returncode == 0, done.stderr
    ours, plain = json.loads(Path("found.json").read_text())
    for name, scores in plain["pictures"].items():
        assert scores["PSNR-Y"] == ours["pictures"][name]["input PSNR-Y"] < ours["pictures"][name]["PSNR-Y"]
    assert ours["figures"][0]["protocol"]["low"] == plain["figures"][0]["protocol"]["low"] == "files of their own"
