"""Advice while training, treatment where asked for, an early end where the run only gets worse, and the verb."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import ganvas
from ganvas import Adam, NonSaturating, Steering, Watch, train
from ganvas.cli import main
from ganvas.diagnosis import REMEDIES, Verdict
from ganvas.diagnosis.remedies import advice
from ganvas.observers import diagnosis as observer
from ganvas.recipe import Recipe
from ganvas.recipe.objectives import Objective, Relativistic
from ganvas.recipe.penalties import R1, R2, GradientPenalty, Penalty
from ganvas.runs.folder import RunFolder
from ganvas.training import controller as steering
from ganvas.training.loop import Diverged
from tests.conftest import TrainedRun, same, tiny
from tests.test_contracts import last_state

ILL = {"objective": NonSaturating(saturating=True), "adam_d": Adam(lr=2e-2), "images": 16 * 60}
WATCH = Watch(diagnose_every=16, checkpoint_seconds=1e9, grid=(2, 2))


def events(name: str, *kinds: str) -> list[dict[str, object]]:
    return [event for event in RunFolder(f"runs/{name}").read_events() if event["event"] in kinds]


def test_an_ill_game_is_named_while_it_trains(capsys: pytest.CaptureFixture[str]) -> None:
    train(tiny("dcgan", **ILL), name="ill", watch=WATCH)
    early, first, *_ = events("ill", "verdict")
    assert (early["verdict"], first["verdict"]) == ("early", "d-dominates")
    printed = capsys.readouterr().err
    assert "D dominates" in printed
    assert "remedy: non-saturating loss for G" in printed
    assert "--objective.saturating False" in printed


def test_remedies_can_be_left_unsaid(capsys: pytest.CaptureFixture[str]) -> None:
    train(tiny("dcgan", **ILL), name="ill", watch=replace(WATCH, remedies=False))
    assert events("ill", "verdict")[1]["verdict"] == "d-dominates"
    printed = capsys.readouterr().err
    assert "D dominates" in printed
    assert "remedy" not in printed


def test_the_verb_says_it_and_draws_it(trained_run: TrainedRun, capsys: pytest.CaptureFixture[str]) -> None:
    trained_run(tiny("dcgan", **ILL), WATCH)
    capsys.readouterr()
    assert main(["diagnose", "runs/r"]) == 0
    printed = capsys.readouterr().out
    assert "D dominates" in printed
    assert "remedy: " in printed
    assert printed.splitlines()[-1] == "runs/r/diagnosis.png"
    with Image.open("runs/r/diagnosis.png") as picture:
        assert picture.width > 500


@pytest.mark.parametrize("verdict", ["divergence", "d-dominates", "mode-collapse", "partial-collapse", "oscillation"])
def test_the_relativistic_game_is_given_the_penalties_that_fit_it(verdict: str) -> None:
    def given(objective: Objective, *penalties: Penalty) -> list[tuple[Penalty, ...]]:
        recipe = tiny(objective=objective, penalties=penalties)
        changed = (remedy.change(recipe, 0) for remedy in REMEDIES[verdict])
        return [recipe.penalties for recipe in changed if recipe and recipe.penalties != penalties]

    assert given(Relativistic()) == [(R1(), R2())]
    assert given(Relativistic(), R1(gamma=5.0, every=4)) == [(R1(gamma=5.0, every=4), R2(gamma=5.0, every=4))]
    assert given(Relativistic(), R1(), R2()) == []
    lone = tiny(objective=Relativistic(), penalties=(R1(gamma=5.0),))
    (printed,) = (line for line in advice(verdict, lone, 0) if "penalties" in line)
    assert printed.endswith("--penalties R1 R2 --penalties.0.gamma 5.0 --penalties.1.gamma 5.0")
    assert given(NonSaturating()) == [(GradientPenalty(),)]


def test_a_run_without_snapshots_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    train(tiny("dcgan"), name="short", watch=Watch(diagnose_every=10_000))
    assert main(["diagnose", "runs/short"]) == 2
    assert "no diagnosis in its log" in capsys.readouterr().err


def test_treatment_is_logged_bounded_and_changes_the_game(trained_run: TrainedRun) -> None:
    recipe = tiny("dcgan", **ILL, steering=Steering(mode="treat", every=16, treatments=2))
    train(recipe, name="treated", watch=WATCH)
    trained_run(replace(recipe, steering=Steering()), WATCH)
    treated = events("treated", "treated")
    assert 1 <= len(treated) <= 2
    assert treated[0]["verdict"] == "d-dominates"
    assert treated[0]["change"] == "--objective.saturating False"
    outcomes = events("treated", "kept", "taken back", "failed", "rolled back", "finished")
    assert outcomes
    assert not same(last_state("treated"), last_state("r"))
    # What was asked for stays what was asked for.
    assert json.loads(Path("runs/treated/recipe.json").read_text())["objective"]["saturating"] is True


def test_a_loss_that_is_no_number_is_treated_but_not_for_ever() -> None:
    rates = {"adam_g": Adam(lr=1e30), "adam_d": Adam(lr=1e30)}
    recipe = tiny("dcgan", images=16 * 60, **rates, steering=Steering(mode="treat", every=16))
    assert train(recipe, name="saved", watch=WATCH).images_seen == recipe.images
    (treated,) = events("saved", "treated")
    assert treated["verdict"] == "divergence"
    assert treated["change"] == "--adam-g.lr 0.0002 --adam-d.lr 0.0002"
    assert all(tensor.isfinite().all() for tensor in last_state("saved").values())


def test_a_game_that_no_remedy_keeps_finite_still_diverges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REMEDIES, "divergence", ())
    recipe = tiny("dcgan", adam_g=Adam(lr=1e30), adam_d=Adam(lr=1e30), steering=Steering(mode="treat", every=16))
    with pytest.raises(Diverged):
        train(recipe, name="lost", watch=WATCH)


def test_a_healthy_game_is_not_treated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering, "assess", lambda history: Verdict("healthy", 0, 0, {}))
    monkeypatch.setattr(steering, "WORSE", float("inf"))  # nor taken back to its best
    recipe = tiny("dcgan", images=16 * 20)
    train(recipe, name="plain", watch=WATCH)
    train(replace(recipe, steering=Steering(mode="treat", every=16)), name="treated", watch=WATCH)
    plain, treated = last_state("plain"), last_state("treated")
    assert same(plain, {name: tensor for name, tensor in treated.items() if not name.startswith("steering.")})


def treated(monkeypatch: pytest.MonkeyPatch, distances: list[float], ill: range, **signals: float) -> RunFolder:
    """Treat a run of as many snapshots as there are distances, with these signals in some of them."""
    script = enumerate(distances)
    real = steering.Probe.measure

    def scripted(self: steering.Probe, g: object, d: object) -> dict[str, float]:
        number, distance = next(script)
        sound = {"movement": 0.2, "auc": 0.9, "advantage": 0.5, "diversity": 1.0, "duplicates": 0.0, "overfit": 0.5}
        sound |= {"logit_real": 1.0, "logit_fake": -1.0, "logit_held_out": 0.5, "overfit_limit": 0.6}
        return real(self, g, d) | sound | {"distance": distance} | (signals if number in ill else {})  # type: ignore[arg-type]

    monkeypatch.setattr(steering.Probe, "measure", scripted)
    recipe = tiny("dcgan", images=16 * len(distances), adam_g=Adam(lr=1e-2), steering=Steering(mode="treat", every=16))
    train(recipe, name="treated", watch=WATCH)
    return RunFolder("runs/treated")


LOST = {"auc": 0.1, "advantage": -0.5}


def test_a_state_little_worse_than_the_best_is_treated_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    treated(monkeypatch, [20.0] * 3 + [6.0] * 3 + [9.0] * 15, range(6, 12), **LOST)
    (event,) = events("treated", "treated")
    assert event["start"] == event["images"]
    assert not events("treated", "rolled back")


def test_after_a_fresh_start_earlier_networks_are_no_measure(monkeypatch: pytest.MonkeyPatch) -> None:
    # The new networks start farther away than the old ones were, which is no sign that they are past their best.
    treated(monkeypatch, [9.0] * 8 + [20.0] * 24, range(8), **LOST)
    (event,) = events("treated", "treated")
    assert (event["verdict"], event["start"]) == ("g-dominates", 0)


def test_no_remedy_is_begun_without_time_to_take_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    treated(monkeypatch, [9.0] * 20, range(14, 20), **LOST)
    assert not events("treated", "treated", "rolled back")


def test_overfitting_is_treated_although_the_fakes_get_closer(monkeypatch: pytest.MonkeyPatch) -> None:
    treated(monkeypatch, [20 * 0.85**i for i in range(20)], range(5, 9), overfit=0.8)
    (event,) = events("treated", "treated")
    assert event["verdict"] == "d-overfits"
    assert event["images"] == 16 * 8


def test_a_run_without_a_remedy_left_trains_on_where_its_best_is_no_better(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REMEDIES, "g-dominates", ())
    treated(monkeypatch, [9.0] * 20, range(20), **LOST)
    (end,) = events("treated", "finished")
    assert end["images"] == 16 * 20


def test_steering_is_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "dcgan-digits", "--images", "640", "--system.g-width", "4", "--system.d-width", "4"]
    assert main([*words, "--steering", "treat"]) == 0
    assert json.loads(Path("runs/dcgan-digits/recipe.json").read_text())["steering"]["mode"] == "treat"
    assert main(["train", "dcgan-digits", "--steering", "cure"]) == 2
    assert main(["train", "dcgan-digits", "--steering.treatments", "0"]) == 2


def test_a_run_that_only_gets_worse_ends_early_with_its_best(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe: Recipe = tiny("dcgan", images=16 * 40)
    script = iter([5.0, 3.0, 1.0, 1.0, 1.0] + [9.0] * 40)
    real = observer.Probe.measure

    def worse(self: observer.Probe, g: object, d: object) -> dict[str, float]:
        return real(self, g, d) | {"distance": next(script)}  # type: ignore[arg-type]

    monkeypatch.setattr(observer.Probe, "measure", worse)
    watch = Watch(diagnose_every=16, measure_every=64, stop_when_past_best=0.2, checkpoint_seconds=1e9)
    outcome = train(recipe, name="worse", watch=watch)
    assert outcome.state == "finished"
    assert outcome.early == "past its best"
    # The best snapshot was the third; a fifth of the run is eight snapshots.
    assert outcome.images_seen < recipe.images / 2
    (end,) = events("worse", "finished")
    assert end["early"] == "past its best"
    assert float(end["saved_seconds"]) > 0  # type: ignore[arg-type]
    assert (ganvas.open("runs/worse").generate(4) == ganvas.open("runs/worse", which="best").generate(4)).all()
    assert train(recipe, name="worse", watch=watch).images_seen == outcome.images_seen
