"""Long commands say on stderr that they go on, where there is no terminal."""

from __future__ import annotations

import pytest

from ganvas import Watch, cli, progress
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
