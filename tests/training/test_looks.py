"""What is looked at, and when: early in a long epoch, seldom in a short run, and the classes where they are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ganvas import Images, Watch, named_recipe, train
from ganvas.data import Dataset
from ganvas.experiment.observing import APART, FEWEST, MEASUREMENTS
from ganvas.metrics.extractors.digits import Digits
from ganvas.metrics.extractors.extractor import Extracted
from ganvas.observers import diagnosis
from ganvas.observers.class_balance import APART as APART_CLASSES
from ganvas.observers.class_balance import ClassBalance
from ganvas.observers.previews import first_moments
from ganvas.observers.watch import looks_every
from ganvas.runs.folder import RunFolder
from ganvas.tasks import task_of
from ganvas.training.run import Report, Run
from tests.conftest import tiny


def test_the_first_picture_takes_batches_and_not_an_epoch() -> None:
    recipe = replace(tiny(), batch_size=8, images=256, data=Images(source="digits", held_out=0))
    train(recipe, name="r", watch=Watch(grid=(1, 2), checkpoint_seconds=1e9))
    # Halves of the epoch of 1,797 pictures; what is due within a batch is drawn after it.
    assert [int(grid.stem) for grid in RunFolder("runs/r").sample_grids()] == [0, 56, 112, 224, 256]
    assert first_moments((0, 10**6), 64)[-1] in range(256, 512)
    assert first_moments((0, 400), 64) == ()
    assert first_moments((0, 0), 64) == ()


@pytest.mark.parametrize(("images", "snapshots", "measurements"), [(718_800, 50, 20), (60_000, 7, 2), (9_600, 5, 2)])
def test_short_runs_are_looked_at_less(images: int, snapshots: int, measurements: int) -> None:
    recipe = replace(named_recipe("mlp-digits"), images=images)
    every = looks_every(recipe, diagnosis.SNAPSHOTS, diagnosis.APART, diagnosis.EARLIEST)
    assert images // every == snapshots
    assert images // looks_every(recipe, MEASUREMENTS, APART, FEWEST) == measurements


@pytest.mark.parametrize(("images", "grids"), [(17_000, 11), (71_850, 12), (718_800, 83)])
def test_grids_of_few_images_take_little_of_a_run(images: int, grids: int) -> None:
    every, after = Watch().grid_intervals(1_437, images)
    assert every == 0
    assert after % 1_437 == 0
    assert images // after == grids
    assert Watch(sample_every=64, sample_epochs=0).grid_intervals(1_437, images) == (64, 0)


def test_a_run_shorter_than_its_looks_is_looked_at_once_a_batch() -> None:
    assert looks_every(replace(named_recipe("mlp-digits"), images=100), 50, 4_096, 5) == 64


class Blank:
    """Says the class that the brightness of a picture stands for; no `Extractor`, which would be found by name."""

    class_names, class_count = Digits.class_names, Digits.class_count

    def extract(self, pixels: NDArray[np.uint8], *_: object) -> Extracted:
        probabilities = np.eye(10, dtype=np.float32)[pixels[:, 0, 0, 0] // 20]
        return Extracted(probabilities, probabilities)


def digits(count: int = 200) -> Dataset:
    labels = np.arange(count) % 10
    images = np.broadcast_to((labels * 20 + 10).astype(np.uint8)[:, None, None, None], (count, 16, 16, 1))
    return Dataset(images, labels, Digits.class_names)


def counted(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, float], list[dict[str, object]]]:
    recipe = tiny("dcgan", images=APART_CLASSES)
    run = Run(recipe, torch.device("cpu"))
    folder = RunFolder("runs/r")
    folder.path.mkdir(parents=True, exist_ok=True)
    observer = ClassBalance(folder, Blank(), dataset, recipe)
    # Half of the fakes are threes, and none is a one.
    classes = np.array([3] * 9 + [0, 2, 4, 5, 6, 7, 8, 9, 9])
    levels = torch.from_numpy(classes * 20 + 10).float() / 127.5 - 1
    monkeypatch.setattr(
        run, "generate", lambda inputs: levels.repeat(15)[: len(inputs), None, None, None].expand(-1, 1, 16, 16)
    )
    observer.start(run)
    observer.step(run, Report(APART_CLASSES, {}, 0.0))
    again = ClassBalance(folder, Blank(), dataset, recipe)
    again.start(run)
    assert again.signals() == observer.signals()  # also of a run that is resumed
    return observer.signals(), folder.read_log()


def test_classes_that_no_class_was_asked_of_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    signals, lines = counted(digits(), monkeypatch)
    assert signals["rarest"] == 0
    assert signals["commonest"] == pytest.approx(5, rel=0.1)
    assert lines[0]["classes"]["3"] == pytest.approx(0.5, rel=0.1)  # type: ignore[index]


def test_other_pictures_whose_classes_have_the_names_of_digits_are_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dataset = digits()
    assert dataset.labels is not None
    signals, lines = counted(replace(dataset, labels=(dataset.labels + 1) % 10), monkeypatch)
    assert (signals, lines) == ({}, [])


def test_a_classifier_is_at_hand_for_digits_alone() -> None:
    task, recipe = task_of(tiny()), tiny("dcgan")
    assert isinstance(task.classifier(recipe, digits()), Digits)
    assert task.classifier(recipe, replace(digits(), classes=tuple("abcdefghij"))) is None
    conditional = replace(recipe, system=replace(recipe.system, classes=10))  # type: ignore[call-arg]
    assert task.classifier(conditional, digits()) is None


def test_what_cannot_be_judged_is_said_by_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    from ganvas.cli import main

    np.savez("few.npz", np.random.default_rng(0).integers(0, 256, (20, 16, 16, 1), np.uint8))
    recipe = replace(tiny("dcgan"), data=Images(source="few.npz", held_out=0.05), batch_size=8, images=64)
    train(recipe, name="few", watch=Watch(diagnose_every=16, checkpoint_seconds=1e9))
    capsys.readouterr()
    assert main(["diagnose", "runs/few"]) == 0
    printed = capsys.readouterr().out
    assert "too early to tell" in printed
    assert "not judged: whether D overfits: too few images are held out" in printed
    assert Path("runs/few/diagnosis.png").exists()
