"""The probability that adapts: its steps, its cap and the alarm, and what the sign of a score means in each game."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from ganvas import Watch, train
from ganvas.cli import main
from ganvas.diagnosis import REMEDIES
from ganvas.errors import InputError
from ganvas.experiment.sanity_checks import sanity_checks
from ganvas.recipe import CAP, Augment, Recipe
from ganvas.recipe.objectives import Hinge, LeastSquares, NonSaturating, Objective, Relativistic, Wasserstein
from ganvas.recipe.ramp import Ramp
from ganvas.runs.folder import RunFolder
from ganvas.systems.dcgan import DCGAN
from ganvas.training.ada import EVERY, AdaptiveAugmentation, sign
from tests.conftest import tiny

REAL, FAKE = torch.tensor([2.0, 1.0, -0.5, 3.0]), torch.tensor([-1.0, 0.0, -2.0, 1.0])
ALONE = DCGAN(size=16, channels=1, g_width=4, d_width=4, d_norm="none")


def adapting(**changes: object) -> Recipe:
    augment = Augment(target=0.6, adapt_over=640, policy=("blit", "tone"))
    return tiny("dcgan", system=ALONE, augment=replace(augment, **changes))  # type: ignore[arg-type]


def test_steps_are_those_of_the_paper() -> None:
    recipe = adapting()  # of 4 batches of 16 in 640 images: a tenth
    adaptive = AdaptiveAugmentation(0.0, torch.device("cpu"))
    for round_ in range(1, 4 * EVERY):
        (chance,) = adaptive.step({"d/sign": torch.tensor(0.7)}, recipe).values()
        assert chance == pytest.approx(0.1 * (round_ // EVERY))
    for mean, wanted in ((1.0, CAP), (0.5, 0.0)):
        for _ in range(12 * EVERY):
            adaptive.step({"d/sign": torch.tensor(mean)}, recipe)
        assert adaptive.probability == pytest.approx(wanted)
    before = adaptive.probability
    assert adaptive.step({"g/adversarial": torch.tensor(1.0)}, recipe) == {"augment/p": before}  # D is held


def test_more_updates_of_d_in_a_round_are_longer_steps() -> None:
    recipe = replace(adapting(), schedule=replace(adapting().schedule, d_per_g=2))
    adaptive = AdaptiveAugmentation(0.0, torch.device("cpu"))
    for _ in range(EVERY):
        adaptive.step({"d/sign": torch.tensor(1.0)}, recipe)
    assert adaptive.probability == pytest.approx(0.2)


def undecided(objective: Objective) -> float:
    """The score that costs least where a real is as likely as a fake."""
    scores = torch.linspace(-3, 3, 6001)
    costs = [float(objective.d(score, score)) for score in scores]
    return float(scores[int(torch.tensor(costs).argmin())])


@pytest.mark.parametrize(
    "objective",
    [
        NonSaturating(),
        NonSaturating(real_label=0.9),
        NonSaturating(real_label=0.9, fake_label=0.1),
        LeastSquares(),
        LeastSquares(fake_label=-1.0),
    ],
    ids=str,
)
def test_the_sign_is_about_the_score_of_an_undecided_d(objective: Objective) -> None:
    zero = undecided(objective)
    assert sign(objective, torch.full((5,), zero + 0.01), FAKE) == 1
    assert sign(objective, torch.full((5,), zero - 0.01), FAKE) == -1


def test_the_sign_of_a_hinge_is_that_of_the_score() -> None:
    assert sign(Hinge(), REAL, FAKE) == 0.5


def test_the_relativistic_sign_does_not_see_the_drift_of_the_scores() -> None:
    for drift in (0.0, 50.0, -50.0):
        assert sign(Relativistic(), REAL + drift, FAKE + drift) == 0.5
    # Midway between the means is where the sign of cross-entropy's logits changes for scores that scatter alike.
    real = torch.randn(20_000, generator=torch.Generator().manual_seed(0)) + 1
    assert sign(Relativistic(), real + 7, -real + 7) == pytest.approx(
        float(sign(NonSaturating(), real, -real)), abs=0.02
    )


@pytest.mark.usefixtures("drawn")
def test_the_log_tells_p_and_the_sign_and_the_curves_are_drawn() -> None:
    outcome = train(adapting(), name="r", watch=Watch(log_every=16, checkpoint_seconds=1e9))
    lines = [line for line in outcome.folder.read_log() if "augment/p" in line]
    assert len(lines) == 12
    assert all(0 <= line["augment/p"] <= CAP and -1 <= line["d/sign"] <= 1 for line in lines)
    assert {round(line["augment/p"], 6) for line in lines} <= {0.0, 0.1, 0.2, 0.3}
    assert outcome.folder.curves.exists()


def leaks(folder: RunFolder) -> list[dict[str, object]]:
    return [event for event in folder.read_events() if event["event"] == "augmentation-at-cap"]


def test_the_cap_raises_an_alarm_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("ganvas.training.phases.sign", lambda *_: torch.tensor(1.0))
    watch = Watch(log_every=16, checkpoint_seconds=1e9)
    recipe = adapting(adapt_over=64, differentiable=0.1)
    train(replace(recipe, images=96), name="r", watch=watch)
    outcome = train(recipe, name="r", watch=watch)
    (alarm,) = leaks(outcome.folder)
    assert alarm["images"] == 64
    printed = capsys.readouterr().err
    assert printed.count("cap of 0.8") == 1
    assert "add images" in printed


@pytest.mark.parametrize(("sure", "alarms"), [(0.5, 0), (0.7, 1)])
def test_a_run_that_begins_at_the_cap_alarms_only_where_d_is_sure(
    monkeypatch: pytest.MonkeyPatch, sure: float, alarms: int
) -> None:
    monkeypatch.setattr("ganvas.training.phases.sign", lambda *_: torch.tensor(sure))
    recipe = adapting(adapt_over=100_000, differentiable=CAP)
    outcome = train(recipe, name="r", watch=Watch(log_every=16, checkpoint_seconds=1e9))
    assert len(leaks(outcome.folder)) == alarms


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (
            Augment(differentiable=0.9, policy=("geometry",)),
            r"differentiable 0\.9 .* without the changes geometry, .* use at most 0\.8",
        ),
        (
            Augment(differentiable=Ramp(0.0, 0.9, 100), policy=("colour", "tone")),
            r"differentiable 0\.0\.\.0\.9@100 .* changes colour tone",
        ),
        (Augment(target=0.6), r"reaches at most 0\.00038; use --augment\.adapt-over 38\."),
        (Augment(target=0.6, adapt_over=100), ""),
        (Augment(differentiable=0.8, policy=("geometry",)), ""),
        (Augment(differentiable=1.0), ""),
    ],
    ids=str,
)
def test_what_leaks_or_never_grows_is_reported_before_the_training(augment: Augment, message: str) -> None:
    warnings = sanity_checks(tiny("dcgan", augment=augment))
    assert len(warnings) == bool(message)
    assert not message or re.search(message, warnings[0])


def test_scores_that_tell_nothing_of_a_picture_are_refused() -> None:
    with pytest.raises(InputError, match=r"batch normalization.*--system\.d-norm"):
        train(replace(adapting(), system=tiny("dcgan").system), name="r")
    with pytest.raises(InputError, match=r"Wasserstein.*--objective"):
        replace(adapting(), objective=Wasserstein())
    with pytest.raises(InputError, match=r"points; leave them out"):
        train(tiny("plane", augment=Augment(target=0.6)), name="r")


def test_the_remedy_raises_what_does_not_adapt() -> None:
    (remedy, *_) = (r for r in REMEDIES["d-overfits"] if r.name.startswith("augment reals"))

    def treated(augment: Augment) -> str:
        return remedy.flags(tiny("dcgan", augment=augment), 1000)

    assert treated(Augment()) == "--augment.differentiable 0.3"
    assert treated(Augment(differentiable=0.5, policy=("geometry",))) == "--augment.differentiable 0.8"
    assert treated(Augment(differentiable=1.0)) == ""
    assert treated(Augment(differentiable=Ramp(0.0, 0.55, 10_000))) == "--augment.differentiable 0.3..0.85@10000"
    assert treated(Augment(target=0.6)) == ""


def test_the_policy_is_a_flag() -> None:
    words = ["--images", "64", "--system.g-width", "4", "--system.d-width", "4", "--system.d-norm", "spectral"]
    words += ["--augment.policy", "blit", "geometry", "--augment.target", "0.6", "--augment.adapt-over", "5000"]
    assert main(["train", "dcgan-digits", *words]) == 0
    kept = RunFolder("runs/dcgan-digits").read_recipe()["augment"]
    assert (kept["policy"], kept["target"], kept["adapt_over"]) == (["blit", "geometry"], 0.6, 5000)
