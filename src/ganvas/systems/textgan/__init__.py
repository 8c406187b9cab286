"""Text: a generator that draws words, a discriminator that reads them, and likelihood before and beside the game.

Paper: Nie et al. 2019, RelGAN: Relational Generative Adversarial Networks for Text Generation, ICLR

From there are the Gumbel-softmax and the relativistic game after pretraining. The networks are plainer, fakes are
one-hot as reals are, and R1 and R2 keep the discriminator smooth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from ganvas.errors import InputError
from ganvas.recipe import EMA, WHOLE, Adam, Recipe, Schedule
from ganvas.recipe.objectives import Relativistic
from ganvas.recipe.penalties import R1, R2
from ganvas.recipe.ramp import Ramp, at, ends
from ganvas.recipe.sources import Source
from ganvas.recipe.system import Sequence
from ganvas.recipe.text import LONGEST, SPECIAL, Counting, Likelihood, Oracle, Sentences

if TYPE_CHECKING:
    from typing import Self

    from torch import Tensor, nn

    from ganvas.recipe.batch import Batch
    from ganvas.systems.textgan.networks import Writer


@final
@dataclass(frozen=True, kw_only=True)
class TextGAN(Sequence):
    """An LSTM that draws words by straight-through Gumbel-softmax, against convolutions over neighbouring words."""

    words: int = 2_450
    """Size of the vocabulary, with padding, unknown and end; rarer words of the data become unknown."""
    length: int = 20
    """Words, or characters, of the longest sentence."""
    ends: bool = True
    """Sentences end by themselves; if not, all are of the same length."""
    embedding: int = 64
    """Width of the generator's embedding, which is its output layer, too."""
    hidden: int = 256
    """Width of the generator's LSTM."""
    dropout: float = 0.25
    """Dropout of the generator's embedding and output where the likelihood is learned; there is none in the game."""
    relaxation: float | Ramp = 1.0
    """Temperature of the softmax through which the generator's gradient passes, or a ramp; sampling has none of it."""
    d_embedding: int = 64
    """Width of the discriminator's embedding."""
    d_width: int = 128
    """Filters of each window of the discriminator."""
    d_windows: tuple[int, ...] = (2, 3, 4, 5)
    """Neighbouring words that the discriminator's filters read."""

    def __post_init__(self) -> None:
        least = {"words": len(SPECIAL) + 2, "length": 1, "embedding": 1, "hidden": 1, "d_embedding": 1, "d_width": 1}
        for name, fewest in least.items():
            if getattr(self, name) < fewest:
                flag = name.replace("_", "-")
                raise InputError(f"--system.{flag} {getattr(self, name)} is too small; give at least {fewest}.")
        if self.length > LONGEST:
            raise InputError(f"--system.length {self.length:,} is too long; give at most {LONGEST:,}.")
        if not self.d_windows or min(self.d_windows) < 1 or max(self.d_windows) > 100:
            raise InputError(
                f"--system.d-windows {' '.join(map(str, self.d_windows)) or 'none'} must be numbers of words in 1..100,"
                " such as 2 3 4 5."
            )
        if not 0 <= self.dropout < 1:
            raise InputError(f"--system.dropout {self.dropout:g} must lie in [0, 1), such as 0.25.")
        if not all(math.isfinite(end) and end > 0 for end in ends(self.relaxation)):
            raise InputError(
                f"--system.relaxation {self.relaxation} must be a temperature above 0, such as 1, or a ramp of them."
            )

    @property
    def places(self) -> int:
        """One more than the longest sentence, for its end."""
        return self.length + self.ends

    def tiny(self) -> Self:
        """Narrow."""
        return replace(self, words=min(self.words, 40), embedding=4, hidden=8, d_embedding=4, d_width=4)

    def generator(self) -> nn.Module:
        """Uniform numbers (B, places) -> one-hot kinds (B, places, words); see `networks.Writer`."""
        from ganvas.systems.textgan.networks import Writer

        return Writer(
            words=self.words,
            places=self.places,
            embedding=self.embedding,
            hidden=self.hidden,
            dropout=self.dropout,
            ends=self.ends,
        )

    def discriminator(self) -> nn.Module:
        """One-hot kinds (B, places, words) -> logits (B,)"""
        from ganvas.systems.textgan.networks import Reader

        return Reader(words=self.words, embedding=self.d_embedding, width=self.d_width, windows=self.d_windows)

    def fake(self, g: nn.Module, batch: Batch) -> Tensor:
        """Sentences drawn by torch's global random state, one-hot forward and relaxed backward."""
        return _writer(g).relaxed(len(batch), at(self.relaxation, batch.images_seen))

    def predictions(self, g: nn.Module, batch: Batch) -> Tensor:
        """See `Sequence.predictions`."""
        return _writer(g).predictions(batch.real.argmax(2))

    def rows(self, g: nn.Module, uniform: Tensor, temperature: float = 1.0) -> Tensor:
        """See `Sequence.rows`."""
        return _writer(g).rows(uniform, temperature)

    def nats(self, g: nn.Module, rows: Tensor) -> tuple[float, int]:
        """See `Sequence.nats`."""
        return _writer(g).nats(rows)


def _writer(g: nn.Module) -> Writer:
    from ganvas.systems.textgan.networks import Writer

    assert isinstance(g, Writer)
    return g


def textgan_captions() -> Recipe:
    """Captions of at most 20 words: likelihood first, then the game beside it; needs --data FILE"""
    recipe = _recipe(TextGAN(), Sentences(source="captions.txt"), pretrain=72_000, images=150_000)
    # With a stronger penalty, or at a lower rate, D does not learn here.
    return replace(
        recipe,
        penalties=(R1(gamma=0.001), R2(gamma=0.001)),
        adam_d=Adam(lr=1e-3, beta1=0.5, beta2=0.99),
        schedule=Schedule(pretrain=72_000, freeze_g=(72_000, 84_800)),
    )


def textgan_mle() -> Recipe:
    """The same generator by likelihood alone: the baseline that every GAN of text has to beat; needs --data FILE"""
    return _baseline(_recipe(TextGAN(), Sentences(source="captions.txt"), pretrain=72_000, images=72_000))


def textgan_characters() -> Recipe:
    """Sentences of at most 80 characters, for any language; needs --data FILE"""
    system = TextGAN(words=100, length=80, embedding=32, d_windows=(2, 3, 4, 5, 7))
    return _recipe(system, Sentences(source="captions.txt", level="character"), pretrain=144_000, images=250_000)


def textgan_tiny() -> Recipe:
    """The bundled text of short sentences, in minutes"""
    system = TextGAN(words=1_550, length=19, hidden=128, d_width=64)
    return _recipe(system, Sentences(source="tiny"), pretrain=32_000, images=80_000)


def textgan_oracle() -> Recipe:
    """Sequences of a random LSTM, whose likelihood is known: the synthetic test of the literature"""
    source = Oracle()
    system = TextGAN(words=source.words + len(SPECIAL), length=source.length, ends=False, embedding=32, hidden=32)
    return _recipe(replace(system, dropout=0.0), source, pretrain=400_000, images=600_000)


def textgan_counting() -> Recipe:
    """Sentences that count up, by the game alone, without likelihood"""
    source = Counting()
    system = TextGAN(
        words=len(source.vocabulary) + len(SPECIAL),
        length=source.highest + 1,
        embedding=32,
        hidden=64,
        d_embedding=32,
        d_width=128,
        d_windows=(2, 3),
    )
    images = 200_000
    rate = Ramp(2e-3, 1e-4, images, "cosine")
    return Recipe(
        system=system,
        data=source,
        objective=Relativistic(),
        penalties=(R1(gamma=0.05), R2(gamma=0.05)),
        adam_g=Adam(lr=rate, beta1=0.5, beta2=0.99, clip=5.0),
        adam_d=Adam(lr=rate, beta1=0.5, beta2=0.99),
        ema=EMA(half_life=4_000),
        images=images,
    )


def _recipe(system: TextGAN, data: Source, pretrain: int, images: int) -> Recipe:
    return Recipe(
        system=system,
        data=data,
        objective=Relativistic(),
        penalties=(R1(gamma=0.01), R2(gamma=0.01)),
        reconstruction=(Likelihood(when="both"),),
        adam_g=Adam(lr=Ramp(4e-3, 1e-4, pretrain, "cosine"), beta1=0.5, beta2=0.99, clip=5.0),
        adam_d=Adam(lr=2e-4, beta1=0.5, beta2=0.99),
        schedule=Schedule(pretrain=pretrain, freeze_g=(pretrain, pretrain + 6_400)),
        # None in pretraining: an average over both phases would be of two models.
        ema=EMA(half_life=Ramp(0, 5_000, pretrain, "step")),
        images=images,
    )


def _baseline(recipe: Recipe) -> Recipe:
    adam = recipe.adam_g.at_rate(Ramp(4e-3, 0.0, recipe.images, "cosine"))
    return replace(recipe, adam_g=adam, schedule=Schedule(pretrain=WHOLE), ema=EMA())
