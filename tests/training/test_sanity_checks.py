"""Valid but probably unintended settings raise a warning, and are trained all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ganvas.experiment import train
from ganvas.experiment.sanity_checks import sanity_checks
from ganvas.recipe import EMA, Adam
from ganvas.recipe.objectives import NonSaturating, Relativistic, Wasserstein
from ganvas.recipe.penalties import R1, R2, GradientPenalty
from ganvas.recipe.ramp import Ramp
from ganvas.systems import entries, named_recipe
from ganvas.systems.dcgan import DCGAN
from tests.conftest import Cli, tiny

FLAT = DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8, d_norm="none")


@pytest.mark.parametrize(
    ("objective", "penalties", "message"),
    [
        (Wasserstein(), (R1(),), "R1 pulls the critic's slope to 0"),
        (Wasserstein(), (R1(), R2()), "R1 and R2 pulls"),
        (Wasserstein(), (), "nothing bounds"),
        (Relativistic(), (GradientPenalty(),), "use R1 and R2"),
        (Relativistic(), (R1(),), "this recipe has R1; it may diverge"),
        (Relativistic(), (), "no penalty"),
    ],
)
def test_a_penalty_that_does_not_fit_the_objective(objective: object, penalties: object, message: str) -> None:
    (sentence,) = sanity_checks(tiny("dcgan", system=FLAT, objective=objective, penalties=penalties))
    assert message in sentence
    assert sentence.endswith(".")


def test_what_fits_raises_no_warning() -> None:
    assert not sanity_checks(tiny("dcgan", system=FLAT, objective=Relativistic(), penalties=(R1(), R2())))
    assert not sanity_checks(tiny("dcgan", system=FLAT, objective=NonSaturating(), penalties=(R1(),)))
    assert not sanity_checks(tiny("dcgan", system=FLAT, objective=Wasserstein(), penalties=(GradientPenalty(),)))
    for entry in entries():
        assert not sanity_checks(named_recipe(entry.name)), entry.name


def test_a_ramp_past_the_end_is_named_with_where_it_gets() -> None:
    recipe = tiny(adam_g=Adam(lr=Ramp(4e-4, 0.0, 400)), ema=EMA(half_life=Ramp(0, 100, 100)), images=192)
    (sentence,) = sanity_checks(recipe)
    assert "ends at image 192, before its ramps do: --adam-g.lr 0.0004..0.0@400 only reaches 0.000208;" in sentence
    assert sentence.endswith("use ramps that end at @192, or --images 400.")
    (all_of_them,) = sanity_checks(replace(named_recipe("r3gan-small"), images=64_000))
    assert "and 4 more ramps;" in all_of_them
    assert "--penalties.0.gamma 20.0..2.0@400000:cosine only reaches 18.9, --penalties.1.gamma" in all_of_them
    (both,) = sanity_checks(tiny("dcgan", system=FLAT, penalties=(R1(), R2(gamma=Ramp(1, 0, 10**6))), images=192))
    assert "--penalties.1.gamma 1..0@1000000 only reaches 1" in both


def test_grey_pictures_for_a_network_of_colours_are_reported(cli: Cli) -> None:
    result = cli(
        "train", "dcgan-cifar10", "--data", "digits", "--system.size", "16", "--images", "64", "--name", "grey"
    )
    assert result.returncode == 0, result.stderr
    assert "the images of digits look grey" in " ".join(result.stderr.split())


def test_the_run_is_trained_all_the_same_and_remembers(cli: Cli) -> None:
    outcome = train(tiny(adam_g=Adam(lr=Ramp(4e-4, 0.0, 400)), images=32), name="r")
    assert outcome.state == "finished"
    assert "before its ramps do" in next(e["sentence"] for e in outcome.folder.read_events() if e["event"] == "warning")
    result = cli("train", "mlp-digits", "--images", "128", "--adam-g.lr", "2e-4..0@4000", "--name", "late")
    assert result.returncode == 0, result.stderr
    assert "the run ends at image 128, before" in " ".join(result.stderr.split())
