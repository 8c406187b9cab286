"""Bad input to the verbs that judge and compare: one sentence each, nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ganvas import Images, InputError, Study, Watch, train
from ganvas.cli import main
from ganvas.recipe import Augment
from ganvas.runs.folder import RunFolder
from tests.conftest import TrainedRun, tiny


@pytest.fixture
def run(trained_run: TrainedRun) -> RunFolder:
    return trained_run(tiny("dcgan"), Watch(diagnose_every=16, checkpoint_seconds=1e9))


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(list(words)) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("ganvas: ")]
    return line


@pytest.mark.parametrize(
    "line", ["null", "5", '{"foo": 1}', '{"images": "x", "signals": {}}', '{"images":1,"signals":5}']
)
def test_a_damaged_line_of_the_log_is_as_good_as_none(run: RunFolder, line: str) -> None:
    run.log.write_text(run.log.read_text() + line + "\n")
    run.events.write_text(run.events.read_text() + "null\n")
    for words in (["runs"], ["diagnose", "runs/r"], ["compare", "runs/r"]):
        assert main(words) == 0, words


def test_an_event_of_divergence_without_its_place_is_no_reason_to_fail(run: RunFolder) -> None:
    run.events.write_text(run.events.read_text() + json.dumps({"event": "diverged"}) + "\n")
    assert main(["diagnose", "runs/r"]) == 0


def test_pictures_that_are_all_alike_can_be_trained_on() -> None:
    np.savez("same.npz", np.full((40, 16, 16), 7, np.uint8))
    for held_out in (0.0, 0.4):
        recipe = tiny("dcgan", data=Images(source="same.npz", held_out=held_out), batch_size=4, images=64)
        assert train(recipe, name=f"same{held_out}", watch=Watch(diagnose_every=8)).state == "finished"


def test_places_below_a_file_are_refused(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("")
    assert "file/x.png" in refused(capsys, "diagnose", "runs/r", "--out", "file/x.png")
    assert "file/x.html" in refused(capsys, "compare", "runs/r", "--out", "file/x.html")
    assert "ends in .png" in refused(capsys, "diagnose", "runs/r", "--out", "x.html")
    assert "ends in .html" in refused(capsys, "compare", "runs/r", "--out", "x.png")


def test_evaluate_refuses_what_cannot_be_computed(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "runs/r", "--extractor", "digits"]
    assert "'bogus'" in refused(capsys, *words, "--device", "bogus")
    assert "1,000,000" in refused(capsys, *words, "--fakes", "1000000000000")
    assert main([*words, "--fakes", "15"]) == 0
    assert "kid is left out" in capsys.readouterr().out


def test_the_best_of_memorization_is_that_of_the_run(run: RunFolder) -> None:
    np.savez("other.npz", np.random.default_rng(0).integers(0, 256, (40, 16, 16), np.uint8))
    words = ["evaluate", "runs/r", "--extractor", "digits", "--measures", "memorization", "--fakes", "30"]
    assert main([*words, "--against", "other.npz"]) == 0
    assert {figure["protocol"]["training"] for figure in run.read_figures()} == {1708}


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), -1.0])
def test_noise_that_is_no_number_is_refused(strength: float) -> None:
    with pytest.raises(InputError, match=r"--augment\.noise"):
        Augment(noise=strength)


def test_a_share_that_is_next_to_nothing_holds_nothing_out() -> None:
    assert train(tiny("mlp", data=Images(source="digits", held_out=1e-20)), name="x").state == "finished"


def test_an_extractor_needs_pictures_before_anything_is_written() -> None:
    np.savez("few.npz", np.random.default_rng(0).integers(0, 256, (10, 16, 16), np.uint8))
    recipe = tiny("dcgan", data=Images(source="few.npz", held_out=0), batch_size=2, images=16)
    with pytest.raises(InputError, match=r"--watch\.extractor digits needs 20 images"):
        train(recipe, name="few", watch=Watch(extractor="digits"))
    assert not Path("runs/few").exists()


@pytest.mark.parametrize(
    ("evaluate", "word"),
    [
        ({"extractor": "digit"}, "digits"),
        ({"measures": ["fdd"]}, "'fd'"),
        ({"which": "worst"}, "last, best"),
        ({"split": "test"}, "held-out"),
        ({"fakes": "abc"}, "'abc'"),
    ],
)
def test_a_study_is_refused_before_its_training(evaluate: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        Study(recipe=tiny(), evaluate=evaluate)


def test_seeds_and_epochs_are_numbers() -> None:
    for wrong in ({"seeds": (True,)}, {"at": (True,)}, {"name": "a\0b"}):
        with pytest.raises(InputError):
            Study(recipe=tiny(), **wrong)  # type: ignore[arg-type]
