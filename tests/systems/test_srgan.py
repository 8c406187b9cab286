"""SRGAN's shapes and sizes, its strategies as phases, and that pretraining and the game train what they should."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import ganvas
from ganvas.errors import InputError
from ganvas.experiment import train
from ganvas.observers.watch import Watch
from ganvas.recipe import WHOLE, Adam, Augment, Recipe, Schedule, Steering
from ganvas.recipe.batch import Batch
from ganvas.recipe.reconstruction import Perceptual, Pixel
from ganvas.recipe.sources import Crops, Images
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.systems import named_recipe
from ganvas.systems.dcgan import DCGAN
from ganvas.systems.srgan import EPOCH, SRGAN
from ganvas.training.phases import phases
from ganvas.training.run import Run
from tests.conftest import enlarging, same, write_photographs

QUIET = Watch(checkpoint_seconds=1e9)
STRATEGIES = ("srgan-g1d1", "srgan-pretrain", "srresnet", "srresnet-g1d2")


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_papers_generator_has_1_549_462_parameters() -> None:
    assert parameters(SRGAN().generator()) == 1_549_462


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("norm", ["batch", "none"])
def test_the_generator_enlarges_any_picture(scale: int, norm: str) -> None:
    system = SRGAN(scale=scale, g_width=8, blocks=1, norm=norm, padding="reflect")  # type: ignore[arg-type]
    made = system.generator()(torch.rand(1, 3, 11, 17))
    assert made.shape == (1, 3, 11 * scale, 17 * scale)
    assert made.abs().max() <= 1


def test_with_a_base_the_first_output_is_the_bilinear_one() -> None:
    system = SRGAN(g_width=8, blocks=2, norm="none", base="bilinear", final="none")
    low = torch.rand(2, 3, 9, 7)
    bilinear = nn.functional.interpolate(low, scale_factor=4, mode="bilinear")
    torch.testing.assert_close(system.generator()(low), bilinear)


def test_the_discriminator_is_the_papers() -> None:
    d = SRGAN().discriminator()
    layers = [layer for layer in d if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in layers] == [64, 64, 128, 128, 256, 256, 512, 512]
    assert [layer.stride[0] for layer in layers] == [1, 2] * 4
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in d) == 7
    assert [layer.out_features for layer in d if isinstance(layer, nn.Linear)] == [1024, 1]


@pytest.mark.parametrize("side", [24, 96, 100, 128])
def test_the_discriminator_judges_crops_of_any_size(side: int) -> None:
    assert SRGAN(d_width=4, d_hidden=8).discriminator()(torch.rand(2, 3, side, side)).shape == (2,)


def moves(recipe: Recipe, images: int) -> list[tuple[str, int]]:
    return [(phase.player, phase.repeat) for phase in phases(recipe) if phase.active(images)]


def test_the_four_strategies_have_one_budget_and_their_own_order() -> None:
    g, d = ("g", 1), ("d", 1)
    early, late = 0, 10 * EPOCH
    recipes = {name: named_recipe(name) for name in STRATEGIES}
    assert {recipe.images for recipe in recipes.values()} == {20 * EPOCH}
    rates = [recipe.adam_g.lr.at(at) for recipe in recipes.values() for at in (early, late - 1, late)]  # type: ignore[union-attr]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-5] * 4)
    order = {name: (moves(recipe, early), moves(recipe, late)) for name, recipe in recipes.items()}
    assert order == {
        "srgan-g1d1": ([d, g], [d, g]),
        "srgan-pretrain": ([g], [d, g]),
        "srresnet": ([g], [d, g]),
        "srresnet-g1d2": ([g], [("d", 2), g]),
    }


def test_a_run_that_is_all_pretraining_never_plays() -> None:
    recipe = named_recipe("srresnet-x4")
    assert recipe.schedule.pretrain == WHOLE
    assert moves(recipe, 0) == moves(recipe, recipe.images - 1) == [("g", 1)]


def test_pretraining_leaves_the_discriminator_alone_and_learns(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 4)
    recipe = enlarging(
        tmp_path / "p", schedule=Schedule(pretrain=WHOLE), images=8 * 40, adam_g=Adam(lr=2e-3, beta1=0.9)
    )
    train(recipe, name="r", watch=Watch(checkpoint_seconds=1e9, log_every=8, measure_every=160))
    log = RunFolder(Path("runs/r")).read_log()
    losses = [line["g/Pixel"] for line in log if "g/Pixel" in line]
    assert not any("d/adversarial" in line for line in log)
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    protocols = [figures[0].protocol for figures in map(figures_of, log) if figures]
    assert protocols == [{"crops": 1, "split": "held-out", "ganvas": ganvas.__version__}] * 2
    tensors = checkpoint.load(max(Path("runs/r/checkpoints").glob("[0-9]*.safetensors")))[0]
    fresh = {f"d.{name}": t for name, t in Run(recipe, torch.device("cpu")).d.state_dict().items()}
    assert same({n: t for n, t in tensors.items() if n.startswith("d.")}, fresh)


def test_the_game_has_both_terms_and_counts_from_the_end_of_pretraining(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 4)
    train(enlarging(tmp_path / "p", images=8 * 6), name="r", watch=Watch(log_every=8))
    lines = [line for line in RunFolder(Path("runs/r")).read_log() if any(key.startswith("g/") for key in line)]
    before = [line for line in lines if line["images"] <= 24]
    after = [line for line in lines if line["images"] > 24]
    assert all("g/Pixel" in line and "d/adversarial" not in line for line in before)
    assert all({"d/adversarial", "g/adversarial", "g/Perceptual"} <= line.keys() for line in after)
    assert before
    assert after


def test_a_run_begins_at_the_weights_of_another(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 4)
    recipe = enlarging(tmp_path / "p", schedule=Schedule(pretrain=WHOLE), images=8 * 3)
    train(recipe, name="first", watch=QUIET)
    second = replace(recipe, start="runs/first", adam_g=Adam(lr=0.0), images=8)
    train(second, name="second", watch=QUIET)
    first, begun = (checkpoint.load(Path(f"runs/{name}/model.safetensors"))[0] for name in ("first", "second"))
    weights = [name for name in first if "running" not in name and "num_batches" not in name]  # these move all the same
    assert same({name: first[name] for name in weights}, {name: begun[name] for name in weights})
    events = RunFolder(Path("runs/second")).read_events()
    assert [event["run"] for event in events if event["event"] == "began-at"] == ["first"]


def test_a_start_of_another_shape_is_refused(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 4)
    recipe = enlarging(tmp_path / "p", schedule=Schedule(pretrain=WHOLE), images=8)
    train(recipe, name="first", watch=QUIET)
    other = replace(recipe, start="runs/first", system=replace(recipe.system, blocks=2, d_dropout=0.1))  # type: ignore[type-var]
    message = (
        rf"generator \(blocks: {recipe.system.blocks} -> 2\); use --system.blocks {recipe.system.blocks}, or start"  # type: ignore[attr-defined]
    )
    with pytest.raises(InputError, match=message):
        train(other, name="second", watch=QUIET)
    with pytest.raises(InputError, match="there is no nowhere"):
        train(replace(recipe, start="nowhere"), name="third", watch=QUIET)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"size": 50}, "multiple of the scale"),
        ({"size": 16, "scale": 8}, "at least 24"),
        ({"size": 16, "padding": "reflect"}, "too small to reflect 4 px"),
        ({"kernel": 4}, "must be odd"),
        ({"channels": 2}, "--system.channels 2 must be 1"),
        ({"d_dropout": 1.0}, "below 1"),
    ],
)
def test_impossible_networks_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SRGAN(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": Images(source="digits")}, "learns from crops"),
        ({"reconstruction": ()}, "no reconstruction loss to train on"),
        ({"adversarial": -1.0}, "must be a finite weight"),
        ({"images": 16}, "longer than the run"),
        ({"augment": Augment(flip=True)}, "mirrored by --data.turn"),
        ({"schedule": Schedule(pretrain=24, freeze_g=(16, 32))}, "only player that trains"),
        ({"schedule": Schedule(pretrain=WHOLE, freeze_g=(16, 32))}, "only player that trains"),
        ({"steering": Steering(mode="treat")}, "begin at noise"),
        ({"system": DCGAN(size=16)}, "no original to be compared with"),
        (
            {"schedule": Schedule(), "reconstruction": (Perceptual(layer=(9, 9), extractor="efficientnet-lite0"),)},
            r"no layer \(9, 9\)",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    write_photographs(tmp_path / "p", 4)
    with pytest.raises(InputError, match=message):
        train(enlarging(tmp_path / "p", **changes), name="r", watch=QUIET)
    assert not Path("runs").exists()


def test_pixel_terms_against_their_closed_forms() -> None:
    a, b = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)
    batch = Batch(2, torch.device("cpu"), 0, lambda: {"real": b})
    assert Pixel(loss="l1", weight=2).term(a, batch).item() == pytest.approx(1.0)
    assert Pixel(loss="mse").term(a, batch).item() == pytest.approx(0.25)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("kind", [Pixel, Perceptual])
def test_terms_that_would_push_fakes_away_are_refused(kind: type[Pixel | Perceptual], weight: float) -> None:
    with pytest.raises(InputError, match="must be a finite number of at least 0"):
        kind(weight=weight)


def test_data_given_as_crops_only_fit_a_system_that_enlarges() -> None:
    with pytest.raises(InputError, match="no original"):
        train(replace(named_recipe("dcgan-digits"), data=Crops(source="x")), name="r")
