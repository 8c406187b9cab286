"""Self-attention against its equations, place by place."""

from __future__ import annotations

import torch

from ganvas.nn.attention import Attention


def test_it_begins_as_nothing() -> None:
    x = torch.randn(2, 16, 3, 4)
    assert torch.equal(Attention(16)(x), x)


def test_every_place_sees_every_other() -> None:
    torch.manual_seed(0)
    layer, x = Attention(16), torch.randn(1, 16, 2, 3)
    torch.nn.init.constant_(layer.gain.weight, 0.7)
    f, g, h, v = (part.weight[:, :, 0, 0] for part in (layer.key, layer.query, layer.value, layer.out))
    assert f.shape == (2, 16)  # an eighth of the channels
    places = x[0].flatten(1).T
    expected = []
    for j in places:
        s = torch.stack([(f @ i) @ (g @ j) for i in places])  # eq. 1
        beta = s.exp() / s.exp().sum()
        o = v @ sum(b * (h @ i) for b, i in zip(beta, places, strict=True))  # eq. 2
        expected.append(0.7 * o + j)  # eq. 3
    torch.testing.assert_close(layer(x)[0].flatten(1).T, torch.stack(expected))


def test_it_can_be_differentiated_twice() -> None:
    torch.manual_seed(0)
    layer = Attention(4).double()
    torch.nn.init.constant_(layer.gain.weight, 0.5)
    x = torch.randn(1, 4, 2, 2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))
    assert torch.autograd.gradgradcheck(layer, (x,))
