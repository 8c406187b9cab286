"""Images by class, from Python and from the command line; sample grids of a run with classes."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas import InputError, Watch, train
from ganvas.cli import main
from ganvas.data import load
from ganvas.imaging.grid import GAP, HEADING, PAPER, grid, label_rows, labels_width
from ganvas.inference.export import convert
from ganvas.inference.generator import class_folder
from ganvas.inference.sampler import Sampler
from ganvas.recipe.sources import Images
from ganvas.reports.frames import cut_strips
from ganvas.runs.previews import read_previews
from ganvas.runs.records import read_records
from ganvas.systems.dcgan import DCGAN
from tests.conftest import TrainedRun, tiny

SYSTEM = DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8, classes=10)


@pytest.fixture
def run(trained_run: TrainedRun) -> Path:
    watch = Watch(measure_every=96, sample_every=64, grid=(2, 3))
    return trained_run(tiny("dcgan", system=SYSTEM), watch).path


def test_a_class_by_name_and_by_number(run: Path) -> None:
    g = ganvas.open(run)
    assert g.classes == tuple("0123456789")
    threes = g.generate(4, seed=1, label="3")
    assert np.array_equal(threes, g.generate(4, seed=1, label=3))
    assert not np.array_equal(threes, g.generate(4, seed=1, label=4))
    assert np.array_equal(threes[:2], g.generate(2, seed=1, label="3"))
    assert np.array_equal(threes[3], g.generate(4, seed=1)[3])  # one class after the other
    assert np.array_equal(threes[1], g.generate(2, seed=1, label=[5, 3])[1])
    walk = g.interpolate(2, 3, seed=1, label="3")
    assert np.array_equal(walk[::3], threes[:2])


def test_a_model_file_keeps_the_names(run: Path) -> None:
    convert(run, Path("m.safetensors"))
    assert ganvas.open("m.safetensors").classes == tuple("0123456789")


def test_bad_classes_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    g = ganvas.open(run)
    with pytest.raises(InputError, match=r"has no class 'cat'; give one of 0, 1, 2"):
        g.generate(1, label="cat")
    with pytest.raises(InputError, match=r"no class 10: its classes are numbered 0 to 9; give"):
        g.generate(1, label=10)
    with pytest.raises(InputError, match=r"no class '10'; give one of 0, 1"):
        g.number("10")
    with pytest.raises(InputError, match=r"no class -1: its classes are numbered"):
        g.number(-1)
    with pytest.raises(InputError, match=r"2 labels for 3 images"):
        g.generate(3, label=[0, 1])
    with pytest.raises(InputError, match=r"an interpolation stays in one class"):
        g.interpolate(2, 2)
    train(tiny(), name="plain")
    for words, message in (
        (("runs/r", "--class", "cat"), "has no class 'cat'"),
        (("runs/r", "--class", "9" * 5000), "has no class '9999"),
        (("runs/plain", "--class", "cat"), "was trained without classes"),
        (("runs/plain", "--class", "all"), "was trained without classes"),
        (("runs/r", "--interpolate"), "give one with --class"),
        (("runs/r", "--interpolate", "--class", "1", "--class", "2"), "stays in one class, but 2 were given"),
    ):
        assert main(["generate", *words]) == 2
        assert message in capsys.readouterr().err


def test_files_by_class_are_a_source_again(run: Path) -> None:
    assert main(["generate", "runs/r", "--class", "7", "--class", "3", "-n", "2", "--out", "fakes"]) == 0
    again = load(Images(source="fakes"), size=16, channels=1)
    assert again.classes == ("3", "7")
    assert again.labels is not None
    assert again.labels.tolist() == [0, 0, 1, 1]
    assert np.array_equal(again.take(slice(2, 4)), ganvas.open(run).generate(2, label="7"))
    with Image.open("fakes/7/0-000001.png") as image:
        assert "seed 0, image 1, class 7" in image.info["Description"]


def test_a_grid_has_a_row_for_each_class(run: Path) -> None:
    assert main(["generate", "runs/r", "-n", "2", "--grid", "all.png"]) == 0
    assert main(["generate", "runs/r", "--class", "4", "-n", "9", "--grid", "one.png"]) == 0
    margin = labels_width([str(label) for label in range(10)])
    with Image.open("all.png") as image:
        assert image.size == (margin + 2 * 50 + GAP, 10 * 50 + GAP)
        pixels = np.asarray(image)
    assert (pixels[:, :margin] < 128).any()  # the names
    assert np.array_equal(pixels[400:452, margin:], grid(ganvas.open(run).generate(2, label=8), 2)[..., 0])
    with Image.open("one.png") as image:
        assert image.size == (3 * 50 + GAP, 3 * 50 + GAP)


def test_grids_of_other_classes_have_other_names(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--class", "all"], ["--class", "3"], ["--class", "7", "--class", "3"]):
        assert main(["generate", "runs/r", "-n", "1", *words]) == 0
    names = ["r-seed0.png", "r-seed0.png", "r-3-seed0.png", "r-7-3-seed0.png"]
    assert capsys.readouterr().out.split() == names


def test_previews_of_a_run_show_a_class_in_every_row(run: Path) -> None:
    margin = read_previews(run / "samples")[-1].left
    with Image.open(max(run.glob("samples/*.png"))) as image:
        pixels = np.asarray(image)[:, margin:, None]
    assert pixels.shape[:2] == (10 * 50 + GAP, 2 * (3 * 50 + GAP) + 4 * GAP)
    fakes = np.concatenate([ganvas.open(run).generate(3, label=label) for label in range(10)])
    assert np.array_equal(pixels[:, : 3 * 50 + GAP], grid(fakes, 3))
    data, _ = load(Images(source="digits"), size=16, channels=1).split(0.05)
    firsts = data.take(np.array([data.of_class(label)[0] for label in range(10)]))
    assert np.array_equal(pixels[:, -(3 * 50 + GAP) : -2 * 50], grid(firsts, 1))
    with Image.open(run / "filmstrip.png") as strip:
        times = len(list(run.glob("samples/*.png")))
        assert strip.size == (margin + times * 50 + GAP, HEADING + 10 * 50 + GAP)
        last = np.asarray(strip)[HEADING:, -50 - GAP :, None]
    assert np.array_equal(last, grid(fakes[::3], 1))


def test_a_comparison_reads_labelled_grids(run: Path) -> None:
    cut = cut_strips(read_records([run]))
    assert list(cut.by_run) == ["r"]
    assert cut.reals
    last = cut.by_run["r"].frames[-1].source.partition(",")[2]
    with Image.open(io.BytesIO(base64.b64decode(last))) as image:
        shown = np.asarray(image.convert("L"))
    firsts = np.concatenate([ganvas.open(run).generate(1, label=label) for label in range(10)])[..., 0]
    tiles = [shown[r : r + 16, c : c + 16] for r in range(0, len(shown), 16) for c in range(0, shown.shape[1], 16)]
    # Down the rows of the grid: as many classes as fit.
    assert all(np.array_equal(tile, first) for tile, first in zip(tiles[:10], firsts, strict=False))


def test_names_beside_a_grid() -> None:
    tiles = grid(np.zeros((3, 48, 48, 3), np.uint8), 1)
    names = ["cat", "狗", "a name that is far too long to fit beside it"]
    made, margin = label_rows(tiles, names), labels_width(names)
    assert np.array_equal(made[:, margin:], tiles)
    assert margin < 250
    for row in range(3):
        assert (made[row * 50 + GAP : (row + 1) * 50, :margin] < PAPER).any()
    assert label_rows(tiles, []) is tiles


@pytest.mark.parametrize(
    ("name", "folder"),
    [("cat", "cat"), ("a/b", "3-a_b"), ("..", "3"), ("", "3"), (".x", "3-x"), ("T (new)", "T (new)")],
)
def test_folders_of_classes(name: str, folder: str) -> None:
    assert class_folder(name, 3) == folder


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (("3", "5", "7"), {"3": 0, "7": 2, 0: 0, 2: 2}),
        (("cat", "dog"), {"dog": 1, "1": 1, 1: 1}),
        (("a", "0"), {"0": 1, 0: 0, "a": 0}),
    ],
)
def test_names_that_are_numbers_are_names(classes: tuple[str, ...], found: dict[str | int, int]) -> None:
    sampler = SimpleNamespace(name="r", classes=classes)
    assert {label: Sampler.number(sampler, label) for label in found} == found  # type: ignore[arg-type]
    for label in ("1", "0") if classes[0] == "3" else ("9", 9):
        with pytest.raises(InputError, match="no class"):
            Sampler.number(sampler, label)  # type: ignore[arg-type]
