"""ganvas data: the contents of a source."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from ganvas.cli.data import CHANGES, PROBABILITIES
from ganvas.data.decode import to_mode
from ganvas.data.examine import examine
from ganvas.imaging.grid import GAP, labels_width
from ganvas.recipe import Change
from tests.conftest import Cli, assert_refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pets"
    for kind, sizes in (("cats", [(20, 10), (20, 10), (40, 30)]), ("dogs", [(20, 10), (8, 8)])):
        (made / kind).mkdir(parents=True)
        for index, size in enumerate(sizes):
            Image.new("RGB", size, (index * 60, 0, 255)).save(made / kind / f"{index}.png")
    (made / "dogs" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return made


def test_the_findings(folder: Path) -> None:
    found = examine(str(folder))
    assert (found.files, found.usable) == (6, 5)
    assert found.sizes == {(20, 10): 3, (40, 30): 1, (8, 8): 1}
    assert found.modes == {"PNG RGB": 5}
    assert found.labels == {"cats": 3, "dogs": 2}
    assert [skipped.name for skipped in found.skipped] == ["dogs/broken.png"]
    assert found.duplicates == [["cats/0.png", "dogs/0.png"]]
    assert found.mean == pytest.approx((48, 0, 255))
    assert found.spread == pytest.approx((np.std([0, 60, 120, 0, 60]), 0, 0))
    assert found.sheet is not None


def test_equal_pixels_in_other_files_are_duplicates(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    image = Image.effect_noise((16, 16), 40)
    image.save(tmp_path / "p" / "a.png")
    image.save(tmp_path / "p" / "b.bmp")
    assert examine(str(tmp_path / "p")).duplicates == [["a.png", "b.bmp"]]


def test_the_images_as_an_augmented_discriminator_sees_them(folder: Path, tmp_path: Path, cli: Cli) -> None:
    done = cli("data", folder, "--out", tmp_path / "sheet.png", "--augmented", *CHANGES)
    assert done.returncode == 0, done.stderr
    assert "sheet-augmented.png" in done.stdout
    with Image.open(tmp_path / "sheet-augmented.png") as sheet:
        margin = sheet.width - (5 * 50 + 2)
        assert margin == labels_width([f"p {probability:g}" for probability in PROBABILITIES])
        assert sheet.size == (margin + 5 * 50 + 2, 4 * 50 + 2)
        assert (np.asarray(sheet)[-50:, :margin] < 128).any()  # the probability of the last row
    assert get_args(Change) == CHANGES


def test_the_command(folder: Path, tmp_path: Path, cli: Cli) -> None:
    done = cli("data", folder, "--out", tmp_path / "sheet.png")
    assert done.returncode == 0, done.stderr
    for text in ("5 usable", "20 x 10", "PNG RGB", "cats", "dogs", "broken.png"):
        assert text in done.stdout
    with Image.open(tmp_path / "sheet.png") as sheet:
        margin = sheet.width - 10 * 50 - GAP
        assert sheet.height == 2 * 50 + GAP
        assert (np.asarray(sheet)[:, :margin] < 128).any()  # the names of the classes


def test_a_folder_in_which_nothing_can_be_used_is_reported(tmp_path: Path, cli: Cli) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "notes.md").write_text("x")
    done = cli("data", tmp_path / "p")
    assert done.returncode != 0
    assert "notes.md" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_source(cli: Cli) -> None:
    assert_refused(cli("data", "mnits"), "mnits", "'mnist'")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_a_large_image_costs_little_more_than_its_pixels(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.data.decode.STRIP", 64 * 10)
    whole = Image.effect_noise((64, 64), 60)
    colours = Image.merge("RGB", [whole, whole.rotate(90), whole.rotate(180)])
    alpha = {"A": whole} if mode.endswith("A") else {}
    image = colours.convert(mode)
    for band in alpha.values():
        image.putalpha(band)
    Path("in").mkdir()
    image.save("in/a.png")
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    pixels = np.asarray(flat, np.float64).reshape(-1, 3)
    found = examine("in")
    assert np.allclose(found.mean, pixels.mean(0))
    assert np.allclose(found.spread, pixels.std(0))
    assert np.array_equal(np.asarray(to_mode(image, 3)), np.asarray(flat))


def test_numbers_made_of_a_large_image_are_few() -> None:
    Path("in").mkdir()
    Image.new("RGB", (2000, 2000), "red").save("in/a.png")
    tracemalloc.start()
    assert examine("in", workers=1).usable == 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20  # besides Pillow's own pixels; as floats they would be 192 MiB
