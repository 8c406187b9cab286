"""Rule 11: a modality defined in this file alone is trained, shown, validated, diagnosed, stopped and resumed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from ganvas import InputError, Watch, train
from ganvas.cli import main
from ganvas.data import Dataset, open_data
from ganvas.metrics.figure import Figure
from ganvas.observers.previews import Previewer
from ganvas.observers.validation import Validator
from ganvas.recipe import Recipe, Steering
from ganvas.recipe.serialization import from_plain, to_plain
from ganvas.recipe.sources import Source
from ganvas.recipe.system import FromNoise
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.runs.previews import Preview, read_previews
from ganvas.tasks import Task, task_of
from ganvas.training.run import Run
from tests.conftest import same

LENGTH = 16


@dataclass(frozen=True)
class Perceptrons(FromNoise):
    """Noise to a signal of 16 samples."""

    task = "signals"
    latent: int = 4

    @property
    def shape(self) -> tuple[int, ...]:
        return (LENGTH,)

    def generator(self) -> nn.Module:
        return nn.Sequential(nn.Linear(self.latent, 32), nn.ReLU(), nn.Linear(32, LENGTH), nn.Tanh())

    def discriminator(self) -> nn.Module:
        return nn.Sequential(nn.Linear(LENGTH, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Flatten(0))


@dataclass(frozen=True, kw_only=True)
class Waves(Source):
    """Sine waves of any phase."""

    number: int = 200
    held_out: float = 0.1

    @property
    def title(self) -> str:
        return "waves"


@open_data.register
def _(source: Waves, shape: tuple[int, ...], *, workers: int = 0, progress: bool = False) -> Dataset:
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, (source.number, 1))
    waves = np.sin(phases + np.linspace(0, 2 * np.pi, *shape)).astype(np.float32)
    return Dataset(waves, fingerprint=hashlib.sha256(waves.tobytes()).hexdigest(), name="waves", kind="signals")


class Lines(Previewer):
    """Signals as lines of text."""

    def __init__(self, seed: int) -> None:
        self.layout = Preview(file="", images_seen=0, kind="text", rows=4, seed=seed)

    def start(self, run: Run) -> None:
        self.inputs = run.recipe.system.inputs(self.layout.rows, self.layout.seed)

    def draw(self, run: Run) -> str:
        return "\n".join(" ".join(f"{x:+.3f}" for x in signal) for signal in run.generate(self.inputs).tolist())

    def finish(self, folder: RunFolder) -> None:
        found = [(folder.samples / preview.file).read_text() for preview in read_previews(folder.samples)]
        (folder.path / "all.txt").write_text("\n\n".join(found))


class Loudness(Validator):
    """How many decibels the fakes are as loud as they should be: the higher the better."""

    by = "level"

    def __init__(self, reals: np.ndarray) -> None:
        self.level = float((reals**2).mean())

    def start(self, run: Run) -> None:
        self.inputs = run.recipe.system.inputs(64, run.recipe.seed + 1)

    def measure(self, run: Run) -> list[Figure]:
        gap = abs(float((run.generate(self.inputs) ** 2).mean()) - self.level)
        value = -10 * float(np.log10(gap + 1e-9))
        return [Figure(measure="level", value=value, unit="dB", higher_is_better=True, protocol={"fakes": 64})]


class SignalsTask(Task):
    """1-D signals. The feed, the probe, the stand-in data and the refusals are those of every task."""

    name, unit = "signals", "signals"

    def warnings(self, recipe: Recipe, dataset: Dataset) -> Iterator[str]:
        yield "signals are but a test."

    def previewer(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Previewer:
        return Lines(recipe.seed)

    def validator(self, recipe: Recipe, watch: Watch, dataset: Dataset, held_out: Dataset) -> Validator:
        return Loudness(dataset.spread(64))

    def results(self, folder: RunFolder) -> list[tuple[str, str]]:
        return [("all signals", str(folder.path / "all.txt"))]


@dataclass(frozen=True)
class Homeless(Perceptrons):
    """Names a task that nobody defined."""

    task = "signal"


def recipe(**changes: object) -> Recipe:
    return replace(Recipe(system=Perceptrons(), data=Waves(), batch_size=16, images=16 * 24), **changes)  # type: ignore[arg-type]


OFTEN = Watch(sample_every=64, sample_epochs=0, measure_every=64, diagnose_every=64, log_every=64)


def test_it_trains_shows_validates_and_diagnoses(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = train(recipe(), name="r", watch=OFTEN)
    folder = outcome.folder
    assert outcome.state == "finished"
    assert "training runs/r: 180 signals of waves" in capsys.readouterr().err
    previews = read_previews(folder.samples)
    assert [preview.images_seen for preview in previews] == [0, 64, 128, 192, 256, 320, 384]
    last = (folder.samples / previews[-1].file).read_text()
    assert len(last.splitlines()) == 4
    assert (folder.path / "all.txt").read_text().endswith(last)
    figures = [figure for line in folder.read_log() for figure in figures_of(line)]
    assert [figure.images_seen for figure in figures] == [64, 128, 192, 256, 320, 384]
    best = max(figures, key=lambda figure: figure.value)
    assert checkpoint.about(folder.checkpoints / "best.safetensors")["images"] == best.images_seen
    assert folder.curves.is_file()
    looks = [line["signals"] for line in folder.read_log() if "signals" in line]
    assert len(looks) == 6
    assert all({"auc", "diversity", "distance", "aged"} <= look.keys() for look in looks)
    assert next(event["sentence"] for event in folder.read_events() if event["event"] == "warning").endswith("a test.")
    assert main(["diagnose", "runs/r"]) == 0


@pytest.mark.parametrize("steering", [Steering(), Steering(mode="treat", every=64)])
def test_stopped_and_resumed_it_is_the_same_bit_for_bit(steering: Steering) -> None:
    asked = recipe(steering=steering)
    whole = train(asked, name="whole", watch=OFTEN).folder
    train(replace(asked, images=16 * 10), name="parts", watch=OFTEN)
    parts = train(asked, name="parts", watch=OFTEN).folder
    assert same(checkpoint.load(whole.model)[0], checkpoint.load(parts.model)[0])
    texts = [
        {one.images_seen: (folder.samples / one.file).read_text() for one in read_previews(folder.samples)}
        for folder in (whole, parts)
    ]
    assert texts[0].items() <= texts[1].items()  # the parts have one more, of the moment of the stop
    lines = [[figures_of(line) for line in folder.read_log() if "figures" in line] for folder in (whole, parts)]
    assert lines[0] == lines[1]


def test_previews_beyond_the_checkpoint_that_is_gone_back_to_are_forgotten() -> None:
    folder = train(recipe(images=16 * 10), name="r", watch=OFTEN).folder
    folder.forget_after(100)
    assert [preview.images_seen for preview in read_previews(folder.samples)] == [0, 64]
    assert sorted(path.name for path in folder.samples.glob("*.txt")) == ["000000000000.txt", "000000000064.txt"]


def test_its_recipe_round_trips() -> None:
    assert from_plain(Recipe, to_plain(recipe())) == recipe()


def test_its_refusals() -> None:
    with pytest.raises(InputError, match=r"--watch\.extractor digits compares images"):
        train(recipe(), name="r", watch=Watch(extractor="digits"))
    with pytest.raises(InputError, match="Perceptrons makes signals from noise"):
        train(recipe(), name="r", watch=Watch(stop_at_knee=0.2))
    with pytest.raises(
        InputError, match=r"no task 'signal' \(did you mean 'signals'\?\); available: images, restoration"
    ):
        task_of(Homeless())


def test_its_cost_is_reckoned() -> None:
    from ganvas.experiment.cost import estimate_cost

    found = estimate_cost(recipe(), torch.device("cpu"), 180, OFTEN, seconds=0.1)
    assert found.images_per_second > 0
    assert found.disk > 0
