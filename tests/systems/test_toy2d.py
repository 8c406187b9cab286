"""2-D mixtures: from the recipe to the animation, and what a run can and cannot be asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import ganvas
from ganvas import Augment, Images, InputError, Mixture2D, Watch, train
from ganvas.cli import main
from ganvas.recipe.reconstruction import Pixel
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.runs.previews import read_previews
from ganvas.systems import named_recipe
from ganvas.systems.toy2d import Toy2DMLP
from tests.conftest import TrainedRun, tiny

OFTEN = Watch(sample_every=32, measure_every=32)


@pytest.fixture
def run(trained_run: TrainedRun) -> RunFolder:
    return trained_run(tiny("plane", images=32))


def test_perceptrons_without_normalisation() -> None:
    system = Toy2DMLP(latent=3, g_hidden=(5, 6), d_hidden=(7,))
    g, d = system.generator(), system.discriminator()
    assert [type(layer).__name__ for layer in g] == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]
    assert [type(layer).__name__ for layer in d] == ["Linear", "LeakyReLU", "Linear", "Flatten"]
    points = g(system.inputs(4, 0))
    assert points.shape == (4, 2)
    assert d(points).shape == (4,)
    assert not any(isinstance(layer, nn.BatchNorm1d) for layer in g.modules())


@pytest.mark.parametrize("fields", [{"latent": 0}, {"g_hidden": ()}, {"d_hidden": (8, 0)}], ids=repr)
def test_what_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InputError, match="at least 1"):
        Toy2DMLP(**fields)  # type: ignore[arg-type]


def test_sheets_animation_and_measures() -> None:
    run = train(tiny("plane"), name="r", watch=OFTEN).folder
    sheets = run.sample_grids()
    assert [int(sheet.stem) for sheet in sheets] == [0, 32, 64, 96, 128, 160, 192]
    with Image.open(sheets[-1]) as sheet, Image.open(run.animation) as film, Image.open(run.filmstrip) as strip:
        assert sheet.size == film.size
        assert film.n_frames == len(sheets)
        assert strip.size[0] > sheet.size[0]
    measured = [
        {figure.measure: figure for figure in figures} for figures in map(figures_of, run.read_log()) if figures
    ]
    assert [line["SWD"].images_seen for line in measured] == [32, 64, 96, 128, 160, 192]
    assert all(0 <= line["modes found"].value <= 8 and 0 <= line["quality"].value <= 1 for line in measured)
    best = min((line["SWD"] for line in measured), key=lambda figure: figure.value)
    assert best.value > 0
    assert ganvas.open(run.path, which="best").images_seen == best.images_seen
    previews = read_previews(run.samples)
    assert [preview.images_seen for preview in previews] == [0, 32, 64, 96, 128, 160, 192]
    assert {preview.kind for preview in previews} == {"plot"}


def test_a_resumed_run_has_all_frames() -> None:
    recipe = tiny("plane")
    train(replace(recipe, images=96), name="r", watch=OFTEN)
    folder = train(recipe, name="r", watch=OFTEN).folder
    with Image.open(folder.animation) as film:
        assert film.n_frames == 7


def test_generate_draws_and_writes_points(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "runs/r", "-n", "7", "--seed", "3", "--grid", "plot.png", "--out", "points.csv"]) == 0
    assert capsys.readouterr().out.split() == ["points.csv", "plot.png"]
    g = ganvas.open("runs/r")
    points = g.points(7, seed=3)
    assert (points.dtype, points.shape) == (np.float32, (7, 2))
    assert np.array_equal(points[:2], g.points(2, seed=3))
    lines = Path("points.csv").read_text().splitlines()
    assert "Synthetic points" in lines[0]
    assert lines[1] == "x,y"
    assert np.allclose(np.loadtxt(lines[2:], delimiter=","), points, rtol=1e-5)
    with Image.open("plot.png") as plot:
        assert "Synthetic points" in plot.info["Description"]
    assert main(["generate", "runs/r", "-n", "7", "--out", "P.CSV"]) == 0
    assert Path("P.CSV").read_text().startswith("# Synthetic points")
    assert main(["generate", "runs/r", "--out", "points.npz"]) == 0
    with np.load("points.npz") as file:
        assert file["points"].shape == (2500, 2)


REFUSED = {
    "generate runs/r --out fakes": ["fakes", ".csv or .npz"],
    "generate runs/r --interpolate --out w.gif": ["makes points", "--grid"],
    "train mlp-ring --augment.flip True": ["--augment", "points"],
    "train mlp-ring --watch.extractor efficientnet-lite0": ["--watch.extractor", "made from noise"],
    "evaluate runs/r --measures fd": ["fd compares features of images", "makes points"],
    "evaluate runs/r --extractor digits": ["--extractor digits", "makes points"],
    "evaluate runs/r --against digits": ["--against digits", "makes points"],
    "evaluate runs/r --out chart.png": ["--out chart.png", "makes points"],
    "train mlp-ring --data digits": ["--data.shape", "'ring'"],
    "train mlp-ring --data.count 100": ["95 training points", "--batch-size 95"],
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_makes_no_sense_is_refused(words: str, run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(words.split()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert all(message in line for message in REFUSED[words]), line
    assert not Path("runs/mlp-ring").exists()


def test_pictures_are_no_points(run: RunFolder) -> None:
    with pytest.raises(InputError, match=r"makes points, not images; call points\(\) instead"):
        ganvas.open("runs/r").generate(2)
    train(tiny(images=16), name="digits", watch=OFTEN)
    with pytest.raises(InputError, match="makes images"):
        ganvas.open("runs/digits").points(2)
    for changes, message in (
        ({"data": Images(source="digits")}, "Toy2DMLP makes 2-D points, and the data are Images"),
        ({"augment": Augment(flip=True)}, "leave them out"),
        ({"reconstruction": (Pixel(),)}, "no original to be compared with"),
    ):
        with pytest.raises(InputError, match=message):
            train(replace(named_recipe("mlp-ring"), **changes), name="other", watch=OFTEN)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="MLP makes images, and the data are Mixture2D"):
        train(tiny(data=Mixture2D()), name="other", watch=OFTEN)
    assert not Path("runs/other").exists()


def test_plan_and_runs_speak_of_points(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "mlp-ring", "--data", "grid", "--batch-size", "2000", "--images", "100000"]) == 0
    planned = capsys.readouterr().out
    assert "grid: 19,000 points" in planned
    assert "LeakyReLU" in planned
    assert main(["runs"]) == 0
    listed = capsys.readouterr().out
    assert "Toy2DMLP" in listed
    assert "ring" in listed


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_ring_is_covered(seed: int) -> None:
    folder = train(replace(named_recipe("mlp-ring"), seed=seed), name="ring").folder
    last = {figure.measure: figure.value for line in folder.read_log() for figure in figures_of(line)}
    assert last["modes found"] >= 7
    assert last["quality"] > 0.9
    assert torch.isfinite(torch.tensor(last["SWD"]))


def test_a_run_is_evaluated_by_what_takes_any_samples(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    found = ganvas.evaluate(run.path)
    assert [figure.title for figure in found.figures] == ["nearness", "copies", "SWD", "modes found", "quality"]
    assert found.chart is None
    assert not found.notes
    assert found["SWD"].value > 0
    assert found["SWD"].protocol["fakes"] == found["SWD"].protocol["reals"] == 95
    assert found["modes found"].protocol["of"] == 8
    assert (found["quality"].higher_is_better, found["SWD"].higher_is_better) == (True, False)
    assert [line["measure"] for line in run.read_figures()] == [figure.measure for figure in found.figures]
    held_out = ganvas.evaluate(run.path, measures=["swd"], split="held-out")
    assert held_out["SWD"].protocol["reals"] == 5
    assert main(["evaluate", "runs/r", "--measures", "modes-2d"]) == 0
    assert "modes found" in capsys.readouterr().out
    (run.path / "model.safetensors").rename("alone.safetensors")
    with pytest.raises(InputError, match=r"alone\.safetensors lies in no run, .* give the run's folder"):
        ganvas.evaluate("alone.safetensors")
