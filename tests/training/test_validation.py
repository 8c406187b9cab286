"""The KID while training: logged with its protocol, and nothing else changes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import ganvas
from ganvas import InputError, Watch, train
from ganvas.metrics.figure import Figure
from ganvas.observers.validation import Validator
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.tasks.images import validation
from ganvas.training.run import Run
from tests.conftest import same, tiny


class ByKid(Validator):
    by = "KID"

    def start(self, run: Run) -> None: ...

    def measure(self, run: Run) -> list[Figure]:
        return []


def figures(name: str, measure: str) -> list[Figure]:
    lines = RunFolder(f"runs/{name}").read_log()
    return [figure for line in lines for figure in figures_of(line) if figure.measure == measure]


def test_the_kid_is_logged_and_disturbs_nothing() -> None:
    for name, extractor in (("without", ""), ("with", "digits")):
        train(tiny("dcgan"), name=name, watch=Watch(measure_every=96, extractor=extractor))
    states = [max(Path(f"runs/{name}/checkpoints").glob("[0-9]*.safetensors")) for name in ("without", "with")]
    assert same(*(checkpoint.load(state)[0] for state in states))
    measured = figures("with", "KID")
    assert [figure.images_seen for figure in measured] == [96, 192]
    assert all(figure.low < figure.value < figure.high for figure in measured)  # type: ignore[operator]
    protocol = measured[0].protocol
    assert protocol["extractor"] == "digits"
    assert protocol["fakes"] == protocol["reals"] == 512
    assert figures("with", "SWD") == figures("without", "SWD")
    assert figures("with", "SWD")[0].protocol == {"fakes": 512, "split": "train", "ganvas": ganvas.__version__}


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of 64 images, a tenth of the work."""
    monkeypatch.setattr(validation, "COUNT", 64)


@pytest.mark.usefixtures("few")
def test_the_best_is_then_the_one_with_the_smallest_kid() -> None:
    train(tiny("dcgan"), name="run", watch=Watch(measure_every=32, extractor="digits"))
    best = min(figures("run", "KID"), key=lambda figure: figure.value)
    assert checkpoint.about(Path("runs/run/checkpoints/best.safetensors"))["images"] == best.images_seen


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize(("extractor", "figure"), [("", "SWD"), ("digits", "KID")])
def test_each_look_tells_how_the_kept_model_has_aged(extractor: str, figure: str) -> None:
    watch = Watch(measure_every=32, diagnose_every=32, extractor=extractor)
    for images in (96, 192):  # stopped and resumed
        train(tiny("dcgan", images=images), name="run", watch=watch)
    measured: list[float] = []
    least, aged = 0.0, []
    for line in RunFolder("runs/run").read_log():
        for found in figures_of(line):
            if found.measure == figure:
                measured.append(found.value)
                least = found.value if found.low is None else found.low
        if "signals" in line:
            aged.append(line["signals"]["aged"] == max(1.0, least / min(measured)))
    assert aged == [True] * 6


@pytest.mark.parametrize(
    ("figures", "aged"),
    [
        ([(0.4, 0.39), (0.2, 0.19), (0.3, 0.29)], 0.29 / 0.2),
        ([(0.4, 0.39), (0.2, 0.19), (0.21, 0.19)], 1.0),  # within its interval
        ([(0.003, -0.002), (-0.0002, -0.005), (-0.0006, -0.006)], 1.0),  # an unbiased figure falls below zero
        ([(0.00005, -0.005), (0.0004, -0.004)], 1.0),
    ],
)
def test_a_model_has_aged_only_by_what_its_interval_leaves_no_doubt_of(
    figures: list[tuple[float, float]], aged: float
) -> None:
    validator = ByKid()
    assert math.isnan(validator.aged)
    for value, low in figures:
        validator.note(0, [Figure(measure="KID", value=value, low=low, higher_is_better=False)])
    assert validator.aged == pytest.approx(aged)


def test_of_a_figure_that_is_better_the_higher_the_best_is_the_highest() -> None:
    validator = ByKid()
    better = [
        validator.note(0, [Figure(measure="KID", value=value, high=value + 1, higher_is_better=True)])
        for value in (20.0, 30.0, 24.0)
    ]
    assert better == [True, True, False]
    assert validator.aged == pytest.approx(30 / 25)


def test_an_unknown_extractor_is_refused_before_anything_is_written() -> None:
    with pytest.raises(InputError, match=r"'digit'.*'digits'"):
        Watch(extractor="digit")
    assert not Path("runs").exists()
