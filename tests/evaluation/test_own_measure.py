"""A measure and an extractor that are defined here alone are taken like those of ganvas."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

from ganvas import InputError, Study, Watch, cli, compare, evaluate, train
from ganvas.evaluation import score
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import mean
from ganvas.metrics.measure import Evidence, Measure, PairMeasure, Quantity
from tests.conftest import tiny
from tests.evaluation.upscaling import picture


class Brightness(Measure):
    """How bright the fakes are, in the mean."""

    name = "own-brightness"
    gives = (Quantity("brightness", higher_is_better=True, unit="grey levels"),)

    def compute(self, x: Evidence) -> Iterable[Figure]:
        return [self.figure("brightness", mean(x.fakes.mean((1, 2, 3)), x.seed), x.protocol)]


class Sureness(Measure):
    """How often a classifier is sure of a fake."""

    name = "own-sureness"
    gives = (Quantity("sureness", higher_is_better=False),)
    needs = frozenset({"probabilities"})

    def compute(self, x: Evidence) -> Iterable[Figure]:
        return [self.figure("sureness", float(x.of_fakes.probabilities.max(1).mean()), x.on_features)]


class Gap(PairMeasure):
    """The largest difference of a pixel."""

    name = "own-gap"
    gives = (Quantity("gap", higher_is_better=False),)
    wanted = False  # by other tests in this process

    def is_default(self, x: Evidence) -> bool:
        return self.wanted

    def score(self, result: np.ndarray, original: np.ndarray, crop: int) -> float:
        return float(np.abs(result.astype(int) - original).max())


class Moments(Extractor):
    """Each image's mean and spread; no classifier."""

    name, count, licence, weights, resize = "own-moments", 2, "none", "none", "as it is"

    def __init__(self) -> None:
        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.still = nn.Parameter(nn.init.zeros_(nn.Linear(1, 1).weight))

            def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
                return nn.functional.normalize(x.flatten(1))[:, :2] + self.still, x.new_zeros(len(x), 0)

        self.network = Network().requires_grad_(False)

    def prepare(self, images: Tensor) -> Tensor:
        return images


@pytest.fixture
def run() -> Path:
    return train(tiny("dcgan"), name="r", watch=Watch(grid=(2, 2))).folder.path


@pytest.mark.usefixtures("drawn")
def test_a_measure_and_an_extractor_of_ones_own(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluate(run, measures=["own-brightness", "kid"], extractor="own-moments", fakes=40)
    assert [figure.title for figure in found.figures] == ["KID", "brightness"]
    assert found["KID"].protocol["extractor"] == "own-moments"
    assert 0 < found["brightness"].low <= found["brightness"].value <= found["brightness"].high  # type: ignore[operator]
    assert (found["brightness"].unit, found["brightness"].higher_is_better) == ("grey levels", True)
    titles = [column.title for column in compare([run]).columns]
    assert "brightness ↑ last" in titles
    assert cli.main(["evaluate", "runs/r", "--measures", "own-brightness", "--fakes", "20"]) == 0
    assert "higher" in capsys.readouterr().out


def test_what_is_asked_for_in_vain(run: Path) -> None:
    with pytest.raises(InputError, match="own-sureness needs an extractor that tells classes apart, and own-moments"):
        evaluate(run, measures=["own-sureness"], extractor="own-moments", fakes=20)
    found = evaluate(run, extractor="own-moments", fakes=40)
    assert "score is left out: score needs an extractor that tells classes apart" in found.notes[0]
    assert "FD" in [figure.title for figure in found.figures]
    with pytest.raises(InputError, match=r"'own-brightnes' \(did you mean 'own-brightness'\?\)"):
        evaluate(run, measures=["own-brightnes"])


def test_help_and_studies_name_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "own-brightness" in said
    assert "own-moments" in said
    assert "own-gap" not in said  # of pairs alone
    Study(recipe=tiny(), evaluate={"measures": ["own-brightness"], "extractor": "own-moments"})


def test_pairs_are_scored_by_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gap, "wanted", True)
    picture("waves/0.png")
    (found,) = score("bicubic", "waves")
    assert found["gap"].value == found.images["0"]["gap"] > 0
    assert found["gap"].title == "gap on waves"
