"""The page of `--compare`, and the commands of the documentation."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganvas.imageio.reading import open_photo
from ganvas.runs import checkpoint
from tests.conftest import ROOT
from tests.imageio.conftest import Upscale, pixels, save
from tests.test_docs import commands


def test_the_page_shows_bicubic_the_model_and_the_original(
    upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    save(Path("in/p.jpg"), pixels(), orientation=6)
    save(Path("in/q.png"), pixels(channels=4))
    save(Path("originals/p.png"), pixels(120, 80))
    assert upscale("in", "--out", "out", "--compare", "page.html", "--original", "originals") == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert "page.html" in capsys.readouterr().out
    for word in ("bicubic", "tiny", "original", "p.jpg", "q.png"):
        assert word in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert upscale("in", "--out", "out", "--compare", "again.html", "--original", "originals") == 0
    assert Path("again.html").read_text(encoding="utf-8") == page
    assert upscale("in/p.jpg", "--out", "p.jpg", "--compare", "page.html", "--original", "in/p.jpg") == 0
    assert "The original is left out, since it has 20 x 30 px" in Path("page.html").read_text(encoding="utf-8")
    Path("words.jpg").write_text("words")
    assert upscale("in/p.jpg", "--out", "p2.jpg", "--compare", "page.html", "--original", "words.jpg") == 0
    assert "The original cannot be shown: it is not an image" in Path("page.html").read_text(encoding="utf-8")
    assert upscale("in/p.jpg", "--out", "out/p_x4.jpg", "--compare", "page.html") == 2
    assert "no photo was upscaled" in capsys.readouterr().err


def test_the_page_shows_the_start_of_the_model(upscale: Upscale, model: Path) -> None:
    tensors, about = checkpoint.load(model)
    moved = {name: tensor + torch.randn_like(tensor) * 0.01 for name, tensor in tensors.items()}
    checkpoint.save(Path("sharp.safetensors"), moved, {**about, "run": "sharp", "start": str(model)})
    save(Path("p.png"), pixels())
    assert upscale("p.png", "--model", "sharp.safetensors", "--compare", "page.html", "--scale", "3") == 0
    assert "SRResNet" in Path("page.html").read_text(encoding="utf-8")
    assert upscale("p.png", "--model", "sharp.safetensors", "--strength", "0.5", "--compare", "half.html") == 0
    assert "sharp at strength 0.5" in Path("half.html").read_text(encoding="utf-8")
    assert b"4 times by sharp at strength 0.5, ganvas" in open_photo(Path("p_x4.png")).metadata.xmp
    with Image.open("p_x4.png") as made:
        assert made.size == (120, 80)


def test_the_commands_of_the_page_on_upscaling_run(upscale: Upscale, model: Path) -> None:
    tensors, about = checkpoint.load(model)
    checkpoint.save(Path("m.safetensors"), tensors, {**about, "start": str(model)})
    for name in ("photo.jpg", "scan.tif", "portrait.jpg", "photos/a.jpg", "photos/b/c.png"):
        save(Path(name), pixels())
    for words in commands(ROOT / "docs" / "upscale.md"):
        video = next((word for word in words if word.endswith(".mp4")), "")
        if video and not shutil.which("ffmpeg"):
            continue
        if video:
            from tests.imageio.test_video import CODED, VIDEO, ffmpeg

            ffmpeg(*VIDEO, *CODED, video)
        assert upscale(*words[1:], "--model", "m.safetensors") == 0, words
    assert Path("large/b/c_x4.png").exists()
    assert Path("web/a_x4.avif").exists()
    assert Path("portrait.html").exists()
