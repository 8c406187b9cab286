"""Sentences as measures read them: tuples of words, or of characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Line = tuple[str, ...]
"""A sentence: its words, or its characters, without the end."""
Lines = Sequence[Line]


@dataclass(frozen=True)
class Text:
    """Sentences that are measured, all by one tokeniser and one vocabulary: unknown words are <unk> on all sides.

    Attributes:
        fakes: N generated sentences.
        reals: M sentences that were never trained on, with which the fakes are compared.
        control: N sentences that were trained on; they take the fakes' place where real text is measured.
        training: all sentences that were trained on.
        words: how many words there are, <unk> and the end of a sentence included.
    """

    fakes: Lines
    reals: Lines
    control: Lines
    training: Lines
    words: int


def ngrams(line: Sequence[str], n: int) -> Iterator[Line]:
    """The n-grams of a line in order; none of a line of fewer than `n` words."""
    return (tuple(line[start : start + n]) for start in range(len(line) - n + 1))
