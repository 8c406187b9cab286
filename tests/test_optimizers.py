"""Optimizers as values: each is torch's own, chosen by flags, in files and from Python."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganvas.cli._flags import parse
from ganvas.diagnosis.remedies import advice
from ganvas.errors import InputError
from ganvas.recipe import SGD, Adam, Optimizer, Recipe, RMSprop
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.serialization import from_plain, to_plain
from tests.conftest import tiny

TORCH = {
    "adam": (Adam(lr=0.01), lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.5, 0.999))),
    "sgd": (
        SGD(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    "rmsprop": (
        RMSprop(lr=0.01, alpha=0.9, momentum=0.5, weight_decay=0.01),
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, momentum=0.5, weight_decay=0.01),
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_each_is_that_of_torch(name: str) -> None:
    value, theirs = TORCH[name]
    one, other = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))
    kind, options = value.torch_kind()
    ours, reference = kind([one], lr=0.0, **options), theirs([other])
    for _ in range(3):
        for parameter, optimizer in ((one, ours), (other, reference)):
            optimizer.zero_grad()
            (parameter**2).sum().backward()
            if optimizer is ours:
                optimizer.param_groups[0].update(value.settings(0))
            optimizer.step()
    assert torch.allclose(one, other)
    assert not torch.allclose(one, torch.ones(3))


def test_flags_choose_one_for_each_player() -> None:
    _, flags = parse("train", ["mlp-digits", "--adam-d", "SGD", "--adam-d.momentum", "0.5", "--adam-g", "rmsprop"])
    assert flags.recipe.adam_d == SGD(momentum=0.5)
    assert flags.recipe.adam_g == RMSprop()
    assert from_plain(Recipe, to_plain(flags.recipe)) == flags.recipe
    with pytest.raises(InputError, match=r"Adagrad.*available: Adam, SGD, RMSprop"):
        parse("train", ["mlp-digits", "--adam-d", "Adagrad"])


def test_a_ramp_moves_every_rate() -> None:
    for kind in (Adam, SGD, RMSprop):
        assert kind(lr=Ramp(1.0, 0.0, 100)).settings(50)["lr"] == 0.5


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (SGD, {"lr": -1.0}, "learning rate"),
        (SGD, {"momentum": 1.0}, "momentum"),
        (SGD, {"nesterov": True}, "Nesterov"),
        (RMSprop, {"alpha": 1.5}, "alpha"),
        (Adam, {"weight_decay": -1.0}, "weight decay"),
        (Adam, {"beta1": 1.0}, "betas"),
    ],
)
def test_what_cannot_be_is_refused(kind: type[Optimizer], fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        kind(**fields)


def test_the_remedies_of_adam_are_not_for_others() -> None:
    recipe = replace(tiny("dcgan"), adam_g=SGD(), adam_d=SGD())
    assert not any("usual rates" in line for line in advice("d-dominates", recipe, 1000))
    assert any("--adam-d.lr 0.0025" in line for line in advice("d-dominates", recipe, 1000))
