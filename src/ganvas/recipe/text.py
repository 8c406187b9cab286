"""Text in a recipe: its sources, and the likelihood that pretrains a generator.

A sentence is a row of kinds: words or characters of the vocabulary by their numbers, then an end, then padding.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from ganvas.errors import InputError
from ganvas.recipe.reconstruction import ReconstructionLoss, Stage, expect_weight
from ganvas.recipe.sources import Source

if TYPE_CHECKING:
    from torch import Tensor

    from ganvas.recipe.batch import Batch

SPECIAL = ("<pad>", "<unk>", "<end>")
"""The first kinds of every vocabulary: padding, words outside the vocabulary, and the end."""
PAD, UNKNOWN, END = range(len(SPECIAL))
LONGEST = 2_000  # words or characters of a sentence

Level = Literal["word", "character"]


class TextSource(Source):
    """Sentences, one by one."""

    level: Level
    """Whether the kinds are words or characters."""

    @property
    def joint(self) -> str:
        """What stands between two kinds of a sentence."""
        return " " if self.level == "word" else ""

    @property
    def tokens(self) -> str:
        """How a sentence is taken apart, in words, for protocols."""
        return f"{self.level}s"


@dataclass(frozen=True, kw_only=True)
class Sentences(TextSource):
    """Sentences of a file or a folder, one a line; exact copies are used once."""

    source: str
    """tiny, which is bundled; or a text file, a folder of them, or a csv, tsv, parquet or jsonl file."""
    column: str = ""
    """Column of a table with the sentences; by default the only one of texts, or text, sentence, caption or line."""
    level: Level = "word"
    """Kinds: words, or characters, as for Chinese."""
    lower: bool = True
    """Make all letters small."""
    detach: bool = True
    """Take punctuation off the words it adjoins, as a word of its own; of no effect on characters."""
    longer: Literal["drop", "cut"] = "drop"
    """What becomes of a sentence longer than --system.length: it is left out, or cut to that."""
    held_out: float = 0.1
    """Fraction of sentences held out for diagnosis and measures (every k-th, k = 1 / fraction); 0 trains on all."""

    @property
    def title(self) -> str:
        """The name or path."""
        return self.source

    @property
    def tokens(self) -> str:
        """See `TextSource`."""
        detach = self.detach and self.level == "word"
        return super().tokens + ", lower case" * self.lower + ", punctuation apart" * detach


class KnownText(TextSource):
    """Sentences that are computed, whose vocabulary is known and which can be judged."""

    level: ClassVar[Level] = "word"  # type: ignore[misc]

    @property
    @abstractmethod
    def vocabulary(self) -> tuple[str, ...]:
        """All words."""

    @abstractmethod
    def sentences(self) -> Iterator[Sequence[int]]:
        """All sentences, as numbers of words in the vocabulary."""


@dataclass(frozen=True, kw_only=True)
class Counting(KnownText):
    """Sentences that count up by one, from any number to any larger one: "3 4 5 6"."""

    highest: int = 19
    """The highest number; the lowest is 0."""
    held_out: float = 0.05
    """Fraction of sentences held out (every k-th, k = 1 / fraction); 0 trains on all."""

    def __post_init__(self) -> None:
        if not 1 <= self.highest <= 999:
            raise InputError(f"--data.highest must lie in 1..999, such as 19; got {self.highest}.")
        super().__post_init__()

    @property
    def title(self) -> str:
        """The range."""
        return f"counting 0..{self.highest}"

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The numbers."""
        return tuple(map(str, range(self.highest + 1)))

    def sentences(self) -> Iterator[Sequence[int]]:
        """One for each pair of a first and a last number."""
        for first in range(self.highest):
            for last in range(first + 1, self.highest + 1):
                yield range(first, last + 1)

    @staticmethod
    def is_right(sentence: Sequence[str]) -> bool:
        """Whether at least two numbers count up by one."""
        if len(sentence) < 2 or not all(word.isdecimal() for word in sentence):
            return False
        first = int(sentence[0])
        return [int(word) for word in sentence] == list(range(first, first + len(sentence)))


@dataclass(frozen=True, kw_only=True)
class Oracle(KnownText):
    """Sequences of an LSTM with random weights (Yu et al. 2017, SeqGAN, arXiv:1609.05473, section 5.1).

    Embedding and state are 32 wide, and all weights N(0, 1). Every sequence has the same length, without an end.
    """

    WIDTH: ClassVar[int] = 32
    words: int = 5_000
    """Words of the LSTM."""
    length: int = 20
    """Words of every sequence."""
    count: int = 10_000
    """Number of sequences; sampled once, with a fixed seed."""
    held_out: float = 0.1
    """Fraction of sequences held out (every k-th, k = 1 / fraction); 0 trains on all."""

    def __post_init__(self) -> None:
        if min(self.words, self.length, self.count) < 1:
            raise InputError(
                f"--data.words, --data.length and --data.count must be at least 1; got {self.words}, {self.length} and"
                f" {self.count}."
            )
        super().__post_init__()

    @property
    def title(self) -> str:
        """Its name."""
        return "oracle"

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The numbers of its words."""
        return tuple(map(str, range(self.words)))

    def sentences(self) -> Iterator[Sequence[int]]:
        """As many as it counts."""
        random = np.random.default_rng(1)
        for start in range(0, self.count, 500):
            yield from self._sample(random.random((min(500, self.count - start), self.length), np.float32)).tolist()

    def nll(self, words: NDArray[np.integer]) -> float:
        """Nats a word of sequences (N, length) of numbers of words: NLL-oracle, where these are a generator's."""
        total = 0.0
        for part in np.array_split(words, max(1, len(words) // 500)):
            state = self._start(len(part))
            for step in range(part.shape[1]):
                state, logits = self._step(state, None if step == 0 else part[:, step - 1])
                highest = logits.max(1)
                log_sum = highest + np.log(np.exp(logits - highest[:, None]).sum(1))
                total += float((log_sum - logits[np.arange(len(part)), part[:, step]]).sum())
        return total / words.size

    def nll_of(self, lines: Sequence[Sequence[str]]) -> float:
        """The same of sequences as words; those with <unk>, which this model never says, are left out.

        Raises:
            InputError: none is left.
        """
        known = [[int(word) for word in line] for line in lines if SPECIAL[UNKNOWN] not in line]
        if not known:
            raise InputError(f"all {len(lines):,} sequences have {SPECIAL[UNKNOWN]}, which no oracle says; train on.")
        return self.nll(np.array(known))

    def _sample(self, uniform: NDArray[np.float32]) -> NDArray[np.int64]:
        found = np.zeros(uniform.shape, np.int64)
        state = self._start(len(uniform))
        for step in range(self.length):
            state, logits = self._step(state, None if step == 0 else found[:, step - 1])
            cumulated = np.exp(logits - logits.max(1, keepdims=True)).cumsum(1)
            above = cumulated > uniform[:, step, None] * cumulated[:, -1:]
            found[:, step] = above.argmax(1)
        return found

    @cached_property
    def _weights(self) -> tuple[NDArray[np.float32], ...]:
        width = self.WIDTH
        shapes = (self.words, width), (2 * width, 4 * width), (4 * width,), (width, self.words), (self.words,)
        random = np.random.default_rng(0)
        return tuple(random.standard_normal(shape).astype(np.float32) for shape in shapes)

    def _start(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        empty = np.zeros((count, self.WIDTH), np.float32)
        return empty, empty

    def _step(
        self, state: tuple[NDArray[np.float32], NDArray[np.float32]], before: NDArray[np.integer] | None
    ) -> tuple[tuple[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]:
        """The next state, and the logits (N, words) of the next word, after these words (N,); None at the start."""
        embedding, gates_of, gates_bias, out, out_bias = self._weights
        hidden, cell = state
        given = embedding[np.zeros(len(hidden), np.int64) if before is None else before]  # word 0 starts, as there
        gates = np.concatenate([given, hidden], 1) @ gates_of + gates_bias
        enter, keep, leave, new = np.split(gates, 4, 1)
        cell = _sigmoid(keep) * cell + _sigmoid(enter) * np.tanh(new)
        hidden = _sigmoid(leave) * np.tanh(cell)
        return (hidden, cell), hidden @ out + out_bias


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), np.float32)


@dataclass(frozen=True, kw_only=True)
class Likelihood(ReconstructionLoss):
    """Negative log-likelihood of the reals, each word after the real ones before it: maximum likelihood.

    As all of a run (--schedule.pretrain -1) it is the baseline that a GAN has to beat.
    """

    of = "predictions"
    weight: float = 1.0
    """Weight of the term."""
    when: Stage = "both"
    """Stage in which it applies: pretraining, the game, or both."""

    def __post_init__(self) -> None:
        expect_weight("likelihood", self.weight)

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """weight * the mean over all words and ends of -log p, where `fake` is log p (B, L, V): nats a token."""
        counted = 1 - batch.real[..., PAD]
        nats = -(fake.float() * batch.real.float()).sum(-1)
        return self.weight * (nats * counted).sum() / counted.sum()
