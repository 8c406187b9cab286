"""Long commands say on stderr that they go on, where there is no terminal."""

from __future__ import annotations

import pytest

from ganvas import Watch, cli, progress
from ganvas.data import Dataset
from ganvas.experiment import cost
from ganvas.training.run import Run
from tests.conftest import TrainedRun, tiny


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, trained_run: TrainedRun) -> None:
    """A run, and commands that say every step."""
    trained_run(tiny("dcgan"), Watch(grid=(2, 2)))
    monkeypatch.setattr(progress, "SILENCE", 0.0)


@pytest.mark.usefixtures("impatient")
def test_evaluating_says_every_part_that_may_take_long(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "runs/r", "--extractor", "digits", "--fakes", "60"]) == 0
    said = capsys.readouterr().err
    for line in (
        *("generating with r 60/60", "digits on reals", "digits on fakes 60/60", "nearest training samples"),
        *("nearest of held-out samples", "measures 1/"),
    ):
        assert line in said


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("flags", "total"),
    [
        (["-n", "20", "--grid", "g.png", "--out", "made"], 40),
        (["-n", "3", "--interpolate", "--steps", "4", "--grid", "g.png"], 12),
    ],
)
def test_generating_says_how_many(flags: list[str], total: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", "runs/r", *flags]) == 0
    assert f"generating with r {total}/{total}" in capsys.readouterr().err


def test_a_plan_of_a_slow_recipe_is_timed_in_small_batches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cost, "BUDGET", 0.0)
    timed: list[int] = []
    began = cost._timed

    def note(run: Run, dataset: Dataset, batch: int, seconds: float) -> tuple[float, int]:
        timed.append(batch)
        return began(run, dataset, batch, 0)

    monkeypatch.setattr(cost, "_timed", note)
    assert cli.main(["plan", "dcgan-digits", "--batch-size", "512"]) == 0
    said = capsys.readouterr().out
    assert timed == [2, 4]
    assert "on cpu, timed in batches of 4" in said
    assert "MiB at peak, more in batches of 512" in said
