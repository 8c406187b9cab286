"""R3GAN: residual blocks without normalization, trained by a loss with guaranteed local convergence.

Paper: Huang et al. 2024, The GAN is dead; long live the GAN! A Modern Baseline GAN, arXiv:2501.05441

The relativistic pairing loss with R1 and R2 needs none of the usual tricks, so both networks are plain: inverted
bottlenecks with grouped 3x3 convolutions, an initialization that replaces normalization (Zhang et al. 2019,
arXiv:1901.09321), a learned 4x4 basis at the generator's input and the discriminator's output, and resampling with the
taps [1, 3, 3, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, Adam, Augment, Recipe
from ganvas.recipe.objectives import Relativistic
from ganvas.recipe.penalties import R1, R2
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.sources import Images
from ganvas.recipe.system import Synthesis

if TYPE_CHECKING:
    from typing import Self

    from torch import nn

EXPANSION = 2  # ratio of a block's inner width to its outer width


@final
@dataclass(frozen=True, kw_only=True)
class R3GAN(Synthesis):
    """The paper's configuration E (section 4), for images of 4 px times a power of two."""

    size: int = 32
    """Side of the square images in pixels: 4, doubled for every width but the first."""
    channels: int = 3
    """1 for grey, 3 for RGB."""
    latent: int = 64
    """Length of the noise vector z."""
    classes: int = 0
    """Number of classes that condition both networks; 0 is unconditional."""
    widths: tuple[int, ...] = (768, 768, 768, 768)
    """Channels at 4 px, 8 px, ... up to the full size, in both networks."""
    blocks: int = 2
    """Residual blocks at each size."""
    group: int = 16
    """Channels per group of the 3x3 convolutions."""
    embedding: int = 64
    """Length of the generator's class embedding."""

    def __post_init__(self) -> None:
        if not self.widths or self.size != 4 << (len(self.widths) - 1):
            wanted = max(1, (max(4, self.size) // 4).bit_length())
            known = self.widths or (256,)
            more = [max(self.group // EXPANSION, known[-1] >> shift) for shift in range(1, wanted)]
            such = " ".join(map(str, [*known, *more][:wanted]))
            raise InputError(
                f"r3gan at {self.size} px does not match its {len(self.widths)} widths: it needs one width for 4 px"
                f" and one more for every doubling; use --system.size {4 << (wanted - 1)} --system.widths {such}."
            )
        if self.channels not in (1, 3) or min(self.latent, self.blocks, self.group, self.embedding, *self.widths) < 1:
            raise InputError(
                f"--system.channels {self.channels} must be 1 (grey) or 3 (RGB), and --system.latent {self.latent},"
                f" --system.blocks {self.blocks}, --system.group {self.group}, --system.embedding {self.embedding} and"
                f" --system.widths {self.widths} at least 1."
            )
        if any(EXPANSION * width % self.group for width in self.widths):
            raise InputError(
                f"twice the --system.widths {self.widths} cannot be split into groups of {self.group} channels; use"
                f" multiples of {math.lcm(self.group, EXPANSION) // EXPANSION}, or another --system.group."
            )
        if self.classes < 0 or self.classes == 1:
            raise InputError(f"--system.classes must be at least 2, or 0 for none; got {self.classes}.")

    def tiny(self) -> Self:
        """Narrow and grey, at 16 px."""
        return replace(self, size=16, channels=1, widths=(16, 8, 8), blocks=1, group=8, latent=8)

    def generator(self) -> nn.Module:
        """z (B, latent + classes) -> (B, channels, size, size), about in [-1, 1]."""
        from ganvas.systems.r3gan.networks import R3Generator

        return R3Generator(latent=self.latent, embedding=self.embedding, **self._shared())

    def discriminator(self) -> nn.Module:
        """(B, channels, size, size) -> logits (B,), or (B, classes)."""
        from ganvas.systems.r3gan.networks import R3Discriminator

        return R3Discriminator(**self._shared())

    def _shared(self) -> dict[str, Any]:
        """The arguments that both networks share."""
        return {
            "channels": self.channels,
            "classes": self.classes,
            "widths": self.widths,
            "blocks": self.blocks,
            "expansion": EXPANSION,
            "group": self.group,
        }


def r3gan_cifar10() -> Recipe:
    """CIFAR-10 at 32 px as published: 250 million images, for many GPUs"""
    return _published(R3GAN(), "cifar10", gamma=(0.05, 0.005), p=0.55, half_life=5_000_000, batch=512, images=250)


def r3gan_ffhq64() -> Recipe:
    """Faces at 64 px as published for FFHQ, for many GPUs; set your own images with --data"""
    system = R3GAN(size=64, widths=(768, 768, 768, 768, 384))
    return _published(system, "celeba", gamma=(2.0, 0.2), p=0.3, half_life=500_000, batch=256, images=150)


def r3gan_small() -> Recipe:
    """CIFAR-10 at 32 px with a small network; trains in less than an hour on two cores"""
    over = 400_000
    adam = Adam(lr=Ramp(1e-3, 2.5e-4, over, "cosine"), beta1=0.0, beta2=Ramp(0.9, 0.99, over, "cosine"))
    penalty = Ramp(20.0, 2.0, over, "cosine")
    return Recipe(
        system=R3GAN(widths=(256, 192, 96, 32), blocks=1),
        data=Images(source="cifar10"),
        objective=Relativistic(),
        penalties=(R1(gamma=penalty), R2(gamma=penalty)),
        adam_g=adam,
        adam_d=adam,
        ema=EMA(half_life=20_000),
        augment=Augment(flip=True),
        batch_size=64,
        images=over,
        precision="bf16",
    )


def _published(
    system: R3GAN, source: str, *, gamma: tuple[float, float], p: float, half_life: int, batch: int, images: int
) -> Recipe:
    """All ramps are half-cosines over 20 million images (appendix); `images` is in millions."""

    def ramp(start: float, end: float) -> Ramp:
        return Ramp(start, end, 20_000_000, "cosine")

    adam = Adam(lr=ramp(2e-4, 5e-5), beta1=0.0, beta2=ramp(0.9, 0.99))
    penalty = ramp(*gamma)
    return Recipe(
        system=system,
        data=Images(source=source),
        objective=Relativistic(),
        penalties=(R1(gamma=penalty), R2(gamma=penalty)),
        adam_g=adam,
        adam_d=adam,
        ema=EMA(half_life=ramp(0, half_life)),
        augment=Augment(
            flip=True, differentiable=ramp(0, p), policy=("blit", "geometry", "tone", "cut"), tone_factor=0.5
        ),
        batch_size=batch,
        images=images * 1_000_000,
        precision="bf16",
    )
