"""Recipe values to plain data and back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ganvas.errors import InputError, nearest
from ganvas.recipe import Adam, Recipe, Schedule
from ganvas.recipe.objectives import Hinge, LeastSquares, NonSaturating, Wasserstein
from ganvas.recipe.penalties import GradientPenalty
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.serialization import difference, flatten, from_plain, to_plain
from tests.conftest import tiny

RECIPES = [
    tiny(),
    tiny("dcgan"),
    tiny(objective=Hinge()),
    tiny(objective=Wasserstein(), penalties=(GradientPenalty(weight=5.0), GradientPenalty())),
    tiny(objective=LeastSquares(fake_label=-1.0)),
    tiny(objective=NonSaturating(saturating=True)),
    tiny(adam_g=Adam(lr=Ramp(2e-4, 0.0, 1000, "cosine"), decoupled=True)),
    tiny(schedule=Schedule(d_per_g=5, freeze_g=(0, 100)), precision="bf16"),
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_round_trip(recipe: Recipe) -> None:
    plain = json.loads(json.dumps(to_plain(recipe)))
    back = from_plain(Recipe, plain)
    assert back == recipe
    assert to_plain(back) == to_plain(recipe)
    assert difference(recipe, back) == []


def test_members_of_a_union_are_told_apart() -> None:
    kinds = [type(from_plain(Recipe, to_plain(tiny(objective=o))).objective) for o in (Hinge(), Wasserstein())]
    assert kinds == [Hinge, Wasserstein]


def edited(path: str, value: Any) -> dict[str, Any]:
    plain = json.loads(json.dumps(to_plain(tiny())))
    *parents, last = path.split(".")
    part = plain
    for parent in parents:
        part = part[parent]
    part[last] = value
    return plain


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("batchsize", 1, r"unknown key 'batchsize' \(did you mean 'batch_size'\?\); known keys: system, data"),
        ("ema.halflife", 1, r"recipe\.ema has the unknown key 'halflife' \(did you mean 'half_life'\?\)"),
        ("objective.type", "Hinges", r"'Hinges' \(did you mean 'Hinge'\?\); known types: .*Hinge, LeastSquares"),
        ("objective", {}, r"recipe\.objective has the unknown type None; known types"),
        ("objective", "Hinge", r"recipe\.objective is 'Hinge'"),
        ("system.type", "GAN", "known types: .*DCGAN.*MLP"),
        ("precision", "fp16", r"recipe\.precision is 'fp16'; it must be one of 'fp32', 'bf16'"),
        ("batch_size", 64.5, r"recipe\.batch_size is 64\.5; it must be of type int"),
        ("batch_size", "64", r"recipe\.batch_size is '64'"),
        ("batch_size", True, r"recipe\.batch_size is True"),
        ("adam_g.lr", True, r"recipe\.adam_g\.lr is True"),
        ("adam_g.lr", None, r"recipe\.adam_g\.lr is None"),
        ("schedule.freeze_d", [1], r"recipe\.schedule\.freeze_d has 1 items; it must have 2"),
        ("schedule.freeze_d", 1, r"recipe\.schedule\.freeze_d is 1; it must be a list"),
        ("system.g_hidden", [8, "x"], r"recipe\.system\.g_hidden\.1 is 'x'"),
        ("batch_size", 1, "--batch-size 1 is too small"),
    ],
)
def test_what_does_not_fit_is_named(path: str, value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_plain(Recipe, edited(path, value))


def test_a_missing_key_takes_its_default_if_it_has_one() -> None:
    plain = to_plain(tiny())
    del plain["seed"]
    assert from_plain(Recipe, plain) == tiny()
    del plain["data"]
    with pytest.raises(InputError, match="missing the required key 'data'"):
        from_plain(Recipe, plain)


def test_a_whole_number_stands_for_a_float() -> None:
    adam = from_plain(Adam, {"type": "Adam", "lr": 1})
    assert adam.lr == 1.0
    assert isinstance(adam.lr, float)


def test_difference_names_each_changed_leaf() -> None:
    other = tiny(adam_d=Adam(lr=1e-4), batch_size=8, objective=Hinge())
    changed = difference(tiny(), other)
    assert "adam_d.lr: 0.0002 -> 0.0001" in changed
    assert "batch_size: 16 -> 8" in changed
    assert "objective.type: NonSaturating -> Hinge" in changed
    assert "objective.real_label: 1.0 -> (none)" in changed
    ramped = difference(tiny(), tiny(adam_g=Adam(lr=Ramp(1.0, 0.0, 5))))
    assert "adam_g.lr.start: (none) -> 1.0" in ramped


def test_flatten_gives_dotted_paths() -> None:
    leaves = dict(flatten(tiny(penalties=(GradientPenalty(),))))
    assert leaves["system.type"] == "MLP"
    assert leaves["system.g_hidden"] == [16, 32]
    assert leaves["penalties.0.weight"] == 10.0


def test_nearest() -> None:
    assert nearest("mpl", ["mlp", "dcgan"]) == " (did you mean 'mlp'?)"
    assert nearest("zzz", ["mlp", "dcgan"]) == ""
