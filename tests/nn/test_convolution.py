"""Convolution and LeakyReLU are torch's, to the second derivative."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganvas.nn import convolution
from ganvas.nn.convolution import Convolution, LeakyReLU

SHAPES = [
    {"kernel_size": 1, "bias": False},
    {"kernel_size": 3, "padding": 1, "groups": 2},
    {"kernel_size": 4, "padding": 1, "stride": 2},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_torchs_to_the_second_derivative(shape: dict[str, int]) -> None:
    torch.manual_seed(0)
    ours, theirs = Convolution(4, 6, **shape).double(), nn.Conv2d(4, 6, **shape).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 4, 6, 6, dtype=torch.float64, requires_grad=True)

    def derivatives(network: nn.Conv2d, activation: nn.Module) -> list[Tensor]:
        y = activation(network(x))
        (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        weights = list(network.parameters())
        return [y, slope, *torch.autograd.grad(slope.square().sum() + y.sum(), [x, *weights])]

    pairs = zip(derivatives(ours, LeakyReLU(0.2)), derivatives(theirs, nn.LeakyReLU(0.2)), strict=True)
    for found, expected in pairs:
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_against_finite_differences(shape: dict[str, int]) -> None:
    torch.manual_seed(0)
    layer, activate = Convolution(2, 4, **shape).double(), LeakyReLU(0.2)
    names, weights = zip(*layer.named_parameters(), strict=True)

    def network(x: Tensor, *values: Tensor) -> Tensor:
        y: Tensor = activate(functional_call(layer, dict(zip(names, values, strict=True)), (x,)))
        return y

    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, (x, *weights))
    assert torch.autograd.gradgradcheck(network, (x, *weights))


def test_bf16_and_no_grad_compute_the_same() -> None:
    layer = Convolution(4, 6, 3, padding=1)
    x = torch.randn(2, 4, 5, 5)
    with torch.no_grad():
        alone = layer(x)
    torch.testing.assert_close(alone, layer(x))
    with torch.autocast("cpu", torch.bfloat16):
        half = layer(x)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), alone, atol=0.03, rtol=0.03)


def test_a_slope_at_the_pictures_costs_no_gradients_of_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    product = convolution._product
    monkeypatch.setattr(convolution, "_product", lambda *a: (taken.append(a[-1]), product(*a))[1])
    layer, x = Convolution(2, 3, 3), torch.randn(1, 2, 5, 5, requires_grad=True)
    torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    assert taken == [0]
    taken.clear()
    layer(x).sum().backward()
    assert taken == [0, 1]
