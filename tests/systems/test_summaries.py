"""The one line about a recipe that ganvas list shows."""

from __future__ import annotations

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from ganvas.systems import Entry, entries, named_recipe

# Of both networks, forwards, over all images. On two slow CPU cores dcgan-cifar10, with 0.07e15, takes hours, and
# wgan-gp-cifar10, with 0.35e15, a day and a half.
PATIENCE = 0.2e15


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_a_recipe_that_takes_days_on_a_cpu_says_that_it_is_for_a_gpu(entry: Entry) -> None:
    recipe = named_recipe(entry.name)
    system = recipe.system
    with FakeTensorMode(), FlopCounterMode(display=False) as counter:
        system.generator()(system.inputs(2, 0))
        system.discriminator()(torch.empty(2, *system.judged_shape))
    operations = counter.get_total_flops() / 2 * recipe.images
    assert ("GPU" in entry.summary) == (operations > PATIENCE), f"{operations:.2e}: {entry.summary}"
