"""The model for a photo is chosen by what is wrong with it, and the choice is said, recorded and resumed."""

from __future__ import annotations

import io
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas.inference.loading
import ganvas.runs.models
from ganvas import cli as command_line
from ganvas.imageio import job
from ganvas.imaging.flaws import LIMITS, Flaws, measured, tiles
from ganvas.imaging.grid import Pixels
from ganvas.imaging.tensors import bicubic
from ganvas.inference.engine.raster import ArrayRaster
from ganvas.runs import checkpoint
from tests.conftest import SHARED, bundled_photographs
from tests.imageio.conftest import read

MANIFEST = Path("out/.ganvas-upscale.jsonl")


@pytest.fixture(autouse=True)
def _two_models(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny network stands in for both bundled models."""
    tensors, about = checkpoint.load(model)
    files = {name: Path(f"{name}.safetensors").absolute() for name in ("srgan-x4", "photo-x4")}
    for name, file in files.items():
        checkpoint.save(file, tensors, {**about, "run": name})
    for module in (ganvas.runs.models, ganvas.inference.loading):
        monkeypatch.setattr(module, "bundled", lambda: files)
    monkeypatch.setattr(ganvas.inference.loading, "STARTS", {"srgan-x4": str(model)})


def upscale(*words: str) -> int:
    return command_line.main(["upscale", "--precision", "fp32", *words])


def small(index: int = 0) -> Pixels:
    """A bundled photograph shrunk as the training pictures were: (104, 160, 3)."""
    whole = torch.from_numpy(bundled_photographs()[index][:416].copy()).permute(2, 0, 1)
    return np.ascontiguousarray(bicubic(whole, 0.25).permute(1, 2, 0).numpy())


def jpeg(pixels: Pixels, quality: int, phase: int = 0) -> Pixels:
    """Compressed, with JPEG's grid at any place."""
    file = io.BytesIO()
    Image.fromarray(np.pad(pixels, ((phase, 0), (phase, 0), (0, 0)), mode="edge")).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))[phase:, phase:]


def noisy(pixels: Pixels, sigma: float, grey: bool = False) -> Pixels:
    noise = np.random.default_rng(0).normal(0, sigma, (*pixels.shape[:2], 1 if grey else 3))
    return np.rint(pixels + noise).clip(0, 255).astype(np.uint8)


def blurred(pixels: Pixels, sigma: float) -> Pixels:
    from scipy.ndimage import gaussian_filter

    return np.asarray(np.rint(gaussian_filter(pixels.astype(float), (sigma, sigma, 0))), np.uint8)


def flaws(pixels: Any) -> Flaws:
    return measured(list(tiles(ArrayRaster(pixels))))


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in MANIFEST.read_text().splitlines()]


def models() -> dict[str, str]:
    """Source -> the model that upscaled it, by the manifest."""
    return {line["source"]: line["settings"]["model"] for line in lines() if line["status"] == "done"}


def mixed(folder: str = "in") -> None:
    Path(folder).mkdir()
    for name, pixels in (("clean", small()[:48, :64]), ("soft", blurred(small(), 1.5)[:48, :64])):
        Image.fromarray(pixels).save(Path(folder, f"{name}.png"))


@pytest.mark.parametrize("index", [0, 1])
def test_a_clean_picture_is_clean_and_its_spoiled_versions_are_not(index: int) -> None:
    clean = small(index)
    assert flaws(clean).above(LIMITS) == []
    for quality, phase in ((30, 0), (50, 3), (70, 6)):
        assert "jpeg" in flaws(jpeg(clean, quality, phase)).above(LIMITS)
    assert flaws(jpeg(clean, 97)).above(LIMITS) == []
    for sigma in (3, 10, 30):
        assert "colour_noise" in flaws(noisy(clean, sigma)).above(LIMITS)
    for sigma in (10, 30):
        assert "noise" in flaws(noisy(clean, sigma, grey=True)).above(LIMITS)
    for sigma in (1, 2, 3):
        assert flaws(blurred(clean, sigma)).above(LIMITS) == ["blur"]


def test_the_measures_are_what_they_say() -> None:
    clean = small()
    assert flaws(jpeg(clean, 50)).jpeg == pytest.approx(10.5, abs=1.5)  # the smallest step of JPEG's table is 10
    assert flaws(jpeg(clean, 70)).jpeg == pytest.approx(6.5, abs=1.0)
    assert flaws(noisy(clean, 10, grey=True)).noise == pytest.approx(10, rel=0.25)
    assert flaws(noisy(clean, 10)).colour_noise == pytest.approx(10, rel=0.2)
    edge = np.full((64, 64, 3), 50, np.uint8)
    edge[20:44, 20:44] = 200
    widths = [flaws(edge).blur, *(flaws(blurred(edge, sigma)).blur for sigma in (0.8, 1.0, 1.5, 2.0))]
    assert widths[0] < 0.2
    assert widths == sorted(widths)
    assert widths[3] == pytest.approx(1.5, rel=0.4)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((300, 200, 3), np.uint8),
        np.full((64, 64), 255, np.uint8),
        np.zeros((5, 400, 3), np.uint16),
        np.random.default_rng(0).random((23, 23, 1), np.float32),
    ],
    ids=["one pixel", "black", "white", "a strip", "small"],
)
def test_where_there_is_nothing_to_measure_nothing_is_found(pixels: Any) -> None:
    assert flaws(pixels) == Flaws()


def test_grey_and_16_bits_are_measured_alike() -> None:
    clean = small()
    grey = np.ascontiguousarray(noisy(clean, 10, grey=True)[:, :, 1])
    assert flaws(grey).above(LIMITS) == ["noise"]
    assert flaws(jpeg(clean, 40).astype(np.uint16) * 257) == flaws(jpeg(clean, 40))


def test_of_a_large_photo_a_few_tiles_are_read_in_no_time() -> None:
    class Endless:
        height, width, read = 40_000, 60_000, 0

        def region(self, top: int, left: int, height: int, width: int) -> Any:
            assert 0 <= top <= self.height - height
            assert 0 <= left <= self.width - width
            self.read += height * width
            rows, columns = np.arange(top, top + height) % 416, np.arange(left, left + width) % 640
            return bundled_photographs()[0][np.ix_(rows, columns)].astype(np.float32) / np.float32(255)

    endless = Endless()
    began = time.process_time()
    first = measured(list(tiles(endless)))
    assert time.process_time() - began < 2  # 0.2 s
    assert endless.read == 16 * 128**2
    assert measured(list(tiles(endless))) == first


@pytest.mark.skipif(not (SHARED / "data/old_photos").is_dir(), reason="without the shared data's old photographs")
def test_real_old_photographs_are_spoiled() -> None:
    for path in sorted((SHARED / "data/old_photos").iterdir()):
        with Image.open(path) as image:
            assert flaws(np.asarray(image.convert("RGB"))).above(LIMITS), path.name


@pytest.mark.skipif(not (SHARED / "data/sr_eval").is_dir(), reason="without the shared data's test sets")
def test_the_small_pictures_of_set5_are_clean() -> None:
    for path in sorted((SHARED / "data/sr_eval/Set5/LRx4").iterdir()):
        with Image.open(path) as image:
            assert flaws(np.asarray(image.convert("RGB"))).above(LIMITS) == [], path.name


def test_each_photo_of_a_folder_gets_its_model_which_is_said_and_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    mixed()
    assert upscale("in", "--out", "out", "--check", "--compare", "page.html") == 0
    assert models() == {"clean.png": "srgan-x4", "soft.png": "photo-x4"}
    printed = capsys.readouterr().out
    assert "by srgan-x4 (clean" in printed
    assert "by photo-x4 (blur 1." in printed
    assert "4 times by photo-x4, ganvas" in printed  # of --check
    page = Path("page.html").read_text(encoding="utf-8")
    assert "srgan-x4 or photo-x4" in page
    # Again: all is done, without looking at a photo.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "tiles", lambda picture: pytest.fail("looked at again"))
        assert upscale("in", "--out", "out", "--compare", "page.html") == 0
    assert "2 already done" in capsys.readouterr().out
    assert Path("page.html").read_text(encoding="utf-8") == page


def test_a_folder_is_resumed_after_a_kill_between_record_and_name() -> None:
    mixed()
    assert upscale("in", "--out", "out") == 0
    whole = Path("out/soft_x4.png").read_bytes()
    Path("out/soft_x4.png").rename(Path("out", lines()[1]["part"]))
    Path("out/clean_x4.png").unlink()
    assert upscale("in", "--out", "out") == 0
    assert Path("out/soft_x4.png").read_bytes() == whole
    assert [line["source"] for line in lines()] == ["clean.png", "soft.png", "clean.png"]


def test_a_photo_that_was_made_by_the_other_model_is_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    mixed()
    assert upscale("in", "--out", "out", "--model", "srgan-x4") == 0
    assert models() == {"clean.png": "srgan-x4", "soft.png": "srgan-x4"}
    assert "by srgan-x4 (" not in capsys.readouterr().out
    assert "flaws" not in lines()[0]
    # The photo that would be made by the same model is done; the other one says what is wrong.
    assert upscale("in", "--out", "out") == 1
    assert "soft_x4.png exists already, made with other settings" in capsys.readouterr().err
    assert upscale("in", "--out", "out", "--overwrite") == 0
    assert models() == {"clean.png": "srgan-x4", "soft.png": "photo-x4"}


def test_a_changed_photo_is_looked_at_again() -> None:
    mixed()
    assert upscale("in", "--out", "out") == 0
    shutil.copy("in/soft.png", "in/clean.png")
    assert upscale("in", "--out", "out", "--overwrite") == 0
    assert models() == {"clean.png": "photo-x4", "soft.png": "photo-x4"}


@pytest.mark.parametrize("known", ['{"jpeg": 1}', '"x"', '{"a": NaN}', "[]", '{"blur": "x"}'])
def test_flaws_in_a_manifest_from_elsewhere_are_measured_again(known: str) -> None:
    mixed()
    assert upscale("in", "--out", "out") == 0
    MANIFEST.write_text("".join(json.dumps(line | {"flaws": json.loads(known)}) + "\n" for line in lines()))
    assert upscale("in", "--out", "out") == 0
    assert len(lines()) == 2


def test_a_model_or_a_strength_of_ones_own_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    mixed()
    assert upscale("in/soft.png", "--model", "srgan-x4") == 0
    assert upscale("in/clean.png", "--model", "photo-x4") == 0
    assert upscale("in/soft.png", "--strength", "1", "--out", "strong.png") == 0
    assert upscale("in/soft.png", "--strength", "0.5", "--out", "half.png") == 0
    assert "by photo-x4 (" not in capsys.readouterr().out


def test_each_model_is_opened_once_and_only_if_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = ganvas.inference.open_as

    def counted(kind: Any, name: str, **options: Any) -> Any:
        opened.append(name)
        return real(kind, name, **options)

    monkeypatch.setattr(ganvas.inference, "open_as", counted)
    mixed()
    assert upscale("in/clean.png") == 0
    assert opened == ["srgan-x4"]
    shutil.copy("in/soft.png", "in/softer.png")
    assert upscale("in", "--out", "out") == 0
    assert opened == ["srgan-x4", "srgan-x4", "photo-x4"]


def test_without_the_second_model_there_is_no_choice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only = {name: file for name, file in ganvas.runs.models.bundled().items() if name == "srgan-x4"}
    monkeypatch.setattr(ganvas.runs.models, "bundled", lambda: only)
    mixed()
    assert upscale("in", "--out", "out") == 0
    assert models() == {"clean.png": "srgan-x4", "soft.png": "srgan-x4"}
    assert "flaws" not in lines()[0]
    assert "(" not in capsys.readouterr().out


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (30, 26)])
def test_black_photos_of_all_kinds(mode: str, size: tuple[int, int], capsys: pytest.CaptureFixture[str]) -> None:
    Image.new(mode, size).save("p.png")
    assert upscale("p.png") == 0
    assert "by srgan-x4 (nothing to measure)" in capsys.readouterr().out
    assert read(Path("p_x4.png")).shape[:2] == (4 * size[1], 4 * size[0])


def test_a_damaged_photo_fails_alone_and_once(capsys: pytest.CaptureFixture[str]) -> None:
    mixed()
    Path("in/bad.png").write_bytes(Path("in/soft.png").read_bytes()[:2000])
    assert upscale("in", "--out", "out") == 1
    assert capsys.readouterr().err.count("bad.png could not be upscaled") == 1
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["clean_x4.png", "soft_x4.png"]


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
def test_a_video_gets_one_model_by_some_of_its_frames(capsys: pytest.CaptureFixture[str]) -> None:
    from tests.imageio.test_video import ffmpeg

    Image.fromarray(blurred(small(), 2)[:48, :64]).save("frame.png")
    still = ("-loop", "1", "-i", "frame.png", "-t", "0.2", "-r", "10")
    ffmpeg(*still, "-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv420p", "v.mp4")
    assert upscale("v.mp4", "--out", "out") == 0
    assert models() == {"v.mp4": "photo-x4"}
    assert "by photo-x4 (blur" in capsys.readouterr().out
