"""The fast linear layer equals torch's, to the second derivative."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganvas.nn.linear import Linear


def pair(bias: bool = True) -> tuple[nn.Linear, nn.Linear]:
    torch.manual_seed(0)
    ours, theirs = Linear(7, 5, bias=bias), nn.Linear(7, 5, bias=bias)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3, 7), (1, 7), (2, 3, 7)])
def test_values_and_gradients(shape: tuple[int, ...], bias: bool) -> None:
    ours, theirs = pair(bias)
    x = torch.randn(shape)
    if len(shape) > 2:
        torch.testing.assert_close(ours(x), theirs(x))
        return
    results = []
    for layer in (ours, theirs):
        given = x.clone().requires_grad_()
        value = layer(given).tanh().square().sum()
        results.append((layer(given), *torch.autograd.grad(value, [given, *layer.parameters()])))
    torch.testing.assert_close(results[0], results[1])


def test_second_derivatives() -> None:
    x = torch.randn(4, 7)
    results = []
    for layer in pair():
        given = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(layer(given).tanh().sum(), given, create_graph=True)
        results.append(torch.autograd.grad(slope.norm(), [given, *layer.parameters()]))
    torch.testing.assert_close(results[0], results[1])


def test_other_types_take_torchs_way() -> None:
    ours, theirs = pair()
    x = torch.randn(3, 7)
    torch.testing.assert_close(ours.double()(x.double()), theirs.double()(x.double()))
    ours, theirs = ours.float(), theirs.float()
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(x).dtype == torch.bfloat16
        torch.testing.assert_close(ours(x), theirs(x))


def test_an_empty_batch() -> None:
    ours, _ = pair()
    assert ours(torch.empty(0, 7)).shape == (0, 5)
