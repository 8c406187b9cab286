"""Modes are counted in stacks: of reals nearly all, of a collapsed set one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ganvas import InputError, Watch, cli, evaluate, train
from ganvas.data import load
from ganvas.evaluation.stacked_mnist import of_reals
from ganvas.metrics.extractors import open_extractor
from ganvas.recipe import Recipe
from ganvas.recipe.sources import Images
from ganvas.systems.dcgan import DCGAN
from tests.conftest import SHARED, tiny
from tests.stacks import small_mnist


@pytest.fixture(autouse=True)
def _mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_mnist(tmp_path / "sets", monkeypatch)


def stacking(**changes: object) -> Recipe:
    system = DCGAN(size=16, g_width=4, d_width=4, latent=8)
    given: dict[str, object] = {"system": system, "data": Images(source="stacked-mnist"), "images": 16, **changes}
    return tiny(**given)


@pytest.mark.usefixtures("drawn")
def test_a_run_is_measured_by_its_modes() -> None:
    run = train(stacking(), name="r", watch=Watch(grid=(2, 2))).folder.path
    found = evaluate(run, fakes=100)
    assert [figure.measure for figure in found.figures] == ["modes", "modes covered", "modes KL"]
    assert "KL of about 4.995 in 100 images" in found.notes[-1]
    lines = [json.loads(line) for line in (run / "figures.jsonl").read_text().splitlines()]
    assert [line["measure"] for line in lines] == ["modes", "modes covered", "modes KL"]
    for line in lines:
        protocol = line["protocol"]
        assert (protocol["extractor"], protocol["fakes"], protocol["source"]) == ("digits", 100, "stacked-mnist")
        assert protocol["resize"] == "each channel for itself, bicubic with antialiasing to 28 px"
        assert line["low"] <= line["value"] <= line["high"]
    assert (run / "evaluation.png").is_file()
    assert evaluate(run, measures=["modes"], fakes=100).figures == found.figures


def test_a_collapsed_set_has_one_mode(capsys: pytest.CaptureFixture[str]) -> None:
    reals = load(Images(source="stacked-mnist-test"), size=28, channels=3).take(slice(None))
    np.savez("one.npz", np.repeat(reals[:1], 150, axis=0))
    found = evaluate("one.npz", against="stacked-mnist")
    assert found["modes"].value == found["modes covered"].value == 1
    assert found["modes KL"].value == pytest.approx(np.log(1000))
    assert cli.main(["evaluate", "stacked-mnist-test", "--against", "stacked-mnist"]) == 0
    assert "modes KL" in capsys.readouterr().out


def test_few_stacks_are_many_modes() -> None:
    found = of_reals(16, 200)
    # 200 draws of 1,000 hit 181 classes; a draw is rarely read as another's class.
    assert 160 < found["modes"] < 200
    assert found["modes covered"] == found["modes"]


@pytest.mark.skipif(not (SHARED / "data/mnist").is_dir(), reason="the shared MNIST files are not here")
@pytest.mark.parametrize("size", [16, 32])
def test_the_classifier_reads_real_stacks(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganvas.metrics.stacked_modes import as_digits, labels_of

    raw = tmp_path / "real" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (SHARED / "data/mnist").glob("*.gz"):
        (raw / path.name).symlink_to(path)
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "real"))
    stacks = load(Images(source="stacked-mnist-test"), size=size, channels=3)
    seen = labels_of(open_extractor("digits").extract(as_digits(stacks.take(slice(None)))).probabilities)
    assert (seen == stacks.labels).mean() > 0.96


def test_refused(capsys: pytest.CaptureFixture[str]) -> None:
    run = str(train(tiny(images=16), name="r", watch=Watch(grid=(2, 2))).folder.path)
    grey = stacking(system=DCGAN(size=16, channels=1, g_width=4, d_width=4, latent=8))
    other = str(train(grey, name="g", watch=Watch(grid=(2, 2))).folder.path)
    capsys.readouterr()
    for words, said in [
        ([run, "--measures", "modes"], "the reals here are digits"),
        ([other], "1 channels"),
        ([other, "--measures", "modes", "kid"], "ask for kid in another call"),
        ([other, "--extractor", "inception"], "not by inception"),
    ]:
        assert cli.main(["evaluate", *words, "--fakes", "50"]) == 2
        err = capsys.readouterr().err
        assert said in err
        assert len(err.strip().splitlines()) == 1
    with pytest.raises(InputError, match="not known"):
        evaluate("fakes.npz", measures=["modes"])
