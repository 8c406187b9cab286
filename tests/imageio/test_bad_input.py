"""Bad photos are reported and the others upscaled; bad commands are refused in one sentence."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Cli, assert_refused
from tests.imageio.conftest import Upscale, pixels, save, write_bad_photos


def test_bad_photos_are_reported_and_the_others_upscaled(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    bad = write_bad_photos(Path("in"))
    for name in ("good.jpg", "sub/good.png", "zz.webp"):
        save(Path("in") / name, pixels())
    Path("in/notes.txt").write_text("not meant")
    assert upscale("in", "--out", "out") == 1
    printed = capsys.readouterr()
    made = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("[a-z]*") if path.is_file())
    assert made == ["good_x4.jpg", "sub/good_x4.png", "zz_x4.webp"]
    assert not list(Path("out").rglob(".*.part"))
    assert "3 upscaled, 1 other files skipped, 12 failed" in printed.out
    for name, why in bad.items():
        line = next(line for line in printed.out.splitlines() if line.startswith(f"  {Path('in') / name}: "))
        assert why in line, line
    assert "Traceback" not in printed.err
    assert upscale("in", "--out", "out") == 1
    assert "0 upscaled, 3 already done" in capsys.readouterr().out


def test_the_limit_is_a_flag(upscale: Upscale) -> None:
    Image.fromarray(pixels()).save("p.png")
    assert upscale("p.png", "--limit", "0.0005") == 1
    assert upscale("p.png", "--limit", "0.0006") == 0


def test_a_wide_image_is_upscaled_if_the_format_holds_it(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(pixels(2, 20_000)).save("strip.png")
    assert upscale("strip.png", "--format", "jpeg", "--limit", "1") == 1
    assert "exceeds the maximum size of a JPEG file" in capsys.readouterr().err
    assert upscale("strip.png") == 0
    with Image.open("strip_x4.png") as made:
        assert made.size == (80_000, 8)


REFUSED = {
    "nothing there": (["none.jpg"], ["none.jpg"]),
    "pattern of nothing": (["*.xyz"], ["*.xyz"]),
    "empty folder": (["empty", "--out", "o"], ["no images in empty"]),
    "folder without --out": (["folder"], ["--out FOLDER"]),
    "many into one": (["p.png", "folder/a.png", "--out", "o.png"], ["--out o.png is one file"]),
    "out is a file": (["p.png", "--out", "words.txt"], ["--out words.txt is a file"]),
    "out below a file": (["p.png", "--out", "words.txt/o"], ["cannot write words.txt/o"]),
    "format against name": (["p.png", "--out", "o.jpg", "--format", "png"], ["contradict"]),
    "input is output": (["p.png", "--out", "p.png"], ["would replace its own source", "--overwrite"]),
    "a photo into a video": (["p.png", "--out", "o.mp4"], ["--out o.mp4", ".png"]),
    "a video into a photo": (["v.mp4", "--out", "o.png"], ["--out o.png", ".mkv"]),
    "a container without H.264": (["v.mp4", "--out", "o.webm"], ["--out o.webm", ".mkv"]),
    "a flag that does not exist": (["p.png", "--no-such-flag"], ["ganvas: unrecognized"]),
    "out of another kind": (["p.png", "--out", "o.bmp"], ["o.bmp", "PNG, JPEG"]),
    "unknown format": (["p.png", "--format", "bmp"], ["bmp", "png"]),
    "quality": (["p.png", "--quality", "101"], ["got 101"]),
    "limit": (["p.png", "--limit", "0"], ["--limit must be above 0"]),
    "scale down": (["p.png", "--scale", "0.5"], ["--scale must be between 1"]),
    "scale out of reach": (["p.png", "--scale", "8"], ["--scale 8", "1 to 4"]),
    "strength": (["p.png", "--strength", "2"], ["--strength 2"]),
    "no start to mix with": (["p.png", "--strength", "0.5"], ["--strength 0.5"]),
    "no model": (["p.png", "--model", "runs/none"], ["runs/none"]),
    "no page": (["p.png", "--compare", "page.png"], ["page.png", ".html"]),
    "original alone": (["p.png", "--original", "p.png"], ["--compare"]),
    "same name twice": (["folder/a.png", "other/a.png", "--out", "o"], ["have the same result"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("p.png", "folder/a.png", "other/a.png"):
        save(Path(name), pixels())
    Path("empty").mkdir()
    Path("words.txt").write_text("words")
    Path("v.mp4").write_bytes(b"no film")
    before = Path("p.png").read_bytes()
    words, parts = REFUSED[case]
    code = upscale(*words)
    message = capsys.readouterr().err.strip()
    assert code == 2, message
    assert len(message.splitlines()) == 1
    assert message.startswith("ganvas: ")
    assert message.endswith(".")
    for part in parts:
        assert part in message
    assert Path("p.png").read_bytes() == before
    assert not Path("o/a_x4.png").exists()


def test_overwriting_a_photo_with_its_result(upscale: Upscale) -> None:
    save(Path("p.png"), pixels())
    assert upscale("p.png", "--out", "p.png", "--overwrite") == 0
    with Image.open("p.png") as made:
        assert made.size == (120, 80)


def test_existing_files_stay(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("p.png"), pixels())
    Path("p_x4.png").write_text("mine")
    assert upscale("p.png") == 1
    printed = capsys.readouterr()
    assert (printed.err.count("--overwrite"), printed.out) == (1, "0 upscaled, 1 failed\n")
    assert Path("p_x4.png").read_text() == "mine"
    assert upscale("p.png", "--overwrite") == 0


def test_a_result_beside_its_photo_is_not_upscaled_again(upscale: Upscale) -> None:
    save(Path("p.png"), pixels())
    assert upscale("*.png") == 0
    assert upscale("*.png", "--overwrite") == 0
    assert not Path("p_x4_x4.png").exists()
    assert upscale("p_x4.png", "--scale", "1") == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("p.png"), pixels())
    Path("locked").mkdir(mode=0o500)
    assert upscale("p.png", "--out", "locked") == 2
    assert "cannot write locked" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["png", "tiff", "webp", "jpeg", "avif"])
def test_a_full_disk_leaves_nothing_half_written(
    form: str, upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    Image.fromarray(noise).save("p.png")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))  # as full as a disk of 4 KiB, by the same errors
    try:
        code = upscale("p.png", "--out", "out", "--format", form)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    message = capsys.readouterr().err.strip()
    assert code == 2
    assert "cannot write out/p_x4" in message
    assert "free some disk space" in message
    assert len(message.splitlines()) == 1, message
    assert not [path for path in Path("out").iterdir() if "p_x4" in path.name]
    assert upscale("p.png", "--out", "out", "--format", form) == 0


def test_a_really_full_disk(cli: Cli, model: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no file system may be mounted here")
    try:
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)).save("p.png")
        done = cli("upscale", "p.png", "--out", str(small / "o"), "--model", str(model))
        assert_refused(done, "No space left on device", "free some disk space")
        assert not list(small.rglob("*p_x4*"))
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_help_explains_the_names_of_results(cli: Cli) -> None:
    done = cli("upscale", "--help")
    assert done.returncode == 0
    assert "photo_x4.jpg" in done.stdout
    assert "Exit code" in done.stdout


def test_help_loads_no_torch() -> None:
    code = "import sys; from ganvas.cli import main\ntry: main(['upscale', '--help'])\n"
    code += "finally: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip().endswith("False")
