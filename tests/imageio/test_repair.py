"""ganvas repair: the files of upscaling, masks, damage maps, the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import torch
from PIL import Image

from ganvas import cli as command_line
from ganvas.imageio.operation import Written
from ganvas.imageio.reading import Photo, open_photo
from ganvas.imageio.repair import Repairing
from ganvas.recipe.serialization import to_plain
from ganvas.runs import checkpoint
from ganvas.systems.repair import PhotoRepair
from tests.conftest import Cli, assert_refused
from tests.imageio.conftest import ICC, deep, encoded, pixels, save, write_bad_photos

Repair = Callable[..., int]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of random weights, as a file."""
    torch.manual_seed(0)
    system = PhotoRepair().tiny()
    path = tmp_path_factory.mktemp("repair") / "tiny.safetensors"
    tensors = {f"g.{n}": t + 0.03 * torch.randn_like(t) for n, t in system.generator().state_dict().items()}
    checkpoint.save(path, tensors, {"system": to_plain(system), "run": "tiny", "images": 0})
    return path


@pytest.fixture
def repair(weights: Path) -> Repair:
    """Run ``ganvas repair ...`` in this process; its exit code."""
    return lambda *words: command_line.main(["repair", "--model", str(weights), *map(str, words)])


def read(path: Path | str) -> np.ndarray[Any, Any]:
    """The pixels of a result, upright."""
    photo = open_photo(Path(path))
    return np.asarray(photo.colour.region(0, 0, photo.colour.height, photo.colour.width))


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_files_keep_what_upscaling_keeps(ending: str, repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path(f"p{ending}"), pixels(20, 30), orientation=6)
    assert repair(f"p{ending}", "--out", "out", "--check") == 0
    said = capsys.readouterr().out
    made = open_photo(Path(f"out/p_repaired{ending}"))
    assert (made.colour.width, made.colour.height) == (20, 30)
    assert made.metadata.icc == ICC
    assert "marked as changed by a model" in said
    assert "orientation 6 applied" in said or ending == ".avif"  # which libheif turns
    assert b"ganvas:Repaired" in (made.metadata.xmp or b"")
    assert "tone and colours moved by" in said
    assert "30 px; by tiny, ganvas" in said


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_grey_and_alpha_stay(channels: int, repair: Repair) -> None:
    deep(Path("p.png"), channels, 24, 30)
    assert repair("p.png") == 0
    made = pyvips.Image.new_from_file("p_repaired.png")
    assert (made.bands, made.format) == (channels, "ushort")
    if channels in (2, 4):
        before = pyvips.Image.new_from_file("p.png")
        assert (made[channels - 1] - before[channels - 1]).abs().max() == 0


def test_a_grey_scan_with_a_colour_profile_stays_grey(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(pixels(20, 30, 1)[..., 0]).save("p.tif", icc_profile=ICC)
    assert repair("p.tif") == 0
    assert open_photo(Path("p_repaired.tif")).colour.channels == 1
    assert "profile left out: it is for RGB" in capsys.readouterr().out


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("side", [1, 40])
def test_a_photo_of_one_colour(value: int, side: int, repair: Repair) -> None:
    Image.new("RGB", (side, side), (value,) * 3).save("p.png")
    assert repair("p.png") == 0
    assert read("p_repaired.png").shape == (side, side, 3)


def test_a_folder_goes_on_where_it_was(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(3):
        save(Path(f"in/p{index}.png"), pixels(20, 30, seed=index))
    Path("in/broken.png").write_bytes(b"no image")
    assert repair("in", "--out", "out") == 1
    Path("out/p1_repaired.png").unlink()
    assert repair("in", "--out", "out") == 1
    assert "1 repaired, 2 already done, 1 failed" in capsys.readouterr().out
    lines = [json.loads(line) for line in Path("out/.ganvas-repair.jsonl").read_text().splitlines()]
    assert sum(line["status"] == "done" for line in lines) == 4
    assert repair("in", "--out", "out", "--strength", "0.5") == 1
    assert "exists already, made with other settings" in capsys.readouterr().err


def test_the_map_can_be_given_back(repair: Repair) -> None:
    save(Path("p.png"), pixels(50, 70))
    assert repair("p.png", "--out", "one", "--damage-map") == 0
    with Image.open("one/p_damage.png") as damage:
        assert (damage.size, damage.mode) == ((70, 50), "RGB")
    for mask in ("one/p_damage.png", "one"):
        out = mask.replace("/", "-")
        assert repair("p.png", "--out", out + "-again", "--mask", mask) == 0
        assert (read(f"{out}-again/p_repaired.png") == read("one/p_repaired.png")).all()


def test_a_photo_whose_map_cannot_be_written_is_not_done(repair: Repair) -> None:
    save(Path("in/p.png"), pixels(50, 70))
    Path("out/p_damage.png").mkdir(parents=True)
    assert repair("in", "--out", "out", "--damage-map") == 1
    assert not Path("out/p_repaired.png").exists()
    Path("out/p_damage.png").rmdir()
    assert repair("in", "--out", "out", "--damage-map") == 0
    assert Path("out/p_repaired.png").is_file()
    assert Path("out/p_damage.png").is_file()


def test_a_photo_that_came_later_changes_no_name(repair: Repair) -> None:
    save(Path("in/a.jpg"), pixels(20, 30))
    assert repair("in", "--out", "out", "--damage-map") == 0
    save(Path("in/a.png"), pixels(20, 30))
    assert repair("in", "--out", "out", "--damage-map", "--compare", "page.html") == 0
    page = Path("page.html").read_text()
    assert "a.jpg" in page
    assert "a.png" in page


def test_the_same_masks_by_another_path_are_the_same(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("in/a.png"), pixels(20, 30))
    assert repair("in", "--out", "out", "--damage-map") == 0
    assert repair("in", "--out", "again", "--mask", "out") == 0
    capsys.readouterr()
    assert repair("in", "--out", "again", "--mask", "./out/../out") == 0
    assert "0 repaired, 1 already done" in capsys.readouterr().out


def test_photos_that_differ_in_their_endings_have_maps_of_their_own(repair: Repair) -> None:
    save(Path("in/a.jpg"), pixels(50, 70))
    save(Path("in/a.png"), pixels(40, 60, seed=1))
    assert repair("in", "--out", "out", "--damage-map") == 0
    sizes = {}
    for path in Path("out").glob("*_damage.png"):
        with Image.open(path) as damage:
            sizes[path.name] = damage.size
    assert sizes == {"a_jpg_damage.png": (70, 50), "a_png_damage.png": (60, 40)}
    assert repair("in", "--out", "again", "--mask", "out") == 0
    for name in ("a_jpg_repaired.jpg", "a_png_repaired.png"):
        assert (read(f"again/{name}") == read(f"out/{name}")).all()


@pytest.mark.parametrize("out", [[], ["--out", "."]])
def test_a_map_replaces_nothing_without_being_told(
    out: list[str], repair: Repair, capsys: pytest.CaptureFixture[str]
) -> None:
    save(Path("p.png"), pixels(50, 70))
    photo = save(Path("p_damage.png"), pixels(40, 60)).read_bytes()  # a photograph of that name
    assert repair("p.png", "--damage-map", *out) == 1
    assert "p_damage.png exists already; move it away, or give --overwrite to replace it" in capsys.readouterr().err
    assert Path("p_damage.png").read_bytes() == photo
    assert not Path("p_repaired.png").exists()
    assert repair("p.png", "--damage-map", "--overwrite", *out) == 0
    with Image.open("p_damage.png") as damage:
        assert damage.size == (70, 50)


def test_a_map_that_nobody_changed_is_made_again(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("in/p.png"), pixels(50, 70))
    words = ["in", "--out", "out", "--damage-map"]
    assert repair(*words) == 0
    Path("out/p_repaired.png").unlink()
    assert repair(*words) == 0
    Path("out/p_repaired.png").unlink()
    Image.new("RGB", (70, 50)).save("out/p_damage.png")  # edited
    assert repair(*words) == 1
    assert "out/p_damage.png exists already" in capsys.readouterr().err


@pytest.mark.parametrize("renamed", [0, 1])
def test_a_kill_between_the_record_and_the_names_loses_no_map(
    renamed: int, repair: Repair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save(Path("in/p.png"), pixels(50, 70))
    rename = Path.replace

    def replace(path: Path, target: Path) -> Path:
        nonlocal renamed
        renamed -= 1
        if renamed < 0:
            raise KeyboardInterrupt
        return rename(path, target)

    with monkeypatch.context() as killed:  # nothing is cleaned up
        killed.setattr(Path, "replace", replace)
        killed.setattr(Path, "unlink", lambda path, missing_ok=False: None)
        assert repair("in", "--out", "out", "--damage-map") == 130
    assert not Path("out/p_repaired.png").exists()
    assert repair("in", "--out", "out", "--damage-map") == 0
    assert "0 repaired, 1 already done" in capsys.readouterr().out
    assert sorted(path.name for path in Path("out").iterdir()) == [
        ".ganvas-repair.jsonl",
        "p_damage.png",
        "p_repaired.png",
    ]


def test_maps_among_the_photos_are_no_photos(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("in/p.png"), pixels(50, 70))
    for _ in range(2):
        assert repair("in", "--out", "in", "--damage-map") == 0
    assert "0 repaired, 1 already done, 1 other files skipped" in capsys.readouterr().out
    assert repair("in", "--out", "out") == 0
    Image.new("L", (70, 50)).save("in/p_damage.png")  # drawn by hand
    assert repair("in", "--out", "masked", "--mask", "in") == 1  # with none for p_repaired
    assert sorted(path.name for path in Path("masked").glob("*.png")) == ["p_repaired.png"]


def test_masks(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("p.png"), pixels(50, 70))
    mask = np.zeros((50, 70), np.uint8)
    mask[10:20, 10:60] = 255
    Image.fromarray(mask).save("mask.png")
    assert repair("p.png", "--mask", "mask.png", "--strength", "0", "--no-tone", "--out", "a.png") == 0
    lost = mask > 0
    assert (read("a.png")[~lost] == read("p.png")[~lost]).all()
    assert (read("a.png")[lost] != read("p.png")[lost]).any()
    assert repair("p.png", "--mask", "none", "--strength", "0", "--out", "b.png") == 0
    assert (read("b.png") == read("p.png")).all()
    assert "nothing filled" in capsys.readouterr().out
    Image.fromarray(0 * mask).save("empty.png")
    assert repair("p.png", "--mask", "empty.png", "--strength", "0", "--out", "c.png") == 0
    assert (read("c.png") == read("p.png")).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_mask_of_ones_is_not_taken_for_an_empty_one(
    kind: Any, repair: Repair, capsys: pytest.CaptureFixture[str]
) -> None:
    save(Path("p.png"), pixels(50, 70))
    ones = np.zeros((50, 70), kind)
    ones[10:20] = 1
    Image.fromarray(ones).save("mask.png")
    assert repair("p.png", "--mask", "mask.png") == 1
    assert "nothing in it is brighter than 1 of 255" in capsys.readouterr().err


def test_a_mask_of_a_turned_photo_is_upright(repair: Repair) -> None:
    save(Path("p.jpg"), pixels(50, 70), orientation=6)
    Image.new("L", (50, 70)).save("mask.png")
    assert repair("p.jpg", "--mask", "mask.png") == 0


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (lambda: Image.new("L", (69, 50)), "the mask has 69 x 50 pixels and the image 70 x 50; give a mask of the"),
        (lambda: Image.new("L", (70, 50), 255), "the mask covers the whole image"),
        (lambda: Image.new("RGB", (70, 50), (0, 255, 0)), "the mask covers the whole image"),
        (lambda: None, "its mask mask.png cannot be used: it is not an image"),
    ],
)
def test_masks_that_do_not_fit(
    mask: Callable[[], Image.Image | None], message: str, repair: Repair, capsys: pytest.CaptureFixture[str]
) -> None:
    save(Path("p.png"), pixels(50, 70))
    image = mask()
    image.save("mask.png") if image else Path("mask.png").write_bytes(b"no image")
    assert repair("p.png", "--mask", "mask.png") == 1
    assert message in capsys.readouterr().err
    assert not list(Path().glob("*repaired*"))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "I;16"])
def test_a_mask_may_be_of_any_mode(mode: str, repair: Repair) -> None:
    save(Path("p.png"), pixels(50, 70))
    mask = Image.new("L", (70, 50))
    mask.paste(255, (10, 10, 60, 20))
    as_mode = Image.fromarray(np.asarray(mask).astype(np.uint16) * 257) if mode == "I;16" else mask.convert(mode)
    as_mode.save("mask.png")
    mask.save("grey.png")
    made = []
    for name in ("mask.png", "grey.png"):
        assert repair("p.png", "--mask", name, "--out", "a.png", "--damage-map", "--overwrite") == 0
        with Image.open("a_damage.png") as damage:
            made.append(np.asarray(damage) >= 128)
    assert (made[0][..., :2].any(2) == made[1][..., :2].any(2)).all()
    assert made[1][..., 0].sum() == 500


def test_what_is_transparent_in_a_mask_is_not_marked(repair: Repair) -> None:
    save(Path("p.png"), pixels(50, 70))
    mask = Image.new("RGBA", (70, 50), (255, 255, 255, 0))
    mask.paste((255, 255, 255, 255), (10, 10, 60, 20))
    mask.save("mask.png")
    assert repair("p.png", "--mask", "mask.png", "--damage-map") == 0
    with Image.open("p_damage.png") as damage:
        assert (np.asarray(damage)[..., 0] >= 128).sum() == 500


def test_masks_of_a_folder_go_by_name(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b", "c"):
        save(Path(f"in/{name}.png"), pixels(50, 70))
    Path("masks").mkdir()
    Image.new("L", (70, 50)).save("masks/a.jpg")
    frames = [Image.new("L", (70, 50), value) for value in (0, 255)]
    frames[0].save("masks/b.gif", save_all=True, append_images=frames[1:])
    assert repair("in", "--mask", "masks", "--out", "out") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "its mask masks/b.gif cannot be used: it contains several images" in said
    assert "c.png could not be repaired: masks has no mask called c; add one, all black to fill nothing" in said
    assert [path.name for path in Path("out").glob("*.png")] == ["a_repaired.png"]


def test_masks_lie_in_the_subfolders_of_their_photos(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("x", "y"):
        save(Path(f"in/{folder}/p.png"), pixels(50, 70, seed=ord(folder)))
    assert repair("in", "--out", "out", "--damage-map") == 0
    mask = Image.new("L", (70, 50))
    mask.paste(255, (10, 10, 60, 20))
    mask.save("out/y/p_damage.png")
    capsys.readouterr()
    assert repair("in", "--out", "again", "--mask", "out") == 0
    assert "14.3% filled" in capsys.readouterr().out.splitlines()[1]
    assert (read("again/x/p_repaired.png") == read("out/x/p_repaired.png")).all()


def test_other_files_of_a_name_are_no_masks(repair: Repair) -> None:
    save(Path("p.png"), pixels(50, 70))
    Path("masks/p_damage").mkdir(parents=True)
    Path("masks/p.json").write_text("{}")
    Image.new("L", (70, 50)).save("masks/p.png")
    assert repair("p.png", "--mask", "masks") == 0


def test_another_photo_of_a_name_is_no_mask(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("p.png", "p.tif"):
        save(Path("in") / name, pixels(50, 70))
    assert repair("in/p.png", "--mask", "in", "--out", "out") == 1
    assert "in has no mask called p" in capsys.readouterr().err


def test_a_photo_is_not_its_own_mask(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("in/p.png"), pixels(50, 70))
    Image.new("L", (70, 50)).save("in/p_damage.png")
    assert repair("in/p.png", "--mask", "in", "--out", "out") == 0
    assert "nothing filled" in capsys.readouterr().out
    Path("in/p_damage.png").unlink()
    assert repair("in/p.png", "--mask", "in", "--out", "again") == 1
    assert "in has no mask called p" in capsys.readouterr().err


def test_masks_beside_the_results_are_kept_and_the_folder_goes_on(
    repair: Repair, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        save(Path(f"in/{name}.png"), pixels(50, 70))
        Path("out").mkdir(exist_ok=True)
        Image.new("L", (70, 50)).save(f"out/{name}_damage.png")
    words = ["in", "--out", "out", "--mask", "out", "--damage-map"]
    assert repair(*words) == 0
    with Image.open("out/a_damage.png") as mask:
        assert mask.mode == "L"
    capsys.readouterr()
    assert repair(*words) == 0
    assert "0 repaired, 2 already done" in capsys.readouterr().out
    Image.new("L", (70, 50), 1).save("out/a_damage.png")
    assert repair(*words) == 1
    assert "out/a_repaired.png exists already, made with other settings" in capsys.readouterr().err


def test_a_damaged_mask_is_named(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("p.png"), pixels(50, 70))
    mask = encoded(Image.fromarray(pixels(50, 70)), "PNG")
    Path("mask.png").write_bytes(mask[: len(mask) // 2])
    assert repair("p.png", "--mask", "mask.png") == 1
    assert "its mask mask.png cannot be used: " in capsys.readouterr().err


def test_what_may_be_inverted_or_invented_is_said(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("p.png"), pixels(90, 90))
    mask = np.full((90, 90), 255, np.uint8)
    mask[:20] = 0
    Image.fromarray(mask).save("mask.png")
    assert repair("p.png", "--mask", "mask.png") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the mask covers 78% of the photo; is it inverted?" in said
    assert "px wide: what fills it is invented, so check it, above all faces" in said


@pytest.mark.parametrize("scale", [2, 4])
def test_a_repaired_photo_can_be_upscaled(scale: int, repair: Repair) -> None:
    deep(Path("p.png"), 4, 12, 15)
    assert repair("p.png", "--scale", scale) == 0
    assert b"times by photo-x4" in (open_photo(Path("p_repaired.png")).metadata.xmp or b"")
    made = pyvips.Image.new_from_file("p_repaired.png")
    assert (made.width, made.height, made.bands, made.format) == (15 * scale, 12 * scale, 4, "ushort")


def test_after_an_interrupt_it_says_how_to_go_on(
    repair: Repair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png"):
        save(Path("in", name), pixels(20, 30))
    whole = Repairing.photo

    def interrupted(self: Repairing, photo: Photo, *rest: Any, **more: Any) -> Written:
        if photo.path.name == "b.png":
            raise KeyboardInterrupt
        return whole(self, photo, *rest, **more)

    monkeypatch.setattr(Repairing, "photo", interrupted)
    assert repair("in", "--out", "out") == 130
    assert "ganvas: stopped; run the same command to make what is left" in capsys.readouterr().err
    monkeypatch.undo()
    assert repair("in", "--out", "out") == 0
    assert "1 repaired, 1 already done" in capsys.readouterr().out


def test_the_check_tells_the_last_change(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("p.png"), pixels(20, 30))
    assert command_line.main(["upscale", "p.png", "--model", "srgan-x4"]) == 0
    assert repair("p_x4.png", "--check") == 0
    assert "by tiny, ganvas" in capsys.readouterr().out


def test_the_page_shows_before_damage_and_after(repair: Repair) -> None:
    save(Path("in/p.jpg"), pixels(50, 70), orientation=6)
    assert repair("in", "--out", "out", "--compare", "page.html") == 0
    page = Path("page.html").read_text()
    for label in ("photo", "damage", "repaired"):
        assert f'data-label="{label}"' in page
    assert repair("in", "--out", "out", "--compare", "again.html") == 0  # of files that were done before


def test_the_page_shows_photos_whole_and_says_how_many_it_leaves_out(
    repair: Repair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ganvas.reports.viewer.LARGEST", 1500)
    monkeypatch.setattr("ganvas.imageio.repair_page.PHOTOS", 1)
    for name in ("p.jpg", "q.jpg", "r.jpg"):
        save(Path("in", name), pixels(50, 70))
    assert repair("in", "--out", "out", "--compare", "page.html") == 0
    page = Path("page.html").read_text()
    assert "Shown at 65% of its size" in page
    assert "A crop" not in page
    assert "2 more images are left out" in page


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--strength", "1.5"], "--strength must be between 0"),
        (["--strength", "nan"], "--strength must be between 0"),
        (["--denoise", "2"], "--denoise must be between 0"),
        (["--mask", "nowhere.png"], "--mask nowhere.png does not exist"),
        (["--compare", "page.txt"], "--compare page.txt"),
        (["--quality", "101"], "--quality must be between 1 and 100"),
        (["--model", "srgan-x4"], "a model that repairs photographs is needed"),
        (["--scale", "3"], "invalid choice: 3"),
        (["none.jpg"], "none.jpg does not exist"),
        (["--limit", "0"], "--limit must be above 0"),
        (["--format", "bmp"], "invalid choice: 'bmp'"),
        (["--out", "o.bmp"], "--out o.bmp has an unsupported format"),
        (["--out", "p.png"], "p.png would replace its own source"),
        (["folder"], "folder is a folder, which needs a folder for its results"),
        (["folder/a.png", "--out", "o.png"], "--out o.png is one file"),
    ],
)
def test_bad_input_is_refused(words: list[str], message: str, cli: Cli, weights: Path) -> None:
    for name in ("p.png", "folder/a.png"):
        save(Path(name), pixels(20, 30))
    assert_refused(cli("repair", "--model", str(weights), "p.png", *words), message)


def test_bad_photos_are_reported_and_the_others_repaired(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    bad = write_bad_photos(Path("in"))
    save(Path("in/good.jpg"), pixels())
    assert repair("in", "--out", "out") == 1
    printed = capsys.readouterr()
    assert [path.name for path in Path("out").iterdir() if path.suffix != ".jsonl"] == ["good_repaired.jpg"]
    for name, why in bad.items():
        line = next(line for line in printed.out.splitlines() if line.startswith(f"  {Path('in') / name}: "))
        assert why in line, line
    assert "Traceback" not in printed.err


def test_videos_and_animations_are_refused(repair: Repair, capsys: pytest.CaptureFixture[str]) -> None:
    Path("v.mp4").write_bytes(b"video")
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save("a.webp", save_all=True, append_images=frames[1:])
    assert repair("v.mp4", "a.webp", "--out", "out") == 1
    said = capsys.readouterr().err
    assert "v.mp4 could not be repaired: videos are not repaired; give photos" in said
    assert "it contains several images" in said
