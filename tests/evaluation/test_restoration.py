"""Scores of what enlarges pictures: ganvas evaluate MODEL --on SET, and --prove."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import InputError, compare
from ganvas.cli import main
from ganvas.comparison.table import lower_is_better
from ganvas.evaluation import difference, prove, score
from ganvas.evaluation import restoration as restoring
from ganvas.evaluation.enlargers import Bicubic
from ganvas.evaluation.pairs import enlarge, find_set, shrink
from ganvas.pictures import Pixels, save_png
from tests.comparison.runs import made
from tests.conftest import SHARED

SETS = SHARED / "data" / "sr_eval"
here = pytest.mark.skipif(not SETS.is_dir(), reason="the shared test sets are not here")
ENDS = ("PSNR-Y", "SSIM-Y", "PSNR-RGB", "SSIM-RGB", "ST-LPIPS")


@dataclass(frozen=True)
class Softer:
    """A model worse than bicubic: bicubic twice."""

    scale: int = 4
    name: str = "softer"
    images: int = 7

    def enlarge(self, low: Pixels) -> Pixels:
        return enlarge(shrink(low, 2), 2 * self.scale)


@pytest.fixture
def set5(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_SHARED", str(SHARED))


def picture(path: str, height: int = 104, width: int = 88, grey: bool = False, seed: int = 0) -> None:
    """Smooth waves with a little noise."""
    y, x = np.mgrid[:height, :width]
    waves = np.sin(x / 5 + seed)[..., None] + np.cos(y[..., None] / 7 + np.arange(1 if grey else 3))
    noise = np.random.default_rng(seed).normal(0, 6, waves.shape)
    save_png((127 + 50 * waves + noise).clip(0, 255).astype(np.uint8), Path(path))


@pytest.fixture
def folder() -> str:
    for index in range(3):
        picture(f"waves/{index}.png", seed=index)
    return "waves"


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["evaluate", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("ganvas: ")


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
    assert main(["evaluate", "--prove", "--on", "Set5"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Set5: 5 pictures; bicubic x4 on Y 28.4177 dB and 0.8101, published 28.42 and 0.8104; files byte for byte",
        "PASS",
    ]


@here
@pytest.mark.slow
def test_the_proof_passes_on_all_sets(set5: None) -> None:
    assert [(proof.set, proof.pictures, proof.faults) for proof in prove()] == [
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
    assert main(["evaluate", "--prove", "--on", "Set5"]) == 1
    *_, fault, verdict = capsys.readouterr().out.splitlines()
    assert fault == "img_003 of Set5: 1 of 12,288 values are not those of the published file."
    assert verdict == "FAIL"
    low.unlink()
    (tmp_path / "sets" / "Set5" / "HR" / "img_003.webp").unlink()
    assert any("4 are here" in fault for fault in prove(["Set5"])[0].faults)
    assert any("28.42 is published" in fault for fault in prove(["Set5"])[0].faults)


@here
def test_the_bridge_of_set14_is_grey_and_others_without_colour_are_not(set5: None) -> None:
    channels = {pair.name: pair.high.shape[-1] for pair in find_set("Set14", 4)}
    assert [name for name, count in channels.items() if count == 1] == ["img_003"]
    assert len(channels) == 14


def test_grey_pictures_stay_grey_and_large_folders_need_no_low_side(folder: str) -> None:
    picture("waves/grey.png", 101, 90, grey=True)
    Path("waves/readme.txt").write_text("no picture")
    (found,) = score("bicubic", folder)
    row = found.pictures["grey"]
    assert row["PSNR-Y"] == row["PSNR-RGB"]
    assert found.figures[0].protocol["grey"] == 1
    assert any("1 files in waves are no pictures" in note for note in found.notes)
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
        opened = (Softer() if run.name == "r1" else Bicubic(), run, "last")
        monkeypatch.setattr(restoring, "open_enlarger", lambda *_, opened=opened, **__: opened)
        (found,) = score(run.path, folder)
        assert (found.sheet, found.table) == (
            run.path / "evaluation-waves.png",
            run.path / "evaluation-waves.csv",
        )
        assert found.sheet.is_file()
    (line, *rest) = runs[1].read_figures()
    assert len(rest) == 4
    assert (line["measure"], line["state"], line["images"]) == ("PSNR-Y on waves", "last", 7)
    columns = {column.title: column for column in compare([run.path for run in runs]).columns}
    assert set(columns["PSNR-Y on waves ↑ last"].figures) == {"r0", "r1"}
    assert set(columns["ST-LPIPS on waves ↓ last"].figures) == {"r0", "r1"}
    assert lower_is_better("ST-LPIPS diversity") is None


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
    assert "ST-LPIPS is left out: small has pictures below 64 px inside the crop." in found.notes


def test_the_layouts_of_published_archives_are_read() -> None:
    for index in range(2):
        picture(f"Urban100/image_SRF_2/img_{index}_SRF_2_HR.png", seed=index)
        picture(f"Urban100/image_SRF_2/img_{index}_SRF_2_LR.png", 52, 44, seed=index)
    assert [pair.low.shape for pair in find_set("Urban100", 2)] == [(52, 44, 3)] * 2
    with pytest.raises(InputError, match="in image_SRF_2 alone, and the model enlarges by 4"):
        find_set("Urban100", 4)
    (found,) = score("bicubic", "Urban100", scale=2)
    assert found.figures[0].protocol["low"] == "not MATLAB's bicubic in 2 pictures"
    Path("Urban100/image_SRF_2/img_1_SRF_2_LR.png").unlink()
    with pytest.raises(InputError, match="lacks img_1_SRF_2_LR"):
        find_set("Urban100", 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bicubic", "--on", "Set15"], "'Set15' (did you mean 'Set5'?)"),
        (["bicubic", "--on", "nowhere/at/all"], "path of a folder"),
        (["bicubic", "--on", "empty"], "holds no"),
        (["bicubic", "--on", "text"], "holds no pictures"),
        (["bicubic", "--on", "tiny"], "is 16 x 40 px, and SSIM with a crop of 4 px needs 19 x 19"),
        (["bicubic", "--on", "dot"], "2 x 3 px has no low-resolution version at a scale of 4"),
        (["bicubic", "--on", "torn"], "a.png of torn cannot be measured: it is damaged"),
        (["bicubic", "--on", "sides"], "a.png of sides is 20 x 20 px and not the 22 x 26"),
        (["bicubic", "--on", "sides", "--scale", "2"], "LRx4 alone, and the model enlarges by 2; give sides/HR"),
        (["bicubic", "--on", "lone"], "lone has b in only one of HR and LRx4"),
        (["bicubic", "--on", "double"], "give the pictures different names"),
        (["bicubic", "--on", "waves", "waves"], "two sets waves"),
        (["bicubic", "--on", "waves", "--scale", "1"], "--scale 1 enlarges nothing"),
        (["bicubic", "--on", "waves", "--scale", "-4"], "--scale -4"),
        (["bicubic", "--on", "waves", "--seed", "-1"], "--seed -1 is below 0"),
        (["bicubic", "--on", "waves", "--out", "text/a.txt"], "--out text/a.txt is a file"),
        (["bicubic", "--on", "waves", "--device", "bogus"], "'bogus'"),
        (["bicubic", "bicubic", "--on", "waves"], "bicubic is given twice"),
        (["--on", "waves"], "none is given"),
        (["bicubic", "--prove"], "--prove takes no model"),
        (["--prove", "--on", "Urban100"], "nothing is proved on 'Urban100'"),
        (["bicubic", "--on", "waves", "--extractor", "digits"], "unrecognized arguments"),
    ],
)
def test_bad_input(words: Sequence[str], said: str, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("text").mkdir()
    Path("text/a.txt").write_text("no picture")
    picture("tiny/a.png", 40, 16)
    picture("dot/a.png", 3, 2)
    picture("torn/a.png")
    Path("torn/a.png").write_bytes(Path("torn/a.png").read_bytes()[:3000])
    picture("sides/HR/a.png")
    picture("sides/LRx4/a.png", 20, 20)
    picture("lone/HR/a.png")
    picture("lone/LRx4/a.png", 26, 22)
    picture("lone/LRx4/b.png", 26, 22)
    picture("double/a.png")
    Image.open("double/a.png").save("double/a.bmp")
    line = refused(capsys, *words)
    assert said in line, line
    assert line.endswith(".")


def test_a_set_that_is_absent_is_told_where_to_be(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GANVAS_SHARED", str(tmp_path / "none"))
    for words in (["bicubic", "--on", "BSD100"], ["--prove", "--on", "BSD100"]):
        line = refused(capsys, *words)
        assert str(tmp_path / "data" / "BSD100" / "HR") in line
        assert "LRx4" in line
    picture("data/BSD100/HR/a.png")
    assert "without its low-resolution files" in refused(capsys, "--prove", "--on", "BSD100")


def test_a_model_of_the_wrong_size_is_refused(folder: str) -> None:
    @dataclass(frozen=True)
    class Lying(Softer):
        def enlarge(self, low: Pixels) -> Pixels:
            return low

    with pytest.raises(InputError, match=r"softer made \(26, 22, 3\) of 0"):
        score(Lying(), folder)
    assert not list(Path().glob("*.csv"))


def test_figures_are_not_written_where_the_disk_refuses(folder: str) -> None:
    Path("file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        score("bicubic", folder, out="file/below")
