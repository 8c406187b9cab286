"""ganvas tune: paired, resumable, careful with what it cannot distinguish, and open about its cost."""

from __future__ import annotations

import io
import json
import os
import shlex
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from torch import Tensor

from ganvas import R1, R2, Adam, Host, InputError, Ramp, Recipe, Relativistic, cli, progress, train
from ganvas.cli._flags import parse
from ganvas.metrics.intervals import Estimate
from ganvas.observers.log import Log
from ganvas.recipe.serialization import from_plain
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.studies.tuning import Search, SearchStopped, Trial, TuningCandidate, halving, trial_chart, tune
from ganvas.studies.tuning.candidates import candidates_of, first_images
from ganvas.studies.tuning.trials import choose, ranked
from tests.conftest import same, tiny

QUICK = Search(extractor="digits", images=320, seeds=1)
QUICK_PAIR = replace(QUICK, factors=(1.0, 40.0))
BATCH = ["--batch-size", "16", "--images", "4000"]


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The curves of a trial take longer than itself."""
    monkeypatch.setattr("ganvas.observers.curves.draw", lambda folder: None)


def recipe(**changes: object) -> Recipe:
    return tiny(images=4_000, **changes)


def weights(run: str) -> dict[str, Tensor]:
    return checkpoint.load(RunFolder(run).states()[0])[0]


def test_the_command_advises_and_goes_on_for_free(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sheets: list[tuple[Trial, int]] = []
    draw_sheet = trial_chart._sample_grid

    def record(axis: object, trial: Trial, images: int) -> None:
        sheets.append((trial, images))
        draw_sheet(axis, trial, images)

    monkeypatch.setattr(trial_chart, "_sample_grid", record)
    words = ["mlp-digits", *BATCH, "--system.g-hidden", "16", "32", "--adam-d.lr=1e-4"]
    search = [
        "--search.extractor",
        "digits",
        "--search.images",
        "320",
        "--search.factors",
        "1",
        "40",
        "--search.seeds",
        "1",
        "--name",
        "t",
    ]
    assert cli.main(["tune", *words, *search]) == 0
    said, told = capsys.readouterr()
    kept = json.loads(Path("runs/t/tune.json").read_text())
    assert {line["run"] for line in kept["probes"]} == {"lr-x1-seed0", "lr-x40-seed0"}
    assert all(line["images"] == 960 and line["kid"][1] < line["kid"][0] < line["kid"][2] for line in kept["probes"])
    assert kept["images"] == 2 * 960
    assert kept["share"] == 2 * 960 / 4_000
    assert f"choice   {kept['reason']}" in said
    assert "1,920 images: 48% of the run's images" in said
    assert Path("runs/t/tune.png").is_file()
    assert "longer than the run" not in told
    # A sheet says the verdict of its own length.
    assert [(trial.images, images) for trial, images in sheets] == [(320, 320)] * 2 + [(960, 960)] * 2
    for trial, images in sheets:
        (line,) = (line for line in told.splitlines() if f"{trial.candidate.label}, seed 0, {images} images" in line)
        assert f", {trial.verdict}, " in line
    # The command that it prints makes the recipe that it chose.
    (line,) = (line for line in said.splitlines() if line.startswith("train "))
    command = shlex.split(line.removeprefix("train"))
    assert command[:3] == ["ganvas", "train", "mlp-digits"]
    factor = float(kept["choice"].removeprefix("lr x"))
    _, flags = parse("train", command[2:])
    assert (flags.recipe.adam_g.lr, flags.recipe.adam_d.lr) == (2e-4 * factor, 1e-4 * factor)
    assert flags.recipe.images == 4_000
    assert "--search" not in line
    # Once more: every trial stands, so that nothing is trained.
    assert cli.main(["tune", *words, *search]) == 0
    assert json.loads(Path("runs/t/tune.json").read_text()) == kept
    other = replace(from_plain(Recipe, kept["recipe"]), seed=3)
    with pytest.raises(InputError, match=r"a search with other settings \(recipe.seed: 0 -> 3\)"):
        tune(other, name="t", search=QUICK_PAIR)


def test_interrupted_it_goes_on_bit_for_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    search = replace(QUICK, factors=(4.0,))
    step, looks = Log.step, iter(range(10**6))

    def interrupt(self: Log, run: object, report: object) -> None:
        step(self, run, report)  # type: ignore[arg-type]
        if next(looks) == 60:  # two trials of 20 rounds are over; the first finalist is on its way
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(Log, "step", interrupt)
        with pytest.raises(SearchStopped):
            tune(recipe(), search=search)
    result = tune(recipe(), search=search)
    assert {trial.images for trial in result.trials} == {960}
    assert result.seconds > 0
    # A trial is the beginning of the whole run.
    for factor in (1, 4):
        adam = Adam(lr=2e-4 * factor)
        train(tiny(images=960, adam_g=adam, adam_d=adam), name="whole", host=Host(runs=f"x{factor}"))
        assert same(weights(f"x{factor}/whole"), weights(f"runs/tune/lr-x{factor}-seed0"))


def test_a_search_longer_than_its_run_is_said_before_the_first_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(file=io.StringIO(), width=400)
    monkeypatch.setattr(halving._Trainer, "run", stop)
    with pytest.raises(SearchStopped):
        tune(tiny(images=1_900), name="long", search=replace(QUICK_PAIR, seeds=2), console=console)
    assert "longer than the run it is for" in console.file.getvalue()  # type: ignore[attr-defined]


def stop(*of: object) -> Trial:
    raise SearchStopped(2)


def test_what_diverges_is_last_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SILENCE", 0.0)
    monkeypatch.setattr(halving, "SHOWN", 0.0)
    console = Console(file=io.StringIO(), width=200)
    result = tune(recipe(), search=replace(QUICK, factors=(1e30,)), console=console)
    assert "lr x1, seed 0  50%, left " in console.file.getvalue()  # type: ignore[attr-defined]
    last = result.trials[-1]
    assert (last.candidate.lr, last.verdict) == (1e30, "diverged")
    assert "diverged at image" in last.why
    assert result.choice.candidate == result.trials[0].candidate
    assert result.flags == ()


def test_rates_and_penalties_are_scaled_with_their_ramps() -> None:
    penalties = (R1(gamma=Ramp(2.0, 0.2, 1000)), R2(gamma=0.5))
    game = recipe(
        objective=Relativistic(), penalties=penalties, adam_g=Adam(lr=Ramp(4e-4, 4e-5, 1000)), adam_d=Adam(lr=1e-4)
    )
    made = {candidate.run(0): candidate for candidate in candidates_of(game, Search())}
    assert len(made) == 9
    assert made["lr-x1-gamma-x1-seed0"].recipe == game
    other = made["lr-x0.25-gamma-x4-seed0"]
    assert other.label == "lr x1/4, gamma x4"
    assert other.recipe.adam_g.lr == Ramp(1e-4, 1e-5, 1000)
    assert other.recipe.adam_d.lr == 2.5e-5
    assert other.recipe.penalties == (R1(gamma=Ramp(8.0, 0.8, 1000)), R2(gamma=2.0))
    # A penalty of strength 0 is none.
    assert len(candidates_of(replace(game, penalties=(R1(gamma=0.0),)), Search())) == 3


def test_the_first_trials_are_whole_rounds() -> None:
    assert first_images(recipe(), Search(images=321)) == 352
    assert first_images(replace(recipe(), images=10**6), Search()) == 20_000
    assert first_images(replace(recipe(), images=12_000), Search()) == 3_200


CANDIDATES = {candidate.lr: candidate for candidate in candidates_of(recipe(), Search())}


def trial(lr: float, kid: float, *, swd: float = 0.0, verdict: str = "healthy", seed: int = 0) -> Trial:
    candidate: TuningCandidate = CANDIDATES[lr]
    measured = None if verdict == "diverged" else Estimate(kid, kid - 0.1, kid + 0.1)
    why = f"{verdict} since image 100"
    return Trial(candidate, seed, RunFolder("x"), 960, measured, swd or kid, verdict, why, 1.0)


def test_what_is_better_beyond_the_intervals_with_every_seed_is_chosen() -> None:
    finals = [[trial(4, 1.0), trial(4, 1.1, seed=1)], [trial(1, 1.5), trial(1, 1.6, seed=1)]]
    choice = choose(finals, (0.25, 1, 4))
    assert choice.candidate == CANDIDATES[4]
    assert "KID 1.05 against 1.55" in choice.reason
    assert "each of 2 seeds" in choice.reason
    assert "edge" in choice.reason
    assert "edge" not in choose(finals, (0.25, 1, 4, 16)).reason


def test_the_first_that_can_be_told_apart_need_not_be_the_first() -> None:
    first, second = [trial(4, 1.0), trial(4, 1.45, seed=1)], [trial(0.25, 1.2), trial(0.25, 1.3, seed=1)]
    choice = choose([second, first, [trial(1, 1.5), trial(1, 1.6, seed=1)]], (0.25, 1, 4))
    assert choice.candidate == CANDIDATES[0.25]


@pytest.mark.parametrize(
    "better",
    [
        [trial(4, 1.0), trial(4, 1.45, seed=1)],  # intervals meet with one seed
        [trial(4, 1.0, swd=2.0), trial(4, 1.1, seed=1)],  # the other measure disagrees
    ],
    ids=["intervals", "measures"],
)
def test_what_cannot_be_told_apart_leaves_the_recipe_as_it_is(better: list[Trial]) -> None:
    choice = choose([better, [trial(1, 1.5), trial(1, 1.6, seed=1)]], (0.25, 1, 4))
    assert choice.candidate == CANDIDATES[1]
    assert "values: lr x4 (KID" in choice.reason
    assert "cannot be distinguished" in choice.reason


def test_what_is_ill_is_not_chosen_while_something_is_sound() -> None:
    ill, own = [trial(4, 0.5, verdict="mode-collapse")], [trial(1, 1.5)]
    assert choose([ill, own], (4,)).candidate == CANDIDATES[1]
    sound = choose([[trial(0.25, 2.0)], [trial(1, 1.5, verdict="d-dominates")]], (0.25, 4))
    assert sound.candidate == CANDIDATES[0.25]
    assert "d-dominates since image 100" in sound.reason
    all_ill = choose([[trial(4, 1.5, verdict="d-dominates")], [trial(1, 1.4, verdict="d-dominates")]], (0.25, 4))
    assert all_ill.candidate == CANDIDATES[1]
    assert "No value tried makes this game healthy" in all_ill.reason
    assert choose([[trial(4, 1.5)], [trial(1, 0, verdict="diverged")]], (4,)).candidate == CANDIDATES[4]
    assert choose([[trial(1, 0, verdict="diverged")]], (4,)).candidate is None


def test_ranked_by_both_measures() -> None:
    early, noise, bad = [trial(4, 1.2, swd=0.1)], [trial(1, 1.1, swd=0.4)], [trial(0.25, 1.3, swd=0.5)]
    assert ranked([bad, noise, early])[2] is bad
    assert ranked([bad, [trial(1, 0.1, verdict="oscillation")]])[0] is bad


REFUSED = {
    "unknown recipe": (["mlp-digit"], "'mlp-digits'"),
    "no data": (["mlp-digits", "--data", "nowhere/"], "nowhere"),
    "unknown flag": (["mlp-digits", "--search.image", "9"], "--search.images"),
    "nothing to tune": (["mlp-digits", "--search.factors", "1"], "nothing to tune"),
    "no factor": (["mlp-digits", "--search.factors", "-1"], "above 0"),
    "no seed": (["mlp-digits", "--search.seeds", "0"], "at least 1 seed"),
    "no such network": (["mlp-digits", "--search.extractor", "alexnet"], "alexnet"),
    "budget too small": (["mlp-digits", "--search.images", "100"], "at least 1,280 (20 rounds of 64)"),
    "budget too large": (["mlp-digits", "--search.images", "400000"], "at most 239,600"),
    "run too short": (["mlp-digits", "--images", "1000"], "too short to be tuned"),
    "super-resolution": (["srgan-x4"], "restores images"),
    "points": (["mlp-ring"], "makes points"),
    "treated": (["mlp-digits", "--steering", "treat"], "--steering treat"),
    "folder for a name": (["mlp-digits", "--name", "a/b"], "plain name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, said = REFUSED[case]
    assert cli.main(["tune", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line
    assert line.endswith(".")
    assert not Path("runs").exists()


def test_too_few_pictures_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    from PIL import Image

    Path("few").mkdir()
    for index in range(12):
        Image.effect_noise((8, 8), 60 + index).save(f"few/{index}.png")
    assert cli.main(["tune", "mlp-digits", "--data", "few", "--batch-size", "2"]) == 2
    assert "too few to measure KID" in capsys.readouterr().err
    assert not Path("runs").exists()
