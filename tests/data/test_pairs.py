"""Pairs of pictures: what is read of them, how they are cut, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.data import open_data
from ganvas.data.crops import Photos
from ganvas.data.feed import Feed, crop_feed
from ganvas.data.transforms import SCALE
from ganvas.errors import InputError
from ganvas.recipe.sources import Pairs
from tests.conftest import Cli, assert_refused, write_photographs


def negative(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(255 - pixels)


def write_pairs(count: int = 3, before: str = "before", after: str = "after") -> list[np.ndarray]:
    """Photographs, and their negatives in another format; the photographs."""
    write_photographs(Path(before), count)
    Path(after).mkdir()
    found = [np.asarray(Image.open(path)) for path in sorted(Path(before).iterdir())]
    for path, pixels in zip(sorted(Path(before).iterdir()), found, strict=True):
        Image.fromarray(negative(pixels)).save(Path(after) / f"{path.stem}.bmp")
    return found


def write_side_by_side(folder: str = "pairs", count: int = 3) -> None:
    write_photographs(Path(folder), count)
    for path in Path(folder).iterdir():
        pixels = np.asarray(Image.open(path))
        Image.fromarray(np.hstack([pixels, negative(pixels)])).save(path)


def opened(source: str = "before", after: str = "after", size: int = 32, channels: int = 3) -> Photos:
    found = open_data(Pairs(source=source, after=after), (channels, size, size))
    assert isinstance(found, Photos)
    return found


def feed(photos: Photos, **changes: Any) -> Feed:
    pairs = Pairs(source="x", **changes)
    return crop_feed(photos, pairs, scale=1, batch_size=8, seed=0, device=torch.device("cpu"))


def pixels_of(images: torch.Tensor) -> np.ndarray:
    return ((images + 1) / SCALE).round().byte().permute(0, 2, 3, 1).numpy()


def reasons(photos: Photos) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in photos.skipped}


@pytest.mark.parametrize("channels", [1, 3])
def test_two_folders_are_the_same_pairs_as_their_pictures_side_by_side(channels: int) -> None:
    write_pairs()
    write_side_by_side()
    two, one = opened(channels=channels), opened("pairs", "", channels=channels)
    assert (two.kind, two.name, len(two)) == ("pairs", "before and after", 3)
    assert two.images.shape[1] == 2 * channels
    assert (two.places == one.places).all()
    assert (two.images == one.images).all()
    assert opened(channels=channels).fingerprint == two.fingerprint


def test_folders_of_one_name_are_told_apart() -> None:
    Path("new").mkdir()
    write_pairs(3, "old/photos", "new/photos")
    Image.new("RGB", (95, 70)).save("new/photos/2.bmp")
    found = opened("old/photos/", "new/photos/")
    assert found.name == "old/photos and new/photos"
    assert reasons(found)["2.png"].startswith("old/photos/2.png has 100 x 78 pixels and new/photos/2.bmp 95 x 70;")


def test_a_zip_holds_pairs_too() -> None:
    write_pairs()
    for name in ("before", "after"):
        shutil.make_archive(name, "zip", name)
    assert (opened("before.zip", "after.zip").images == opened().images).all()


@pytest.mark.parametrize("turn", ["none", "mirror", "all"])
def test_both_pictures_are_cut_and_turned_alike(turn: Literal["none", "mirror", "all"]) -> None:
    photos = write_pairs()
    batch = feed(opened(), turn=turn).batch(8)
    real, given = pixels_of(batch.real), pixels_of(batch["input"])
    assert given.shape == (8, 32, 32, 3)
    assert (real == negative(given)).all()
    windows = [np.lib.stride_tricks.sliding_window_view(one, (32, 32, 3))[:, :, 0] for one in photos]

    def is_there(crop: np.ndarray) -> bool:
        return any((window == crop).all(axis=(2, 3, 4)).any() for window in windows)

    upright = [is_there(crop) for crop in given]
    mirrored = [is_there(crop[:, ::-1]) for crop in given]
    assert all(upright) == (turn == "none")
    assert all(np.logical_or(upright, mirrored)) == (turn != "all")


def test_the_other_side_can_be_the_input() -> None:
    write_pairs()
    one, other = (feed(opened(), input=side).batch(8) for side in ("left", "right"))
    assert torch.equal(one.real, other["input"])
    assert torch.equal(one["input"], other.real)


def test_of_an_animation_the_first_picture_counts() -> None:
    write_pairs(2)
    for folder in ("before", "after"):
        frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
        frames[0].save(f"{folder}/moving.gif", save_all=True, append_images=frames[1:])
    found = opened()
    assert not found.skipped
    assert (found.images[-64 * 48 :] == [255, 0, 0, 255, 0, 0]).all()  # after 0 and 1


def test_pairs_that_do_not_match_are_left_out_with_the_reason() -> None:
    write_pairs(7)
    Path("before/0.png").unlink()
    Path("after/1.bmp").unlink()
    Image.new("RGB", (95, 70)).save("after/2.bmp")
    shutil.copy("before/3.png", "before/3.webp")
    Path("after/4.bmp").write_bytes(Path("after/4.bmp").read_bytes()[:100])
    Path("before/5.txt").write_text("a note beside a picture")
    found = opened()
    assert len(found) == 2
    left_out = reasons(found)
    assert left_out.pop("4.png").startswith("after/4.bmp: it is damaged (")
    assert left_out == {
        "0.bmp": "before has no picture of the name 0; add it, or remove this one",
        "1.png": "after has no picture of the name 1; add it, or remove this one",
        "2.png": "before/2.png has 100 x 78 pixels and after/2.bmp 95 x 70; cut or resize one to the size of the other",
        "3.png": "before has both 3.png and 3.webp; keep one of them",
        "5.txt": "after has no picture of the name 5.txt; add it, or remove this one",
    }
    assert found.unusable.startswith("5 of 8 files are unusable, such as 1.png (after has no picture of the name 1;")


def test_what_is_not_two_pictures_side_by_side_is_left_out_with_the_reason() -> None:
    write_side_by_side(count=2)
    Image.new("RGB", (91, 70)).save("pairs/odd.png")
    Image.new("RGB", (62, 70)).save("pairs/thin.png")
    Image.new("RGB", (2, 1)).save("pairs/dots.png")
    assert reasons(opened("pairs", "")) == {
        "odd.png": "91 x 70 pixels are no two pictures of equal size side by side: the width is odd; cut it, or give"
        " two folders",
        "thin.png": "31 x 70 pixels is smaller than a crop of 32 x 32",
        "dots.png": "2 x 1 pixels is too small; each side must be at least 2",
    }


def test_sources_without_pairs_are_refused() -> None:
    write_pairs(2)
    write_photographs(Path("others"), 2)
    for path in list(Path("others").iterdir()):
        path.rename(path.with_stem(f"photo{path.stem}"))
    Path("empty").mkdir()
    for before, after, message in (
        ("before", "empty", "empty contains no files; give a source of images"),
        ("empty", "after", "empty contains no files; give a source of images"),
        ("before", "nowhere", r"--data.after nowhere is no folder or file of pairs; give .*--data BEFORE --data.after"),
        ("nowhere", "", r"--data nowhere is no folder or file of pairs; give pictures that hold two side by side"),
        ("digits", "", "--data digits is no folder or file of pairs"),
        ("before", "./before", "--data and --data.after are both ./before"),
        ("others", "after", r"others and after hold no picture of the same name.*photo0.png and 0.bmp.*alike"),
    ):
        with pytest.raises(InputError, match=message):
            opened(before, after)
    Path("before/1.png").unlink()
    with pytest.raises(InputError, match="before and after has only one usable pair,"):
        opened()


def test_all_pairs_of_the_wrong_size_are_refused_in_one_sentence(cli: Cli) -> None:
    write_pairs(2)
    for path in Path("after").iterdir():
        Image.open(path).crop((0, 0, 50, 50)).save(path)
    done = cli("train", "pix2pix", "--data", "before", "--data.after", "after", "--system.size", "32")
    assert_refused(done, "none is a usable image (0.png: before/0.png has 90 x 64 pixels and after/0.bmp 50 x 50; cut")
    assert not Path("runs").exists()


@pytest.mark.parametrize("words", [["before", "--after", "after"], ["pairs", "--pairs"]])
def test_ganvas_data_shows_both_pictures(cli: Cli, words: list[str]) -> None:
    write_pairs(3)
    write_side_by_side()
    Image.new("RGB", (91, 70)).save(f"{words[0]}/odd.png")
    done = cli("data", *words, "--out", "sheet.png")
    assert done.returncode == 0, done.stderr
    assert "3 usable pairs in 4 files" in done.stdout
    assert "1 of 90 x 64" in done.stdout
    assert "odd.png: " in done.stdout
    sheet = np.asarray(Image.open("sheet.png").convert("RGB"))
    left, right = sheet[2:50, 2:50], sheet[2:50, 50:98]
    assert (right == negative(left)).all()
    assert len(np.unique(left)) > 20


def test_ganvas_data_changes_single_pictures_alone(cli: Cli) -> None:
    assert_refused(cli("data", "x", "--pairs", "--augmented", "cut"), "leave them out where --pairs or --after")
    assert_refused(cli("data", "x", "--after", "y", "--degradation", "Aged"), "leave them out where --pairs or --after")


def write_small_and_large(scale: int = 4, count: int = 2) -> None:
    """Photographs whose sides are whole multiples of the scale, and every scale-th pixel of each."""
    write_photographs(Path("large"), count)
    Path("small").mkdir()
    for path in sorted(Path("large").iterdir()):
        image = Image.open(path)
        image = image.crop((0, 0, *(side // scale * scale for side in image.size)))
        image.save(path)
        Image.fromarray(np.asarray(image)[::scale, ::scale]).save(Path("small") / path.name)


@pytest.mark.parametrize("turn", ["none", "all"])
def test_a_small_picture_may_become_a_large_one(turn: Literal["none", "all"]) -> None:
    write_small_and_large()
    pairs = Pairs(source="small", after="large", scale=4, turn=turn)
    photos = open_data(pairs, (3, 32, 32))
    assert isinstance(photos, Photos)
    batch = crop_feed(photos, pairs, scale=4, batch_size=16, seed=0, device=torch.device("cpu")).batch(16)
    given, real = pixels_of(batch["input"]), pixels_of(batch.real)
    assert given.shape == (16, 8, 8, 3)
    # A turn moves the pixel that was taken to another corner of its square.
    corners = [real[:, i::4, j::4] for i in (0, 3) for j in (0, 3)]
    taken = np.stack([(corner == given).all(axis=(1, 2, 3)) for corner in corners])
    assert taken.any(0).all()
    assert taken[0].all() == (turn == "none")
    assert len({crop.tobytes() for crop in given}) > 8


def test_a_picture_that_is_not_as_many_times_as_large_is_left_out() -> None:
    write_small_and_large(count=3)
    Image.new("RGB", (64, 48)).save("small/0.png")
    found = open_data(Pairs(source="small", after="large", scale=4), (3, 32, 32))
    assert reasons(found)["0.png"].endswith("cut or resize one to 4 times the other's sides")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            ("pairs-x4", "--data.scale", "2"),
            "--data.scale 2 times as large as those before; give pairs that are 4 times as large",
        ),
        (("pix2pix", "--data.scale", "2"), "give pairs of one size"),
        (("pairs-x4", "--data.scale", "0"), "--data.scale 0 is not from 1 (the same size) to 8."),
        (("pairs-x4", "--data.after", ""), "in two folders: --data SMALL --data.after LARGE"),
        (("pairs-x4", "--data.input", "right"), "without --data.input"),
    ],
)
def test_pairs_of_another_scale_are_refused(flags: tuple[str, ...], sentence: str, cli: Cli) -> None:
    write_small_and_large()
    assert_refused(cli("train", flags[0], "--data", "small", "--data.after", "large", *flags[1:]), sentence)


def test_the_sheet_shows_small_pictures_beside_large_ones(cli: Cli) -> None:
    write_small_and_large()
    shown = cli("data", "small", "--after", "large", "--scale", "4")
    assert "2 usable pairs" in shown.stdout
    assert "0 usable pairs" in cli("data", "small", "--after", "large").stdout
    assert_refused(cli("data", "small", "--after", "large", "--scale", "9"), "--scale 9 is not from 1")
