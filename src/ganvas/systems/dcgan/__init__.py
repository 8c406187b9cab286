"""DCGAN: strided convolutions that double and halve the image, for any power of two from 16 to 256 px.

Paper: Radford et al. 2016, Unsupervised Representation Learning with DCGANs, arXiv:1511.06434

Weights are initialized from N(0, 0.02), those of batch normalization from N(1, 0.02); layers followed by batch
normalization have no bias. The generator uses ReLU and Tanh, the discriminator leaky ReLU with slope 0.2. The number of
layers follows from the size, and the channels double with every halving.

Beyond the paper, as fields: class conditioning, by one-hot classes appended to z in the generator and by projection or
an auxiliary classifier in the discriminator; spectral norm; and the self-attention of Zhang et al. 2019 (SAGAN,
arXiv:1805.08318).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Augment, Recipe, Schedule
from ganvas.recipe.objectives import Hinge, NonSaturating, Relativistic, Wasserstein
from ganvas.recipe.penalties import R1, R2, GradientPenalty
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.sources import Images
from ganvas.recipe.system import Synthesis

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor, nn

SIZES = (16, 32, 64, 128, 256)
DIGITS = 125 * 1_797  # images of dcgan-digits
STACKS = 4 * 121_600  # images of dcgan-stacked-mnist


@final
@dataclass(frozen=True, kw_only=True)
class DCGAN(Synthesis):
    """Strided convolutions down to 4x4 and, mirrored, up from 4x4."""

    size: int = 64
    """Side of the square images in pixels: 16, 32, 64, 128 or 256."""
    channels: int = 3
    """1 for grey, 3 for RGB."""
    latent: int = 100
    """Length of the noise vector z."""
    g_width: int = 64
    """Channels of the generator's last hidden layer; doubled at every stage towards 4x4."""
    d_width: int = 64
    """Channels of the discriminator's first layer; doubled with every halving."""
    kernel: Literal[4, 5] = 4
    """Side of the strided kernels: 4 with padding 1, or the paper's 5 with padding 2."""
    head: Literal["conv", "pool"] = "conv"
    """Head of the discriminator: a 4x4 convolution, or one more halving, average pooling and a 1x1 convolution."""
    d_norm: Literal["batch", "spectral", "none"] = "batch"
    """Normalization in the discriminator: batch normalization, spectral norm (Miyato et al. 2018) or none."""
    d_dropout: float = 0.0
    """Channel dropout after each of the discriminator's activations."""
    g_spectral: bool = False
    """Spectral norm in the generator too, in addition to batch normalization (Zhang et al. 2019, section 4)."""
    attention: int = 0
    """Side of the feature maps with self-attention, in both networks (4, 8, .. size / 2); 0 is none."""
    classes: int = 0
    """Number of classes that condition both networks; 0 is unconditional."""
    conditioning: Literal["projection", "classifier"] = "projection"
    """Conditioning of D: projection (Miyato & Koyama 2018), or auxiliary classifier (AC-GAN, Odena et al. 2017)."""

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            near = min(SIZES, key=lambda s: abs(s - self.size))
            raise InputError(
                f"--system.size {self.size} is not supported by dcgan, which halves the image down to 4x4; use one of"
                f" {', '.join(map(str, SIZES))}, the nearest being --system.size {near}."
            )
        if self.channels not in (1, 3) or min(self.latent, self.g_width, self.d_width) < 1:
            raise InputError(
                f"--system.channels {self.channels} must be 1 (grey) or 3 (RGB), and --system.latent {self.latent},"
                f" --system.g-width {self.g_width} and --system.d-width {self.d_width} at least 1."
            )
        if not 0 <= self.d_dropout < 1:
            raise InputError(
                f"--system.d-dropout must be at least 0 (off) and below 1, such as 0.25; got {self.d_dropout}."
            )
        sides = [self.size >> halvings for halvings in range(self._halvings, 0, -1)]
        if self.attention not in (0, *sides):
            raise InputError(
                f"--system.attention {self.attention} is not the side of a feature map of a {self.size} px dcgan; use"
                f" one of {', '.join(map(str, sides))}, or 0 for none."
            )
        if self.classes < 0 or self.classes == 1:
            raise InputError(f"--system.classes must be at least 2, or 0 for none; got {self.classes}.")

    def tiny(self) -> Self:
        """Narrow and grey, at most 32 px."""
        return replace(self, size=min(self.size, 32), channels=1, g_width=2, d_width=2)

    def generator(self) -> nn.Module:
        """z with the one-hot class (B, latent + classes) -> (B, channels, size, size) in [-1, 1]."""
        from ganvas.systems.dcgan.networks import generator

        return generator(
            latent=self.latent + self.classes,
            channels=self.channels,
            width=self.g_width,
            halvings=self._halvings,
            kernel=self.kernel,
            spectral=self.g_spectral,
            attention=self.attention,
        )

    def discriminator(self) -> nn.Module:
        """(B, channels, size, size) -> logits (B,); with projection (B, classes), one for each possible class; with an
        auxiliary classifier (B, 1 + classes), the logit followed by those of the classes.
        """
        from ganvas.systems.dcgan.networks import discriminator

        return discriminator(
            size=self.size,
            channels=self.channels,
            width=self.d_width,
            halvings=self._halvings,
            kernel=self.kernel,
            head=self.head,
            norm=self.d_norm,
            dropout=self.d_dropout,
            attention=self.attention,
            classes=self.classes,
            projects=self.conditioning == "projection",
        )

    def logits(self, scores: Tensor, labels: Tensor | None) -> Tensor:
        """The logit of the given class, or the first one with an auxiliary classifier."""
        if self.classes and self.conditioning == "classifier":
            return scores[:, 0]
        return super().logits(scores, labels)

    def class_logits(self, scores: Tensor) -> Tensor | None:
        """The logits (B, classes) of an auxiliary classifier."""
        return scores[:, 1:] if self.classes and self.conditioning == "classifier" else None

    @property
    def _halvings(self) -> int:
        return self.size.bit_length() - 3  # from size to 4x4


def dcgan_digits() -> Recipe:
    """scikit-learn's 1,797 handwritten digits at 16 px; bundled, trains in a minute or two"""
    # Few images soon teach D to tell them by their smoothness; noise leaves it the shapes, and a third halving before
    # its head lets it judge them as a whole.
    rate = Ramp(1e-3, 2e-5, DIGITS, "cosine")
    return Recipe(
        system=DCGAN(size=16, channels=1, latent=12, g_width=32, d_width=32, head="pool"),
        data=Images(source="digits"),
        adam_g=Adam(lr=rate),
        adam_d=Adam(lr=rate),
        ema=EMA(half_life=10_000),
        augment=Augment(noise=Ramp(0.3, 0.15, DIGITS)),
        batch_size=32,
        images=DIGITS,
    )


def dcgan_digits_classes() -> Recipe:
    """The bundled digits, conditioned on the digit; trains in a few minutes"""
    return Recipe(
        system=DCGAN(size=16, channels=1, g_width=64, d_width=32, classes=10),
        data=Images(source="digits"),
        ema=EMA(half_life=10_000),
        images=150 * 1_797,
    )


def dcgan_mnist() -> Recipe:
    """MNIST at 32 px, 20 epochs"""
    return Recipe(
        system=DCGAN(size=32, channels=1, g_width=32, d_width=32),
        data=Images(source="mnist"),
        ema=EMA(half_life=10_000),
        images=20 * 60_000,
    )


def dcgan_cifar10() -> Recipe:
    """CIFAR-10 at 32 px, 20 epochs"""
    return Recipe(
        system=DCGAN(size=32, g_width=64, d_width=64),
        data=Images(source="cifar10"),
        ema=EMA(half_life=20_000),
        augment=Augment(flip=True),
        images=20 * 50_000,
    )


def dcgan_cifar10_classes() -> Recipe:
    """CIFAR-10 at 32 px, conditioned on its ten classes, 20 epochs"""
    return replace(dcgan_cifar10(), system=DCGAN(size=32, g_width=64, d_width=64, classes=10))


def dcgan_faces64() -> Recipe:
    """Faces at 64 px with weight decay and a lower learning rate for the discriminator; for a GPU"""
    return Recipe(
        system=DCGAN(size=64),
        data=Images(source="celeba"),
        adam_g=Adam(lr=2e-4, weight_decay=1e-6),
        adam_d=Adam(lr=1e-4, weight_decay=1e-4),
        ema=EMA(half_life=20_000),
        augment=Augment(flip=True),
        images=10 * 162_770,
    )


def dcgan_faces128() -> Recipe:
    """Faces at 128 px, with kernel 4 and average pooling at the end of the discriminator; for a GPU"""
    return Recipe(
        system=DCGAN(size=128, head="pool"),
        data=Images(source="celeba"),
        adam_g=Adam(lr=2e-4, weight_decay=1e-6),
        adam_d=Adam(lr=1e-4, weight_decay=1e-4),
        ema=EMA(half_life=20_000),
        augment=Augment(flip=True),
        images=10 * 162_770,
    )


def dcgan_faces128_smooth() -> Recipe:
    """Faces at 128 px, with kernel 5 and labels smoothed to 0.9 and 0.1; for a GPU"""
    return Recipe(
        system=DCGAN(size=128, kernel=5),
        data=Images(source="celeba"),
        objective=NonSaturating(real_label=0.9, fake_label=0.1),
        ema=EMA(half_life=20_000),
        augment=Augment(flip=True),
        images=10 * 162_770,
    )


def wgan_gp_cifar10() -> Recipe:
    """WGAN-GP on CIFAR-10 at 32 px: five critic updates per round, no batch norm in the critic; for a GPU"""
    return Recipe(
        system=DCGAN(size=32, g_width=64, d_width=64, d_norm="none"),
        data=Images(source="cifar10"),
        objective=Wasserstein(),
        penalties=(GradientPenalty(weight=10.0),),
        adam_g=Adam(lr=1e-4, beta1=0.0, beta2=0.9),
        adam_d=Adam(lr=1e-4, beta1=0.0, beta2=0.9),
        schedule=Schedule(d_per_g=5),
        ema=EMA(half_life=20_000),
        augment=Augment(flip=True),
        images=100 * 50_000,
    )


def dcgan_stacked_mnist() -> Recipe:
    """Stacked MNIST at 16 px, 1,000 modes: the relativistic loss with R1 and R2"""
    return Recipe(
        system=DCGAN(size=16, latent=64, g_width=32, d_width=64, d_norm="none"),
        data=Images(source="stacked-mnist"),
        objective=Relativistic(),
        penalties=(R1(gamma=0.1), R2(gamma=0.1)),
        adam_g=Adam(lr=Ramp(2e-3, 1e-4, STACKS, "cosine"), beta1=0.0, beta2=0.99),
        adam_d=Adam(lr=Ramp(2e-3, 1e-4, STACKS, "cosine"), beta1=0.0, beta2=0.99),
        ema=EMA(half_life=10_000),
        images=STACKS,
        precision="bf16",
    )


def sagan_cifar10() -> Recipe:
    """SAGAN on CIFAR-10 with its classes: hinge loss, self-attention, spectral norm, two rates; for a GPU"""
    return Recipe(
        system=DCGAN(size=32, g_width=64, d_width=64, d_norm="spectral", g_spectral=True, attention=16, classes=10),
        data=Images(source="cifar10"),
        objective=Hinge(),
        adam_g=Adam(lr=1e-4, beta1=0.0, beta2=0.9),
        adam_d=Adam(lr=4e-4, beta1=0.0, beta2=0.9),
        ema=EMA(half_life=20_000),
        augment=Augment(flip=True),
        images=100 * 50_000,
    )
