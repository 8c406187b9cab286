"""An objective, penalties, a reconstruction loss and a degradation that no file of ganvas knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from ganvas import Watch, train
from ganvas.cli import main
from ganvas.data import open_data
from ganvas.data.crops import Photos
from ganvas.data.feed import crop_feed
from ganvas.diagnosis import advice
from ganvas.errors import InputError
from ganvas.experiment.sanity_checks import sanity_checks
from ganvas.recipe import Recipe, Schedule
from ganvas.recipe.batch import Batch
from ganvas.recipe.degradations import Degradation
from ganvas.recipe.objectives import Objective
from ganvas.recipe.penalties import Penalty, PenaltyInputs
from ganvas.recipe.reconstruction import ReconstructionLoss, Stage
from ganvas.recipe.serialization import to_plain
from ganvas.recipe.sources import Crops
from ganvas.registry import by_name
from ganvas.runs import checkpoint
from ganvas.systems import read_recipe
from ganvas.systems.dcgan import DCGAN
from ganvas.training.ada import sign
from tests.conftest import enlarging, same, tiny, write_photographs
from tests.processes import ganvas as ganvas_process

QUIET = Watch(checkpoint_seconds=1e9)
FLAT = DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8, d_norm="none")


@dataclass(frozen=True, kw_only=True)
class Distances(Objective):
    """Absolute differences of paired scores."""

    paired = True
    margin: float = 1.0
    """What a pair should lie apart."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """E|D(x) - D(G(z)) - margin|"""
        return (real.float() - fake.float() - self.margin).abs().mean()

    def g(self, fake: Tensor, real: Tensor | None = None) -> Tensor:
        """E|D(G(z)) - D(x) - margin|"""
        assert real is not None
        return (fake.float() - real.float() - self.margin).abs().mean()

    def smoothing(self, penalties: tuple[Penalty, ...]) -> tuple[Penalty, ...]:
        """None."""
        return penalties

    def warnings(self, penalties: tuple[Penalty, ...]) -> Iterator[str]:
        """On a missing penalty."""
        if not penalties:
            yield "Distances wants a penalty."


@dataclass(frozen=True, kw_only=True)
class Drift(Penalty):
    """E[D(x)^2], by another call of D."""

    every: int = 1
    """As of every penalty."""
    weight: float = 1e-3
    """Strength."""

    def term(self, inputs: PenaltyInputs) -> Tensor:
        """Of the reals."""
        return self.weight * self.every * inputs.score(inputs.real).float().square().mean()


@dataclass(frozen=True, kw_only=True)
class Equal(Penalty):
    """Equal slopes at reals and fakes."""

    needs = "slopes"
    strength: ClassVar[str] = "how_much"
    every: int = 2
    """As of every penalty."""
    how_much: float = 1.0
    """Strength."""

    def term(self, inputs: PenaltyInputs) -> Tensor:
        """Of the pairs."""
        assert inputs.slopes is not None
        real, fake = inputs.slopes
        return self.how_much * self.every * (real - fake).float().square().mean()


@dataclass(frozen=True, kw_only=True)
class Brightness(ReconstructionLoss):
    """Distance of the mean pixels."""

    when: Stage = "both"
    """In pretraining, in the game, or in both."""
    prepared: ClassVar[list[str]] = []

    def prepare(self, device: torch.device) -> None:
        """Remember."""
        self.prepared.append(str(device))

    def term(self, fake: Tensor, batch: Batch) -> Tensor:
        """Of fakes and reals."""
        return (fake.float().mean() - batch["real"].mean()).abs()


@dataclass(frozen=True, kw_only=True)
class Corner(Degradation):
    """The top left pixel of every square."""

    def apply(self, target: Tensor, scale: int, random: torch.Generator) -> dict[str, Tensor]:
        """With what nobody asks for: a map at each scale, and a number for each image."""
        low = target[..., ::scale, ::scale].clone()
        given = {"mask": target[:, :1] > 127, "small": low[:, :1].clone()}
        return {"input": low, **given, "strength": torch.rand(len(target), generator=random)}


GAME = tiny("dcgan", system=FLAT, objective=Distances(margin=0.5), penalties=(Drift(), Equal()))


def last_state(name: str) -> dict[str, Tensor]:
    newest = max(Path(f"runs/{name}/checkpoints").glob("[0-9]*.safetensors"))
    return checkpoint.load(newest)[0]


def enlarged() -> Recipe:
    write_photographs(Path("photographs"), 3)
    data = Crops(source="photographs", degradation=Corner())
    return enlarging(Path("photographs"), data=data, reconstruction=(Brightness(),), schedule=Schedule(pretrain=16))


@pytest.mark.parametrize("kind", ["game", "enlarging"])
def test_they_train_and_resume_bit_for_bit(kind: str) -> None:
    recipe = GAME if kind == "game" else enlarged()
    outcome = train(recipe, name="whole", watch=replace(QUIET, log_every=1, diagnose_every=32))
    train(replace(recipe, images=32), name="parts", watch=QUIET)
    train(recipe, name="parts", watch=QUIET)
    assert same(last_state("whole"), last_state("parts"))
    assert read_recipe(json.loads(outcome.folder.recipe.read_text())) == recipe == read_recipe(to_plain(recipe))
    logged = {name for line in outcome.folder.read_log() for name in line}
    wanted = {"d/adversarial", "d/Drift", "d/Equal"} if kind == "game" else {"g/Brightness"}
    assert wanted <= logged
    assert kind == "game" or "cpu" in Brightness.prepared


def test_all_that_a_degradation_names_is_in_the_batch() -> None:
    write_photographs(Path("photographs"), 3)
    crops = Crops(source="photographs", degradation=Corner())
    photos = open_data(crops, (3, 16, 16))
    assert isinstance(photos, Photos)
    feeds = [
        crop_feed(photos, crops, scale=4, batch_size=6, seed=0, device=torch.device("cpu"), rank=rank, world_size=size)
        for rank, size in ((0, 1), (0, 2), (1, 2))
    ]
    batch, *halves = (feed.batch(12) for feed in feeds)
    assert batch["real"].shape == (6, 3, 16, 16)
    assert torch.equal(batch["input"], batch["real"][..., ::4, ::4])
    assert torch.equal(batch["mask"], batch["real"][:, :1] > 127 / 127.5 - 1)  # at its own scale, and as it is
    assert torch.equal(batch["small"], batch["input"][:, :1])
    assert batch["strength"].shape == (6,)
    for name in ("real", "input", "mask", "small", "strength"):
        assert torch.equal(torch.cat([half[name] for half in halves]), batch[name])


def test_they_are_asked_what_suits_them() -> None:
    assert sanity_checks(replace(GAME, penalties=())) == ["Distances wants a penalty."]
    assert not sanity_checks(GAME)
    assert not any("penalties" in line for line in advice("mode-collapse", GAME, 1000))
    real, fake = torch.tensor([9.0, 11.0]), torch.tensor([8.0, 10.0])
    assert sign(Distances(), real, fake) == 0  # about the middle of all scores
    assert Distances(margin=2.0).blind_loss() == 2
    assert Equal().scaled(3.0) == Equal(how_much=3.0)


def test_they_are_flags_by_name() -> None:
    write_photographs(Path("photographs"), 3)
    words = ["--images", "64", "--batch-size", "16", "--system.g-width", "4", "--system.d-width", "4"]
    own = [
        "--objective",
        "distances",
        "--objective.margin",
        "0.25",
        "--penalties",
        "Drift",
        "R1",
        "--penalties.0.every",
        "3",
    ]
    assert main(["train", "dcgan-digits", "--system.d-norm", "none", *words, *own]) == 0
    kept = read_recipe(json.loads(Path("runs/dcgan-digits/recipe.json").read_text()))
    assert kept.objective == Distances(margin=0.25)
    assert kept.penalties[0] == Drift(every=3)
    words = [
        "--images",
        "16",
        "--batch-size",
        "8",
        "--system.size",
        "32",
        "--system.g-width",
        "4",
        "--system.blocks",
        "1",
    ]
    own = ["--reconstruction", "Brightness", "--reconstruction.0.when", "both", "--data.degradation", "corner"]
    assert main(["train", "srresnet-x4", "--data", "photographs", *words, *own]) == 0
    kept = read_recipe(json.loads(Path("runs/srresnet-x4/recipe.json").read_text()))
    assert kept.reconstruction == (Brightness(),)


def test_what_is_no_reconstruction_loss_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "srresnet-x4", "--reconstruction", "Pixels"]) == 2
    assert "--reconstruction Pixels is not available; available: Pixel, Perceptual" in capsys.readouterr().err
    with pytest.raises(InputError, match="no original to be compared with"):
        train(replace(GAME, reconstruction=(Brightness(),)), name="r")


def test_a_file_of_ones_own_may_hold_no_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gans").mkdir()
    (tmp_path / "gans" / "game.py").write_text(
        "from dataclasses import dataclass\n"
        "from ganvas.recipe.objectives import Hinge\n"
        "@dataclass(frozen=True, kw_only=True)\n"
        "class Doubled(Hinge):\n"
        "    def g(self, fake, real=None):\n"
        "        return 2 * super().g(fake, real)\n"
    )
    words = ["--images", "64", "--batch-size", "32", "--system.g-width", "2", "--system.d-width", "2"]
    monkeypatch.setenv("GANVAS_SYSTEMS", "gans")
    for images in ("64", "128"):
        words[1] = images
        # The variable is read once in a process.
        code, printed = ganvas_process("train", "dcgan-digits", "--objective", "doubled", *words).ended()
        assert code == 0, printed


def test_two_classes_of_one_name_are_refused() -> None:
    class Twin:
        pass

    first, second = type("Twin", (Twin,), {"__module__": "mine"}), type("Twin", (Twin,), {"__module__": "theirs"})
    with pytest.raises(InputError, match="there are two classes Twin, in mine and theirs"):
        by_name([first, second], "twin")
    assert by_name([first, second], "other") == {"Twin": second}
