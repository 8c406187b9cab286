"""Decoding single images of every kind and quality."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from ganvas.data import Dataset, load
from ganvas.errors import InputError
from ganvas.recipe.sources import Images


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    return made


def read(folder: Path, size: int = 8, channels: int = 3, **options: str) -> Dataset:
    return load(Images(source=str(folder), **options), size=size, channels=channels)  # type: ignore[arg-type]


def plain(color: object = (200, 100, 50), size: tuple[int, int] = (8, 8), mode: str = "RGB") -> Image.Image:
    return Image.new(mode, size, color)  # type: ignore[arg-type]


def test_an_image_of_the_training_size_is_not_touched(folder: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    data = read(folder)
    assert data.images.dtype == np.uint8
    assert np.array_equal(data.images[0], pixels)


def test_exif_orientation_is_applied(folder: Path) -> None:
    image = plain("black", (16, 16))
    image.paste((255, 255, 255), (0, 0, 16, 8))  # white above
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise: white to the right
    image.save(folder / "a.jpg", exif=exif, quality=95)
    grey = read(folder, 16, 1).images[0, :, :, 0]
    assert grey[:, :4].max() < 30
    assert grey[:, 12:].min() > 225


@pytest.mark.parametrize(
    ("mode", "color", "rgb", "grey"),
    [
        ("L", 128, (128, 128, 128), 128),
        ("1", 1, (255, 255, 255), 255),
        ("P", 0, (255, 0, 0), 76),
        ("RGBA", (255, 0, 0, 0), (255, 255, 255), 255),
        ("RGBA", (0, 0, 0, 128), (127, 127, 127), 127),
        ("LA", (0, 0), (255, 255, 255), 255),
        ("I;16", 257 * 100, (100, 100, 100), 100),
        ("I;16", 65535, (255, 255, 255), 255),
    ],
)
def test_modes(folder: Path, mode: str, color: object, rgb: tuple[int, int, int], grey: int) -> None:
    image = plain(color, mode=mode)
    if mode == "P":
        image.putpalette([255, 0, 0, 0, 255, 0])
    image.save(folder / "a.png")
    assert read(folder).images[0, 0, 0].tolist() == pytest.approx(list(rgb), abs=1)
    assert int(read(folder, channels=1).images[0, 0, 0, 0]) == pytest.approx(grey, abs=1)


def test_a_32_bit_image_keeps_its_range(folder: Path) -> None:
    plain(257 * 30, mode="I").save(folder / "a.tif")
    assert read(folder, channels=1).images.max() == 30


def test_cmyk(folder: Path) -> None:
    plain((0, 255, 255, 0), (16, 16), "CMYK").save(folder / "a.jpg", quality=95)
    red, green, blue = read(folder).images[0].mean((0, 1))
    assert red > 200
    assert max(green, blue) < 80


def test_a_palette_with_transparency_lies_on_white(folder: Path) -> None:
    image = plain(0, mode="P")
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.save(folder / "a.png", transparency=0)
    assert read(folder).images.min() == 255


def test_the_first_frame_of_an_animation_counts(folder: Path) -> None:
    frames = [plain((255, 0, 0)), plain((0, 0, 255))]
    frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:])
    assert read(folder).images[0, 0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("fit", "top", "middle"), [("crop", 255, 255), ("pad", 0, 255), ("stretch", 255, 255)])
def test_ways_to_become_square(folder: Path, fit: str, top: int, middle: int) -> None:
    plain("white", (32, 16)).save(folder / "a.png")
    grey = read(folder, 16, 1, fit=fit).images[0, :, :, 0]
    assert (grey[0, 8], grey[8, 8]) == (top, middle)


def test_crop_takes_the_centre_and_stretch_takes_all(folder: Path) -> None:
    image = plain("black", (48, 16))
    image.paste((255, 255, 255), (16, 0, 32, 16))
    image.save(folder / "a.png")
    assert read(folder, 16, 1, fit="crop").images.min() == 255
    assert read(folder, 16, 1, fit="stretch").images[0, 8, 0, 0] < 10


def test_shrinking_is_antialiased(folder: Path) -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(folder / "a.png")
    grey = read(folder, 8, 1).images
    assert 110 < grey.min() <= grey.max() < 145


def test_every_bad_file_is_listed_with_a_reason(folder: Path) -> None:
    plain().save(folder / "good.png")
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(whole, "JPEG")
    (folder / "cut.jpg").write_bytes(whole.getvalue()[:1500])
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no image")
    (folder / "text.jpg").write_text("no image either")
    plain(size=(1, 50)).save(folder / "thin.png")
    plain("white", mode="1", size=(14_000, 14_000)).save(folder / "bomb.png")
    plain("white", mode="1", size=(9_500, 9_500)).save(folder / "warned.png")
    Image.new("F", (8, 8), -3).save(folder / "float.tif")
    for fine in (".hidden", "Thumbs.db", ".DS_Store"):
        (folder / fine).write_bytes(b"x")
    data = read(folder)
    assert len(data) == 1
    reasons = {skipped.name: skipped.reason for skipped in data.skipped}
    assert set(reasons) == {
        "bomb.png", "cut.jpg", "empty.png", "float.tif", "notes.txt", "text.jpg", "thin.png", "warned.png",
    }  # fmt: skip
    assert all(reasons.values())
    assert "empty" in reasons["empty.png"]


def test_a_link_to_nothing_is_listed(folder: Path) -> None:
    plain().save(folder / "good.png")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    assert [skipped.name for skipped in read(folder).skipped] == ["gone.png"]


def test_the_extension_does_not_matter(folder: Path) -> None:
    buffer = io.BytesIO()
    plain().save(buffer, "PNG")
    (folder / "image.txt").write_bytes(buffer.getvalue())
    assert len(read(folder)) == 1


def test_postscript_is_never_handed_to_an_interpreter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run: list[object] = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *words: run.append(words))
    plain().save(folder / "good.png")
    plain().save(folder / "a.eps")
    assert [skipped.name for skipped in read(folder).skipped] == ["a.eps"]
    assert not run


def test_nothing_usable_is_refused(folder: Path) -> None:
    (folder / "notes.txt").write_text("no image")
    with pytest.raises(InputError, match=r"images.*notes\.txt"):
        read(folder)
