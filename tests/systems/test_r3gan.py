"""R3GAN by the paper's counts and rules."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from ganvas.errors import InputError
from ganvas.systems import named_recipe
from ganvas.systems.r3gan import R3GAN
from ganvas.systems.r3gan.networks import Block, Double, Halve

SMALL = {"size": 16, "widths": (32, 24, 16), "blocks": 1, "group": 8, "latent": 8}


def parameters(network: nn.Module) -> float:
    return sum(p.numel() for p in network.parameters()) / 1e6


@pytest.mark.parametrize(
    ("system", "g", "d"),
    [
        # Millions, as the paper counts them (Huang et al. 2024).
        (R3GAN(), 20.73, 20.68),
        (R3GAN(classes=10), 20.78, 21.28),
        (R3GAN(size=64, widths=(768, 768, 768, 768, 384)), 22.43, 22.38),
        (R3GAN(size=256, widths=(768, 768, 768, 768, 384, 192, 96)), 23.06, 23.01),
    ],
)
def test_the_published_numbers_of_parameters(system: R3GAN, g: float, d: float) -> None:
    assert round(parameters(system.generator()), 2) == g
    assert round(parameters(system.discriminator()), 2) == d


def test_shapes_with_and_without_classes() -> None:
    pictures = R3GAN(**SMALL).generator()(torch.randn(3, 8))
    assert pictures.shape == (3, 3, 16, 16)
    assert R3GAN(**SMALL).discriminator()(pictures).shape == (3,)
    system = R3GAN(**SMALL, classes=5)
    pictures = system.generator()(system.inputs(3, 0))
    assert pictures.shape == (3, 3, 16, 16)
    assert system.discriminator()(pictures).shape == (3, 5)


def test_the_class_matters_to_both() -> None:
    system = R3GAN(**SMALL, classes=3)
    torch.manual_seed(0)
    g, d = system.generator(), system.discriminator()
    one, other = (system.inputs(1, 0, [label]) for label in (0, 2))
    assert torch.equal(one[:, :8], other[:, :8])
    assert not torch.equal(g(one), g(other))
    scores = d(torch.randn(4, 3, 16, 16))
    labels = torch.tensor([0, 1, 2, 1])
    assert torch.equal(system.logits(scores, labels), torch.stack([scores[i, label] for i, label in enumerate(labels)]))


def test_the_score_of_a_class_is_the_projection_on_its_embedding() -> None:
    system = R3GAN(**SMALL, classes=3)
    d = system.discriminator()
    pictures = torch.randn(2, 3, 16, 16)
    features = d.head((d.stages(pictures) * d.basis).sum((2, 3)))
    one_hot = functional.one_hot(torch.tensor([2, 0]), 3).float()
    expected = (features * d.embed(one_hot)).sum(1)
    torch.testing.assert_close(system.logits(d(pictures), torch.tensor([2, 0])), expected)


def test_the_initialisation_is_fixups() -> None:
    torch.manual_seed(0)
    g = R3GAN(size=8, widths=(256, 256)).generator()
    blocks = [module for module in g.modules() if isinstance(module, Block)]
    assert len(blocks) == 4
    gain = math.sqrt(2 / 1.04) * 4**-0.25
    for block in blocks:
        assert block.narrow.weight.abs().max() == 0
        assert block.widen.weight.std().item() == pytest.approx(gain / math.sqrt(256), rel=0.02)
        assert block.mix.weight.std().item() == pytest.approx(gain / math.sqrt(16 * 9), rel=0.02)
        assert block.mix.bias.abs().max() == 0
    assert g.weigh.weight.std().item() == pytest.approx(1 / math.sqrt(64), rel=0.05)
    x = torch.randn(2, 256, 8, 8)
    assert torch.equal(blocks[0](x), x)  # every branch begins as nothing


def test_resampling_has_the_taps_1_3_3_1() -> None:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = (taps[:, None] * taps).expand(3, 1, 4, 4)
    x = torch.randn(2, 3, 8, 8)
    expected = functional.conv2d(functional.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, stride=2, groups=3)
    torch.testing.assert_close(Halve()(x), expected)
    inside = functional.conv_transpose2d(x, kernel * 4, stride=2, padding=1, groups=3)[..., 2:-2, 2:-2]
    torch.testing.assert_close(Double()(x)[..., 2:-2, 2:-2], inside)
    assert Double()(torch.ones(1, 1, 4, 4)).unique().item() == 1
    assert Halve()(torch.ones(1, 1, 4, 4)).unique().item() == 1
    halved = (Halve()(x.bfloat16()).float() - expected).abs().max()
    assert halved < 0.05


def test_resampling_can_be_differentiated_twice() -> None:
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(Halve(), (x,))
    assert torch.autograd.gradgradcheck(Double(), (x,))


def test_the_published_schedules() -> None:
    recipe = named_recipe("r3gan-cifar10")
    assert (recipe.adam_g.lr.at(0), recipe.adam_g.lr.at(10**9)) == pytest.approx((2e-4, 5e-5))
    assert (recipe.adam_d.beta2.at(0), recipe.adam_d.beta2.at(10**9)) == pytest.approx((0.9, 0.99))
    assert [type(p).__name__ for p in recipe.penalties] == ["R1", "R2"]
    assert all((p.gamma.at(0), p.gamma.at(10**9)) == pytest.approx((0.05, 0.005)) for p in recipe.penalties)
    assert (recipe.batch_size, recipe.adam_g.beta1, recipe.ema.half_life.at(10**9)) == (512, 0, 5_000_000)
    assert recipe.adam_g.lr.at(10_000_000) == pytest.approx((2e-4 + 5e-5) / 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"size": 33}, "r3gan at 33 px .*use --system.size 32 --system.widths 768 768 768 768"),
        ({"size": 64}, "use --system.size 64 --system.widths 768 768 768 768 384"),
        ({"size": 16}, "use --system.size 16 --system.widths 768 768 768"),
        ({"widths": ()}, "0 widths"),
        ({"size": 4, "widths": (20,)}, "groups of 16"),
        ({"channels": 2}, "--system.channels 2 must be 1"),
        ({"classes": 1}, "at least 2"),
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        R3GAN(**wrong)
