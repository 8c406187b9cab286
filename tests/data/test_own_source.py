"""A source that is defined only in this file trains, resumes and opens, without an edit in `src`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import ganvas
from ganvas import InputError, Watch, train
from ganvas.data import Dataset, count, known_count, open_data
from ganvas.recipe import Recipe
from ganvas.recipe.serialization import from_plain, to_plain
from ganvas.recipe.sources import Images, Source
from tests.conftest import same, tiny


@dataclass(frozen=True, kw_only=True)
class Stripes(Source):
    """Images of stripes."""

    period: int = 4
    number: int = 64
    held_out: float = 0.25

    @property
    def title(self) -> str:
        return f"stripes of {self.period}"


@open_data.register
def _(source: Stripes, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset:
    channels, height, width = shape
    phase = np.arange(source.number)[:, None, None] + np.arange(width)
    images = np.uint8(255) * (phase // source.period % 2).astype(np.uint8)
    images = np.broadcast_to(images[..., None], (source.number, height, width, channels)).copy()
    return Dataset(images, fingerprint=hashlib.sha256(images.tobytes()).hexdigest(), name=source.title)


@dataclass(frozen=True, kw_only=True)
class Unopened(Source):
    """Nothing opens it."""

    held_out: float = 0

    @property
    def title(self) -> str:
        return "nothing"


QUIET = Watch(sample_every=10**9, measure_every=10**9, diagnose_every=0)


def test_it_trains_resumes_and_opens() -> None:
    recipe = tiny(data=Stripes(), images=16 * 8)
    assert train(recipe, name="whole", watch=QUIET).state == "finished"
    train(replace(recipe, images=64), name="parts", watch=QUIET)
    train(recipe, name="parts", watch=QUIET)
    whole, parts = (load_file(f"runs/{name}/model.safetensors") for name in ("whole", "parts"))
    assert same(whole, parts)
    assert ganvas.open("runs/whole").generate(3).shape == (3, 8, 8, 1)


def test_its_recipe_round_trips() -> None:
    recipe = tiny(data=Stripes(period=2))
    assert from_plain(Recipe, to_plain(recipe)) == recipe


def test_it_is_counted_by_opening_it_or_by_its_own_answer() -> None:
    assert known_count(Stripes()) is None
    assert count(Stripes(), (1, 8, 8)) == 48
    assert known_count(Images(source="digits")) == 1797
    assert known_count(Images(source="folder")) is None


def test_its_share_is_checked() -> None:
    with pytest.raises(InputError, match=r"--data\.held-out must lie in .*got 0\.7"):
        Stripes(held_out=0.7)


def test_one_that_nothing_opens_says_how_to_register() -> None:
    with pytest.raises(InputError, match=r"Unopened.*open_data\.register"):
        open_data(Unopened(), (1, 8, 8))


def test_batches_are_named_tensors() -> None:
    from ganvas.data.feed import row_feed
    from ganvas.data.order import Order, Position
    from ganvas.data.transforms import Transform

    class Halves(Transform):
        """Every row and half of it."""

        def __call__(self, rows: torch.Tensor, order: Order, at: Position) -> dict[str, torch.Tensor]:
            return {"real": rows, "half": rows / 2}

    data = Dataset(np.arange(40, dtype=np.float32).reshape(10, 4), np.arange(10), tuple("abcdefghij"))
    batch = row_feed(data, Halves(), batch_size=4, seed=0, device=torch.device("cpu")).batch(0)
    label = batch.get("label")
    assert label is not None
    assert torch.equal(batch["real"][:, 0], 4.0 * label)
    assert torch.equal(batch["half"] * 2, batch["real"])
    assert batch.get("input") is None
