"""What a round does, counted and computed by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas.data import open_data
from ganvas.recipe.objectives import Relativistic
from ganvas.recipe.penalties import R1, R2, GradientPenalty, Penalty
from ganvas.recipe.ramp import Ramp
from ganvas.systems.dcgan import DCGAN
from ganvas.tasks import task_of
from ganvas.training.loop import train as play
from ganvas.training.phases import phases
from ganvas.training.run import Run
from tests.conftest import tiny

FLAT = DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8, d_norm="none")


def first_round(**changes: Any) -> tuple[list[dict[str, Tensor]], Counter[str], Run, Any]:
    recipe = tiny("dcgan", **({"system": FLAT} | changes))
    run = Run(recipe, torch.device("cpu"))
    feed = task_of(recipe).feed(recipe, open_data(recipe.data, recipe.system.shape), run.device)
    scored: Counter[str] = Counter()
    run.d.register_forward_hook(lambda d, given, made: scored.update({"pictures": len(given[0])}))
    terms = []
    for phase in phases(recipe):
        torch.manual_seed(1)
        scored.update({phase.player: -scored["pictures"]})
        terms.append(phase.terms(run.g, run.d, feed.batch(0)))
        scored.update({phase.player: scored["pictures"]})
    return terms, scored, run, feed


def test_nothing_is_scored_twice() -> None:
    _, scored, *_ = first_round(objective=Relativistic(), penalties=(R1(), R2()))
    assert scored["d"] == 2 * 16  # reals and fakes, for the game and both penalties
    assert scored["g"] == 2 * 16  # fakes, and the fresh reals they are paired with
    _, scored, *_ = first_round(penalties=(R1(), R2()))
    assert scored["g"] == 16


def test_the_penalties_are_the_slopes_of_the_scores_in_the_game() -> None:
    (terms, _), _, run, feed = first_round(objective=Relativistic(), penalties=(R1(gamma=2.0), R2(gamma=Ramp(4, 0, 9))))
    batch = feed.batch(0)
    torch.manual_seed(1)
    fake = run.recipe.system.fake(run.g, batch).detach()
    for name, gamma, pictures in (("d/R1", 2.0, batch.real), ("d/R2", 4.0, fake)):
        pictures = pictures.clone().requires_grad_()
        (slope,) = torch.autograd.grad(run.d(pictures).sum(), pictures)
        expected = gamma / 2 * slope.square().sum((1, 2, 3)).mean()
        torch.testing.assert_close(terms[name].detach(), expected)
    gap = run.d(batch.real) - run.d(fake)
    torch.testing.assert_close(terms["d/adversarial"], nn.functional.softplus(-gap).mean())


@pytest.mark.parametrize("penalty", [R1(every=4), GradientPenalty(every=4)])
def test_a_lazy_penalty_is_rare_and_as_strong(penalty: Penalty) -> None:
    recipe = tiny("dcgan", system=FLAT, penalties=(penalty,), images=16 * 8)
    name = f"d/{type(penalty).__name__}"
    seen: list[bool] = []

    class Note:
        ends, vital = "", False

        def start(self, run: Run) -> None: ...

        def step(self, run: Run, report: Any) -> None:
            seen.append(name in report.terms)

        def end(self, run: Run) -> None: ...

    run = Run(recipe, torch.device("cpu"))
    play(run, task_of(recipe).feed(recipe, open_data(recipe.data, recipe.system.shape), run.device), [Note()])  # type: ignore[list-item]
    assert seen == [True, False, False, False] * 2
    (lazy, _), *_ = first_round(penalties=(penalty,))
    (always, _), *_ = first_round(penalties=(type(penalty)(),))
    torch.testing.assert_close(lazy[name], 4 * always[name])


@pytest.mark.parametrize("kind", [R1, GradientPenalty])
def test_two_penalties_of_one_kind_add_up(kind: type[Penalty]) -> None:
    (one, _), *_ = first_round(penalties=(kind(),))
    (twice, _), *_ = first_round(penalties=(kind(), kind()))
    name = f"d/{kind.__name__}"
    # Every gradient penalty draws points of its own.
    torch.testing.assert_close(twice[name], 2 * one[name], rtol=0.05, atol=0)


def test_a_projection_gathers_the_labels_score() -> None:
    scores = torch.tensor([[0.0, 1.0, 2.0], [6.0, 7.0, 8.0]])
    assert DCGAN(classes=3).logits(scores, torch.tensor([2, 0])).tolist() == [2.0, 6.0]
