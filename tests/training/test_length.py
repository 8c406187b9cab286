"""How long a run is: as asked, as the recipe says, or fitted to data that the recipe was not made for."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from ganvas.cli._flags import parse, whole_number, with_length
from ganvas.data import length
from ganvas.data.length import LEAST, fitted_length
from ganvas.errors import InputError
from ganvas.observers import forecast
from ganvas.observers.forecast import Forecast
from ganvas.recipe import Recipe
from ganvas.recipe.sources import Images
from ganvas.systems import named_recipe
from tests.conftest import Cli, assert_refused, tiny


def squares(count: int) -> str:
    np.savez("few.npz", x=np.arange(count * 64, dtype=np.uint32).astype(np.uint8).reshape(count, 8, 8))
    return "few.npz"


def on(recipe: Recipe, source: str) -> Recipe:
    return replace(recipe, data=Images(source=source))


def test_as_many_epochs_within_bounds() -> None:
    faces = named_recipe("dcgan-faces64")  # ten epochs of 162,770 images
    assert fitted_length(faces, faces) == faces.images
    assert fitted_length(faces, on(faces, "mnist")) == 10 * 60_000
    assert fitted_length(faces, on(faces, squares(100))) == LEAST
    digits = named_recipe("dcgan-digits")
    assert fitted_length(digits, on(digits, "mnist")) == digits.images


@pytest.mark.parametrize("name", ["r3gan-small", "srresnet-x4", "mlp-ring"])
def test_what_is_timed_in_images_keeps_its_length(name: str) -> None:
    recipe = named_recipe(name)
    other = recipe if name == "mlp-ring" else replace(recipe, data=replace(recipe.data, source=squares(100)))
    assert fitted_length(recipe, other) == recipe.images


def test_what_is_asked_for_is_not_fitted() -> None:
    def images(*words: str) -> int:
        argv = ["mlp-mnist", "--data", squares(100), *words]
        return with_length(argv, parse("train", argv)[1]).recipe.images

    assert images() == LEAST
    assert images("--images", "12000000") == 12_000_000
    assert images("--images=300000") == 300_000
    assert images("--epochs", "3") == 3 * 95


def test_training_says_so_and_goes_on_with_the_same_length(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(length, "LEAST", 128)
    words = ["train", "dcgan-mnist", "--data", squares(40), "--batch-size", "32"]
    words += ["--system.g-width", "2", "--system.d-width", "2", "--watch.measure-every", "800"]
    words += ["--watch.diagnose-every", "800", "--watch.sample-epochs", "0"]
    done = cli(*words, "--name", "r")
    assert done.returncode == 0, done.stderr
    assert "800 images rather than the recipe's 1,200,000" in done.stderr
    assert json.loads(Path("runs/r/recipe.json").read_text())["images"] == 800
    again = cli(*words, "--name", "r")
    assert "already finished" in again.stderr
    assert "rather than" not in again.stderr


def test_a_run_begun_with_a_greater_length_keeps_it(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["--data", squares(100), "--system.g-hidden", "8", "--system.d-hidden", "8", "--name", "r"]
    assert cli("train", "mlp-mnist", *words, "--images", "640").returncode == 0
    plain = json.loads(Path("runs/r/recipe.json").read_text())
    Path("runs/r/recipe.json").write_text(json.dumps({**plain, "images": 900_000}))
    seen: list[int] = []

    def train(recipe: Recipe, **rest: object) -> None:
        seen.append(recipe.images)
        raise InputError("enough.")

    monkeypatch.setattr("ganvas.experiment.train", train)
    cli("train", "mlp-mnist", *words)
    assert seen == [900_000]


@pytest.mark.parametrize(
    ("text", "number"),
    [("1e4", 10_000), ("2.5e6", 2_500_000), ("20,000", 20_000), ("20_000", 20_000), ("-1", -1), ("1E+3", 1000)],
)
def test_whole_numbers_as_people_write_them(text: str, number: int) -> None:
    assert whole_number(text) == number
    argv = ["dcgan-digits", "--host.workers", text]
    assert parse("train", argv)[1].host.workers == number


@pytest.mark.parametrize("text", ["1.5", "1e-3", "2,00", "1e400", "nan", "²", "ten", "", "9" * 5000])
def test_what_is_no_whole_number(cli: Cli, text: str) -> None:
    assert_refused(cli("train", "dcgan-digits", "--images", text), "--images")


def test_a_long_run_is_forecast_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.5, 1.0, 4.0, 6.0, 7.0])
    monkeypatch.setattr(forecast.time, "perf_counter", lambda: next(clock))
    out = io.StringIO()
    seen = Forecast(Console(file=out, width=200), epoch=1000)
    run = SimpleNamespace(recipe=tiny(images=1_000_000))
    seen.start(run)  # type: ignore[arg-type]
    for images in (16, 100, 500, 566, 600):
        seen.step(run, SimpleNamespace(images_seen=images))  # type: ignore[arg-type]
    (line,) = out.getvalue().splitlines()
    assert re.match(r"about 2\.8 hours to the end, 10 s an epoch; .* --epochs N", line)


# ganvas plan


def test_plan_refuses_fewer_images_than_a_batch(cli: Cli) -> None:
    for source, count in (("digits", 1708), (squares(50), 48)):
        done = cli("plan", "mlp-digits", "--data", source, "--batch-size", "2000")
        assert_refused(done, f"{count} training images", "2000")


def test_plan_counts_the_parameters_under_spectral_norm(cli: Cli) -> None:
    narrow = ["--system.g-width", "8", "--system.d-width", "8", "--batch-size", "2", "--images", "2"]
    done = cli("plan", "sagan-cifar10", *narrow)
    assert done.returncode == 0, done.stderr
    assert "_SpectralNorm" not in done.stdout
    system = replace(named_recipe("sagan-cifar10").system, g_width=8, d_width=8)  # type: ignore[call-arg]
    for network in (system.generator(), system.discriminator()):
        assert f"{sum(parameter.numel() for parameter in network.parameters()):,}" in done.stdout
    assert re.search(r"Conv2d, SpectralNorm +8 x 16 x 16 +392", done.stdout)
