"""Recipes that ganvas 0.1.0 wrote before its fields had their present names."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from ganvas.recipe import Schedule
from ganvas.recipe.degradations import BlindOnce
from ganvas.recipe.reconstruction import Pixel
from ganvas.recipe.serialization import to_plain
from ganvas.recipe.sources import Crops, Images, Mixture2D
from ganvas.runs.folder import RunFolder
from ganvas.systems import read_recipe, read_system
from ganvas.systems.mlp import MLP
from ganvas.systems.toy2d import Toy2DMLP
from tests.conftest import tiny

ADAM = {"type": "Adam", "lr": 0.0002, "beta1": 0.5, "beta2": 0.999, "weight_decay": 0.0, "decoupled": False}
REST: dict[str, Any] = {
    "type": "Recipe",
    "objective": {"type": "NonSaturating", "real_label": 1.0, "fake_label": 0.0, "saturating": False},
    "penalties": [],
    "content": [],
    "adversarial": 1.0,
    "start": "",
    "adam_g": ADAM,
    "adam_d": ADAM,
    "plan": {"type": "Plan", "pretrain": 0, "d_per_g": 2, "g_per_d": 1, "freeze_d": [0, 0], "freeze_g": [0, 0]},
    "ema": {"type": "EMA", "half_life": 10000, "rampup": 0.05},
    "augment": {
        "type": "Augment",
        "flip": False,
        "differentiable": 0.0,
        "policy": ["colour", "shift", "cut"],
        "tone_factor": 1.0,
        "target": 0.0,
        "adapt_over": 500000,
        "noise": 0.0,
    },
    "steering": {"type": "Steering", "mode": "advise", "treatments": 4, "every": 0},
    "batch_size": 64,
    "images": 269550,
    "seed": 0,
    "precision": "fp32",
}
PERCEPTRON = {
    "type": "MLP",
    "size": 8,
    "channels": 1,
    "latent": 8,
    "g_hidden": [8],
    "d_hidden": [8],
    "bn_momentum": 0.2,
}
PLANE = {"type": "PlaneMLP", "latent": 2, "g_hidden": [16], "d_hidden": [16]}


def test_images() -> None:
    data = {"type": "Pictures", "source": "digits", "fit": "crop", "held_out": 0.05}
    recipe = read_recipe({**REST, "system": PERCEPTRON, "data": data})
    assert recipe.data == Images(source="digits")
    assert recipe.schedule == Schedule(d_per_g=2)


def test_points() -> None:
    data = {"type": "Points", "shape": "grid", "count": 100, "std": 0.02, "held_out": 0.05}
    recipe = read_recipe({**REST, "system": PLANE, "data": data})
    assert recipe.data == Mixture2D(shape="grid", count=100)
    assert recipe.system == read_system(PLANE) == Toy2DMLP(g_hidden=(16,), d_hidden=(16,))


def test_crops_in_a_run_folder() -> None:
    low = {"type": "Blind", "blur": 1.0, "noise": 15.0, "jpeg": 40}
    data = {"type": "Crops", "source": "div2k", "low": low, "turn": True, "held_out": 0.05}
    content = [{"type": "Pixel", "weight": 1.0, "loss": "l1", "when": "pretrain"}]
    system = {"type": "SRGAN", "scale": 4, "size": 96, "channels": 3}
    Path("r").mkdir()
    Path("r/recipe.json").write_text(json.dumps({**REST, "system": system, "data": data, "content": content}))
    plain = RunFolder("r").read_recipe()
    assert plain["schedule"]["d_per_g"] == 2
    recipe = read_recipe(plain)
    assert recipe.data == Crops(source="div2k", degradation=BlindOnce(blur=1.0))
    assert recipe.reconstruction == (Pixel(loss="l1"),)


@final
@dataclass(frozen=True, kw_only=True)
class Points(MLP):
    """A class of your own with a name that ganvas once used."""


def test_a_class_of_your_own_may_have_a_former_name() -> None:
    recipe = replace(tiny(), system=Points(size=8, g_hidden=(16,), d_hidden=(16,)))
    assert read_recipe(json.loads(json.dumps(to_plain(recipe)))) == recipe
    Path("r").mkdir()
    Path("r/recipe.json").write_text(json.dumps(to_plain(recipe)))
    assert RunFolder("r").read_recipe()["system"]["type"] == "Points"
