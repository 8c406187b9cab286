"""Convolution, with and without its activation, is torch's, to the second derivative."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganvas.nn import convolution
from ganvas.nn.convolution import Convolution

SHAPES = [
    {"kernel_size": 1, "bias": False},
    {"kernel_size": 3, "padding": 1, "groups": 2},
    {"kernel_size": 4, "padding": 1, "stride": 2},
]


@pytest.mark.parametrize("slope", [1.0, 0.2])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_torchs_to_the_second_derivative(shape: dict[str, int], slope: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    ours, theirs = Convolution(4, 6, **shape, slope=slope).to(dtype), nn.Conv2d(4, 6, **shape).to(dtype)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(3, 4, 6, 6, dtype=dtype, requires_grad=True)

    def derivatives(network: nn.Module, weights: list[nn.Parameter]) -> list[Tensor]:
        y = network(x)
        (first,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        return [y, first, *torch.autograd.grad(first.square().sum() + y.sum(), [x, *weights])]

    found = derivatives(ours, list(ours.parameters()))
    expected = derivatives(nn.Sequential(theirs, nn.LeakyReLU(slope)), list(theirs.parameters()))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_against_finite_differences(shape: dict[str, int]) -> None:
    torch.manual_seed(0)
    layer = Convolution(2, 4, **shape, slope=0.2).double()
    names, weights = zip(*layer.named_parameters(), strict=True)

    def network(x: Tensor, *values: Tensor) -> Tensor:
        y: Tensor = functional_call(layer, dict(zip(names, values, strict=True)), (x,))
        return y

    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, (x, *weights))
    assert torch.autograd.gradgradcheck(network, (x, *weights))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_one_channel_with_the_channels_last_has_a_gradient_without_onednn(dtype: torch.dtype) -> None:
    layer = Convolution(8, 1, 3, padding=1).to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x = torch.randn(2, 8, 6, 6, dtype=dtype).to(memory_format=torch.channels_last)
    layer(x).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.isfinite().all()


def test_bf16_and_no_grad_compute_the_same() -> None:
    layer = Convolution(4, 6, 3, padding=1, slope=0.2)
    x = torch.randn(2, 4, 5, 5)
    with torch.no_grad():
        alone = layer(x)
    torch.testing.assert_close(alone, layer(x))
    with torch.autocast("cpu", torch.bfloat16):
        half = layer(x)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), alone, atol=0.03, rtol=0.03)


def test_bf16_on_a_processor_that_onednn_has_no_bf16_for() -> None:
    program = (
        "import torch; from ganvas.nn.convolution import Convolution\n"
        "with torch.autocast('cpu', torch.bfloat16): Convolution(4, 6, 3, slope=0.2)(torch.randn(2, 4, 5, 5))"
    )
    older = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    done = subprocess.run([sys.executable, "-c", program], env=older, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_slope_at_the_pictures_costs_no_gradients_of_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    products = convolution._products
    monkeypatch.setattr(convolution, "_products", lambda *a: (taken.append(a[-1]), products(*a))[1])
    layer, x = Convolution(2, 3, 3), torch.randn(1, 2, 5, 5, requires_grad=True)
    torch.autograd.grad(layer(x).sum(), x, create_graph=True)
    assert taken == [(True, False, False)]
    taken.clear()
    layer(x).sum().backward()
    assert taken == [(True, False, False), (False, True, True)]
