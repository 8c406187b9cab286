"""ganvas data PATH --degradation NAME: what training sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.imaging.grid import GAP
from tests.conftest import Cli, assert_refused, write_photographs
from tests.imageio.conftest import ICC


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_photographs(tmp_path / "photos", 3)
    return tmp_path / "photos"


def test_aged_photographs_with_their_damage(cli: Cli, photos: Path, tmp_path: Path) -> None:
    done = cli("data", str(photos), "--degradation", "Aged", "--sheet", "aged.png")
    assert done.returncode == 0, done.stderr
    assert "degraded    aged.png" in done.stdout
    with Image.open(tmp_path / "aged.png") as sheet:
        first = np.asarray(sheet.convert("RGB"))
    # The original, and four inputs with their damage, of three photographs.
    side = (first.shape[0] - 18 - GAP) // 3 - GAP
    assert first.shape[1] > 9 * side
    cli("data", str(photos), "--degradation", "Aged", "--sheet", "again.png")
    assert (tmp_path / "again.png").read_bytes() == (tmp_path / "aged.png").read_bytes()


def test_shrunk_photographs_beside_the_contact_sheet(cli: Cli, photos: Path, tmp_path: Path) -> None:
    done = cli("data", str(photos), "--degradation", "blind", "--out", "o.png")
    assert "degraded    o-degraded.png, at 1/4 of the size" in done.stdout
    assert (tmp_path / "o-degraded.png").is_file()


def test_fields_are_given_by_name(cli: Cli, photos: Path, tmp_path: Path) -> None:
    words = ["absent=0", "untouched=0", "scratches=0", "jpeg=100"]
    assert cli("data", str(photos), "--degradation", "Aged", *words, "--sheet", "few.png").returncode == 0
    words = ["first.blur=2,3", "second.jpeg=10,20", "--scale", "2"]
    done = cli("data", str(photos), "--degradation", "Blind", *words, "--sheet", "strong.png")
    assert "at 1/2 of the size" in done.stdout, done.stderr
    assert (tmp_path / "few.png").is_file()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--degradation", "Agde"], ["Agde", "did you mean 'Aged'"]),
        (["--degradation", "Aged", "scratchs=1"], ["scratchs", "did you mean 'scratches'"]),
        (["--degradation", "Aged", "scratches=many"], ["scratches=many", "FIELD=NUMBER"]),
        (["--degradation", "Aged", "scratches"], ["scratches", "FIELD=NUMBER"]),
        (["--degradation", "Aged", "scratches=-1"], ["scratches -1", "from 0 to 1000"]),
        (["--degradation", "Aged", "absent=2"], ["absent 2", "a share from 0 (none) to 1 (all)"]),
        (["--degradation", "Aged", "fade=NaN"], ["fade", "a share"]),
        (["--degradation", "Aged", "dust=1e999"], ["dust", "from 0 to 5000"]),
        (["--degradation", "Blind", "first.up=0.9"], ["up and down together 1.6", "a share"]),
        (["--degradation", "Blind", "first.blur=3,1"], ["blur 3 to 1", "the smaller one first"]),
        (["--degradation", "Blind", "first.noise=0,NaN"], ["noise 0 to nan", "from 0 to 255"]),
        (["--degradation", "BlindOnce", "jpeg=96"], ["jpeg 96", "0 (off) to 95"]),
        (["--degradation", "Blind", "first=3", "first.blur=1,2"], ["first.blur=1,2", "FIELD=NUMBER"]),
        (["--degradation", "Blind", "first.blur=1"], ["blur", "list"]),
        (["--degradation", "Blind", "--scale", "0"], ["--scale 0", "from 1"]),
        (["--degradation", "Aged", "--sheet", "x.jpg"], ["--sheet x.jpg", ".png"]),
        (["--sheet", "x.png"], ["--degradation"]),
        (["--scale", "4"], ["--degradation"]),
    ],
)
def test_bad_input(cli: Cli, photos: Path, words: list[str], parts: list[str]) -> None:
    assert_refused(cli("data", str(photos), *words), *parts)
    assert not list(photos.parent.glob("*.png"))


@pytest.mark.parametrize("rule", ["Aged", "Blind", "BlindOnce"])
def test_photographs_of_every_kind(rule: str, cli: Cli) -> None:
    Path("kinds").mkdir()
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    frames[0].save("kinds/moving.gif", save_all=True, append_images=frames[1:])
    Image.new("RGB", (64, 48)).save("kinds/black.png")
    Image.new("RGB", (1, 1)).save("kinds/dot.png")
    Image.new("L", (64, 48), 90).save("kinds/grey.tif", icc_profile=ICC)
    Path("kinds/broken.png").write_bytes(b"no image")
    done = cli("data", "kinds", "--degradation", rule, "--sheet", "sheet.png")
    assert done.returncode == 0, done.stderr
    assert "3 usable images in 5 files" in done.stdout
    assert "broken.png: " in done.stdout
    assert "dot.png: " in done.stdout
    with Image.open("sheet.png") as sheet:
        assert np.asarray(sheet).any()


def test_photographs_that_are_too_small(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    Image.new("RGB", (12, 9)).save(tmp_path / "small/a.png")
    assert_refused(cli("data", "small", "--degradation", "Aged", "--sheet", "x.png"), "small", "16 x 16")
