"""DCGAN's shapes at every size, and both published ones channel by channel."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import nn

from ganvas.errors import InputError
from ganvas.nn.attention import Attention
from ganvas.systems.dcgan import DCGAN, SIZES
from ganvas.systems.dcgan.networks import Project

Conv = nn.Conv2d | nn.ConvTranspose2d


def convolutions(network: nn.Module) -> list[nn.Conv2d | nn.ConvTranspose2d]:
    return [layer for layer in network.modules() if isinstance(layer, Conv)]


def channels(network: nn.Module) -> list[int]:
    layers = convolutions(network)
    return [layers[0].in_channels, *(layer.out_channels for layer in layers)]


def sides(network: nn.Module, given: torch.Tensor) -> list[int]:
    found = []
    for layer in convolutions(network):
        layer.register_forward_hook(lambda _, __, output: found.append(output.shape[-1]))
    network(given)
    return found


def geometry(layers: list[nn.Conv2d | nn.ConvTranspose2d]) -> set[tuple[int, int, int]]:
    return {(int(layer.kernel_size[0]), int(layer.stride[0]), int(layer.padding[0])) for layer in layers}


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_the_published_shape_with_kernel_4() -> None:
    system = DCGAN(size=128, head="pool")
    g, d = system.generator(), system.discriminator()
    assert (g[0].in_features, g[0].width) == (100, 1024)
    assert channels(g) == [1024, 512, 256, 128, 64, 3]
    assert channels(d) == [3, 64, 128, 256, 512, 1024, 2048, 1]
    assert geometry(convolutions(g)) == geometry(convolutions(d)[:-1]) == {(4, 2, 1)}
    assert geometry(convolutions(d)[-1:]) == {(1, 1, 0)}
    assert any(isinstance(layer, nn.AdaptiveAvgPool2d) for layer in d)
    assert sides(g, torch.randn(2, 100)) == [8, 16, 32, 64, 128]
    assert sides(d, torch.randn(2, 3, 128, 128)) == [64, 32, 16, 8, 4, 2, 1]


def test_the_published_shape_with_kernel_5() -> None:
    system = DCGAN(size=128, kernel=5)
    g, d = system.generator(), system.discriminator()
    assert (g[0].in_features, g[0].width) == (100, 1024)
    assert channels(g) == [1024, 512, 256, 128, 64, 3]
    assert channels(d) == [3, 64, 128, 256, 512, 1024, 1]
    assert geometry(convolutions(g)) == geometry(convolutions(d)[:-1]) == {(5, 2, 2)}
    assert geometry(convolutions(d)[-1:]) == {(4, 1, 0)}  # over the remaining 4x4 at once
    assert sides(g, torch.randn(2, 100)) == [8, 16, 32, 64, 128]
    assert sides(d, torch.randn(2, 3, 128, 128)) == [64, 32, 16, 8, 4, 1]


def test_parameters_by_hand() -> None:
    # The well-known count of the 64 px generator, and of the discriminator with biases in its first and last layer.
    g = 16 * (100 * 512 + 512 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 3 + 2 * (512 + 256 + 128 + 64)
    d = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512) + 64 + 1 + 2 * (128 + 256 + 512)
    assert parameters(DCGAN().generator()) == g
    assert parameters(DCGAN().discriminator()) == d


@pytest.mark.parametrize("kernel", [4, 5])
@pytest.mark.parametrize("head", ["conv", "pool"])
@pytest.mark.parametrize("size", SIZES)
def test_every_size_fits(size: int, head: str, kernel: int) -> None:
    system = DCGAN(size=size, channels=1, latent=5, g_width=1, d_width=1, head=head, kernel=kernel)  # type: ignore[arg-type]
    g, d = system.generator(), system.discriminator()
    pictures = g(torch.randn(2, 5))
    assert pictures.shape == (2, 1, size, size)
    assert pictures.abs().max() <= 1
    assert d(pictures).shape == (2,)
    assert channels(d)[1:-1] == [2**i for i in range(len(channels(d)) - 2)]


@pytest.mark.parametrize("norm", ["batch", "spectral", "none"])
def test_no_bias_before_batch_norm(norm: str) -> None:
    system = DCGAN(size=32, d_norm=norm)  # type: ignore[arg-type]
    for network in (system.generator(), system.discriminator()):
        for layer, following in pairwise(network):
            if isinstance(layer, Conv):
                assert (layer.bias is None) == isinstance(following, nn.BatchNorm2d)


def test_where_batch_norm_stands() -> None:
    g, d = (list(n) for n in (DCGAN(size=32).generator(), DCGAN(size=32).discriminator()))
    assert isinstance(g[-1], nn.Tanh)
    assert not isinstance(g[-2], nn.BatchNorm2d)  # not on the picture
    assert not isinstance(d[1], nn.BatchNorm2d)  # not on what sees the picture
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in g) == 3
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in d) == 2
    assert {type(layer) for layer in g if "ReLU" in type(layer).__name__} == {nn.ReLU}
    assert {layer.negative_slope for layer in d if isinstance(layer, nn.LeakyReLU)} == {0.2}


def test_initial_weights() -> None:
    torch.manual_seed(0)
    for network in (DCGAN().generator(), DCGAN().discriminator()):
        for layer in network.modules():
            if isinstance(layer, Conv):
                assert layer.weight.mean().item() == pytest.approx(0, abs=1e-3)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05)
                assert layer.bias is None or not layer.bias.any()
            elif isinstance(layer, nn.BatchNorm2d):
                assert layer.weight.mean().item() == pytest.approx(1, abs=0.01)
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.35)
                assert not layer.bias.any()


def test_spectral_norm_bounds_every_layer() -> None:
    d = DCGAN(size=16, d_width=8, d_norm="spectral").discriminator()
    for _ in range(30):
        d(torch.randn(2, 3, 16, 16))  # each pass in training mode is one step of the power iteration
    for layer in convolutions(d):
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, rel=0.05)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in d.modules())


def test_dropout_stands_after_every_activation() -> None:
    d = list(DCGAN(size=16, d_dropout=0.25).discriminator())
    after = [following for layer, following in pairwise(d) if isinstance(layer, nn.LeakyReLU)]
    assert after
    assert all(isinstance(layer, nn.Dropout2d) and layer.p == 0.25 for layer in after)
    assert not any(isinstance(layer, nn.Dropout2d) for layer in DCGAN().discriminator())


@pytest.mark.parametrize(("size", "mend"), [(48, 32), (100, 128), (8, 16), (512, 256), (0, 16)])
def test_other_sizes_are_refused_with_the_mend(size: int, mend: int) -> None:
    with pytest.raises(InputError, match=rf"--system\.size {size} .*16, 32, 64, 128, 256.*--system\.size {mend}\."):
        DCGAN(size=size)


@pytest.mark.parametrize(
    "fields", [{"channels": 2}, {"latent": 0}, {"g_width": 0}, {"d_dropout": 1.0}, {"d_dropout": -0.1}], ids=repr
)
def test_what_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InputError):
        DCGAN(**fields)  # type: ignore[arg-type]


def test_the_projection_is_the_transposed_convolution_of_one_pixel() -> None:
    z = torch.randn(3, 7)
    project = Project(7, 5)
    convolution = nn.ConvTranspose2d(7, 5, 4, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(project.weight.view(4, 4, 5, 7).permute(3, 2, 0, 1))
    torch.testing.assert_close(project(z), convolution(z[:, :, None, None]))


def test_fields_left_alone_change_no_weight() -> None:
    # Model files of before there were classes still open.
    keys = [f"{i}.weight" for i in (0, 1, 3, 4, 6)]
    g, d = (n.state_dict() for n in (DCGAN(size=16).generator(), DCGAN(size=16, d_norm="none").discriminator()))
    assert [key for key in g if key.endswith("weight")] == keys
    assert list(d) == [f"{i}.{kind}" for i in (0, 2, 4) for kind in ("weight", "bias")]


def conditional(**fields: object) -> DCGAN:
    return DCGAN(**({"size": 16, "channels": 1, "latent": 5, "g_width": 4, "d_width": 4, "classes": 3} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("head", ["conv", "pool"])
def test_projection_adds_the_product_with_the_class_s_embedding(head: str) -> None:
    system = conditional(head=head, d_norm="none")
    d, x = system.discriminator(), torch.randn(4, 1, 16, 16)
    features = d[:-2](x).flatten(1)
    labels = torch.tensor([0, 2, 1, 2])
    shared, embedding = d[-2].shared, d[-2].embedding.weight.flatten(1)
    psi = features @ shared.weight.flatten(1).T + shared.bias
    expected = psi[:, 0] + (features * embedding[labels]).sum(1)
    torch.testing.assert_close(system.logits(d(x), labels), expected)
    assert system.class_logits(d(x)) is None


def test_the_classifier_names_the_class_beside_the_score() -> None:
    system = conditional(conditioning="classifier")
    scores = system.discriminator()(torch.randn(4, 1, 16, 16))
    assert scores.shape == (4, 4)
    assert torch.equal(system.logits(scores, torch.tensor([0, 1, 2, 0])), scores[:, 0])
    guessed = system.class_logits(scores)
    assert guessed is not None
    assert torch.equal(guessed, scores[:, 1:])


def test_the_class_changes_the_picture() -> None:
    system = conditional()
    inputs = torch.cat([system.inputs(1, 0, [label]) for label in range(3)])
    assert inputs.shape == (3, 8)
    assert system.labels_of(inputs).tolist() == [0, 1, 2]  # type: ignore[union-attr]
    made = system.generator().eval()(inputs)
    assert not torch.equal(made[0], made[1])
    assert system.inputs(5, 0)[:, 5:].argmax(1).tolist() == [0, 1, 2, 0, 1]


def test_attention_stands_at_the_maps_of_its_side() -> None:
    for side in (4, 8, 16):
        system = DCGAN(size=32, g_width=8, d_width=8, attention=side)
        for network, given in ((system.generator(), system.inputs(2, 0)), (system.discriminator(), None)):
            found: list[int] = []
            (layer,) = (layer for layer in network.modules() if isinstance(layer, Attention))
            layer.register_forward_pre_hook(lambda _, given, found=found: found.append(given[0].shape[-1]))
            network(torch.randn(2, 3, 32, 32) if given is None else given)
            assert found == [side]


def test_spectral_norm_of_the_generator_leaves_batch_norm() -> None:
    g = conditional(g_spectral=True, attention=8).generator()
    normed = [layer for layer in g.modules() if hasattr(layer, "parametrizations")]
    assert len(normed) == 1 + 2 + 4  # z, two doublings, attention's four
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in g.modules())


def test_everything_can_be_differentiated_twice() -> None:
    system = conditional(d_norm="spectral", attention=8)
    d, x = system.discriminator(), torch.randn(3, 1, 16, 16, requires_grad=True)
    logits = system.logits(d(x), torch.arange(3))
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    slope.square().sum().backward()
    reached = {name for name, p in d.named_parameters() if p.grad is not None and p.grad.any()}
    assert any("embedding" in name for name in reached)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"attention": 16}, r"--system\.attention 16 .* 16 px dcgan; use one of 4, 8, or 0"),
        ({"attention": 5}, r"--system\.attention 5 is not the side of a feature map"),
        ({"classes": 1}, r"--system\.classes .* got 1"),
        ({"classes": -2}, r"--system\.classes .* got -2"),
    ],
)
def test_classes_and_attention_that_cannot_be_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        conditional(**fields)
