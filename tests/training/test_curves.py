"""The curves are drawn by a process beside the training, and by the training's own where that one cannot."""

from __future__ import annotations

import pytest

from ganvas import Adam, Ramp, train
from ganvas.observers import curves
from ganvas.runs.folder import RunFolder
from ganvas.training.loop import Diverged
from tests.conftest import tiny


def fail(folder: RunFolder) -> None:
    raise AssertionError(f"drew {folder.name} in the training's process")


def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of some seconds that has drawn nothing yet."""
    monkeypatch.setattr(curves, "AFTER", 0.0)
    monkeypatch.setattr(curves, "MATPLOTLIB", "not loaded")


def test_a_run_of_some_seconds_does_not_load_what_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    beside(monkeypatch)
    monkeypatch.setattr(curves, "draw", fail)
    folder = train(tiny(images=96), name="r").folder
    assert folder.curves.stat().st_size > 10_000
    assert not [event for event in folder.read_events() if event["event"] == "observer-failed"]


def test_no_process_is_left_of_a_run_that_diverges(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    beside(monkeypatch)
    monkeypatch.setattr(
        curves, "_painter", lambda folder, start=curves._painter: started.append(start(folder)) or started[-1]
    )
    with pytest.raises(Diverged):
        train(tiny(adam_d=Adam(lr=Ramp(0.0, 1e38, 1600))), name="r")
    assert [process.returncode for process in started] == [0]


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("name", "value"), [("DRAW", "raise SystemExit(1)"), ("sys.executable", "no-such-program")])
def test_curves_are_drawn_without_another_process(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    beside(monkeypatch)
    monkeypatch.setattr(f"ganvas.observers.curves.{name}", value)
    assert train(tiny(images=96), name="r").folder.curves.is_file()


def test_no_process_is_started_where_what_draws_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for name in ("AFTER", "SECONDS"):
        monkeypatch.setattr(curves, name, 0.0)
    monkeypatch.setattr(curves, "MATPLOTLIB", "sys")
    monkeypatch.setattr(curves, "_painter", fail)
    monkeypatch.setattr(curves, "draw", drawn.append)
    folder = train(tiny(images=96), name="r").folder
    assert len(drawn) == 7  # after every round, and at the end
    assert not [event for event in folder.read_events() if event["event"] == "observer-failed"]
