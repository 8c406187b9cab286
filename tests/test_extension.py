"""Rule 11: what is defined in this file alone is trained, shown, validated, diagnosed, resumed, opened and compared.

That is a modality with its predictor, an objective, a penalty, a measure and an extractor.
"""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ganvas
from ganvas import InputError, Watch, compare, evaluate, train
from ganvas.cli import main
from ganvas.data import Dataset, open_data
from ganvas.inference.sampler import Sampler
from ganvas.metrics.extractors import Extractor
from ganvas.metrics.figure import Figure
from ganvas.metrics.measure import Evidence, Measure, Quantity
from ganvas.observers.previews import Previewer
from ganvas.observers.validation import Validator
from ganvas.recipe import Recipe, Steering
from ganvas.recipe.objectives import Objective
from ganvas.recipe.penalties import Penalty, PenaltyInputs
from ganvas.recipe.serialization import from_plain, to_plain
from ganvas.recipe.sources import Source
from ganvas.recipe.system import FromNoise
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.runs.previews import Preview, read_previews
from ganvas.tasks import Task, task_of
from ganvas.training.run import Run
from tests.conftest import same, tiny
from tests.processes import Forked

KILL = "GANVAS_TEST_KILL_AT"  # images seen at which the process that sets it kills itself
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
        if run.images_seen >= int(os.environ.get(KILL, "1000000")):
            os.kill(os.getpid(), signal.SIGKILL)
        return "\n".join(" ".join(f"{x:+.3f}" for x in signal) for signal in run.generate(self.inputs).tolist())

    def finish(self, folder: RunFolder) -> None:
        found = [(folder.samples / preview.file).read_text() for preview in read_previews(folder.samples)]
        (folder.path / "all.txt").write_text("\n\n".join(found))


class Level(Measure):
    """How many decibels the fakes are as loud as they should be: the higher the better."""

    name = "own-level"
    gives = (Quantity("level", higher_is_better=True, unit="dB"),)

    def compute(self, x: Evidence) -> Iterable[Figure]:
        gap = abs(float((x.fakes**2).mean()) - float((x.reals**2).mean()))
        return [self.figure("level", -10 * float(np.log10(gap + 1e-9)), x.protocol)]


class Loudness(Validator):
    """The level."""

    by = "level"

    def __init__(self, reals: np.ndarray) -> None:
        self.reals = reals

    def start(self, run: Run) -> None:
        self.inputs = run.recipe.system.inputs(64, run.recipe.seed + 1)

    def measure(self, run: Run) -> list[Figure]:
        fakes = run.generate(self.inputs).numpy()
        return [*Level().compute(Evidence(fakes=fakes, reals=self.reals, protocol={"fakes": 64}))]


class SignalGenerator(Sampler):
    """Signals from noise."""

    task, unit = "signals", "signals"
    does = "makes signals from noise"


@dataclass(frozen=True, kw_only=True)
class Margins(Objective):
    """A hinge of any width."""

    margin: float = 1.0
    """Beyond it a score no longer counts."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[max(0, margin - D(x))] + E[max(0, margin + D(G(z)))]"""
        return (self.margin - real.float()).relu().mean() + (self.margin + fake.float()).relu().mean()

    def g(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """-E[D(G(z))]"""
        return -fake.float().mean()


@dataclass(frozen=True, kw_only=True)
class Leash(Penalty):
    """E[D(x)^2]"""

    weight: float = 0.01
    """Strength."""
    every: int = 1
    """As of every penalty."""

    def term(self, inputs: PenaltyInputs) -> Tensor:
        """Of the reals."""
        return self.weight * self.every * inputs.score(inputs.real).float().square().mean()


class Thumbnails(Extractor):
    """Images at 4 px; no classifier."""

    name, count, licence, weights, resize = "own-thumbnails", 16, "none", "none", "averaged to 4 px"

    def __init__(self) -> None:
        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.still = nn.Parameter(torch.zeros(1))

            def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
                return nn.functional.adaptive_avg_pool2d(x, 4).flatten(1) / 255 + self.still, x.new_zeros(len(x), 0)

        self.network = Network().requires_grad_(False)

    def prepare(self, images: Tensor) -> Tensor:
        return images


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
    game = Recipe(
        system=Perceptrons(),
        data=Waves(),
        objective=Margins(margin=0.5),
        penalties=(Leash(every=2),),
        batch_size=16,
        images=16 * 24,
    )
    return replace(game, **changes)  # type: ignore[arg-type]


OFTEN = Watch(sample_every=64, sample_epochs=0, measure_every=64, diagnose_every=64, log_every=64)


@pytest.mark.usefixtures("drawn")
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
    assert (best.unit, best.higher_is_better) == ("dB", True)
    assert {"d/adversarial", "d/Leash", "g/adversarial"} <= {name for line in folder.read_log() for name in line}
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


def train_and_die() -> None:
    os.environ[KILL] = "200"
    train(recipe(), name="killed", watch=replace(OFTEN, checkpoint_seconds=0))


def test_killed_and_resumed_it_is_the_same_bit_for_bit() -> None:
    often = replace(OFTEN, checkpoint_seconds=0)
    whole = train(recipe(), name="whole", watch=often).folder
    code, printed = Forked(train_and_die).ended()
    assert code == -signal.SIGKILL, printed
    killed = RunFolder("runs/killed")
    assert not killed.model.exists()
    assert 0 < killed.read_log()[-1]["images"] <= 256
    train(recipe(), name="killed", watch=often)
    assert same(checkpoint.load(whole.model)[0], checkpoint.load(killed.model)[0])
    measured, shown = (
        [[figures_of(line) for line in folder.read_log() if "figures" in line] for folder in (whole, killed)],
        [
            [(folder.samples / one.file).read_text() for one in read_previews(folder.samples)]
            for folder in (whole, killed)
        ],
    )
    assert measured[0] == measured[1]
    assert shown[0] == shown[1]


def test_it_is_opened_and_its_samples_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    folder = train(recipe(), name="r", watch=OFTEN).folder
    model = ganvas.open("runs/r")
    assert isinstance(model, SignalGenerator)
    assert (model.about.task, model.about.inputs, model.images_seen) == ("signals", "noise", 384)
    signals = model.sample(5, seed=3)
    assert (signals.shape, signals.dtype) == ((5, LENGTH), np.float32)
    assert np.array_equal(signals[:2], model.sample(2, seed=3))
    assert main(["generate", "runs/r", "-n", "5", "--seed", "3", "--out", "signals.npz"]) == 0
    with np.load("signals.npz") as written:
        assert np.array_equal(written["signals"], signals)
    capsys.readouterr()
    assert main(["generate", "runs/r", "--grid", "signals.png"]) == 2
    assert "r makes signals, which --grid cannot draw; give --out FILE.npz." in capsys.readouterr().err
    with pytest.raises(InputError, match="makes signals, not images; call sample"):
        model.generate(1)  # type: ignore[attr-defined]
    assert folder.model.is_file()


def test_it_is_evaluated_by_a_measure_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    folder = train(recipe(), name="r", watch=OFTEN).folder
    assert [figure.title for figure in evaluate("runs/r").figures] == ["nearness", "copies", "SWD"]
    found = evaluate("runs/r", measures=["own-level", "swd"], seed=1)
    assert [figure.title for figure in found.figures] == ["SWD", "level"]
    level = found["level"]
    assert (level.unit, level.higher_is_better) == ("dB", True)
    assert {key: level.protocol[key] for key in ("fakes", "reals", "source", "split", "seed")} == {
        **{"fakes": 180, "reals": 180, "source": "waves"},
        **{"split": "train", "seed": 1},
    }
    assert found.chart is None
    assert evaluate("runs/r", measures=["own-level", "swd"], seed=1).figures == found.figures
    assert evaluate("runs/r", measures=["own-level"], which="best", split="held-out")["level"].protocol["reals"] == 20
    assert folder.read_figures()[-1]["state"] == "best"
    assert main(["evaluate", "runs/r", "--measures", "own-level"]) == 0
    assert "level" in capsys.readouterr().out
    for asked, message in (
        ({"measures": ["kid"]}, "kid compares features of images, and runs/r makes signals; leave it out"),
        ({"extractor": "own-thumbnails"}, "--extractor own-thumbnails sees images, and runs/r makes signals"),
        ({"against": "digits"}, "--against digits names images, and runs/r makes signals"),
        ({"measures": ["modes-2d"]}, "data of r are not drawn from one"),
    ):
        with pytest.raises(InputError, match=message):
            evaluate("runs/r", **asked)  # type: ignore[arg-type]


def test_it_is_compared_and_the_better_end_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    levels = {}
    for name, margin in (("narrow", 0.1), ("wide", 2.0)):
        train(recipe(objective=Margins(margin=margin)), name=name, watch=OFTEN)
        levels[name] = evaluate(f"runs/{name}", measures=["own-level"])["level"].value
    comparison = compare(["runs/narrow", "runs/wide"], out="page.html")
    (column,) = comparison.columns
    assert column.title == "level ↑ last"
    assert comparison.differing["objective.margin"] == ["0.1", "2.0"]
    assert list(column.ranks) == sorted(levels, key=lambda name: -levels[name])  # the higher is the first
    assert Path("page.html").stat().st_size > 10_000
    assert main(["compare", "runs/narrow", "runs/wide"]) == 0
    assert "level ↑ last" in capsys.readouterr().out
    assert main(["runs"]) == 0
    assert "Perceptrons" in capsys.readouterr().out


def test_images_take_the_objective_the_penalty_and_the_extractor() -> None:
    flat = tiny("dcgan")
    game = replace(flat, system=replace(flat.system, d_norm="none"), objective=Margins(), penalties=(Leash(),))  # type: ignore[call-arg]
    watch = Watch(measure_every=96, extractor="own-thumbnails", grid=(2, 2))
    folder = train(game, name="r", watch=watch).folder
    kids = [figure for line in folder.read_log() for figure in figures_of(line) if figure.measure == "KID"]
    assert [figure.protocol["extractor"] for figure in kids] == ["own-thumbnails"] * 2
    found = evaluate("runs/r", measures=["kid", "fd"], extractor="own-thumbnails", fakes=60)
    assert [figure.title for figure in found.figures] == ["FD", "KID"]
    assert found["KID"].protocol["resize"] == "averaged to 4 px"
    assert found.chart == folder.evaluation
    column = next(column for column in compare(["runs/r"]).columns if column.measure == "KID")
    assert column.protocol["extractor"] == "own-thumbnails"


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
        InputError, match=r"no task 'signal' \(did you mean 'signals'\?\); available: images, repair, restoration"
    ):
        task_of(Homeless())


def test_its_cost_is_reckoned() -> None:
    from ganvas.experiment.cost import estimate_cost

    found = estimate_cost(recipe(), torch.device("cpu"), 180, OFTEN, seconds=0.1)
    assert found.images_per_second > 0
    assert found.disk > 0
