"""The knee is found on curves whose knee is known, not before it, and not where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from ganvas.metrics.knee import Knee, Step, best_step, find_knee, sums

EVERY = 1_000


def path(perception: Callable[[float], float], distortion: Callable[[float], float], noise: float = 0.0) -> list[Step]:
    """60 looks at t in 0..1."""
    rng = np.random.default_rng(0)
    made = []
    for index in range(60):
        t = index / 59
        jitter = np.exp(noise * rng.standard_normal(2))
        made.append(Step(EVERY * index, distortion(t) * jitter[0], perception(t) * jitter[1]))
    return made


def closed_form(t: float) -> float:
    """ln p = -t, ln d = t^2: the sum is least where a per cent costs a per cent, at t = 1/2."""
    return math.exp(t**2)


def found(steps: list[Step], patience: float = 8 * EVERY) -> tuple[int, Knee] | None:
    """Ask at every look, as a run does: the look at which a knee is first told, and the knee."""
    for count in range(1, len(steps) + 1):
        knee = find_knee(steps[:count], patience)
        if knee:
            return count - 1, knee
    return None


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_knee_of_a_known_curve(noise: float) -> None:
    steps = path(lambda t: math.exp(-t), closed_form, noise)
    answer = found(steps)
    assert answer
    told_at, knee = answer
    # The sum is flat about its minimum: within half a per cent lies t from 0.43 on, and the median looks back.
    assert 0.36 <= knee.step.images / (59 * EVERY) <= 0.62
    assert told_at * EVERY - knee.step.images >= 8 * EVERY
    assert told_at < 50


@pytest.mark.parametrize(("price", "where"), [(0.5, 1.0), (1.0, 0.5), (2.0, 0.25)])
def test_the_dearer_the_error_the_earlier_the_knee(price: float, where: float) -> None:
    steps = path(lambda t: math.exp(-t), closed_form)
    assert steps[best_step(steps, price)].images / (59 * EVERY) == pytest.approx(where, abs=0.1)


def test_a_run_that_still_gains_has_no_knee() -> None:
    assert found(path(lambda t: math.exp(-t), lambda t: math.exp(0.5 * t))) is None
    assert found(path(lambda t: math.exp(-t), lambda t: math.exp(-t))) is None  # both at once


def test_a_plateau_ends_at_its_beginning() -> None:
    answer = found(path(lambda t: max(0.5, 1 - 1.5 * t), lambda t: 10.0))
    assert answer
    assert answer[1].step.images == pytest.approx(59 * EVERY / 3, abs=3 * EVERY)


def test_a_bad_start_of_the_adversary_is_waited_for() -> None:
    # Worse for six looks, then far better: patience of eight carries over it.
    steps = path(lambda t: 1.3 if 0 < t < 0.1 else math.exp(-2 * t), lambda t: 10.0)
    answer = found(steps, patience=8 * EVERY)
    assert answer is None


def test_one_lucky_look_is_no_knee() -> None:
    steps = path(lambda t: math.exp(-t), lambda t: 10.0)
    steps[20] = Step(steps[20].images, 10.0, 0.01)
    assert found(steps) is None


def test_the_answer_for_a_beginning_never_changes() -> None:
    steps = path(lambda t: math.exp(-t), closed_form, noise=0.02)
    kept = [best_step(steps[:count]) for count in range(1, 61)]
    assert kept == sorted(kept)  # later states alone replace earlier ones
    assert all(kept[count] in (kept[count - 1], count) for count in range(1, 60))  # and can then still be kept


def test_patience_counts_images_and_looks() -> None:
    steps = path(lambda t: math.exp(t), lambda t: 10.0)
    assert find_knee(steps[:4], 0) is None
    assert find_knee(steps[:5], 0)
    assert find_knee(steps[:5], 5 * EVERY) is None


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0])
def test_figures_that_are_no_numbers_are_never_the_best(bad: float) -> None:
    steps = [Step(0, 10.0, 0.5), Step(1, 10.0, bad), *(Step(2 + index, 10.0, 0.6) for index in range(6))]
    assert best_step(steps) == 0
    assert find_knee(steps, 0)
    assert math.isinf(sums([Step(0, bad, 0.5)])[0])
    assert best_step([Step(0, bad, bad)]) == -1
    assert find_knee([Step(index, bad, bad) for index in range(9)], 0) is None
    assert find_knee([], 0) is None


def test_the_sentence_says_what_it_cost() -> None:
    knee = Knee(Step(1_000, 10.0, 0.2), Step(9_000, 10.0 * 10 ** (0.5 / 20), 0.21))
    assert "image 1,000" in str(knee)
    assert "+5.0%" in str(knee)
    assert "-0.50 dB" in str(knee)
