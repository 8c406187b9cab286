"""Scores of super-resolution: ganvas evaluate MODEL --on SET, and --selfcheck."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import InputError, compare
from ganvas.cli import main
from ganvas.evaluation import difference, score, selfcheck
from ganvas.evaluation import pairs as restoring
from ganvas.evaluation.baselines import BicubicUpscaler
from ganvas.evaluation.test_sets import find_set
from ganvas.imaging.saving import save_png
from ganvas.metrics import quantity
from tests.conftest import SHARED
from tests.evaluation.upscaling import Softer, picture
from tests.reports.runs import made

SETS = SHARED / "data" / "sr_eval"
here = pytest.mark.skipif(not SETS.is_dir(), reason="the shared test sets are not here")
ENDS = ("PSNR-Y", "SSIM-Y", "PSNR-RGB", "SSIM-RGB", "ST-LPIPS")


@pytest.fixture
def set5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_SHARED", str(SHARED))


@here
def test_bicubic_on_set5(set5: None) -> None:
    (found,) = score("bicubic", "set5")
    assert found.measures == list(ENDS)
    assert found["PSNR-Y"].value == pytest.approx(28.4177, abs=6e-5)
    assert found["SSIM-Y"].value == pytest.approx(0.8101, abs=6e-5)
    assert found["PSNR-RGB"].value == pytest.approx(26.696, abs=4e-3)
    assert found["SSIM-RGB"].value == pytest.approx(0.7734, abs=4e-4)
    assert found["PSNR-Y"].low < 26 < 31 < found["PSNR-Y"].high
    protocol = found.figures[0].protocol
    assert protocol["low"] == "MATLAB's bicubic, byte for byte"
    assert (protocol["set"], protocol["crop"], protocol["scale"], protocol["pictures"]) == ("Set5", 4, 4, 5)
    with Image.open(found.sheet) as sheet:
        assert sheet.width > 700
        assert "the worst first" in sheet.info["Description"]
    rows = list(csv.DictReader(found.table.read_text().splitlines()))
    assert [float(row["PSNR-Y"]) for row in rows] == pytest.approx(
        [31.7711, 30.1751, 22.0992, 31.5785, 26.4645], abs=1e-3
    )


@here
def test_originals_alone_give_the_published_low_side() -> None:
    given, alone = (find_set(str(SETS / "Set5" / part), 4) for part in ("", "HR"))
    assert given.name == alone.name == "Set5"
    for a, b in zip(given, alone, strict=True):
        np.testing.assert_array_equal(a.low, b.low)


@here
def test_the_proof_passes_on_set5(set5: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--selfcheck", "--on", "Set5"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Set5: 5 images; bicubic x4 on Y 28.4177 dB and 0.8101, published 28.42 and 0.8104; files byte for byte",
        "PASS",
    ]


@here
@pytest.mark.slow
def test_the_proof_passes_on_all_sets(set5: None) -> None:
    assert [(check.set, check.images, check.faults) for check in selfcheck()] == [
        ("Set5", 5, ()),
        ("Set14", 14, ()),
        ("BSD100", 100, ()),
    ]


@here
def test_the_proof_fails_on_files_that_are_not_the_published_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(SETS / "Set5", tmp_path / "sets" / "Set5")
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "sets"))
    low = tmp_path / "sets" / "Set5" / "LRx4" / "img_003.webp"
    with Image.open(low) as image:
        pixels = np.array(image)
    pixels[5, 5, 1] ^= 1
    Image.fromarray(pixels).save(low, lossless=True)
    assert main(["evaluate", "--selfcheck", "--on", "Set5"]) == 1
    *_, fault, verdict = capsys.readouterr().out.splitlines()
    assert fault == "img_003 of Set5: 1 of 12,288 values differ from the published file."
    assert verdict == "FAIL"
    low.unlink()
    (tmp_path / "sets" / "Set5" / "HR" / "img_003.webp").unlink()
    assert any("4 were found" in fault for fault in selfcheck(["Set5"])[0].faults)
    assert any("published: 28.42" in fault for fault in selfcheck(["Set5"])[0].faults)
    (tmp_path / "sets" / "Set5" / "LRx4" / "img_001.webp").unlink()
    assert main(["evaluate", "--selfcheck", "--on", "Set5"]) == 1
    unread, fault, verdict = capsys.readouterr().out.splitlines()
    assert (unread, verdict) == ("Set5: cannot be read", "FAIL")
    assert "img_001 in only one of HR and LRx4" in fault


@here
def test_the_bridge_of_set14_is_grey_and_others_without_colour_are_not(set5: None) -> None:
    channels = {pair.name: pair.high.shape[-1] for pair in find_set("Set14", 4)}
    assert [name for name, count in channels.items() if count == 1] == ["img_003"]
    assert len(channels) == 14


def test_grey_pictures_stay_grey_and_large_folders_need_no_low_side(folder: str) -> None:
    picture("waves/grey.png", 101, 90, grey=True)
    Path("waves/readme.txt").write_text("no picture")
    (found,) = score("bicubic", folder)
    row = found.images["grey"]
    assert row["PSNR-Y"] == row["PSNR-RGB"]
    assert found.figures[0].protocol["grey"] == 1
    assert any("1 files in waves are not images" in note for note in found.notes)
    assert {pair.high.shape for pair in find_set(folder, 4)} == {(104, 88, 3), (100, 88, 1)}


def test_a_model_is_compared_picture_by_picture(folder: str) -> None:
    (plain,) = score("bicubic", folder)
    (softer,) = score(Softer(), folder)
    gap = difference(softer, plain)
    assert list(gap) == list(ENDS)
    assert gap["PSNR-Y"].high < 0 < gap["ST-LPIPS"].low
    assert gap["PSNR-Y"].value == pytest.approx(softer["PSNR-Y"].value - plain["PSNR-Y"].value)
    picture("other/0.png", seed=9)
    (other,) = score("bicubic", "other")
    with pytest.raises(InputError, match="not measured alike"):
        difference(softer, other)


def test_a_run_keeps_its_figures_for_ganvas_compare(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [made(f"r{seed}", seed=seed) for seed in (0, 1)]
    for run in runs:
        opened = (Softer() if run.name == "r1" else BicubicUpscaler(), run, "last")
        monkeypatch.setattr(restoring, "open_upscaler", lambda *_, opened=opened, **__: opened)
        (found,) = score(run.path, folder)
        assert (found.sheet, found.table) == (
            run.path / "evaluation-waves.png",
            run.path / "evaluation-waves.csv",
        )
        assert found.sheet.is_file()
    (line, *rest) = runs[1].read_figures()
    assert len(rest) == 4
    assert (line["measure"], line["test_set"], line["state"], line["images_seen"]) == ("PSNR-Y", "waves", "last", 7)
    columns = {column.title: column for column in compare([run.path for run in runs]).columns}
    assert set(columns["PSNR-Y on waves ↑ last"].figures) == {"r0", "r1"}
    assert set(columns["ST-LPIPS on waves ↓ last"].figures) == {"r0", "r1"}
    about = quantity("ST-LPIPS diversity")
    assert about
    assert about.higher_is_better is None


def test_models_are_opened_by_the_engine(folder: str, opened: list[tuple[str, float]]) -> None:
    (found,) = score("srgan-x2", folder, strength=0.5)
    assert (found.sheet.name, found.figures[0].protocol["strength"]) == (
        "ganvas-evaluate-srgan-x2-strength-0.5-waves.png",
        0.5,
    )
    run = made("r")
    run.checkpoints.mkdir()
    for file in (run.model, run.checkpoints / "best.safetensors"):
        file.write_bytes(b"")
    for model, which in ((run.path, "last"), (run.path, "best"), (run.model, "last"), ("foreign.pth", "last")):
        score(model, folder, which=which)  # type: ignore[arg-type]
    best = str(run.checkpoints / "best.safetensors")
    assert opened == [("srgan-x2", 0.5), *((m, 1.0) for m in (str(run.model), best, str(run.model), "foreign.pth"))]
    assert [line["state"] for line in run.read_figures()[::5]] == ["last", "best", "last"]
    assert run.read_figures()[0]["images_seen"] == 900
    assert (run.path / "evaluation-best-waves.csv").is_file()
    assert Path("ganvas-evaluate-foreign-waves.csv").is_file()


def test_the_command_line_writes_all_of_it(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "bicubic", "--on", folder, "--json", "all.json", "--out", "there"]) == 0
    out = capsys.readouterr().out
    for said in ("PSNR-Y", "SSIM-RGB", "crop 4", "set waves", "MATLAB's bicubic", "95 %"):
        assert said in out
    (one,) = json.loads(Path("all.json").read_text())
    assert (one["name"], one["set"], list(one["pictures"])) == ("bicubic", "waves", ["0", "1", "2"])
    assert one["figures"][1]["protocol"]["window"] == "Gaussian 11 x 11, sigma 1.5, inside"
    assert sorted(file.name for file in Path("there").iterdir()) == [
        "ganvas-evaluate-bicubic-waves.csv",
        "ganvas-evaluate-bicubic-waves.png",
    ]


def test_a_perfect_result_counts_100_db_and_one_picture_has_no_interval() -> None:
    save_png(np.full((80, 80, 3), 90, np.uint8), Path("flat/a.png"))
    (found,) = score("bicubic", "flat", scale=2)
    assert found["PSNR-Y"].value == 100
    assert found["SSIM-Y"].value == pytest.approx(1)
    assert found.figures[0].protocol["crop"] == 2
    assert [note.split()[0] for note in found.notes] == ["Some", "One"]


def test_small_pictures_have_no_perceptual_distance() -> None:
    picture("small/a.png", 40, 60)
    picture("small/b.png", 100, 100)
    (found,) = score("bicubic", "small")
    assert found.measures == list(ENDS[:4])
    assert "ST-LPIPS is left out: small has images below 64 px inside the crop." in found.notes


def test_the_layouts_of_published_archives_are_read() -> None:
    for index in range(2):
        picture(f"Urban100/image_SRF_2/img_{index}_SRF_2_HR.png", seed=index)
        picture(f"Urban100/image_SRF_2/img_{index}_SRF_2_LR.png", 52, 44, seed=index)
    assert [pair.low.shape for pair in find_set("Urban100", 2)] == [(52, 44, 3)] * 2
    with pytest.raises(InputError, match="in image_SRF_2 alone, and the model upscales by 4"):
        find_set("Urban100", 4)
    (found,) = score("bicubic", "Urban100", scale=2)
    assert found.figures[0].protocol["low"] == "not MATLAB's bicubic in 2 pictures"
    Path("Urban100/image_SRF_2/img_1_SRF_2_LR.png").unlink()
    with pytest.raises(InputError, match="lacks img_1_SRF_2_LR"):
        find_set("Urban100", 2)


def test_strength_is_for_the_models_that_name_a_start(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    models = ["bicubic", "srresnet-x4", "srgan-x4"]
    assert main(["evaluate", *models, "--on", folder, "--strength", "0.5", "--out", "o", "--json", "all.json"]) == 0
    assert "srgan-x4 - bicubic" in capsys.readouterr().out
    strengths = [one["figures"][0]["protocol"].get("strength") for one in json.loads(Path("all.json").read_text())]
    assert strengths == [None, None, 0.5]
    assert main(["evaluate", "bicubic", "srresnet-x4", "--on", folder, "--strength", "0.5"]) == 2
    assert "the SRResNet that srresnet-x4 started from, which is unknown" in capsys.readouterr().err


def test_models_of_one_name_are_headed_by_what_was_typed(
    folder: str, opened: list[tuple[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "m", "there/m.pth", "other", "--on", folder, "--out", "o"]) == 0
    assert [model for model, _ in opened] == ["m", "there/m.pth", "other"]
    head = capsys.readouterr().out.splitlines()[0]
    assert head.split("  ")[0] == "waves"
    assert [word.strip() for word in head.split("  ") if word.strip()][1:] == [
        "m",
        "there/m.pth",
        "other",
        "there/m.pth - m",
        "other - m",
    ]
