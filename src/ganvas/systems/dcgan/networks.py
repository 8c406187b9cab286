"""DCGAN's generator and discriminator."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganvas.nn.attention import Attention
from ganvas.nn.linear import Linear


def generator(
    *, latent: int, channels: int, width: int, halvings: int, kernel: int, spectral: bool, attention: int
) -> nn.Module:
    """z (B, latent) -> (B, channels, 4 * 2^halvings, the same) in [-1, 1].

    Args:
        width: channels of the last hidden layer.
        attention: side of the feature maps with self-attention; 0 is none.
    """

    def double(before: int, after: int, bias: bool) -> nn.Module:
        padding, extra = (kernel - 1) // 2, kernel % 2
        return nn.ConvTranspose2d(before, after, kernel, 2, padding, output_padding=extra, bias=bias)

    width, side = width << (halvings - 1), 4
    layers: list[nn.Module] = [Project(latent, width)]
    for _ in range(halvings - 1):
        layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True), *_attention(width, side, attention)]
        layers.append(double(width, width // 2, bias=False))
        width, side = width // 2, side * 2
    layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True), *_attention(width, side, attention)]
    layers += [double(width, channels, bias=True), nn.Tanh()]
    network = nn.Sequential(*layers).apply(_initialize)
    return _with_spectral_norm(network) if spectral else network


def discriminator(
    *,
    size: int,
    channels: int,
    width: int,
    halvings: int,
    kernel: int,
    head: Literal["conv", "pool"],
    norm: Literal["batch", "spectral", "none"],
    dropout: float,
    attention: int,
    classes: int,
    projects: bool,
) -> nn.Module:
    """(B, channels, size, size) -> logits (B,); (B, classes) with projection, (B, 1 + classes) with a classifier.

    Args:
        width: channels of the first layer.
    """

    def halve(before: int, after: int, bias: bool) -> nn.Module:
        return nn.Conv2d(before, after, kernel, stride=2, padding=(kernel - 1) // 2, bias=bias)

    def activation() -> list[nn.Module]:
        dropped = [nn.Dropout2d(dropout)] if dropout else []
        return [nn.LeakyReLU(0.2, inplace=True), *dropped]

    side = size // 2
    layers: list[nn.Module] = [halve(channels, width, bias=True), *activation()]
    layers += _attention(width, side, attention)
    for _ in range(halvings - 1 + (head == "pool")):
        layers.append(halve(width, 2 * width, bias=norm != "batch"))
        width, side = width * 2, side // 2
        if norm == "batch":
            layers.append(nn.BatchNorm2d(width))
        layers += [*activation(), *_attention(width, side, attention)]
    if head == "pool":
        layers.append(nn.AdaptiveAvgPool2d(1))
    last = 1 if head == "pool" else 4
    if classes and projects:
        layers.append(Projection(width, classes, last))
    else:
        layers.append(nn.Conv2d(width, 1 + classes, last))
    network = nn.Sequential(*layers, nn.Flatten(1 if classes else 0)).apply(_initialize)
    return _with_spectral_norm(network) if norm == "spectral" else network


class Project(Linear):
    """z (B, latent) -> (B, width, 4, 4): the paper's first transposed convolution, written as the matrix product that
    it is.

    As a convolution of a single pixel it takes oneDNN several times as long, especially in the backward pass.
    """

    def __init__(self, latent: int, width: int) -> None:
        super().__init__(latent, 4 * 4 * width, bias=False)
        self.width = width

    def forward(self, x: Tensor) -> Tensor:
        """Channels last in memory, as the following layers expect."""
        return super().forward(x).view(-1, 4, 4, self.width).permute(0, 3, 1, 2)


class Projection(nn.Module):
    """psi(phi(x)) + <e_y, phi(x)> for every class y (Miyato & Koyama 2018, arXiv:1802.05637, figure 1d).

    phi are the features (B, width, kernel, kernel), psi is shared by all classes, e_y is the class embedding.
    """

    def __init__(self, width: int, classes: int, kernel: int) -> None:
        super().__init__()
        self.shared = nn.Conv2d(width, 1, kernel)
        self.embedding = nn.Conv2d(width, classes, kernel, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, width, kernel, kernel) -> (B, classes, 1, 1)"""
        scores: Tensor = self.shared(x) + self.embedding(x)
        return scores


def _attention(width: int, side: int, wanted: int) -> list[nn.Module]:
    return [Attention(width)] if side == wanted else []


def _with_spectral_norm(network: nn.Module) -> nn.Module:
    """Miyato et al. 2018, arXiv:1802.05957, on every layer with weights except batch normalization."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            spectral_norm(layer)
    return network


def _initialize(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
