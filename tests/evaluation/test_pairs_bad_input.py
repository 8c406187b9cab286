"""What cannot be scored is refused in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

import ganvas.inference
from ganvas import InputError
from ganvas.cli import main
from ganvas.evaluation import score
from ganvas.imaging.grid import Pixels
from tests.evaluation.upscaling import Doubled, Softer, picture
from tests.reports.runs import made


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["evaluate", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix("ganvas: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bicubic", "--on", "Set15"], "'Set15' (did you mean 'Set5'?)"),
        (["bicubic", "--on", "nowhere/at/all"], "path of a folder"),
        (["bicubic", "--on", "empty"], "contains no files"),
        (["bicubic", "--on", "text"], "holds no images"),
        (["bicubic", "--on", "tiny"], "is 16 x 40 px, and SSIM with a crop of 4 px needs 19 x 19"),
        (["bicubic", "--on", "dot"], "2 x 3 px has no low-resolution version at a scale of 4"),
        (["bicubic", "--on", "torn"], "a.png of torn cannot be measured: it is damaged"),
        (["bicubic", "--on", "sides"], "a.png of sides is 20 x 20 px and not the 22 x 26"),
        (["bicubic", "--on", "sides", "--scale", "2"], "LRx4 alone, and the model upscales by 2; give sides/HR"),
        (["bicubic", "--on", "lone"], "lone has b in only one of HR and LRx4"),
        (["bicubic", "--on", "double"], "give the images different names"),
        (["bicubic", "--on", "waves", "waves"], "two sets waves"),
        (["bicubic", "--on", "waves", "--scale", "1"], "bicubic does not upscale by 1; give --scale 2"),
        (["bicubic", "--on", "waves", "--scale", "-4"], "upscale by -4"),
        (["bicubic", "--on", "waves", "--strength", "0.5"], "--strength 0.5 is for an SRGAN"),
        (["bicubic", "--on", "waves", "--seed", "-1"], "--seed must be at least 0; got -1"),
        (["bicubic", "--on", "waves", "--out", "text/a.txt"], "--out text/a.txt is a file"),
        (["bicubic", "--on", "waves", "--device", "bogus"], "'bogus'"),
        (["bicubic", "bicubic", "--on", "waves"], "bicubic is given twice"),
        (["--on", "waves"], "--on needs a model to score"),
        (["bicubic"], "bicubic upscales images, and is scored on originals; give the sets with --on"),
        (["srgan-x4", "--against", "waves"], "srgan-x4 upscales images"),
        (["weights.pth"], "weights.pth upscales images"),
        (["bicubic", "--selfcheck"], "--selfcheck takes no model"),
        (["--prove", "--on", "Set5"], "--prove has been renamed; use --selfcheck."),
        (["--selfcheck", "--on", "Urban100"], "there are no published figures of 'Urban100'"),
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
    for words in (["bicubic", "--on", "BSD100"], ["--selfcheck", "--on", "BSD100"]):
        line = refused(capsys, *words)
        assert str(tmp_path / "data" / "BSD100" / "HR") in line
        assert "LRx4" in line
    picture("data/BSD100/HR/a.png")
    assert main(["evaluate", "--selfcheck", "--on", "BSD100"]) == 1
    _, fault, verdict = capsys.readouterr().out.splitlines()
    assert "lacks its low-resolution files" in fault
    assert verdict == "FAIL"


def test_a_model_of_the_wrong_size_is_refused(folder: str) -> None:
    class Lying(Softer):
        def upscale(self, image: Pixels, *, colour_lock: bool = True) -> Pixels:
            return image

    with pytest.raises(InputError, match=r"softer made \(26, 22, 3\) of 0"):
        score(Lying(), folder)
    assert not list(Path().glob("*.csv"))


def test_figures_are_not_written_where_the_disk_refuses(folder: str) -> None:
    Path("file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        score("bicubic", folder, out="file/below")


def test_a_model_of_another_scale_or_without_a_best_is_refused(
    folder: str, opened: list[tuple[str, float]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "srgan-x2 upscales by 2 and not by 4" in refused(capsys, "srgan-x2", "--on", folder, "--scale", "4")
    picture("sides/HR/a.png")
    picture("sides/LRx4/a.png", 26, 22)
    assert "LRx4 alone, and the model upscales by 2" in refused(capsys, "srgan-x2", "--on", "sides")
    made("r")
    assert "no best state yet" in refused(capsys, "runs/r", "--on", folder, "--which", "best")
    # Bicubic takes the scale of what it is compared with.
    assert main(["evaluate", "bicubic", "srgan-x2", "--on", folder]) == 0
    assert "scale 2" in capsys.readouterr().out


def test_a_model_that_upscales_is_no_source_of_fakes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ganvas.inference, "open", lambda *_, **__: Doubled("r"))
    made("r")
    assert "give the sets with --on" in refused(capsys, "runs/r")
