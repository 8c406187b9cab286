"""Penalties by name on the command line."""

from __future__ import annotations

import pytest

from ganvas.cli._flags import parse
from ganvas.errors import InputError
from ganvas.recipe.penalties import R1, R2, GradientPenalty
from ganvas.recipe.ramp import Ramp


def test_penalties_are_chosen_by_name_and_their_fields_are_flags() -> None:
    words = ["dcgan-digits", "--objective", "Relativistic", "--penalties", "R1", "r2", "--system.d-norm", "none"]
    recipe = parse("train", [*words, "--penalties.0.gamma", "5..0.5@1000", "--penalties.1.every", "4"])[1].recipe
    assert recipe.penalties == (R1(gamma=Ramp(5, 0.5, 1000)), R2(every=4))
    assert parse("train", ["dcgan-digits", "--penalties=GradientPenalty"])[1].recipe.penalties == (GradientPenalty(),)
    assert parse("train", ["r3gan-small", "--penalties", "none"])[1].recipe.penalties == ()
    assert len(parse("train", ["r3gan-small", "--name", "x"])[1].recipe.penalties) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--penalties", "R3"], r"--penalties R3 is not available; available: GradientPenalty, R1, R2"),
        (["--penalties"], "--penalties without a name"),
        (["--penalties", "--images", "640"], "--penalties without a name"),
        (["--penalties.0.gamma", "5"], "there is no flag --penalties.0.gamma"),
        (["--penalties", "R1", "--penalties.0.gamma", "-1"], "would reward a rough discriminator"),
    ],
)
def test_what_is_no_penalty_is_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse("train", ["dcgan-digits", *words])
