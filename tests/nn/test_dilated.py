"""Dilated convolutions keep fp32 on processors, where their gradients in bf16 are wrong."""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import nn

from ganvas import named_recipe
from ganvas.training.run import Run


def gradients(network: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    network(x).float().square().sum().backward()
    return [parameter.grad for parameter in network.parameters() if parameter.grad is not None]


def test_their_gradients_in_a_run_of_bf16_are_those_of_fp32() -> None:
    recipe = named_recipe("repair")
    # Of narrow networks, or of small images, they are right.
    run = Run(replace(recipe, precision="bf16"), torch.device("cpu"))
    dilated = run.g.damage.coarse  # type: ignore[union-attr]
    assert isinstance(dilated, nn.Module)
    plain = copy.deepcopy(dilated)
    x = torch.randn(1, 60, 40, 40)
    with run.autocast():
        # The first is not dilated, and stays in bf16.
        found = gradients(dilated[1:], dilated[:1](x).detach())  # type: ignore[index]
    expected = gradients(plain[1:], plain[:1](x).detach())  # type: ignore[index]
    for one, other in zip(found, expected, strict=True):
        assert (one - other).norm() < 0.05 * other.norm()


def test_the_names_of_the_weights_and_the_copies_stay() -> None:
    recipe = named_recipe("repair")
    tiny = replace(recipe, system=recipe.system.tiny(), precision="bf16")
    run = Run(tiny, torch.device("cpu"))
    assert run.g.state_dict().keys() == tiny.system.generator().state_dict().keys()
    assert run.ema is not None
    assert [type(part) for part in run.ema.modules()] == [type(part) for part in run.g.modules()]
