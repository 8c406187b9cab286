"""Bad input on the command line: one sentence that names it and the remedy, code 2, nothing half-written."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Cli, assert_refused

REFUSED = {
    "unknown verb": (["trian"], ["'trian'", "'train'"]),
    "no recipe": (["train"], ["name of a recipe"]),
    "unknown recipe": (["train", "dcgan-digit"], ["'dcgan-digit'", "'dcgan-digits'"]),
    "unknown flag": (["train", "dcgan-digits", "--sead", "1"], ["--sead", "--seed"]),
    "size that is no power of two": (
        ["plan", "dcgan-digits", "--system.size", "48"],
        ["size 48", "--system.size 32"],
    ),
    "size out of reach": (
        ["train", "dcgan-digits", "--system.size", "512"],
        ["size 512", "--system.size 256"],
    ),
    "no number": (["train", "dcgan-digits", "--batch-size", "many"], ["--batch-size", "many"]),
    "no choice": (["train", "dcgan-digits", "--precision", "fp64"], ["--precision", "fp64"]),
    "no ramp": (
        ["train", "dcgan-digits", "--adam-d.lr", "2e-4..1e-4"],
        ["--adam-d.lr", "2e-4..1e-4", "START..END@IMAGES"],
    ),
    "negative rate": (["train", "dcgan-digits", "--adam-d.lr=-1"], ["-1", "2e-4"]),
    "missing value": (["train", "dcgan-digits", "--seed"], ["--seed"]),
    "no such data": (["train", "dcgan-digits", "--data", "digit"], ["'digit'", "'digits'"]),
    "no such folder": (["data", "nowhere/"], ["nowhere"]),
    "no network": (["train", "dcgan-mnist"], ["mnist", "train-images-idx3-ubyte.gz", "MNIST/raw"]),
    "batch over data": (["train", "dcgan-digits", "--batch-size", "2000"], ["1708", "2000", "--batch-size"]),
    "run without images": (["train", "dcgan-digits", "--images", "3"], ["--images 3", "32"]),
    "absent device": (["train", "dcgan-digits", "--host.device", "mps"], ["mps", "cpu"]),
    "nothing to open": (["generate", "runs/none"], ["runs/none", "ganvas runs"]),
    "no runs": (["runs", "nowhere"], ["nowhere"]),
    "two to measure": (["evaluate", "bicubic", "srgan-x4"], ["bicubic and srgan-x4 are two", "--on SET"]),
    "unknown flag of a plain verb": (["generate", "runs/x", "--sead", "1"], ["--sead"]),
    "probability above one": (["train", "dcgan-digits", "--augment.differentiable", "1.5"], ["1.5", "0..1"]),
    "unknown change": (["train", "dcgan-digits", "--augment.policy", "color"], ["color", "colour"]),
    "a change twice": (["train", "dcgan-digits", "--augment.policy", "cut", "cut"], ["cut cut", "each only once"]),
    "adaptive with batch statistics": (["train", "dcgan-digits", "--augment.target", "0.6"], ["--system.d-norm"]),
    "unknown change to look at": (["data", "digits", "--augmented", "color"], ["color", "colour"]),
    "smoothing upside down": (["train", "dcgan-digits", "--objective.fake-label", "1"], ["0.1 and 0.9"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    # A closed port of this machine: fails at once, with and without a network.
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    words, message = REFUSED[case]
    assert_refused(cli(*words), *message)
    assert not Path("runs").exists()


def test_a_flag_whose_value_is_two_hyphens(cli: Cli) -> None:
    assert_refused(cli("upscale", "p.png", "--scale=--"), "--scale=-- has no value")


def test_a_folder_of_odd_files_trains_on_the_good_ones(cli: Cli) -> None:
    folder = Path("odd")
    folder.mkdir()
    good = Image.effect_noise((40, 30), 60)
    for index in range(12):
        good.convert("RGB").save(folder / f"good{index}.jpg", quality=60 + index)
    good.convert("RGB").convert("CMYK").save(folder / "cmyk.jpg")
    good.convert("RGB").convert("P").save(folder / "palette.png")
    good.convert("I;16").save(folder / "deep.png")
    good.save(folder / "grey.png")
    good.convert("RGBA").save(folder / "alpha.png")
    good.save(folder / "moving.gif", save_all=True, append_images=[good.rotate(90)])
    good.resize((1, 1)).save(folder / "dot.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / "empty.png").write_bytes(b"")
    (folder / "torn.jpg").write_bytes((folder / "good0.jpg").read_bytes()[:300])
    (folder / "bomb.png").write_bytes(bomb())
    done = cli("train", "dcgan-digits", "--data", "odd", "--batch-size", "4", "--images", "8", "--name", "r")
    assert done.returncode == 0, done.stderr
    events = Path("runs/r/events.jsonl").read_text()
    bad = {"dot.png", "notes.txt", "empty.png", "torn.jpg", "bomb.png"}
    for name in (path.name for path in folder.iterdir()):
        assert (f'"{name}"' in events) == (name in bad), name
    assert "18 images" in done.stderr.replace("\n", " ")


def bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    out = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(0, io.SEEK_END)
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")):
        out.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
    return out.getvalue()


def test_plan_of_a_game_that_diverges_at_once_is_refused(cli: Cli) -> None:
    words = ["plan", "mlp-digits", "--adam-g.lr", "1e30", "--adam-d.lr", "1e30"]
    assert_refused(cli(*words), "is not finite", "--adam-g.lr")


def test_plan_reckons_a_run_shorter_than_its_own_probe(cli: Cli) -> None:
    done = cli("plan", "mlp-digits", "--images", "64")
    assert done.returncode == 0, done.stderr
    assert "time     0 min 00 s" in done.stdout


def test_plan_prints_layers_and_cost(cli: Cli) -> None:
    done = cli("plan", "dcgan-digits", "--system.g-width", "4", "--system.d-width", "4", "--images", "640")
    assert done.returncode == 0, done.stderr
    assert "ConvTranspose2d" in done.stdout
    assert "1 x 16 x 16" in done.stdout
    for word in ("rate", "time", "memory", "disk"):
        assert f"\n{word} " in done.stdout
    assert not Path("runs").exists()


def test_list_names_every_recipe_and_paper(cli: Cli) -> None:
    listed = cli("list").stdout
    for word in ("mlp-mnist", "dcgan-faces128", "wgan-gp-cifar10", "arXiv:1406.2661", "arXiv:1511.06434"):
        assert word in listed
    assert "with Pure Synthetic Data, arXiv:2107.10833)" in listed  # two lines of the source
