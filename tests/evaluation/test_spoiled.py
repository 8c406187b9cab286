"""ganvas evaluate MODEL --on aged:SET blind:SET: spoiled sets, and what repair does to them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas.evaluation import difference, score
from ganvas.evaluation.test_sets import Pair, find_set
from ganvas.metrics import repair_measures
from ganvas.metrics.measure import Evidence, RepairCase
from ganvas.recipe.serialization import to_plain
from ganvas.runs import checkpoint
from ganvas.systems.repair import PhotoRepair
from tests.conftest import Cli, assert_refused, bundled_photographs

DAMAGE = ("hole PSNR", "hole PSNR, masks given", "valid PSNR", "clean PSNR", "clean called damaged")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that changes nothing, and finds nothing."""
    system = PhotoRepair().tiny()
    path = tmp_path_factory.mktemp("repair") / "same.safetensors"
    tensors = {f"g.{name}": tensor for name, tensor in system.generator().state_dict().items()}
    checkpoint.save(path, tensors, {"system": to_plain(system), "run": "same", "images": 0})
    return path


@pytest.fixture
def pictures() -> str:
    Path("pictures").mkdir()
    for index, whole in enumerate(bundled_photographs()):
        Image.fromarray(whole[100:196, 200:312]).save(f"pictures/{index}.png")
    return "pictures"


def pairs(name: str, scale: int) -> list[Pair]:
    return list(find_set(name, scale))


@pytest.mark.parametrize(("word", "scale"), [("aged", 1), ("Blind", 4), ("blindonce", 4), ("aged", 2)])
def test_a_picture_is_always_spoiled_alike(word: str, scale: int, pictures: str) -> None:
    one, again = pairs(f"{word}:pictures", scale), pairs(f"{word}:pictures", scale)
    Path("pictures/0.png").unlink()
    alone = pairs(f"{word}:pictures", scale)
    assert find_set(f"{word}:pictures", scale).name == f"{word.lower()}:pictures"
    for a, b in [*zip(one, again, strict=True), (one[1], alone[0])]:
        assert (a.low == b.low).all()
        assert a.low.shape == (96 // scale, 112 // scale, 3)
        assert (a.damage is None) == (word != "aged")
        assert a.damage is None or (a.damage == b.damage).all()


def test_an_aged_picture_knows_its_damage(pictures: str) -> None:
    for pair in pairs("aged:pictures", 1):
        assert pair.damage is not None
        assert pair.damage.shape == pair.low.shape
        assert set(np.unique(pair.damage)) <= {0, 255}
    assert any(pair.damage is not None and pair.damage.any() for pair in pairs("aged:pictures", 1))


def test_the_input_and_a_model_that_changes_nothing_agree(pictures: str, weights: Path) -> None:
    (same,), (plain,) = (score(model, "aged:pictures", out="out") for model in (str(weights), "input"))
    assert plain.measures[:4] == ["PSNR-Y", "SSIM-Y", "PSNR-RGB", "SSIM-RGB"]
    assert set(DAMAGE) <= set(plain.measures)
    assert plain["clean PSNR"].value == same["clean PSNR"].value == 100
    assert plain["clean called damaged"].value == 0
    assert same["PSNR-RGB"].value == pytest.approx(plain["PSNR-RGB"].value, abs=0.01)
    assert same["hole PSNR, masks given"].value != plain["hole PSNR, masks given"].value
    assert "damage precision" not in plain.measures  # of nothing that was found
    assert "Aged with the fields" in plain.figures[0].protocol["low"]
    assert set(difference(same, plain)) >= {"PSNR-Y"}
    assert set(difference(same, plain)).isdisjoint(DAMAGE)
    for name in ("0.png", "0_damage.png", "1.png", "1_damage.png"):
        with Image.open(Path("out/aged-pictures") / name) as image:
            assert image.size == (112, 96)
    assert same.sheet.name == "ganvas-evaluate-same-aged-pictures.png"


def test_bicubic_on_spoiled_pictures_is_worse_than_on_clean_ones(pictures: str) -> None:
    clean, blind = score("bicubic", ["pictures", "blind:pictures"])
    assert blind["PSNR-Y"].value < clean["PSNR-Y"].value - 1
    assert "damage recall" not in blind.measures
    assert blind.figures[0].protocol["low"].startswith("Blind with the fields")


def case(rng: np.random.Generator, **changes: Any) -> RepairCase:
    original = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    damage = np.zeros_like(original)
    damage[:5, :, 0], damage[10, :, 1], damage[15:, :, 2] = 255, 255, 255
    fields = dict.fromkeys(("original", "result", "given", "clean"), original)
    return RepairCase(**{**fields, "damage": damage, "found": damage, "clean_found": 0 * damage, **changes})


def values(cases: list[RepairCase]) -> dict[str, float]:
    found = {}
    for one in repair_measures():
        evidence = Evidence(repairs={one.name: np.array([one.sums(each) for each in cases])})
        found |= {figure.measure: figure.value for figure in one.compute(evidence)}
    return found


def test_what_each_measure_counts() -> None:
    rng = np.random.default_rng(0)
    perfect = values([case(rng)])
    assert all(perfect[name] == 100 for name in DAMAGE[:4])
    assert perfect["damage F1"] == perfect["damage precision"] == perfect["damage recall"] == 1
    plain = case(rng, original=np.full((20, 30, 3), 100, np.uint8))
    off = plain.original.copy()
    off[:5] += 10
    worse = values([case(rng, original=plain.original, result=off, given=plain.original, clean=plain.original + 1)])
    # 150 of the 180 lost pixels are off by 10
    assert worse["hole PSNR"] == pytest.approx(10 * math.log10(255**2 / (100 * 150 / 180)))
    assert worse["valid PSNR"] == worse["hole PSNR, masks given"] == 100
    assert worse["clean PSNR"] == pytest.approx(10 * math.log10(255**2))
    half = plain.damage.copy()
    half[10, :, 1], half[12, :, 0] = 0, 255  # misses 30 pixels, and finds 30 others; stains do not count
    found = values([case(rng, found=half, clean_found=half)])
    assert found["damage precision"] == found["damage recall"] == pytest.approx(150 / 180)
    assert found["clean called damaged"] == pytest.approx(180 / 600)
    both = values([case(rng, found=half), case(rng)])
    assert both["damage F1"] == pytest.approx((150 + 180) / 360)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["input", "--on", "agd:pictures"], "there is no degradation 'agd' (did you mean 'aged'?)"),
        (["input", "--on", "aged:nowhere"], "there is no test set 'nowhere'"),
        (["input", "--on", "aged:"], "there is no test set 'aged:'"),
        (["bicubic", "--scale", "1", "--on", "blind:pictures"], "bicubic does not upscale by 1"),
        (["input", "--scale", "2", "--on", "aged:pictures"], "input stays as it is, at a scale of 1"),
    ],
)
def test_bad_input_is_refused(words: list[str], message: str, pictures: str, cli: Cli) -> None:
    assert_refused(cli("evaluate", *words), message)


def test_pictures_that_are_too_small_are_named(cli: Cli) -> None:
    Path("small").mkdir()
    Image.new("RGB", (9, 9)).save("small/a.png")
    assert_refused(cli("evaluate", "input", "--on", "aged:small"), "a of aged:small is 9 x 9 px")


def test_grey_pictures_are_spoiled_as_others() -> None:
    Path("grey").mkdir()
    Image.fromarray(bundled_photographs()[0][100:180, 100:180, 0]).save("grey/a.png")
    (pair,) = pairs("aged:grey", 1)
    assert pair.high.shape == pair.low.shape == (80, 80, 3)
