"""ganvas augment from end to end, small: what it leaves on the disk, and that it goes on where it stopped."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas import progress
from ganvas.cli import main
from ganvas.data import load
from ganvas.experiment import Outcome
from ganvas.recipe import Recipe
from ganvas.recipe.sources import Images
from ganvas.runs.folder import RunFolder
from ganvas.studies.synthetic import pipeline
from ganvas.studies.synthetic.benefit import ARMS
from ganvas.studies.synthetic.fakes import Candidates, open_gan
from ganvas.studies.synthetic.filtering import FilterResult
from ganvas.studies.synthetic.output_folder import OutputFolder
from ganvas.studies.synthetic.pipeline import AugmentResult
from ganvas.studies.synthetic.reals import read_reals
from ganvas.studies.synthetic.settings import SyntheticSettings
from ganvas.training.loop import Diverged
from tests.studies.synthetic.test_parts import benefit

SMALL = ["--per-class", "3", "--real-per-class", "8", "--images", "256", "--updates", "1", "--seeds", "2"]
LOOSE = ["--confidence", "0", "--copies", "0", "--candidates", "2", "--device", "cpu"]


@pytest.fixture(scope="module")
def extra(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("augment") / "extra"
    assert main(["augment", "digits", *SMALL, *LOOSE, "--out", str(out)]) in (0, 3)
    return out


def manifest(extra: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (extra / "manifest.jsonl").read_text().splitlines()]


def test_every_picture_stands_in_its_class_and_in_the_manifest(extra: Path) -> None:
    lines = manifest(extra)
    files = sorted(path.relative_to(extra).as_posix() for path in extra.glob("pictures/*/*.png"))
    assert sorted(str(line["file"]) for line in lines) == files
    assert len(lines) == 30
    assert {line["class"] for line in lines} == set("0123456789")
    for line in lines:
        assert str(line["file"]).startswith(f"pictures/{line['class']}/")
        assert line["seed"] == 0
        assert line["images"] == 256
        assert isinstance(line["realness"], float)
        assert 0 <= line["confidence"] <= 1  # type: ignore[operator]
        assert 0 <= line["distance"] <= 1  # type: ignore[operator]


def test_the_folder_of_pictures_is_a_source_with_the_same_classes(extra: Path) -> None:
    found = load(Images(source=str(extra / "pictures")), size=16, channels=1)
    assert found.classes == tuple("0123456789")
    assert len(found) == 30


def test_each_picture_can_be_made_again_and_says_that_it_is_synthetic(extra: Path) -> None:
    line = manifest(extra)[-1]
    again = ganvas.open(extra / "generator").generate(int(line["index"]) + 1)  # type: ignore[call-overload, union-attr]
    with Image.open(extra / str(line["file"])) as picture:
        assert np.array_equal(np.asarray(picture), again[-1, ..., 0])
        assert picture.text["DigitalSourceType"] == "trainedAlgorithmicMedia"  # type: ignore[attr-defined]


def test_the_generator_sees_no_test_picture(extra: Path) -> None:
    reals = read_reals(SyntheticSettings(source="digits", per_class=3, real_per_class=8), 16, 1)
    kept = load(Images(source=str(extra / "reals.npz"), held_out=0), size=16, channels=1)
    assert np.array_equal(kept.images, reals.train.images)
    assert json.loads((extra / "generator" / "recipe.json").read_text())["data"]["source"] == str(extra / "reals.npz")
    learnt = {picture.tobytes() for picture in kept.images}
    assert not learnt & {picture.tobytes() for picture in reals.test.images}
    assert len(reals.test) + reals.shared == 359


def test_the_report_and_the_figures_have_every_arm(extra: Path) -> None:
    figures = [json.loads(line) for line in (extra / "figures.jsonl").read_text().splitlines()]
    whole = [line for line in figures if line["protocol"]["class"] == "all"]
    assert [line["protocol"]["arm"] for line in whole if line["measure"] == "accuracy"] == list(ARMS)
    assert all(line["low"] <= line["value"] <= line["high"] for line in figures)
    report = (extra / "report.md").read_text()
    assert all(arm in report for arm in ARMS)
    assert "Copy: off (--copies 0)" in report
    assert "Unsure: off (--confidence 0)" in report
    with Image.open(extra / "report.png") as picture:
        assert picture.width > 1000


def test_the_same_command_does_nothing_twice(extra: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = sorted([*extra.glob("judging/*/*.npy"), *extra.glob("generator/*.safetensors")])
    assert len(kept) == len(ARMS) * 2 + 1
    before = [path.stat().st_mtime_ns for path in kept]
    settings = extra / "settings.json"  # as it was written before the class had its present name
    settings.write_text(settings.read_text().replace('"SyntheticSettings"', '"Settings"'))
    report = (extra / "report.md").read_text()
    assert main(["augment", "digits", *SMALL, *LOOSE, "--out", str(extra)]) in (0, 3)
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert (extra / "report.md").read_text() == report
    said, told = capsys.readouterr()
    assert "plan: a generator on 256 images, then 60 candidates, then 5 x 2 classifiers of 1 updates" in told
    assert "Student's factor is 12.7 at 2 seeds" in told
    assert "would lengthen it" not in told
    assert "left" not in told  # nothing was evaluated again
    assert "real + flips/crops" in said
    assert "other images than the classifiers" not in said


def test_a_generator_is_trained_further_and_what_it_made_before_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    def command(images: int) -> int:
        given = [*SMALL, *LOOSE, "--images", str(images), "--copies", "0.2", "--candidates", "4"]
        return main(["augment", "digits", *given, "--out", "extra"])

    extra = Path("extra")
    assert command(256) in (0, 3)
    mine = extra / "pictures" / "0" / "mine.png"
    mine.write_bytes(b"")
    before = manifest(extra)
    stale = Path("extra/report.md").read_text()
    capsys.readouterr()
    assert command(512) in (0, 3)
    assert "resuming extra/generator at image 256" in capsys.readouterr().err
    after = manifest(extra)
    assert {line["images"] for line in after} == {512}
    assert {line["weights"] for line in after}.isdisjoint(line["weights"] for line in before)
    assert {line["file"] for line in before} - {line["file"] for line in after}  # some that were accepted are no more
    files = {path.relative_to(extra).as_posix() for path in extra.glob("pictures/*/*.png")} - {"pictures/0/mine.png"}
    assert files == {line["file"] for line in after}
    assert mine.exists()
    assert (extra / "report.md").read_text() != stale
    assert command(256) == 2
    assert "was started with other settings (images: 512 -> 256)" in capsys.readouterr().err
    (extra / "report.md").unlink()
    (extra / "report.md").mkdir()
    assert command(768) == 2
    assert "cannot delete extra/report.md" in capsys.readouterr().err
    (extra / "report.md").rmdir()
    assert command(768) in (0, 3)
    assert {line["images"] for line in manifest(extra)} == {768}


def test_a_longer_training_that_did_not_begin_is_forgotten(extra: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["augment", "digits", *SMALL, *LOOSE, "--out", str(extra)]
    whole = ((extra / "report.md").read_text(), manifest(extra))

    def interrupted(*_: object) -> Outcome:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "train_generator", interrupted)
        assert main([*words, "--images", "2000000"]) == 130
        given = [word for word in words if word not in ("--images", "256")]
        assert main(given) == 130  # 200,000, by default
    assert main(words) in (0, 3)
    assert ((extra / "report.md").read_text(), manifest(extra)) == whole


def test_other_settings_are_refused(extra: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["augment", "digits", *SMALL, *LOOSE, "--per-class", "2", "--out", str(extra)]) == 2
    said = capsys.readouterr().err
    assert "was started with other settings (per_class: 3 -> 2)" in said
    assert f"--model {extra / 'generator'}" in said


def test_a_model_serves_again_and_one_without_d_says_so(
    extra: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["augment", "digits", "--per-class", "2", "--real-per-class", "4", "--updates", "1", "--seeds", "2", *LOOSE]
    model = extra / "generator" / "model.safetensors"
    assert open_gan(extra / "generator", "cpu").d is not None
    monkeypatch.setattr(progress, "SILENCE", 0.0)
    assert main([*words, "--model", str(model), "--out", "again"]) in (0, 3)
    said, told = capsys.readouterr()
    assert re.search(r"1/10 real, seed 0, \d:\d\d:\d\d left", told)
    assert "candidates 100%" in told  # it is said while it is made, where there is no terminal
    assert "classifiers 1/10, left" in told
    assert "has no D" in said
    assert "The model was trained on other images than the classifiers" in said
    assert manifest(Path("again"))[0]["realness"] is None


def test_classes_without_a_candidate_are_all_named(
    extra: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = pipeline.filter_candidates

    def strict(candidates: Candidates, confidence: np.ndarray, *of: object) -> FilterResult:
        return real(candidates, np.where(np.isin(candidates.made.labels, [2, 7]), 0.0, 1.0), *of)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "filter_candidates", strict)
    words = [word for word in SMALL if word not in ("--images", "256")]
    given = [*words, "--copies", "0", "--device", "cpu", "--model", str(extra / "generator"), "--out", "poor"]
    assert main(["augment", "digits", *given]) == 2
    said = capsys.readouterr().err
    assert "no candidate of 2 of 10 classes (2, 7) passed the filter (0 copy, 30 unsure, 0 unreal)" in said
    assert "what passed of the others is in poor/pictures" in said
    assert f"use the same generator again with --model {extra / 'generator'} --out poor-2 --confidence 0." in said
    assert list(Path("poor/pictures").glob("*/*.png"))
    assert not list(Path("poor/pictures/2").glob("*.png"))


@pytest.mark.parametrize(("right", "code"), [(0.9, 0), (0.5, 3), (0.1, 3)])
def test_the_exit_code_tells_a_script(
    extra: Path, right: float, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = pipeline.augment

    def judged(settings: SyntheticSettings, **options: object) -> AugmentResult:
        found = real(settings, **options)  # type: ignore[arg-type]
        return AugmentResult(OutputFolder(extra), found.filtered, benefit(right))

    monkeypatch.setattr(pipeline, "augment", judged)
    assert main(["augment", "digits", *SMALL, *LOOSE, "--out", str(extra)]) == code
    said = capsys.readouterr().out
    assert ("The fakes help:" in said) == (code == 0)


def test_a_stopped_and_a_diverged_training_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(recipe: Recipe, folder: Path, device: str, console: object) -> Outcome:
        return Outcome(RunFolder(folder), "stopped", 64, signal=15)

    def diverge(recipe: Recipe, folder: Path, device: str, console: object) -> Outcome:
        raise Diverged(64, "d/adversarial")

    monkeypatch.setattr(pipeline, "train_generator", stop)
    assert main(["augment", "digits", *SMALL, "--out", "extra"]) == 128 + 15
    assert "repeat the command to continue" in capsys.readouterr().err
    monkeypatch.setattr(pipeline, "train_generator", diverge)
    assert main(["augment", "digits", *SMALL, "--out", "extra"]) == 1
    assert "the generator diverged: d/adversarial is not finite" in capsys.readouterr().err
