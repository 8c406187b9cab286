"""ganvas evaluate, from Python and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas import InputError, Watch, cli, evaluate
from ganvas.data import load
from ganvas.imaging.saving import save_png
from ganvas.recipe.sources import Images
from tests.conftest import TrainedRun, tiny


@pytest.fixture
def run(trained_run: TrainedRun) -> Path:
    return trained_run(tiny("dcgan"), Watch(measure_every=96, grid=(2, 2))).path


def write(folder: str, pictures: np.ndarray) -> None:
    for index, picture in enumerate(pictures):
        save_png(picture, Path(folder) / f"{index}.png")


def digits(count: int = 300) -> np.ndarray:
    return load(Images(source="digits"), size=16, channels=1).spread(count)


def lines(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "figures.jsonl").read_text().splitlines()]


@pytest.mark.usefixtures("drawn")
def test_a_run_gets_figures_with_protocols_and_a_picture(run: Path) -> None:
    found = evaluate(run, extractor="digits", fakes=200, which="best")
    names = [figure.measure for figure in found.figures]
    assert names == [
        *("FD", "KID", "precision", "recall", "density", "coverage", "classifier score"),
        *("modes covered", "class KL", "nearness", "copies"),
    ]
    written = lines(run)
    assert [line["measure"] for line in written] == names
    assert written[0]["images_seen"] in (96, 192)
    assert written[0]["state"] == "best"
    protocol = written[0]["protocol"]
    assert protocol == {
        "extractor": "digits",
        "weights": protocol["weights"],  # type: ignore[index]
        "resize": "grey, bicubic with antialiasing to 28 px",
        "fakes": 200,
        "reals": 200,
        "source": "digits",
        "data": load(Images(source="digits"), size=16, channels=1).fingerprint,
        "split": "train",
        "held_out": 0.05,
        "seed": 0,
        "ganvas": ganvas.__version__,
    }
    for figure in found.figures:
        assert figure.low <= figure.value <= figure.high
    with Image.open(run / "evaluation.png") as picture:
        assert picture.width > 1000
        assert "synthetic" in picture.info["Description"]


def test_the_same_question_has_the_same_answer(run: Path) -> None:
    first, again = (evaluate(run, extractor="digits", fakes=150).figures for _ in range(2))
    assert first == again
    assert evaluate(run, extractor="digits", fakes=150, seed=1, measures=["kid"])["KID"] != first[1]


def test_a_checkpoint_is_measured_under_its_own_name(run: Path) -> None:
    best = run / "checkpoints" / "best.safetensors"
    asked = {"extractor": "digits", "fakes": 150, "measures": ["kid", "memorisation"]}
    assert evaluate(best, **asked).figures == evaluate(run, **asked, which="best").figures  # type: ignore[arg-type]
    assert {line["state"] for line in lines(run)} == {"best"}


def test_the_default_extractor_measures_what_is_defined(run: Path) -> None:
    found = evaluate(run, fakes=40, resize=32)
    assert "KID" in [figure.measure for figure in found.figures]
    assert found["KID"].protocol["resize"] == "bicubic with antialiasing to 32 px"
    assert found.notes == (
        "fd is left out: the Frechet distance on 1,280 features is undefined for 40 fakes; give more than 1,280"
        " images, or measure the KID, which is defined for any number.",
    )
    with pytest.raises(InputError, match="undefined for 40 fakes"):
        evaluate(run, fakes=40, resize=32, measures=["fd"])


def test_reals_against_reals_are_near_zero_and_copies_are_found() -> None:
    training, held_out = load(Images(source="digits"), size=16, channels=1).split(0.05)
    write("copies", training.spread(200))
    write("new", held_out.take(slice(None)))
    copies = evaluate("copies", against="digits", extractor="digits")
    assert copies["copies"].value == copies["nearness"].value == 1
    assert copies["FD"].value < 1
    assert copies["modes covered"].value == 10
    new = evaluate("new", against="digits", extractor="digits", measures=["kid", "memorization"])
    assert new["KID"].low < 0.01
    assert new["nearness"].value == pytest.approx(0.5)


def test_splits_are_parts_of_the_data(run: Path) -> None:
    held_out = evaluate(run, extractor="digits", split="held-out", measures=["kid"])["KID"]
    assert held_out.protocol["reals"] == held_out.protocol["fakes"] == 89
    assert evaluate(run, split="all", measures=["swd"])["SWD"].protocol["reals"] == 1797


@pytest.mark.usefixtures("drawn")
def test_colours_and_a_zip_of_fakes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("fakes", "reals"):
        write(name, rng.integers(0, 256, (60, 16, 16, 3), dtype=np.uint8))
    found = evaluate("fakes", against="reals", resize=32, measures=["pr", "memorization"], out="p.png")
    assert found["precision"].protocol["source"] == "reals"
    assert (tmp_path / "p.png").is_file()


def test_the_command_prints_figures_and_protocol(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["evaluate", "runs/r", "--extractor", "digits", "--fakes", "150", "--json", "out.json"]) == 0
    said = capsys.readouterr().out
    for word in ("FD", "95 % interval", "lower", "extractor digits", "fakes 150", "split train", "evaluation.png"):
        assert word in said
    assert len(json.loads(Path("out.json").read_text())["figures"]) == 11


def odd_sizes() -> None:
    write("fakes", digits(4))
    save_png(np.zeros((8, 8, 1), np.uint8), Path("fakes/small.png"))


def oblong() -> None:
    write("fakes", np.zeros((4, 8, 16, 1), np.uint8))


REFUSED = {
    "empty folder": (lambda: Path("fakes").mkdir(), ["fakes", "--against", "digits"], "fakes contains no files"),
    "mixed sizes": (odd_sizes, ["fakes", "--against", "digits"], "2 sizes (4 of 16 x 16, 1 of 8 x 8)"),
    "oblong": (oblong, ["fakes", "--against", "digits"], "16 x 8; give square ones"),
    "no reals": (lambda: write("fakes", digits(4)), ["fakes"], "--against"),
    "nothing there": (lambda: None, ["runs/none", "--against", "digits"], "runs/none"),
    "too few": (lambda: write("fakes", digits(40)), ["fakes", "--against", "digits", "--measures", "fd"], "40 fakes"),
    "no such measure": (lambda: Path("fakes").mkdir(), ["fakes", "--measures", "fdd"], "'fdd' (did you mean 'fd'?)"),
    "no such extractor": (lambda: Path("fakes").mkdir(), ["fakes", "--extractor", "vgg"], "'vgg'"),
    "classes of faces": (
        lambda: write("fakes", digits(40)),
        ["fakes", "--against", "digits", "--measures", "classes", "--extractor", "efficientnet-lite0"],
        "--extractor digits",
    ),
    "no such distance": (
        lambda: Path("fakes").mkdir(),
        ["fakes", "--measures", "perceptual", "--perceptual", "lpipss"],
        "'lpipss' (did you mean 'lpips'?)",
    ),
    "a distance of nothing": (
        lambda: Path("fakes").mkdir(),
        ["fakes", "--perceptual", "lpips"],
        "add it to --measures",
    ),
    "no picture": (lambda: Path("fakes").mkdir(), ["fakes", "--out", "x.jpg"], ".png"),
    "fewer than none": (lambda: Path("fakes").mkdir(), ["fakes", "--fakes", "-1"], "-1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    prepare, words, said = REFUSED[case]
    prepare()
    extractor = [] if "--extractor" in words or "fd" in words else ["--extractor", "digits"]
    assert cli.main(["evaluate", *words, *extractor]) == 2
    errors = capsys.readouterr().err
    assert said in errors
    assert errors.count("\n") == 1
    assert not list(Path().glob("**/figures.jsonl"))


def test_a_model_outside_a_run_needs_a_source(run: Path) -> None:
    (run / "model.safetensors").rename("alone.safetensors")
    with pytest.raises(InputError, match="--against"):
        evaluate("alone.safetensors", extractor="digits")
    assert evaluate("alone.safetensors", against="digits", extractor="digits", fakes=150)["FD"].value > 0


def test_files_that_were_left_out_are_noted_of_both_sides() -> None:
    write("fakes", digits())
    write("reals/train", digits())
    write("reals/test", digits(10))
    Path("fakes/x.png").write_bytes(b"\x89PNG cut off")
    Path("fakes/index.csv").write_text("a table\n")
    found = evaluate("fakes", against="reals", extractor="digits", measures=["fd"])
    left_out, read = found.notes
    assert left_out.startswith("fakes: 1 of 302 files are unusable, such as x.png (")
    assert read == "reals: of its folders only train is read, not test."
