"""What a model has gained beyond the curve of another, over the temperature."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.figure import Figure

from ganvas.metrics.intervals import Estimate
from ganvas.metrics.language_model import LanguageModel
from ganvas.metrics.likelihood_curve import GAINS, TEMPERATURES, LikelihoodCurve, by_temperature, verdict
from ganvas.metrics.measure import Evidence
from ganvas.metrics.sentences import Line, Lines, Text
from tests.metrics.sentences import captions, shuffled

COUNT = 120
TRAIN, REALS = captions(400), captions(COUNT, seed=1)


def writer(noise: float, seed: int = 2) -> Callable[[float], Lines]:
    """Captions at any temperature: fewer different ones when cold, more words of a wrong order when warm."""

    def draw(temperature: float) -> list[Line]:
        rng = np.random.default_rng(seed)
        known = captions(round(COUNT * min(1.0, temperature**3 / 2) + 4), seed=3)
        lines = [known[i] for i in rng.integers(0, len(known), COUNT)]
        wrong = rng.random(COUNT) < noise * temperature**2
        return [shuffled([line], seed=i)[0] if wrong[i] else line for i, line in enumerate(lines)]

    return draw


def evidence(**draws: Callable[[float], Lines]) -> Evidence:
    text = Text(fakes=REALS, reals=REALS, control=TRAIN[:COUNT], training=TRAIN, words=40)
    return Evidence(text=text, draws=draws, name="r", protocol={"fakes": COUNT})


def test_a_model_lies_on_its_own_curve() -> None:
    measure, x = LikelihoodCurve(), evidence(likelihood=writer(0.4), GAN=writer(0.4))
    figures = list(measure.compute(x))
    for name in GAINS.values():
        (gain,) = (figure for figure in figures if figure.measure == name)
        assert gain.value == pytest.approx(0, abs=1e-9)
    first, second = measure.notes(x)
    assert first.startswith("r only moves along the curve: a temperature does the same (+0.000 (")
    assert second.startswith("Its self-BLEU-4 at T 1 is ")
    assert second.endswith("which its likelihood model has at T 1.00.")


def test_the_temperatures_are_written_inside_their_panels() -> None:
    measure, x = LikelihoodCurve(), evidence(likelihood=writer(0.4), GAN=writer(0.2))
    list(measure.compute(x))
    figure = Figure(figsize=(10, 3.2))
    measure.panel(x)(figure.add_subplot(1, 1, 1))
    figure.savefig(io.BytesIO())
    for axes in figure.axes:
        for text in axes.texts:
            box = text.get_window_extent()
            assert axes.bbox.x0 <= box.x0, text
            assert box.x1 <= axes.bbox.x1, text


def test_a_better_and_a_worse_model_lie_beyond_and_below() -> None:
    found = {}
    for noise in (0.2, 0.6):
        measure, x = LikelihoodCurve(), evidence(likelihood=writer(0.4), GAN=writer(noise))
        gains = {figure.measure: figure for figure in measure.compute(x) if figure.measure in GAINS.values()}
        found[noise] = gains, next(iter(measure.notes(x)))
    better, worse = found[0.2][0], found[0.6][0]
    assert all(gain.value > 0 for gain in better.values())
    assert all(gain.value < 0 for gain in worse.values())
    assert (better[GAINS["reverse LM"]].low or 0) > 0 > (worse[GAINS["BLEU-4"]].high or 0)
    assert "r is better than its likelihood model at equal diversity, by +0." in found[0.2][1]
    assert "r is worse than its likelihood model at equal diversity, by -0." in found[0.6][1]
    assert "a temperature does better" in found[0.6][1]


def test_a_collapsed_model_lies_off_the_curve() -> None:
    measure = LikelihoodCurve()
    x = evidence(likelihood=writer(0.4), GAN=lambda temperature: captions(1) * COUNT)
    assert not [figure for figure in measure.compute(x) if figure.measure == GAINS["BLEU-4"]]
    (note,) = measure.notes(x)
    assert "r lies off the curve of its likelihood model, which has a self-BLEU-4 of 1.000 at no temperature" in note


def test_points_are_those_of_the_other_measures_with_real_text_beside() -> None:
    x = evidence(likelihood=writer(0.4))
    measure = LikelihoodCurve()
    figures = list(measure.compute(x))
    assert all(figure.is_point and figure.real is not None for figure in figures)
    (curve,) = by_temperature(figures).values()
    assert tuple(curve) == TEMPERATURES
    same = Evidence(text=Text(writer(0.4)(0.8), REALS, TRAIN[:COUNT], TRAIN, 40), protocol=x.protocol)
    by_name = {figure.measure: figure for figure in curve[0.8]}
    assert [*by_name] == ["BLEU-4", "self-BLEU-4", "LM", "reverse LM", "AUC"]
    for figure in LanguageModel().compute(same):
        assert by_name[figure.measure].value == pytest.approx(figure.value)
        assert by_name[figure.measure].real == pytest.approx(figure.real)
    assert by_name["LM"].protocol["curve"] == "likelihood"
    assert by_name["LM"].protocol["temperature"] == 0.8
    (note,) = measure.notes(x)
    assert note == "r is a likelihood model: its curve is what a GAN has to lie beyond."


def test_a_game_alone_has_nothing_to_compare_with() -> None:
    measure, x = LikelihoodCurve(), evidence(GAN=writer(0.4))
    assert {figure.protocol["curve"] for figure in measure.compute(x)} == {"GAN"}
    assert "never trained by likelihood alone" in next(iter(measure.notes(x)))


def test_the_sentence_goes_by_the_intervals() -> None:
    up, flat, down = Estimate(0.02, 0.01, 0.03), Estimate(0.01, -0.01, 0.03), Estimate(-0.02, -0.03, -0.01)

    def said(of_bleu: Estimate, of_lm: Estimate) -> str:
        return verdict("r", {"BLEU-4": of_bleu, "reverse LM": of_lm})

    assert said(flat, flat) == (
        "r only moves along the curve: a temperature does the same (+0.010 (-0.010 .. +0.030) BLEU-4 and +0.010 (-0.010"
        " .. +0.030) nats a token of reverse LM)."
    )
    assert said(up, flat).startswith("r is better than its likelihood model at equal diversity, by +0.020 (")
    assert said(flat, down).startswith("r is worse than")
    assert "better than its likelihood model in one way and worse in another" in said(up, down)
