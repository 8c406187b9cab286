"""What else a run must withstand: being asked again, losing every checkpoint, numbers that mean nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from ganvas import InputError, Watch, train
from ganvas.recipe import Adam
from ganvas.recipe.ramp import Ramp
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.training.loop import Diverged
from tests.conftest import Cli, assert_refused, tiny

RUN = RunFolder("runs/r")
QUIET = Watch(checkpoint_seconds=1e9, grid=(2, 3))


def files() -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in RUN.path.rglob("*") if file.is_file()}


def newest() -> list[Path]:
    return sorted(RUN.checkpoints.glob("[0-9]*.safetensors"), reverse=True)


def test_a_finished_run_says_so_and_nothing_in_it_changes() -> None:
    train(tiny(), name="r", watch=QUIET)
    before = files()
    printed = io.StringIO()
    outcome = train(tiny(), name="r", watch=QUIET, console=Console(file=printed, width=1000))
    assert (outcome.state, outcome.images_seen) == ("finished", tiny().images)
    assert "finished" in printed.getvalue()
    assert files() == before


def test_without_a_whole_checkpoint_nothing_begins_again() -> None:
    train(tiny(images=96), name="r", watch=replace(QUIET, checkpoint_seconds=0))
    for path in newest():
        path.write_bytes(path.read_bytes()[:-100])
    log = RUN.log.read_bytes()
    for _ in range(2):  # asking again does not change the answer
        with pytest.raises(InputError, match=r"no checkpoint of the run runs/r is intact.*new --name"):
            train(tiny(), name="r", watch=QUIET)
    assert RUN.log.read_bytes() == log


def test_divergence_keeps_the_last_good_checkpoint() -> None:
    recipe = tiny(adam_d=Adam(lr=Ramp(0.0, 1e38, 1600)))  # nothing moves in the first round, all in the second
    with pytest.raises(Diverged):
        train(recipe, name="r", watch=replace(QUIET, checkpoint_seconds=0))
    event = RUN.read_events()[-1]
    assert (event["event"], event["images"]) == ("diverged", 32)
    assert [path.name for path in newest()] == ["000000000016.safetensors"]
    assert all(tensor.isfinite().all() for tensor in checkpoint.load(newest()[0])[0].values())
    assert not RUN.model.exists()


def test_divergence_before_any_checkpoint_promises_none(cli: Cli) -> None:
    done = cli("train", "mlp-digits", "--adam-d.lr", "1e30", "--name", "r")
    assert done.returncode == 1
    assert not newest()
    assert "last good checkpoint" not in " ".join(done.stderr.split())


def test_using_a_run_on_an_absent_device_or_for_nothing(cli: Cli) -> None:
    train(tiny(images=16), name="r", watch=QUIET)
    assert_refused(cli("generate", "runs/r", "-n", "0"), "0 images", "at least -n 1")
    assert_refused(cli("generate", "runs/r", "--device", "mps"), "mps", "cpu")
    assert_refused(cli("generate", "runs/r", "--device", "abacus"), "abacus", "cpu")


def test_a_runs_name_stays_below_the_folder_of_runs(cli: Cli) -> None:
    for name in ("../outside", "a/b"):
        assert_refused(cli("train", "mlp-digits", "--name", name, "--images", "64"), name, "--name")
    assert not Path("outside").exists()


def test_a_run_is_not_shortened_below_what_it_has_seen(cli: Cli) -> None:
    words = ["train", "mlp-digits", "--name", "r", "--batch-size", "32", "--images"]
    assert cli(*words, "128").returncode == 0
    RUN.add_event("stopped", images=128)
    before = files()
    assert_refused(cli(*words, "96"), "--images 96 is less than the 128 that runs/r has seen already")
    assert files() == before
