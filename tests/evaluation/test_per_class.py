"""Measures of each class of a run with classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganvas import InputError, evaluate
from ganvas.cli import main
from ganvas.data import load
from ganvas.evaluation.samples import gather
from ganvas.inference import Generator, open_as
from ganvas.recipe.sources import Images
from ganvas.systems.dcgan import DCGAN
from tests.conftest import TrainedRun, tiny


@pytest.fixture
def run(trained_run: TrainedRun) -> Path:
    system = DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8, classes=10)
    return trained_run(tiny("dcgan", system=system)).path


def test_fakes_have_the_classes_of_the_reals(run: Path) -> None:
    samples = gather(run, fakes=300)
    assert samples.labels is not None
    assert (samples.labels.fakes == samples.labels.reals).all()
    data, _ = load(Images(source="digits"), size=16, channels=1).split(0.05)
    by_picture = dict(zip(map(bytes, data.take(slice(None))), data.labels, strict=True))  # type: ignore[arg-type]
    assert [by_picture[bytes(picture)] for picture in samples.reals] == samples.labels.reals.tolist()
    assert samples.protocol["classes"] == "as many of each as reals"


@pytest.mark.usefixtures("drawn")
def test_each_class_has_a_figure(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluate(run, extractor="digits", fakes=400, measures=["per-class"])
    names = [figure.title for figure in found.figures]
    assert names == ["class accuracy", *(f"KID on class {digit}" for digit in range(10))]
    assert 0 <= found["class accuracy"].value <= 1
    protocol = found["KID on class 3"].protocol
    assert protocol["class"] == "3"
    assert protocol["fakes"] == protocol["reals"] < 60
    assert main(["evaluate", "runs/r", "--extractor", "digits", "--fakes", "400", "--measures", "per-class"]) == 0
    said = capsys.readouterr().out
    worst = max(found.figures[1:], key=lambda figure: figure.value).protocol["class"]
    assert f"The worst class is {worst}." in said


def test_classes_of_too_few_are_named(run: Path) -> None:
    found = evaluate(run, extractor="digits", fakes=60, measures=["per-class"])
    assert [figure.title for figure in found.figures] == ["class accuracy"]
    assert "leaves out classes of too few fakes and reals: 0 with" in found.notes[0]


def test_reals_of_other_classes(run: Path) -> None:
    open_as(Generator, run).write_samples(12, 0, Path("others"), [1, 2])
    samples = gather(run, "others", fakes=20)
    assert samples.labels is None
    assert samples.protocol["classes"] == "equally many of each"
    with pytest.raises(InputError, match="per-class is for fakes that were made of the reals' classes"):
        evaluate(run, against="others", extractor="digits", measures=["per-class"])
