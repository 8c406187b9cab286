"""The 2014 perceptrons, layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganvas.errors import InputError
from ganvas.systems import named_recipe
from ganvas.systems.mlp import MLP


def widths(network: nn.Module) -> list[tuple[int, int]]:
    return [(layer.in_features, layer.out_features) for layer in network.modules() if isinstance(layer, nn.Linear)]


def test_the_generator_is_the_users() -> None:
    g = MLP().generator()
    assert widths(g) == [(100, 128), (128, 256), (256, 512), (512, 1024), (1024, 784)]
    kinds = [type(layer).__name__ for layer in g]
    block = ["Linear", "BatchNorm1d", "LeakyReLU"]
    assert kinds == ["Linear", "LeakyReLU", *block * 3, "Linear", "Tanh", "Unflatten"]
    assert {layer.negative_slope for layer in g if isinstance(layer, nn.LeakyReLU)} == {0.2}


def test_the_discriminator_is_the_users() -> None:
    d = MLP().discriminator()
    assert widths(d) == [(784, 512), (512, 256), (256, 1)]
    assert {layer.negative_slope for layer in d if isinstance(layer, nn.LeakyReLU)} == {0.2}
    assert not any(isinstance(layer, nn.BatchNorm1d | nn.Sigmoid) for layer in d)  # logits


def test_the_08_was_a_momentum() -> None:
    norms = [layer for layer in MLP().generator() if isinstance(layer, nn.BatchNorm1d)]
    assert {(norm.num_features, norm.momentum, norm.eps) for norm in norms} == {
        (256, 0.2, 1e-5),
        (512, 0.2, 1e-5),
        (1024, 0.2, 1e-5),
    }


def test_the_recipe_is_the_users() -> None:
    recipe = named_recipe("mlp-mnist")
    assert (recipe.batch_size, recipe.images, recipe.data.source) == (64, 200 * 60_000, "mnist")
    for adam in (recipe.adam_g, recipe.adam_d):
        assert (adam.lr, adam.beta1, adam.beta2) == (2e-4, 0.5, 0.999)


@pytest.mark.parametrize(("size", "channels"), [(1, 1), (7, 3), (28, 1), (64, 3)])
def test_any_size(size: int, channels: int) -> None:
    system = MLP(size=size, channels=channels, g_hidden=(8, 8), d_hidden=(8,), latent=4)
    pictures = system.generator()(torch.randn(2, 4))
    assert pictures.shape == (2, channels, size, size)
    assert system.discriminator()(pictures).shape == (2,)


@pytest.mark.parametrize(
    "fields",
    [{"size": 0}, {"channels": 2}, {"latent": 0}, {"g_hidden": ()}, {"d_hidden": (8, 0)}],
    ids=repr,
)
def test_what_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InputError, match="at least 1"):
        MLP(**fields)  # type: ignore[arg-type]
