"""BLEU and self-BLEU against nltk, and known values."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from ganvas.errors import InputError
from ganvas.metrics.bleu import ORDERS, bleu, self_bleu
from ganvas.metrics.sentences import Line
from tests.metrics.sentences import captions, shuffled

ODD: list[Line] = [
    (),
    ("a",),
    ("a", "a", "a", "a", "a", "a"),
    ("a", "cat"),
    ("nowhere",),
    ("a", "cat", "sits", ".") * 5,
]


def by_nltk(line: Line, references: list[Line]) -> list[float]:
    module = pytest.importorskip("nltk.translate.bleu_score", reason="nltk, the reference, comes with the extra dev")
    smooth = module.SmoothingFunction().method1
    return [module.sentence_bleu(references, line, [1 / n] * n, smoothing_function=smooth) for n in ORDERS]


def test_bleu_equals_nltk() -> None:
    references = [*captions(60, seed=1), *ODD[1:4]]
    lines = [*captions(40, seed=2), *shuffled(captions(20, seed=3)), *ODD]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nltk warns of short sentences
        expected = [by_nltk(line, references) for line in lines]
    found = bleu(lines, references)
    assert found == pytest.approx(np.array(expected), abs=1e-9)
    assert 0.05 < found[:40, 2].mean() < 0.95


def test_self_bleu_equals_nltk_without_the_sentence_itself() -> None:
    lines = [*captions(50, seed=4), *captions(3, seed=4), *ODD]  # some of them twice
    expected = [by_nltk(line, lines[:i] + lines[i + 1 :]) for i, line in enumerate(lines)]
    assert self_bleu(lines) == pytest.approx(np.array(expected), abs=1e-9)


def test_equal_sentences_are_wholly_alike_and_disjoint_ones_not_at_all() -> None:
    assert self_bleu(captions(1) * 5) == pytest.approx(np.ones((5, len(ORDERS))))
    disjoint = [tuple(f"{word}{i}" for word in "abcdefgh") for i in range(5)]
    assert self_bleu(disjoint).max() == 0
    lines = captions(30)
    assert bleu(lines, lines) == pytest.approx(np.ones((30, len(ORDERS))))  # a sentence among its own references
    assert self_bleu(lines).mean(0)[-1] < 0.9


def test_more_references_raise_it() -> None:
    lines, references = captions(50, seed=1), captions(400, seed=2)
    few, many = (bleu(lines, references[:count]).mean(0) for count in (40, 400))
    assert (many > few + 0.02).all()


def test_the_order_of_sentences_does_not_matter() -> None:
    lines = captions(40)
    back = self_bleu(lines[::-1])[::-1]
    assert np.array_equal(self_bleu(lines), back)


def test_too_few_sentences() -> None:
    with pytest.raises(InputError, match="BLEU needs references"):
        bleu(captions(2), [])
    with pytest.raises(InputError, match="there are 1; give at least 2"):
        self_bleu(captions(1))
    assert bleu([], captions(1)).shape == (0, len(ORDERS))
