"""The descriptor of every model, and a predictor that is defined only in this file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ganvas
from ganvas import Generator, InputError, PointGenerator, Upscaler, train
from ganvas.inference import Predictor, open_as
from ganvas.inference.base import Model
from ganvas.inference.sampler import Sampler
from ganvas.recipe.batch import Batch
from ganvas.recipe.serialization import to_plain
from ganvas.recipe.system import System
from ganvas.runs import checkpoint
from tests.conftest import tiny
from tests.inference.networks import photo, saved, small


def test_a_descriptor_says_what_a_model_is(tmp_path: Path) -> None:
    train(tiny(images=16), name="images")
    train(tiny("plane", images=16), name="points")
    saved(tmp_path / "sharp.safetensors", small(), start="faithful.safetensors")
    images, points, sharp = (ganvas.open(name) for name in ("runs/images", "runs/points", "sharp.safetensors"))
    assert [type(one) for one in (images, points, sharp)] == [Generator, PointGenerator, Upscaler]
    assert [one.about.task for one in (images, points, sharp)] == ["images", "toy2d", "restoration"]
    assert [one.about.inputs for one in (images, points, sharp)] == ["noise", "noise", "image"]
    assert [one.about.network for one in (images, points, sharp)] == ["MLP", "Toy2DMLP", "SRGAN"]
    assert (images.about.name, images.about.images_seen, images.about.channels) == ("images", 16, 1)
    assert (sharp.about.scale, sharp.about.channels, sharp.about.start) == (4, 3, "faithful.safetensors")
    assert np.array_equal(images.sample(3, seed=1), images.generate(3, seed=1))
    assert np.array_equal(points.sample(3, seed=1), points.points(3, seed=1))
    assert sharp.upscale(photo(5, 6)).shape == (20, 24, 3)
    with pytest.raises(InputError, match=r"sharp\.safetensors upscales images, but a model that makes samples"):
        open_as(Sampler, "sharp.safetensors")


class _Numbers(System):
    """A network of one weight."""

    @property
    def shape(self) -> tuple[int, ...]:
        return (1,)

    def generator(self) -> nn.Module:
        return nn.Linear(1, 1, bias=False)

    def discriminator(self) -> nn.Module:
        return nn.Linear(1, 1)

    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        made: Tensor = g(batch["real"])
        return made

    def inputs(self, count: int, seed: int, labels: object = None) -> Tensor:
        return torch.ones(count, 1)


@dataclass(frozen=True)
class Doubling(_Numbers):
    """Has a predictor."""

    task = "numbers"


@dataclass(frozen=True)
class Orphan(_Numbers):
    """Has none."""

    task = "letters"


class Doubler(Predictor):
    """Uses the one."""

    task, inputs, does, use = "numbers", "text", "doubles numbers", "python"

    def __init__(self, model: Model) -> None:
        self.about, self.network = model.about, model.network

    @classmethod
    def load(cls, model: Model) -> Self:
        return cls(model)

    def double(self, number: float) -> float:
        return float(self.network(torch.tensor([float(number)])))


def test_a_predictor_is_found_by_its_task_wherever_it_stands() -> None:
    for system in (Doubling(), Orphan()):
        header = {"run": "r", "system": to_plain(system), "images": 3}
        checkpoint.save(Path(f"{system.task}.safetensors"), {"g.weight": torch.tensor([[2.0]])}, header)
    doubler = ganvas.open("numbers.safetensors")
    assert isinstance(doubler, Doubler)
    assert (doubler.double(21), doubler.about.task, doubler.images_seen) == (42, "numbers", 3)
    with pytest.raises(InputError, match=r"no predictor opens the task 'letters' \(available: .*images.*restoration"):
        ganvas.open("letters.safetensors")
