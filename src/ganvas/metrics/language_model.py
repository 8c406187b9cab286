"""LM and reverse LM: how likely sentences are by an n-gram model of others, which needs no training.

A trigram model after Witten & Bell 1991 (The Zero-Frequency Problem, method C), interpolated as in Chen & Goodman 1998
(An Empirical Study of Smoothing Techniques for Language Modeling, section 2.6). As a judge of generators: Zhao et al.
2018 (arXiv:1706.04223, section 5) and Caccia et al. 2020 (arXiv:1811.02549, section 5).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from ganvas.errors import InputError
from ganvas.metrics.intervals import Array, Estimate, bootstrap
from ganvas.metrics.measure import Evidence, Quantity
from ganvas.metrics.sentence_measure import Scores, SentenceMeasure
from ganvas.metrics.sentences import Line, Lines

ORDER = 3
START, END = "<s>", "</s>"


class LanguageModel(SentenceMeasure):
    """The fakes by a model of the reals (quality), and the reals by a model of the fakes (coverage).

    The reals are held-out, since a model of the training lines would reward copying them.
    """

    name, order = "lm", 122
    gives = (
        Quantity("LM", unit="nats a token", least=0),
        Quantity("reverse LM", higher_is_better=False, unit="nats a token", least=0),
    )

    def about(self) -> dict[str, Any]:
        """The model."""
        return {"model": "trigrams, Witten-Bell", "tokens": "ends and <unk> counted"}

    def score(self, lines: Lines, x: Evidence) -> Scores:
        """Two figures."""
        text = x.of_text
        yield "LM", per_token(TrigramModel(text.reals, text.words), lines, x.seed)
        yield "reverse LM", per_token(TrigramModel(lines, text.words), text.reals, x.seed)


class TrigramModel:
    """P(word | the two before it), with every word and the end of a sentence predicted."""

    def __init__(self, lines: Lines, words: int) -> None:
        """Count.

        Args:
            lines: what is modelled.
            words: of the vocabulary, the end included; those that no line has share what is left for them.

        Raises:
            InputError: there is no line, or no word.
        """
        if not lines or words < 1:
            raise InputError(
                f"a language model of {len(lines)} sentences of {words} words says nothing; give at least one of each."
            )
        self.floor = 1 / words
        self.counts = Counter(gram for line in lines for gram in _events(line))
        self.followers = Counter(gram[:-1] for gram in self.counts)  # how many words follow a history
        self.seen: Counter[Line] = Counter()  # how often anything does
        for gram, count in self.counts.items():
            self.seen[gram[:-1]] += count

    def nats(self, line: Line) -> float:
        """-log P of a sentence, its end included."""
        padded = _padded(line)
        return -sum(math.log(self.probability(padded[i - ORDER + 1 : i + 1])) for i in range(ORDER - 1, len(padded)))

    def probability(self, gram: Line) -> float:
        """P(last word | those before it): (c(h w) + T(h) P(w | h')) / (c(h) + T(h)), with T(h) words known after h."""
        found = self.floor
        for start in range(len(gram) - 1, -1, -1):
            known = self.followers[gram[start:-1]]
            if not known:  # nor has a longer history been seen
                break
            found = (self.counts[gram[start:]] + known * found) / (self.seen[gram[start:-1]] + known)
        return found


def per_token(model: TrigramModel, lines: Lines, seed: int) -> Estimate:
    """Nats a token of all lines together, ends counted, with an interval over the lines.

    Raises:
        InputError: there is no line.
    """
    if not lines:
        raise InputError("the likelihood of no sentence is undefined; give at least one.")
    nats, tokens = nats_of(model, lines)

    def ratio(counts: Array) -> Array:
        return np.asarray((counts @ nats) / (counts @ tokens))

    return bootstrap(ratio, len(lines), seed)


def nats_of(model: TrigramModel, lines: Lines) -> tuple[Array, Array]:
    """The nats of each line (N,), and of how many tokens they are (N,): its words and its end."""
    return np.array([model.nats(line) for line in lines]), np.array([len(line) + 1.0 for line in lines])


def _padded(line: Line) -> Line:
    return (START,) * (ORDER - 1) + line + (END,)


def _events(line: Line) -> Iterator[Line]:
    """Each word and the end, with no, one and two words before it."""
    padded = _padded(line)
    for i in range(ORDER - 1, len(padded)):
        for n in range(ORDER):
            yield padded[i - n : i + 1]
