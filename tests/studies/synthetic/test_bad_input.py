"""What cannot be made into extra samples is refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.cli import main
from ganvas.experiment import train
from ganvas.imaging.saving import save_png
from ganvas.observers.watch import Watch
from tests.conftest import tiny

CLASSES = ("cat", "dog")


def source(name: str, counts: tuple[int, ...], classes: tuple[str, ...] = CLASSES, seed: int = 0) -> str:
    """An npz of noise with so many pictures of every class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    images = np.random.default_rng(seed).integers(0, 256, (len(labels), 16, 16), dtype=np.uint8)
    np.savez(name, images=images, labels=labels, classes=np.array(classes))
    return name


def folder(name: str, files: tuple[str, ...]) -> str:
    for file in files:
        save_png(np.zeros((16, 16, 1), np.uint8), Path(name) / file)
    return name


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["augment", *words]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ganvas: ")]
    assert len(lines) == 1
    assert lines[0].endswith(".")
    return lines[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--per-class", "0"], "--per-class must be at least 1; got 0."),
        (["--seeds", "1"], "--seeds must be at least 2; got 1 (an interval needs two)."),
        (["--updates", "0"], "--updates must be at least 1; got 0"),
        (["--images", "-1"], "--images must be at least 0; got -1"),
        (["--seed", "-1"], "--seed must be at least 0; got -1"),
        (["--real-per-class", "1"], "is too few to detect copies"),
        (["--fake-share", "1"], "--fake-share 1.0 must be in 0.05..0.95."),
        (["--confidence", "1.5"], "--confidence 1.5 must be in 0..1."),
        (["--confidence", "nan"], "--confidence nan must be in 0..1."),
        (["--candidates", "0.5"], "--candidates must be at least 1 for each image wanted; got 0.5"),
        (["--test-share", "0"], "--test-share 0 leaves no real test images"),
        (["--model", "x", "--images", "100"], "--model x is already trained"),
        (["--recipe", "dcgan-mnist", "--size", "32"], "dcgan-mnist has its own size"),
        (["--recipe", "mlp-mnist"], "--recipe mlp-mnist cannot be conditioned on classes"),
        (["--recipe", "mlp-ring"], "cannot be conditioned on classes"),
        (["--recipe", "dcgan-mist"], "there is no recipe 'dcgan-mist' (did you mean 'dcgan-mnist'?)"),
        (["--model", "runs/none"], "there is no runs/none"),
        (["--size", "20"], "size 20 is not supported by dcgan"),
        (["--precision", "fp8"], "argument --precision: invalid choice"),
        (["--device", "tpu"], "argument --device: invalid choice"),
    ],
)
def test_settings(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = words if "--per-class" in words else [*words, "--per-class", "2"]
    assert said in refused(capsys, "digits", *given, "--out", "extra")


@pytest.mark.parametrize(
    ("make", "words", "said"),
    [
        (lambda: "nothing", [], "there is no dataset 'nothing'"),
        (lambda: folder("flat", ("a.png", "b.png")), [], "the images of flat have no classes"),
        (lambda: folder("one", ("cat/a.png", "cat/b.png")), [], "of one have no classes"),
        (lambda: source("one.npz", (40,), ("cat",)), [], "one.npz has only one class"),
        (lambda: source("x.npz", (40, 1)), [], "class dog of x.npz has 1 image, but needs at least 2"),
        (lambda: source("x.npz", (40, 0)), [], "class dog of x.npz has 0 images"),
        (lambda: source("x.npz", (60, 20)), [], "class dog has 4 images to test on, fewer than 10"),
        (lambda: source("x.npz", (60, 60)), ["--real-per-class", "49"], "48 images to train on, fewer than 49"),
        (lambda: source("x.npz", (60, 60)), ["--test", "nothing"], "there is no dataset 'nothing'"),
        (lambda: source("x.npz", (60, 60)), ["--test", "digits"], "--test digits has the classes 0, 1, 2"),
        (lambda: source("x.npz", (60, 60)), ["--test", "x.npz"], "class cat has 0 images to test on"),
    ],
)
def test_data(make: Callable[[], str], words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in refused(capsys, make(), *words, "--per-class", "2", "--out", "extra")


def test_a_test_source_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--images", "128", "--updates", "1", "--seeds", "2", "--confidence", "0", "--copies", "0"]
    test = source("test.npz", (20, 15), seed=1)
    # 36 pictures are fewer than the recipe's batch.
    given = [source("x.npz", (18, 18)), "--test", test, "--per-class", "2", "--out", "extra", *words]
    assert main(["augment", *given]) == 3
    assert "over 2 seeds and 35 images" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["torn", '{"settings": {"type": "Settings", "sauce": "digits"}}'])
def test_a_folder_that_is_not_ours(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["digits", "--per-class", "2", "--out", "extra"]
    Path("extra").write_text("")
    assert "--out extra is a file" in refused(capsys, *words)
    Path("extra").unlink()
    folder("extra", ("mine.png",))
    assert "--out extra holds other files; give a new or an empty folder" in refused(capsys, *words)
    (Path("extra") / "settings.json").write_text(text)
    assert "settings.json" in refused(capsys, *words)
    with Image.open("extra/mine.png") as picture:
        assert picture.size == (16, 16)


def test_other_pictures_under_the_same_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--images", "128", "--updates", "1", "--seeds", "2", "--confidence", "1", "--per-class", "2"]
    given = [source("x.npz", (60, 60)), *words, "--out", "extra"]
    said = refused(capsys, *given)
    assert "no candidate of 2 of 2 classes (cat, dog) passed the filter (" in said
    assert "with --model extra/generator --out extra-2 --confidence 0 --copies 0, without" in said
    assert "extra/pictures" not in said
    assert Path("extra/manifest.jsonl").read_text() == ""
    # What it advises goes on with the same generator.
    loose = ["--updates", "1", "--seeds", "2", "--per-class", "2", "--confidence", "0", "--copies", "0"]
    assert main(["augment", "x.npz", *loose, "--model", "extra/generator", "--out", "extra-2"]) in (0, 3)
    assert "other images than the classifiers" not in capsys.readouterr().out
    source("x.npz", (60, 61))
    assert "extra was started with other images or another model" in refused(capsys, *given)


def test_models_that_do_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Watch(sample_epochs=0, checkpoint_seconds=1e9)
    train(tiny("dcgan", images=16), name="plain", watch=quiet)
    words = ["digits", "--per-class", "2", "--out", "extra"]
    assert "was trained without classes" in refused(capsys, *words, "--model", "runs/plain")
    given = [source("x.npz", (60, 60)), "--images", "128", "--updates", "1", "--seeds", "2", "--per-class", "2"]
    refused(capsys, *given, "--confidence", "1", "--out", "two")
    said = refused(capsys, *words, "--model", "two/generator")
    assert "has the classes cat, dog, but the source has 0, 1, 2" in said
