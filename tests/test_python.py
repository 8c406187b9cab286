"""The library from Python: names, one-line reprs, and one sentence for what is of the wrong kind."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ganvas
from ganvas import InputError, Watch, train
from ganvas.recipe.serialization import to_plain
from tests.conftest import Cli, TrainedRun, assert_refused, tiny
from tests.processes import Forked

QUIET = Watch(checkpoint_seconds=1e9, grid=(2, 2))


def test_dir_lists_the_public_names() -> None:
    code = "import ganvas, ganvas.experiment as e, ganvas.studies as s; print(dir(ganvas), dir(e), dir(s))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for name in ("'train'", "'Upscaler'", "'Observer'", "'Host'", "'Outcome'", "'run_study'", "'__version__'"):
        assert name in shown
    assert "TYPE_CHECKING" not in shown
    assert {"annotations", "attributes"}.isdisjoint(dir(ganvas))


def test_a_recipe_by_name_or_path_trains(cli: Cli) -> None:
    Path("small.json").write_text(json.dumps(to_plain(tiny(images=16))))
    assert train("small.json", watch=QUIET).folder.name == "small"
    assert train(Path("runs/small"), watch=QUIET).folder.name == "small-again"
    first, again = (ganvas.open(f"runs/{name}").generate(2) for name in ("small", "small-again"))
    assert np.array_equal(first, again)
    done = cli("train", "runs/small/recipe.json", "--seed", "1", "--name", "other")
    assert done.returncode == 0, done.stderr
    assert json.loads(Path("runs/other/recipe.json").read_text())["seed"] == 1
    assert "small-again is already finished" in cli("train", "runs/small").stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: train("no"), "there is no recipe 'no'"),
        (lambda: train(3), "3 is of type int"),
        (lambda: train(tiny()), "needs a name"),
        (lambda: train("nowhere.json"), "nowhere.json does not exist"),
        (lambda: train(tiny(), name="x", observers=[print]), "does not observe"),
        (lambda: ganvas.named_recipe(None), "None is of type NoneType"),
        (lambda: ganvas.open(3), "3 is of type int"),
        (lambda: ganvas.open(None), "None is of type NoneType"),
        (lambda: ganvas.evaluate(3), "3 is of type int"),
        (lambda: ganvas.compare(3), "3 is of type int"),
    ],
)
def test_what_is_of_the_wrong_kind_is_refused(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()  # type: ignore[operator]
    assert not Path("runs").exists()


class Counting(ganvas.Observer):
    """Counts its calls."""

    def __init__(self) -> None:
        self.calls = [0, 0, 0]

    def start(self, run: object) -> None:
        self.calls[0] += 1

    def step(self, run: object, report: object) -> None:
        self.calls[1] += 1

    def end(self, run: object) -> None:
        self.calls[2] += 1


def test_observers_of_your_own_observe() -> None:
    mine = Counting()
    train(tiny(images=64), name="r", watch=QUIET, observers=[mine])
    assert mine.calls == [1, 4, 1]


FILE = """
from dataclasses import dataclass
from ganvas.systems.mlp import MLP

@dataclass(frozen=True, kw_only=True)
class Mine(MLP):
    extra: int = 0
"""


def train_mine() -> None:
    mine = importlib.import_module("ganvas.systems.mine").Mine
    train(tiny(system=mine(size=8, g_hidden=(8,), d_hidden=(8,), latent=4), images=64), name="r", watch=QUIET)


def test_the_folder_of_a_system_is_remembered(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("gans").mkdir()
    Path("gans/mine.py").write_text(FILE)
    monkeypatch.setenv("GANVAS_SYSTEMS", "gans")
    code, printed = Forked(train_mine).ended()  # in a process of its own, since the variable is read once
    assert code == 0, printed
    folder = str(Path("gans").resolve())
    for words in (["generate", "runs/r", "--grid", "x.png"], ["train", "runs/r"], ["diagnose", "runs/r"]):
        assert_refused(cli(*words), "unknown type 'Mine'", f"GANVAS_SYSTEMS={folder}")


REALS = np.random.default_rng(0).integers(0, 255, (80, 16, 16, 1), np.uint8)
MEASURES = {"measures": ["swd"], "progress": False}


def test_arrays_tensors_and_networks_are_evaluated(trained_run: TrainedRun) -> None:
    network = torch.nn.Sequential(torch.nn.Linear(4, 256), torch.nn.Tanh(), torch.nn.Unflatten(1, (1, 16, 16)))
    signed = torch.from_numpy(REALS.transpose(0, 3, 1, 2) / 127.5 - 1)
    trained_run(tiny(images=16), QUIET)
    generator = ganvas.open("runs/r")
    found = ganvas.evaluate(REALS, against=REALS, **MEASURES)
    assert found["SWD"].value == pytest.approx(0, abs=1e-6)
    assert ganvas.evaluate(signed, against=REALS[..., 0], **MEASURES)["SWD"].value == pytest.approx(0, abs=1e-6)
    made = ganvas.evaluate(network, against=REALS, latent=4, fakes=60, **MEASURES)
    assert made["SWD"].value > 0
    assert made.name == "Sequential"
    assert network.training
    assert ganvas.evaluate(generator, against="digits", fakes=60, **MEASURES)["SWD"].value > 0
    assert ganvas.evaluate("runs/r", against=np.zeros((60, 8, 8)), fakes=60, **MEASURES)["SWD"].value > 0


def test_of_an_array_the_same_images_are_chosen_as_of_the_file_that_holds_it() -> None:
    np.savez("fakes.npz", REALS)
    asked = {"against": REALS, "fakes": 50, "seed": 3, **MEASURES}
    assert ganvas.evaluate(REALS, **asked)["SWD"].value == ganvas.evaluate("fakes.npz", **asked)["SWD"].value


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (REALS, {}, "the reals to compare array with are not known"),
        (REALS[0, 0, 0], {"against": REALS}, r"shape \(1,\) .*N, H, W, C"),
        (REALS[:, :8], {"against": REALS}, "square"),
        (REALS.astype(float), {"against": REALS}, r"values lie in 0..254.*\[0, 1\]"),
        (np.full((4, 8, 8), np.nan), {"against": REALS}, "nan"),
        (REALS, {"against": REALS[:, :8, :8]}, "give both alike"),
        (torch.nn.Linear(3, 3), {"against": REALS}, "latent=100"),
        (torch.nn.Linear(3, 3), {"against": REALS, "latent": 4}, "another latent"),
        (torch.nn.Linear(3, 3), {"against": REALS, "latent": 3}, r"N, C, H, W"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(source: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ganvas.evaluate(source, **options, **MEASURES)


def test_networks_of_every_model(trained_run: TrainedRun) -> None:
    trained_run(tiny("dcgan", images=16), QUIET)
    model = ganvas.open("runs/r")
    z = torch.zeros(2, 8)
    assert model.network(z).shape == (2, 1, 16, 16)
    assert model.discriminator(model.network(z)).shape == (2,)
    assert not model.discriminator.training
    train(tiny("plane", images=16), name="plane", watch=QUIET)
    points = ganvas.open("runs/plane")
    assert points.discriminator(points.network(torch.zeros(3, points.system.latent))).shape == (3,)
    assert ganvas.open("srresnet-x4").network(torch.zeros(1, 3, 8, 8)).shape == (1, 3, 32, 32)
    for name in ("srresnet-x4", "runs/r/model.safetensors"):
        with pytest.raises(InputError, match="the generator alone"):
            _ = ganvas.open(name).discriminator


def test_reprs_are_short_and_say_what_matters(trained_run: TrainedRun) -> None:
    recipe = tiny(images=16, adam_d=ganvas.Adam(lr=ganvas.Ramp(1e-3, 1e-4, 10)))
    folder = trained_run(recipe, QUIET)
    names = {name: getattr(ganvas, name) for name in ganvas.__all__}
    names |= {"MLP": type(recipe.system)}
    assert eval(repr(recipe), names) == recipe
    assert len(repr(ganvas.named_recipe("dcgan-mnist"))) < 160
    assert repr(folder) == f"RunFolder({str(folder.path)!r})"
    for value, words in (
        (ganvas.open("runs/r"), ("Generator r", "MLP", "16 images")),
        (ganvas.open("srgan-x4"), ("Upscaler srgan-x4", "upscales images")),
        (ganvas.evaluate("runs/r", fakes=60, **MEASURES), ("Evaluation of r", "SWD")),
        (ganvas.compare("runs/r"), ("Comparison of 1 runs", "16 images")),
    ):
        assert all(word in repr(value) for word in words), repr(value)
        assert len(repr(value)) < 200
