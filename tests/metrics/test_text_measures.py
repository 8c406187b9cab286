"""The language model, the two-sample classifier, distinct n-grams, repeats and copies."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest

from ganvas.errors import InputError
from ganvas.metrics.bleu import BLEU, SelfBLEU, bleu, self_bleu
from ganvas.metrics.copied_lines import CopiedLines, copied
from ganvas.metrics.distinct import Distinct, distinct, repeats
from ganvas.metrics.language_model import END, LanguageModel, TrigramModel, per_token
from ganvas.metrics.measure import Evidence
from ganvas.metrics.sentences import Text
from ganvas.metrics.two_sample import TwoSample, two_sample_auc
from tests.conftest import SHARED
from tests.metrics.sentences import captions, shuffled

MEASURES = (BLEU, SelfBLEU, LanguageModel, TwoSample, Distinct, CopiedLines)


def test_the_model_is_a_distribution() -> None:
    lines = captions(50)
    known = sorted({word for line in lines for word in line} | {END, "<unk>"})
    model = TrigramModel(lines, len(known))
    for history in ((), ("a",), ("<s>", "<s>"), ("a", "cat"), ("nowhere", "cat"), ("<unk>", "<unk>")):
        assert sum(model.probability((*history, word)) for word in known) == pytest.approx(1)


def test_the_model_by_hand() -> None:
    # Of "a b", three events: a, b, end. P(a | <s> <s>): each order has one event after its history, of one word.
    model = TrigramModel([("a", "b")], words=4)
    unigram = (1 + 3 * (1 / 4)) / (3 + 3)
    bigram = (1 + unigram) / 2
    trigram = (1 + bigram) / 2
    assert model.probability(("<s>", "<s>", "a")) == pytest.approx(trigram)
    assert model.nats(("a", "b")) == pytest.approx(-3 * math.log(trigram))
    assert model.probability(("c",)) == pytest.approx((0 + 3 / 4) / 6)
    # A history that was never seen says as much as the shorter one.
    assert model.probability(("c", "a", "b")) == model.probability(("a", "b")) == pytest.approx(bigram)


def test_words_in_a_random_order_are_far_less_likely() -> None:
    train, fresh = captions(400), captions(200, seed=1)
    model = TrigramModel(train, 40)
    intact, mixed = per_token(model, fresh, 0), per_token(model, shuffled(fresh), 0)
    assert mixed.low > intact.high + 1
    assert intact.low < intact.value < intact.high
    assert per_token(TrigramModel(shuffled(train), 40), fresh, 0).low > intact.high + 0.3


def test_per_token_counts_the_ends() -> None:
    lines = captions(20)
    model = TrigramModel(lines, 40)
    tokens = sum(len(line) + 1 for line in lines)
    assert per_token(model, lines, 0).value == pytest.approx(sum(map(model.nats, lines)) / tokens)


def test_a_classifier_tells_what_differs_and_nothing_else() -> None:
    same = two_sample_auc(captions(300, seed=1), captions(300, seed=2))
    assert same.low < 0.5 < same.high
    assert 0.4 < same.value < 0.6
    assert two_sample_auc(shuffled(captions(300, seed=1)), captions(300, seed=2)).value > 0.95
    assert two_sample_auc(captions(1) * 100, captions(100, seed=2)).value > 0.95
    apart = [tuple(f"{word}'" for word in line) for line in captions(50)]
    assert two_sample_auc(apart, captions(50)).value == 1
    assert two_sample_auc(captions(300, seed=1), captions(300, seed=2)) == same


def test_distinct_repeats_and_copies() -> None:
    lines = [("a", "b", "a"), ("a", "b"), ("a", "b"), ()]
    assert distinct(lines, 1) == 2 / 7
    assert distinct(lines, 2) == 2 / 4
    assert distinct(lines, 4) == 0
    assert repeats(lines) == 1 / 4
    assert copied(lines, [("a", "b"), ("c",)]).value == 1 / 2
    assert copied(lines, [("b", "a")]).value == 0


def test_real_text_stands_beside_every_figure() -> None:
    train, reals, fakes = captions(300), captions(60, seed=1), captions(30, seed=2) + captions(30, seed=2)
    text = Text(fakes=fakes, reals=reals, control=train[:60], training=train, words=40)
    x = Evidence(text=text, protocol={"fakes": 60, "tokens": "words"})
    figures = {figure.measure: figure for one in MEASURES for figure in one().compute(x)}
    assert set(figures) == {quantity.name for one in MEASURES for quantity in one.gives}
    assert all(figure.real is not None for figure in figures.values())
    assert all(figure.protocol["fakes"] == 60 for figure in figures.values())
    assert figures["BLEU-4"].value == pytest.approx(bleu(fakes, reals)[:, 2].mean())
    assert figures["backward BLEU-4"].value == pytest.approx(bleu(reals, fakes)[:, 2].mean())
    assert figures["self-BLEU-4"].value == 1
    assert figures["self-BLEU-4"].real == pytest.approx(self_bleu(train[:60])[:, 2].mean())
    assert figures["repeats"].value == 0.5
    assert figures["copied lines"].real == copied(reals, train).value  # held-out ones: the control are copies
    assert figures["LM"].unit == "nats a token"
    assert figures["BLEU-4"].higher_is_better is None  # above real text is no better


def test_too_few_sentences() -> None:
    with pytest.raises(InputError, match="4 fakes and 9 reals are too few for 5 folds"):
        two_sample_auc(captions(4), captions(9))
    with pytest.raises(InputError, match="a language model of 0 sentences"):
        TrigramModel([], 5)
    with pytest.raises(InputError, match="likelihood of no sentence"):
        per_token(TrigramModel(captions(1), 5), [], 0)
    with pytest.raises(InputError, match="no sentence repeats"):
        repeats([])


def test_real_captions_have_the_figures_measured_elsewhere() -> None:
    """By another program, of another draw of 1,000 and 1,000 lines; the spread of BLEU-4 over draws is 0.01."""
    file = SHARED / "data" / "text" / "coco_captions_10k.txt"
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    apart = [tuple(re.sub(r"([.,])", r" \1", line).lower().split()) for line in file.read_text().splitlines()]
    lines = list(dict.fromkeys(apart))
    numbers = np.arange(len(lines)) % 10
    train, reals = ([lines[i] for i in np.flatnonzero(part)] for part in (numbers != 9, numbers == 9))
    counts = Counter(word for line in train for word in line)
    train, reals = (
        [tuple(word if counts[word] > 1 else "<unk>" for word in line)[:20] for line in part] for part in (train, reals)
    )
    words = sum(count > 1 for count in counts.values()) + 2
    assert words == pytest.approx(2_460, abs=20)
    drawn = np.random.default_rng(0).permutation(len(train))
    some, more = ([train[i] for i in drawn[:count]] for count in (1_000, 2_000))
    mixed, model = shuffled(some), TrigramModel(train, words)
    assert bleu(some, reals)[:, 2].mean() == pytest.approx(0.344, abs=0.03)
    assert self_bleu(some)[:, 2].mean() == pytest.approx(0.340, abs=0.03)
    assert bleu(mixed, reals).mean(0) == pytest.approx([0.428, 0.160, 0.084, 0.058], abs=0.01)
    assert self_bleu(mixed).mean(0) == pytest.approx([0.655, 0.298, 0.137, 0.086], abs=0.015)
    assert per_token(model, reals, 0).value == pytest.approx(3.44, abs=0.05)
    assert per_token(model, some, 0).value == pytest.approx(2.01, abs=0.05)
    assert per_token(model, mixed, 0).value == pytest.approx(6.81, abs=0.1)
    assert per_token(TrigramModel(more, words), reals, 0).value == pytest.approx(3.83, abs=0.05)
    assert per_token(TrigramModel(shuffled(more), words), reals, 0).value == pytest.approx(5.31, abs=0.05)
    assert two_sample_auc(some, reals).value < 0.57
    assert distinct(more, 2) == pytest.approx(0.397, abs=0.01)
