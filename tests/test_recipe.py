"""The values that decide the weights: ramps, averages, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Recipe, Schedule
from ganvas.recipe.ramp import Ramp, at
from tests.conftest import tiny


@pytest.mark.parametrize(
    "ramp", [Ramp(2e-4, 5e-5, 20_000), Ramp(0.0, 1.0, 1), Ramp(1e-10, 3.0, 10**9, "cosine"), Ramp(-1.5, 2, 7)]
)
def test_a_ramps_text_reads_back(ramp: Ramp) -> None:
    assert Ramp.parse(str(ramp)) == ramp


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-4", 2e-4),
        ("1", 1.0),
        ("2e-4..5e-5@20000", Ramp(2e-4, 5e-5, 20_000)),
        ("1..0@10:linear", Ramp(1.0, 0.0, 10)),
        (".5..1.@8:cosine", Ramp(0.5, 1.0, 8, "cosine")),
    ],
)
def test_text_forms(text: str, value: float | Ramp) -> None:
    assert Ramp.parse(text) == value


@pytest.mark.parametrize("text", ["", "fast", "1..2", "1..2@", "1..2@x", "1..2@10:cubic", "1..2@-5"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="neither a number"):
        Ramp.parse(text)


def test_a_ramp_without_length_is_refused() -> None:
    with pytest.raises(InputError, match="at least 1 image"):
        Ramp.parse("1..2@0")


def test_values_along_a_ramp() -> None:
    linear, cosine = Ramp(2.0, 6.0, 100), Ramp(2.0, 6.0, 100, "cosine")
    for ramp in (linear, cosine):
        assert [ramp.at(i) for i in (0, 50, 100, 1000)] == pytest.approx([2, 4, 6, 6])
    assert linear.at(25) == pytest.approx(3)
    assert cosine.at(25) == pytest.approx(2 + 4 * (1 - math.cos(math.pi / 4)) / 2)
    assert at(0.5, 10**9) == 0.5
    assert at(linear, 25) == linear.at(25)


def test_ema_halves_over_its_half_life() -> None:
    ema = EMA(half_life=1000)
    late = 10**9
    assert ema.beta(late, 1000) == pytest.approx(0.5)
    assert ema.beta(late, 10) ** 100 == pytest.approx(0.5)


def test_ema_forgets_the_start() -> None:
    ema = EMA(half_life=1000, rampup=0.05)
    assert ema.beta(0, 64) == 0
    assert ema.beta(200, 10) == pytest.approx(0.5)  # a half-life of 5 % of 200
    assert ema.beta(20_000, 10) == ema.beta(10**9, 10)
    assert EMA(half_life=0).beta(10**6, 64) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(lr=-1), "learning rate .* got -1"),
        (lambda: Adam(lr=math.nan), "learning rate .* got nan"),
        (lambda: Adam(lr=Ramp(1e-4, -1e-4, 10)), "learning rate"),
        (lambda: Adam(beta1=1.0), "betas"),
        (lambda: Adam(beta2=-0.1), "betas"),
        (lambda: Adam(weight_decay=-1e-4), "weight decay"),
        (lambda: Schedule(d_per_g=0), "--schedule.d-per-g 0"),
        (lambda: Schedule(g_per_d=-1), "--schedule.g-per-d -1"),
        (lambda: Schedule(freeze_d=(5, 1)), "freeze-d 5 1"),
        (lambda: Schedule(freeze_g=(-1, 1)), "freeze-g -1 1"),
        (lambda: Schedule(freeze_d=(0, 100), freeze_g=(50, 150)), "overlap"),
        (lambda: EMA(half_life=-1), "--ema.half-life .* got -1"),
        (lambda: EMA(rampup=0), "--ema.rampup .* got 0 and 0"),
        (lambda: tiny(batch_size=1), "--batch-size 1"),
        (lambda: tiny(images=8), "--images 8"),
        (lambda: tiny(seed=-1), "--seed .* got -1"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


def test_freezing_one_after_the_other_is_fine() -> None:
    Schedule(freeze_d=(0, 100), freeze_g=(100, 200))


def test_recipes_compare_by_value() -> None:
    assert tiny() == tiny()
    assert hash(tiny()) == hash(tiny())
    assert tiny() != tiny(seed=1)
    assert isinstance(tiny(), Recipe)
