"""An observer that fails is left out: no run is lost by what only looks at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ganvas import Watch, train
from ganvas.errors import InputError
from ganvas.observers.curves import Curves
from ganvas.observers.log import Log
from ganvas.observers.previews import Previews
from ganvas.observers.validation import Validation
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.training.run import Run
from tests.conftest import TrainedRun, same, tiny

SHORT = tiny(images=96)


def fail(*_: object) -> None:
    raise RuntimeError("it\nbroke")


@pytest.mark.parametrize(
    ("kind", "moment"), [(Log, "start"), (Previews, "step"), (Validation, "step"), (Previews, "end"), (Curves, "end")]
)
def test_an_observer_that_fails_is_reported_and_left_out(
    kind: type,
    moment: str,
    trained_run: TrainedRun,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = trained_run(SHORT)
    monkeypatch.setattr(kind, moment, fail)
    assert train(SHORT, name="b").state == "finished"
    run = RunFolder("runs/b")
    (event,) = (event for event in run.read_events() if event["event"] == "observer-failed")
    assert event["observer"] == kind.__name__
    assert event["reason"] == "RuntimeError: it broke"
    assert event["images"] == {"start": 0, "step": 16, "end": 96}[moment]
    assert f"{kind.__name__} failed and is left out from here on" in capsys.readouterr().err.replace("\n", " ")
    assert same(checkpoint.load(run.model)[0], checkpoint.load(whole.model)[0])
    assert same(checkpoint.load(run.states()[0])[0], checkpoint.load(whole.states()[0])[0])


def test_the_checkpoint_and_the_model_come_before_what_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(observer: Previews, run: Run) -> None:
        folder = observer.folder
        assert checkpoint.about(folder.model)["images"] == checkpoint.about(folder.states()[0])["images"] == 96
        raise KeyboardInterrupt  # as a kill

    monkeypatch.setattr(Previews, "end", end)
    with pytest.raises(KeyboardInterrupt):
        train(SHORT, name="r")
    assert RunFolder("runs/r").model.exists()


def test_without_checkpoints_no_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise InputError("cannot write it.")

    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(InputError, match="cannot write it"):
        train(SHORT, name="r")


def broken_picture(samples: Path) -> None:
    (samples / "000000000000.png").write_text("no picture")


def copy_of_a_sync_tool(samples: Path) -> None:
    (samples / "000000000096 (1).png").write_bytes(b"\x89PNG")
    (samples / "000000000032 (1).png").mkdir()


def list_for_the_index(samples: Path) -> None:
    (samples / "index.json").write_text(json.dumps([7, {"file": "../x"}, [[]]]))


def folder_for_the_index(samples: Path) -> None:
    (samples / "index.json").unlink()
    (samples / "index.json").mkdir()


def folder_for_a_picture(samples: Path) -> None:
    (samples / "000000000096.png").unlink(missing_ok=True)
    (samples / "000000000096.png").mkdir()


@pytest.mark.parametrize(
    ("kind", "damage"),
    [
        ("mlp", broken_picture),
        ("plane", broken_picture),
        ("mlp", copy_of_a_sync_tool),
        ("mlp", list_for_the_index),
        ("plane", folder_for_the_index),
        ("mlp", folder_for_a_picture),
    ],
)
def test_foreign_and_broken_files_among_the_samples(
    kind: str, damage: Callable[[Path], object], trained_run: TrainedRun
) -> None:
    recipe = tiny(kind, images=64)
    run = trained_run(recipe, Watch(sample_every=32))
    damage(run.samples)
    for images in (96, 128):
        assert train(replace(recipe, images=images), name="r", watch=Watch(sample_every=32)).state == "finished"
        assert checkpoint.about(run.model)["images"] == checkpoint.about(run.states()[0])["images"] == images
    assert run.filmstrip.exists()


def test_copies_of_checkpoints_are_neither_read_nor_counted(trained_run: TrainedRun) -> None:
    run = trained_run(tiny(images=64))
    for name in ("000000000064 (1)", "000000000099-conflict"):
        (run.checkpoints / f"{name}.safetensors").write_bytes(b"a copy")
    train(tiny(images=96), name="r")
    assert [path.stem for path in run.states()] == ["000000000096", "000000000064"]
    assert (run.checkpoints / "000000000064 (1).safetensors").exists()
