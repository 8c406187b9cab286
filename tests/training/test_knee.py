"""The knee during training: logged, kept, reported and, if requested, the end of the run; weights never change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganvas import Host, InputError, Watch, cli, train
from ganvas.metrics import perceptual
from ganvas.metrics.figure import Figure
from ganvas.metrics.knee import Step, best_step
from ganvas.recipe import WHOLE, Schedule
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder, figures_of, reference_of
from tests.conftest import same, tiny
from tests.photos import tiny_srgan, write_photos

EACH = Watch(measure_every=8, checkpoint_seconds=1e9, sample_epochs=0, log_every=64)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crops look ever better until image 96 in the game, and then ever worse, whatever the generator does."""
    seen = {"looks": 0}

    def scripted_distances(network: object, a: torch.Tensor, b: object, *, crop: int = 0) -> torch.Tensor:
        looks = seen["looks"]
        seen["looks"] += 1
        if looks == 0:  # bicubic
            return torch.full((len(a),), 0.5)
        return torch.full((len(a),), 0.01 * 0.5 ** min(looks, 12) * 3.0 ** max(0, looks - 12))

    pytest.importorskip("stlpips_pytorch", reason="needs the package stlpips-pytorch")
    monkeypatch.setattr("ganvas.tasks.restoration.validation.distances", scripted_distances)


def measured(path: RunFolder, measure: str) -> list[Figure]:
    return [figure for line in path.read_log() for figure in figures_of(line) if figure.measure == measure]


def bicubic(path: RunFolder) -> list[float]:
    found = [figure for line in path.read_log() for figure in reference_of(line)]
    assert all(figure.protocol["upscaler"] == "bicubic" for figure in found)
    return [figure.value for figure in found if figure.measure == "PSNR-Y"]


@pytest.mark.usefixtures("scripted")
def test_a_run_ends_past_its_knee_with_its_state() -> None:
    recipe = tiny_srgan(write_photos(), images=64 * 8)
    outcome = train(recipe, name="r", watch=replace(EACH, stop_at_knee=0.1))
    assert (outcome.state, outcome.early) == ("finished", "past its knee")
    assert outcome.images_seen < recipe.images
    (event,) = [event for event in outcome.folder.read_events() if event["event"] == "knee"]
    assert 64 < event["at"] < event["images"] == outcome.images_seen
    assert "does not pay" in event["sentence"]
    for path in (outcome.folder.model, outcome.folder.checkpoints / "best.safetensors"):
        assert checkpoint.about(path)["images"] == event["at"]
    again = train(recipe, name="r", watch=replace(EACH, stop_at_knee=0.1))
    assert (again.state, again.images_seen) == ("finished", outcome.images_seen)


@pytest.mark.usefixtures("scripted")
def test_the_watch_changes_no_weight() -> None:
    photos = write_photos()
    stopped = train(tiny_srgan(photos, images=64 * 8), name="a", watch=replace(EACH, stop_at_knee=0.1))
    plain = train(tiny_srgan(photos, images=stopped.images_seen), name="b", watch=Watch(measure_every=10**9))
    a, b = (checkpoint.load(outcome.folder.states()[0])[0] for outcome in (stopped, plain))
    assert same(a, b)


@pytest.mark.usefixtures("scripted")
def test_a_run_that_is_not_to_stop_only_tells() -> None:
    recipe = tiny_srgan(write_photos(), images=64 * 8)
    outcome = train(recipe, name="r", watch=EACH)
    assert (outcome.state, outcome.early, outcome.images_seen) == ("finished", "", recipe.images)
    assert [event["event"] for event in outcome.folder.read_events()].count("knee") == 1
    assert checkpoint.about(outcome.folder.model)["images"] == recipe.images


def test_the_best_of_the_game_is_the_one_the_rule_names() -> None:
    pytest.importorskip("stlpips_pytorch", reason="needs the package stlpips-pytorch")
    outcome = train(tiny_srgan(write_photos()), name="r", watch=EACH)
    true, looks = measured(outcome.folder, "PSNR-Y"), measured(outcome.folder, "ST-LPIPS")
    assert len(true) == len(looks) == 16
    assert len(bicubic(outcome.folder)) == 16
    assert all(0 < value < 60 for value in bicubic(outcome.folder))
    both = zip(true, looks, strict=True)
    path = [
        Step(a.images_seen, 255 * 10 ** (-a.value / 20), b.value)
        for a, b in both
        if a.images_seen is not None and a.images_seen > 64
    ]
    kept = checkpoint.about(outcome.folder.checkpoints / "best.safetensors")["images"]
    assert kept == path[best_step(path)].images


def test_the_best_of_a_pretraining_is_the_truest() -> None:
    outcome = train(tiny_srgan(write_photos(), schedule=Schedule(pretrain=WHOLE)), name="r", watch=EACH)
    truest = max(measured(outcome.folder, "PSNR-Y"), key=lambda figure: figure.value)
    assert checkpoint.about(outcome.folder.checkpoints / "best.safetensors")["images"] == truest.images_seen


def test_crops_that_even_bicubic_makes_exactly_have_a_finite_figure() -> None:
    photos = write_photos(count=7)
    Image.new("RGB", (80, 76), "white").save(Path(photos) / "7.png")
    outcome = train(tiny_srgan(photos, images=64), name="r", watch=EACH)
    found = bicubic(outcome.folder)
    assert found
    assert max(found) < 100


@pytest.mark.usefixtures("scripted")
def test_a_resumed_run_remembers_its_looks() -> None:
    photos = write_photos()
    short = tiny_srgan(photos, images=104)
    train(short, name="r", watch=EACH)
    outcome = train(replace(short, images=64 * 8), name="r", watch=replace(EACH, stop_at_knee=0.1))
    assert outcome.early == "past its knee"
    (event,) = [event for event in outcome.folder.read_events() if event["event"] == "knee"]
    assert event["at"] <= 104


def test_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=r"stop-at-knee must be .* got 1\.5"):
        Watch(stop_at_knee=1.5)
    with pytest.raises(InputError, match="makes images from noise"):
        train(tiny(), name="r", watch=Watch(stop_at_knee=0.2))
    photos = write_photos()
    with pytest.raises(InputError, match="all pretraining"):
        train(tiny_srgan(photos, schedule=Schedule(pretrain=WHOLE)), name="r", watch=Watch(stop_at_knee=0.2))
    monkeypatch.setattr(perceptual, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="stlpips_pytorch"):
        train(tiny_srgan(photos), name="r", watch=Watch(stop_at_knee=0.2))
    # Without the package a run goes on by its PSNR alone.
    outcome = train(tiny_srgan(photos), name="s", watch=EACH, host=Host(runs="runs"))
    assert measured(outcome.folder, "PSNR-Y")
    assert not measured(outcome.folder, "ST-LPIPS")
    assert cli.main(["train", "srgan-g1d1", "--data", photos, "--watch.stop-at-knee", "-1"]) == 2
    assert "stop-at-knee" in capsys.readouterr().err
    assert not Path("runs/srgan-g1d1").exists()
