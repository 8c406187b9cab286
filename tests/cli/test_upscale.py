"""Super-resolution from the command line: training and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from ganvas import cli
from ganvas.experiment.cost import estimate_cost
from ganvas.observers.watch import Watch
from tests.conftest import enlarging, write_photographs

SMALL = {"size": 32, "g-width": 4, "blocks": 1, "d-width": 2, "d-hidden": 8}
SHORT = [*(f"--system.{name}={value}" for name, value in SMALL.items()), "--images", "32", "--batch-size", "8"]


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main(list(words)) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.usefixtures("drawn")
def test_training_prints_what_it_made_and_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    write_photographs(Path("photos"), 4)
    assert cli.main(["train", "srresnet-x4", "--data", "photos", "--data.degradation", "blind", *SHORT]) == 0
    printed = capsys.readouterr().out
    assert "ganvas upscale PHOTO --model runs/srresnet-x4" in printed
    assert "film strip" not in printed
    files = [line for line in printed.splitlines()[:-1] if not line.startswith("PSNR on Y")]
    assert len(files) == 3
    for line in files:
        assert Path(line.split()[-1]).is_file()
    assert "; bicubic " in printed
    recipe = json.loads(Path("runs/srresnet-x4/recipe.json").read_text())
    assert recipe["data"]["degradation"]["type"] == "Blind"
    with Image.open(max(Path("runs/srresnet-x4/samples").glob("*.png"))) as preview:
        assert preview.width > 3 * 32


def test_the_plan_of_a_long_run_counts_no_sheet_of_every_crop(capsys: pytest.CaptureFixture[str]) -> None:
    write_photographs(Path("photos"), 4)
    words = [word for word in SHORT if word not in ("--images", "32")]
    assert cli.main(["plan", "srresnet-x4", "--data", "photos", "--images", "200000", *words]) == 0
    disk = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("disk"))
    assert int(disk.split()[1].replace(",", "")) < 40


def test_a_strategy_trains_without_vgg(capsys: pytest.CaptureFixture[str]) -> None:
    write_photographs(Path("photos"), 4)
    words = ["--reconstruction.0.extractor", "efficientnet-lite0", "--reconstruction.0.layer", "2", "2"]
    assert cli.main(["train", "srgan-g1d1", "--data", "photos", *words, *SHORT]) == 0
    assert json.loads(Path("runs/srgan-g1d1/recipe.json").read_text())["reconstruction"][0]["extractor"] == words[1]


def test_verbs_for_games_from_noise_say_what_is_for_enlarging(capsys: pytest.CaptureFixture[str]) -> None:
    write_photographs(Path("photos"), 4)
    assert cli.main(["train", "srresnet-x4", "--data", "photos", "--name", "r", *SHORT]) == 0
    capsys.readouterr()
    assert "ganvas compare" in refused(capsys, "diagnose", "runs/r")
    assert "ganvas upscale" in refused(capsys, "generate", "runs/r")
    assert "--on" in refused(capsys, "evaluate", "runs/r")
    assert cli.main(["compare", "runs/r"]) == 0
    assert "run ganvas evaluate runs/r --on SET" in capsys.readouterr().out


def test_a_plan_counts_whole_photos() -> None:
    found = []
    for side in (96, 2400):
        Path(f"of{side}").mkdir()
        for name in "abc":
            Image.new("L", (side, side), ord(name)).save(f"of{side}/{name}.png")
        cost = estimate_cost(enlarging(Path(f"of{side}")), torch.device("cpu"), 3, Watch(), seconds=0.1)
        found.append(cost.memory)
    assert found[1] - found[0] >= 3 * 3 * (2400**2 - 96**2)


def test_an_objective_is_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--images", "64", "--batch-size", "32", "--system.g-width", "2", "--system.d-width", "2"]
    assert (
        cli.main(["train", "dcgan-digits", "--objective", "LeastSquares", "--objective.real-label", "0.9", *words]) == 0
    )
    assert json.loads(Path("runs/dcgan-digits/recipe.json").read_text())["objective"]["type"] == "LeastSquares"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["srresnet-x4", "--data.degradation", "Blond"],
            "available: Bicubic, Bilinear, Area, Aged, Blind",
        ),
        (["dcgan-digits", "--data.degradation", "Blind"], "Images has no degradation"),
        (["dcgan-digits", "--objective"], "--objective without a name is not available; available: NonSaturating"),
        (["srresnet-x4", "--data", "nowhere"], "there is no dataset 'nowhere'"),
        (["srgan-g1d1", "--images", "100"], None),
        (["srgan-pretrain", "--images", "100"], "longer than the run"),
        (["srgan-x4", "--data", "photos", "--start", "nowhere", *SHORT], "there is no nowhere"),
        (["srresnet-x4", "--data", "photos", "--system.size", "512"], "smaller than a crop of 512"),
        (["srresnet-x4", "--data", "one"], "only one usable photo"),
        (["srresnet-x4", "--data", "photos", "--watch.extractor", "digits", *SHORT], "images made from noise"),
    ],
)
def test_bad_input(words: list[str], message: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    write_photographs(Path("photos"), 3)
    Path("one").mkdir()
    Image.new("RGB", (100, 100)).save("one/a.png")
    # Without --data, a strategy would need DIV2K, which is not available here.
    line = refused(capsys, "train", *words, *(["--data", "one"] if message is None else []))
    assert (message or "only one usable photo") in line
    assert not Path("runs").exists() or not list(Path("runs").glob("*/model.safetensors"))


def test_a_vgg_file_with_the_wrong_hash(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_photographs(Path("photos"), 4)
    Path("weights").mkdir()
    Path("weights/vgg19-dcbb9e9d.pth").write_bytes(b"no weights")
    monkeypatch.setenv("GANVAS_WEIGHTS", "weights")
    assert cli.main(["train", "srgan-g1d1", "--data", "photos", *SHORT]) == 2
    assert "vgg19-dcbb9e9d.pth is not the file it should be" in capsys.readouterr().err
    assert not Path("runs").exists()
