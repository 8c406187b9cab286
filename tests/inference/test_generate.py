"""Using a trained generator, from Python and from the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas import InputError, Watch, train
from ganvas.runs import checkpoint
from tests.conftest import Cli, TrainedRun, assert_refused, tiny


@pytest.fixture
def run(trained_run: TrainedRun) -> Path:
    return trained_run(tiny(), Watch(measure_every=16)).path


def test_two_lines_make_images(run: Path) -> None:
    g = ganvas.open("runs/r")
    images = g.generate(5, seed=3)
    assert images.shape == (5, 8, 8, 1)
    assert images.dtype == np.uint8
    assert [image.size for image in g.generate_images(2)] == [(8, 8), (8, 8)]


def test_images_depend_on_their_seed_and_place_alone(run: Path) -> None:
    g = ganvas.open(run)
    assert np.array_equal(g.generate(100, seed=1)[:3], g.generate(3, seed=1))
    assert not np.array_equal(g.generate(3, seed=1), g.generate(3, seed=2))


def test_folder_checkpoint_and_model_file_agree(run: Path) -> None:
    last = max((run / "checkpoints").glob("[0-9]*.safetensors"))
    expected = ganvas.open(run).generate(4)
    assert np.array_equal(ganvas.open(last).generate(4), expected)
    assert np.array_equal(ganvas.open(run / "model.safetensors").generate(4), expected)
    assert ganvas.open(run, which="best").generate(4).shape == expected.shape


def test_a_lengthened_run_opens_where_it_stands(run: Path) -> None:
    (run / "model.safetensors").replace("old.safetensors")
    train(tiny(images=400), name="r")
    Path("old.safetensors").replace(run / "model.safetensors")
    assert ganvas.open(run).images_seen == 400


def test_an_interpolation_ends_where_it_begins(run: Path) -> None:
    g = ganvas.open(run)
    frames = g.interpolate(3, 4, seed=5)
    assert frames.shape == (12, 8, 8, 1)
    assert np.array_equal(frames[::4], g.generate(3, seed=5))


@pytest.mark.parametrize("damage", ["missing", "empty", "torn"])
def test_a_bad_path_is_named(run: Path, damage: str) -> None:
    if damage == "missing":
        path = Path("runs/nobody")
    elif damage == "empty":
        path = Path("runs")
    else:
        path = run / "model.safetensors"
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=str(path)):
        ganvas.open(path)


def test_cli_writes_images_with_provenance(run: Path, cli: Cli) -> None:
    done = cli("generate", "runs/r", "-n", "3", "--seed", "7", "--grid", "g.png", "--out", "fakes")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["fakes:", "3", "images", "g.png"]
    with Image.open("fakes/7-000001.png") as image:
        assert image.size == (8, 8)
        assert "Synthetic" in image.info["Description"]
        assert " r " in image.info["Description"]
        assert "seed 7, image 1" in image.info["Description"]
        assert image.info["DigitalSourceType"] == "trainedAlgorithmicMedia"
        assert np.array_equal(np.asarray(image), ganvas.open(run).generate(2, seed=7)[1, ..., 0])
    with Image.open("g.png") as image:
        assert image.size == (2 * 50 + 2, 2 * 50 + 2)


def test_cli_interpolates(run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("generate", "runs/r", "--interpolate", "-n", "3", "--steps", "4")
    assert cli(*words, "--out", "w.gif", "--grid", "w.png").returncode == 0
    with Image.open("w.gif") as animation:
        assert animation.n_frames > 1
        assert "Synthetic" in animation.info["comment"].decode()
    assert Path("w.png").exists()
    assert_refused(cli(*words, "--out", "w.webm"), "w.webm", ".gif or .mp4")
    monkeypatch.setenv("PATH", "")
    assert_refused(cli(*words, "--out", "w.mp4"), "ffmpeg", ".gif")
    assert not Path("w.mp4").exists()


def test_runs_lists_states(run: Path, cli: Cli) -> None:
    listed = cli("runs").stdout
    assert "finished" in listed
    assert "MLP" in listed
    assert "digits" in listed
    assert "192 of 192 (100%)" in listed


@pytest.mark.parametrize("name", ["W.GIF", "w.gif"])
def test_an_ending_says_the_format_in_whatever_case(name: str, run: Path, cli: Cli) -> None:
    assert cli("generate", "runs/r", "--interpolate", "-n", "2", "--steps", "2", "--out", name).returncode == 0
    assert Path(name).read_bytes()[:4] == b"GIF8"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["generate", "runs/r", "--out", "c.jpg"], ["--out c.jpg", "--grid"]),
        (["generate", "runs/r", "--grid", "c.jpg"], ["c.jpg", ".png"]),
        (["data", "digits", "--out", "c.jpg"], ["--out c.jpg", ".png"]),
        (["convert", "runs/r", "--out", "c.pth"], ["--out c.pth", ".safetensors"]),
    ],
)
def test_an_ending_that_cannot_be_written_is_refused(words: list[str], named: list[str], run: Path, cli: Cli) -> None:
    assert_refused(cli(*words), *named)
    assert not Path(words[-1]).exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("verb", [["generate"], ["convert"]])
def test_weights_that_are_not_numbers_are_refused(value: float, verb: list[str], run: Path, cli: Cli) -> None:
    tensors, about = checkpoint.load(run / "model.safetensors")
    name = next(iter(tensors))
    tensors[name].view(-1)[0] = value
    checkpoint.save(Path("bad.safetensors"), tensors, about)
    done = cli(*verb, "bad.safetensors", "--out", "x.safetensors" if verb == ["convert"] else "x")
    assert_refused(done, "bad.safetensors", "NaN", "--which best")
    assert not Path("x.safetensors").exists()
    assert not Path("x").exists()
