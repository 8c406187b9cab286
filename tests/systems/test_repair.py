"""The repair of photographs: where it begins, what it composes, what each loss teaches, and what is refused."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import ganvas
from ganvas import InputError, Watch, named_recipe, train
from ganvas.inference import Repairer
from ganvas.inference.engine.raster import ArrayRaster
from ganvas.inference.super_resolution import SuperResolution
from ganvas.recipe.batch import Batch
from ganvas.recipe.damage import MASKS, Dice, Filled, Focal, Strengths, Tone, masks_of
from ganvas.recipe.degradations import Aged, Bicubic
from ganvas.recipe.reconstruction import Perceptual, Pixel, ReconstructionLoss
from ganvas.recipe.schedule import WHOLE
from ganvas.recipe.sources import Crops
from ganvas.runs.folder import RunFolder
from ganvas.systems.repair import PhotoRepair
from ganvas.systems.repair.networks import Evened, Repair, Toning, doubted, spread
from ganvas.tasks.checks import check_restoration
from tests.conftest import Cli, bundled_photographs, write_photographs

SIZES = [(1, 1), (5, 7), (33, 65), (8, 130)]
TINY = PhotoRepair().tiny()


def network(channels: int = 3) -> Repair:
    """With random weights in every layer."""
    torch.manual_seed(0)
    made = replace(TINY, channels=channels).generator().eval().requires_grad_(False)
    for parameter in made.parameters():
        parameter += 0.1 * torch.randn_like(parameter)
    assert isinstance(made, Repair)
    return made


def photo(height: int, width: int, channels: int = 3) -> Tensor:
    cut = torch.from_numpy(bundled_photographs()[0][100:, 100:][:height, :width, :channels].copy())
    return cut.permute(2, 0, 1)[None] / 127.5 - 1


def masks(image: Tensor, *, hole: float = 0.0, stain: float = 0.0) -> Tensor:
    """A hole in the upper left of an image, and a stain at its right."""
    made = image.new_zeros(len(image), 3, *image.shape[2:])
    made[:, 0, : image.shape[2] // 3, : image.shape[3] // 3] = hole
    made[:, 2, :, image.shape[3] // 2 :] = stain
    return made


def batch_of(count: int = 8, size: int = 32) -> Batch:
    wide = torch.stack([photo(size, size + 8 * i)[0, :, :, 8 * i :] for i in range(count)])
    named = Aged(absent=0.2, untouched=0.0).apply(((wide + 1) * 127.5).byte(), 1, torch.Generator().manual_seed(0))
    tensors = {**named, "input": named["input"] / 127.5 - 1, "real": wide}
    return Batch(count, torch.device("cpu"), 0, lambda: tensors)


def parameters(part: nn.Module) -> int:
    return sum(parameter.numel() for parameter in part.parameters())


def test_the_sizes_are_those_of_the_page() -> None:
    g = PhotoRepair().generator()
    assert isinstance(g, Repair)
    page = (Path(__file__).parents[2] / "docs" / "systems" / "repair.md").read_text()
    for part in (g, g.damage, g.tone, g.restorer, PhotoRepair().discriminator()):
        assert f"{parameters(part):,}" in page
    assert 2 * parameters(g) <= 8e6  # bytes of an fp16 file


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_it_begins_as_the_identity_at_any_size(size: tuple[int, int], channels: int) -> None:
    image = photo(*size, channels)
    with torch.no_grad():
        repaired = replace(TINY, channels=channels).generator()(image)
    assert repaired.shape == image.shape
    assert (repaired - image).abs().max() < 1e-6  # 120 dB


@pytest.mark.parametrize("size", SIZES)
def test_shapes_of_what_is_found(size: tuple[int, int]) -> None:
    damage, strengths = network().inspect(photo(*size).expand(2, -1, -1, -1))
    assert damage.shape == (2, 3, *size)
    assert strengths.shape == (2, len(Aged.DEFECTS))
    assert 0 <= strengths.min() <= strengths.max() <= 1


def test_what_is_left_changes_by_the_amount_and_holes_are_filled_whole() -> None:
    g, image, strengths = network(), photo(37, 41), torch.full((1, len(Aged.DEFECTS)), 0.5)
    damaged = masks(image, hole=1, stain=1)
    lost = damaged[:, :1].bool().expand_as(image)
    with torch.no_grad():
        none, half, whole = (g.repair(image, damaged, strengths, amount=amount).image for amount in (0.0, 0.5, 1.0))
    assert torch.equal(none[~lost], image[~lost])
    assert torch.allclose(half[~lost], (image + (whole - image) / 2)[~lost], atol=1e-5)
    assert (none[lost] - image[lost]).abs().mean() > 0.01


def test_an_image_without_defects_is_left_as_it_is() -> None:
    g, image = network(), photo(37, 41)
    damaged = masks(image, hole=1)
    lost = damaged[:, :1].bool().expand_as(image)
    strengths = torch.full((1, len(Aged.DEFECTS)), 0.04)
    with torch.no_grad():
        clean, mild, strong = (g.repair(image, damaged, strengths * times).image for times in (1, 2.5, 10))
    assert torch.equal(clean[~lost], image[~lost])
    assert not torch.equal(clean[lost], image[lost])
    moved = [(one - image)[~lost].abs().mean() for one in (mild, strong)]
    assert 0 < moved[0] < moved[1]


def test_damage_is_doubted_in_a_photograph_without_wear() -> None:
    logits = torch.linspace(-8, 8, 33).view(1, 1, 1, -1)
    shares = [
        float((doubted(logits, torch.full((1, len(Aged.DEFECTS)), level)) > 0).float().mean())
        for level in (0.0, 0.08, 1.0)
    ]
    assert 0 < shares[0] < shares[1] < shares[2] < 1


def test_what_a_hole_held_is_not_looked_at() -> None:
    g, image, strengths = network(), photo(37, 41), torch.zeros(1, len(Aged.DEFECTS))
    damaged = masks(image, hole=1)
    other = torch.where(damaged[:, :1] > 0, -image, image)
    with torch.no_grad():
        one, two = (g.repair(x, damaged, strengths).image for x in (image, other))
    assert torch.allclose(one, two, atol=1e-5)


def test_holes_are_spread_over_from_around() -> None:
    image = torch.full((1, 3, 9, 14), 0.25)
    left = torch.ones(1, 1, 9, 14)
    left[:, :, 2:8, 1:12] = 0
    assert torch.allclose(spread(torch.where(left > 0, image, -1.0), left), image)
    assert not spread(image, torch.zeros_like(left)).any()


def test_toning_keeps_the_order_of_tones() -> None:
    ramp = torch.linspace(-1.2, 1.2, 200).view(1, 1, 1, 200)
    random = torch.Generator().manual_seed(0)
    slopes = torch.randn(1, 1, 8, generator=random)
    zero = torch.zeros(1, 1, 1)
    nothing = Toning(torch.zeros(1, 1, 8, 8), zero, zero, torch.zeros(1, 1, 8))
    assert torch.allclose(nothing.of(ramp), ramp, atol=1e-6)
    assert (nothing._replace(slopes=slopes).of(ramp).diff() > 0).all()


@pytest.mark.parametrize(
    ("loss", "trained"),
    [
        (Focal(), "damage"),
        (Dice(), "damage"),
        (Tone(), "tone"),
        (Strengths(), "estimate"),
        (Filled(), "restorer"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_loss_falls_on_a_batch(loss: ReconstructionLoss, trained: str) -> None:
    torch.manual_seed(0)
    g, batch = TINY.generator(), batch_of()
    optimizer = torch.optim.Adam(g.parameters(), 3e-3)
    terms = []
    for _ in range(30):
        made = TINY.outputs(g, batch)
        terms.append(loss.term(made["fake"], batch.beside(made)))
        optimizer.zero_grad()
        terms[-1].backward()
        optimizer.step()
    assert terms[-1] < 0.97 * terms[0]
    parts = {name.split(".")[0] for name, p in g.named_parameters() if p.grad is not None and p.grad.any()}
    assert trained in parts
    assert loss.needs[0] not in ("damage", "toned", "estimates") or parts <= {trained, "damage"}


def test_losses_are_those_of_the_papers() -> None:
    logits = torch.tensor([[[[2.0, -1.0]]]]).expand(1, 3, 1, 2)
    one = torch.tensor([[[[1.0, 0.0]]]])
    tensors = {**dict.fromkeys(MASKS, one), "damage": logits, "real": torch.zeros(1, 3, 1, 2)}
    batch = Batch(1, torch.device("cpu"), 0, lambda: tensors)
    p = torch.tensor([2.0, 1.0]).sigmoid()
    assert Focal(gamma=2).term(logits, batch).item() == pytest.approx(float(((1 - p) ** 2 * -p.log()).mean()))
    assert Focal(gamma=0).term(logits, batch).item() == pytest.approx(float(-p.log().mean()))
    squares = float(p[0] ** 2 + (1 - p[1]) ** 2) + 1
    assert Dice(weight=2).term(logits, batch).item() == pytest.approx(2 * (1 - (2 * float(p[0]) + 1) / (squares + 1)))
    fake = torch.tensor([[[[0.5, 0.5]]]]).expand(1, 3, 1, 2)
    assert Filled(lost=6).term(fake, batch).item() == pytest.approx((6 * 0.5 + 0.5) / 2)


@pytest.mark.parametrize(("share", "told"), [(0.0, 0), (0.5, 2), (1.0, 4)])
def test_a_part_of_the_batch_is_told_its_damage(share: float, told: int) -> None:
    batch, g = batch_of(4), network()
    fake = replace(TINY, told=share).fake(g, batch)
    logits, estimates = g.inspect(batch["input"])
    found = g.repair(batch["input"], (logits > 0).float(), estimates).image
    known = g.repair(batch["input"], masks_of(batch), batch["strengths"]).image
    assert torch.allclose(fake, torch.cat([known[:told], found[told:]]), atol=1e-5)
    assert (known - found).abs().amax((1, 2, 3)).min() > 0.01


def test_tone_is_learned_alone_and_told_the_damage() -> None:
    batch, system = batch_of(4), replace(TINY, learns="tone")
    g = system.generator()
    assert isinstance(g, Repair)
    outputs = dict(system.outputs(g, batch))
    outputs["fake"].sum().backward()
    changed = {name.split(".")[0] for name, one in g.named_parameters() if one.grad is not None and one.grad.any()}
    assert changed == {"tone"}
    logits, estimates = outputs["damage"], outputs["estimates"]
    assert torch.equal((logits > 0).float(), masks_of(batch))
    assert torch.equal(estimates, batch["strengths"])


def test_features_of_unlike_scales_are_made_even() -> None:
    torch.manual_seed(0)
    evened = Evened(2)
    for _ in range(1500):
        evened(torch.randn(4, 2) * torch.tensor([0.01, 30.0]) + torch.tensor([5.0, -70.0]))
    evened.eval()
    many = evened(torch.randn(1000, 2) * torch.tensor([0.01, 30.0]) + torch.tensor([5.0, -70.0]))
    assert many.mean(0).abs().max() < 0.3
    assert (many.std(0) - 1).abs().max() < 0.3
    assert torch.isfinite(Evened(2)(torch.ones(1, 2))).all()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with contextlib.chdir(tmp_path_factory.mktemp("trained")):
        write_photographs(Path("photographs"), 3)
        recipe = replace(
            named_recipe("repair"),
            system=TINY,
            data=Crops(source="photographs", degradation=Aged()),
            schedule=ganvas.Schedule(pretrain=WHOLE),
            batch_size=2,
            images=4,
        )
        return train(recipe, name="r", watch=Watch(grid=(2, 2))).folder.path.absolute()


def repairer(run: Path) -> Repairer:
    found = ganvas.open(run)
    assert isinstance(found, Repairer)
    # A run this short has hardly left the identity.
    found.network = network()
    return found


def test_the_command_line_trains_it_and_goes_on(cli: Cli) -> None:
    write_photographs(Path("photographs"), 3)
    words = ["train", "repair", "--data", "photographs", "--batch-size", "4", "--system.size", "32"]
    words += ["--system.width", "4", "--system.damage-width", "4", "--system.d-width", "2", "--schedule.pretrain", "8"]
    done = cli(*words, "--images", "16")
    assert done.returncode == 0, done.stderr
    assert "input " in done.stdout
    assert "ganvas repair PHOTO --model runs/repair" in done.stdout
    terms = {name for line in RunFolder(Path("runs/repair")).read_log() for name in line}
    assert {f"g/{name}" for name in ("Filled", "Focal", "Dice", "Tone", "Strengths", "Perceptual")} <= terms
    assert cli(*words, "--images", "20").returncode == 0
    assert ganvas.open("runs/repair").images_seen == 20


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "grey", "L", "RGB"])
def test_a_photograph_comes_back_as_it_was_given(run: Path, kind: str) -> None:
    pixels = bundled_photographs()[1][:21, :34]
    image: Any = {
        "uint8": pixels,
        "uint16": pixels.astype(np.uint16) * 257,
        "float32": pixels.astype(np.float32) / 255,
        "grey": pixels[..., 0],
        "L": Image.fromarray(pixels[..., 0]),
        "RGB": Image.fromarray(pixels),
    }[kind]
    repaired, damage = repairer(run).repair(image)
    assert type(repaired) is type(image)
    assert np.asarray(repaired).shape == np.asarray(image).shape
    assert np.asarray(repaired).dtype == np.asarray(image).dtype
    assert (damage.shape, damage.dtype) == ((21, 34, 3), np.float32)


def test_grey_stays_grey_and_the_map_can_be_given_back(run: Path) -> None:
    model, pixels = repairer(run), bundled_photographs()[1][:21, :34]
    grey = pixels[..., :1].repeat(3, 2)
    repaired, _ = model.repair(grey)
    assert (repaired == repaired[..., :1]).all()
    repaired, damage = model.repair(pixels)
    again = model.repair(pixels, damage)
    assert (again.image == repaired).all()
    assert (again.damage == damage).all()


def test_a_mask_by_hand_wins(run: Path) -> None:
    model, pixels = repairer(run), bundled_photographs()[1][:21, :34]
    mask = np.zeros((21, 34), bool)
    mask[3:9, 5:20] = True
    repaired, damage = model.repair(pixels, mask, strength=0)
    assert (damage == np.stack([mask, 0 * mask, 0 * mask], 2)).all()
    assert (repaired[~mask] == pixels[~mask]).all()
    assert (repaired[mask] != pixels[mask]).any()
    assert (model.repair(pixels, np.zeros_like(mask), strength=0).image == pixels).all()
    for same in (mask.astype(np.uint8) * 255, Image.fromarray(mask), mask[..., None].astype(np.float64)):
        assert (model.repair(pixels, same, strength=0).image == repaired).all()


@pytest.mark.parametrize("size", [(1, 1), (7, 200), (150, 67), (203, 90)])
def test_rows_are_repaired_as_the_whole(run: Path, size: tuple[int, int]) -> None:
    model, image = repairer(run), photo(*size)
    damaged = masks(image, hole=1, stain=1)
    pixels = ((image[0].permute(1, 2, 0) + 1) / 2).numpy()
    made = model.repair(pixels, damaged[0].permute(1, 2, 0).numpy(), strength=0.7)
    with torch.no_grad():
        logits, strengths = model.network.inspect(image)  # type: ignore[operator]
        whole = model.network.repair(image, damaged, strengths, amount=0.7).image  # type: ignore[operator]
    assert np.allclose(made.image, ((whole.clamp(-1, 1) + 1) / 2)[0].permute(1, 2, 0).numpy(), atol=2e-6)
    found = doubted(logits, strengths).sigmoid()[0].permute(1, 2, 0).numpy()
    assert np.allclose(model.repair(pixels).damage, found, atol=0.01)


def test_strengths_and_tone_can_be_chosen(run: Path) -> None:
    model, pixels = repairer(run), bundled_photographs()[1][:21, :34]
    usual = model.repair(pixels).image
    assert model.toning is not None
    assert model.last is not None
    assert model.last.strengths.keys() == set(Aged.DEFECTS)
    assert (model.repair(pixels, tone=False).image != usual).any()
    assert model.toning is None
    assert (model.repair(pixels, strengths={"grain": np.float32(1), "scan_noise": 1}).image != usual).any()
    assert model.last.strengths["grain"] == 1


def test_what_cannot_be_repaired_is_refused(run: Path) -> None:
    model, pixels = repairer(run), bundled_photographs()[1][:21, :34]
    mask = np.zeros((21, 34))
    for given, message in (
        (mask[:20], "the mask has 34 x 20 pixels and the image 34 x 21"),
        (mask + 1, "covers the whole image"),
        (mask + 2, "outside 0 to 1"),
        (np.eye(21, 34, dtype=np.uint8), "so it marks nothing; give white where the image is damaged, not 1"),
        (mask * np.nan, "outside 0 to 1"),
        (mask.astype(np.int64), "masks of type int64"),
        (mask[:, :, None].repeat(2, 2), "is not a mask"),
        (Image.new("RGBA", (34, 21)), "masks of mode RGBA"),
    ):
        with pytest.raises(InputError, match=message):
            model.repair(pixels, given)
    with pytest.raises(InputError, match="images of mode RGBA"):
        model.repair(Image.new("RGBA", (4, 4)))
    with pytest.raises(InputError, match="strength 2 is out of range"):
        model.repair(pixels, strength=2)
    with pytest.raises(InputError, match=r"'grian', which is no defect \(did you mean 'grain'"):
        model.repair(pixels, strengths={"grian": 0})
    with pytest.raises(InputError, match="strengths give grain -1"):
        model.repair(pixels, strengths={"grain": -1})
    with pytest.raises(InputError, match="repairs photographs, but a model that upscales images is needed"):
        ganvas.inference.open_as(SuperResolution, run)  # type: ignore[type-abstract]


def test_a_mask_of_another_size_is_refused_before_any_work(run: Path) -> None:
    done: list[float] = []
    photograph, mask = (ArrayRaster(np.zeros(size, np.uint8)) for size in ((21, 34), (34, 21)))
    with pytest.raises(InputError, match="the mask has 21 x 34 pixels"):
        next(repairer(run).bands(photograph, mask, on_progress=done.append))
    assert not done


def test_a_black_photograph_stays_finite(run: Path) -> None:
    repaired, damage = repairer(run).repair(np.zeros((1, 1, 3), np.float32))
    assert np.isfinite(repaired).all()
    assert np.isfinite(damage).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [("size", 100), ("size", 16), ("width", 0), ("d_width", 0), ("channels", 2), ("scale", 2), ("told", 1.5)],
)
def test_impossible_fields_are_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=f"--system.{field.replace('_', '-')} {value:g} must be"):
        replace(PhotoRepair(), **{field: value})


@pytest.mark.parametrize("kind", [Focal, Dice, Filled, Tone, Strengths])
def test_negative_weights_are_refused(kind: type[Any]) -> None:
    with pytest.raises(InputError, match="weight must be a finite number of at least 0; got -1"):
        kind(weight=-1.0)
    with pytest.raises(InputError, match="gamma must be"):
        Focal(gamma=-1)


def test_losses_without_what_they_compare_are_refused(cli: Cli) -> None:
    recipe = named_recipe("repair")
    with pytest.raises(InputError, match=r"Filled needs hole, scratch, which neither .* Bicubic gives"):
        check_restoration(replace(recipe, data=Crops(source="x", degradation=Bicubic())))
    check_restoration(replace(recipe, data=Crops(source="x"), reconstruction=(Pixel(when="both"), Perceptual())))
    done = cli("train", "srresnet-x4", "--data", "x", "--reconstruction", "Focal")
    assert done.returncode == 2
    assert "Focal needs damage, hole, scratch, stain" in done.stderr
