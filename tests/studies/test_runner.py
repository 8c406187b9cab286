"""A study survives what happens to its runs: divergence, kills, Ctrl-C, changed settings."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from sklearn.datasets import load_digits

from ganvas import Host, InputError, Study, Watch, cli, run_study, train
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.studies.processes import Processes
from ganvas.studies.run_jobs import evaluations, jobs_of
from ganvas.studies.study import to_text
from tests.conftest import same, tiny
from tests.processes import children, ganvas

DIVERGING, SOUND = "adam_g.lr=1e+30-seed0", "adam_g.lr=0.0002-seed0"


def plan(images: int) -> Study:
    recipe = tiny(images=images)
    study = Study(recipe=recipe, name="s", vary={"adam_g.lr": [1e30, 2e-4]})
    Path("s.json").write_text(to_text(study))
    return study


def outcome_of(study: Study, jobs: int = 1) -> tuple[tuple[str, ...], str]:
    console = Console(file=io.StringIO(), width=200)
    ended = run_study(study, jobs=jobs, console=console)
    assert ended.page.is_file()
    return ended.failures, console.file.getvalue()  # type: ignore[attr-defined]


def test_one_run_diverges_the_others_are_trained_and_compared() -> None:
    failures, said = outcome_of(plan(320), jobs=2)
    assert failures == (f"{DIVERGING}: diverged",)
    assert sorted(line.split()[2].rstrip(":") for line in said.splitlines()) == ["diverged", "finished"]
    before = RunFolder(f"runs/s/{SOUND}").model.stat().st_mtime_ns
    torn = [Path(f"runs/s/.{name}.0123abcd.part") for name in ("study.json", "comparison.html")]  # left by a kill
    for part in torn:
        part.touch()
    failures, said = outcome_of(plan(320))
    assert not any(part.exists() for part in torn)
    assert failures == (f"{DIVERGING}: diverged",)  # and is not tried again
    assert f"{SOUND}  already finished" in said
    assert RunFolder(f"runs/s/{SOUND}").model.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGKILL, -9, marks=pytest.mark.slow)]
)
def test_a_study_interrupted_inside_a_run_loses_nothing(number: signal.Signals, code: int) -> None:
    study = replace(plan(1_600), vary={"adam_g.lr": [2e-4]})
    Path("s.json").write_text(to_text(study))
    process = ganvas("study", "s.json")
    folder = RunFolder(f"runs/s/{SOUND}")
    while not folder.log.exists() and process.poll() is None:
        time.sleep(0.02)
    (server,) = children(process.pid)
    process.send_signal(number)
    assert process.wait() == code
    while Path(f"/proc/{server}").exists():  # a zombie, if nobody takes orphans in, ends with the test
        if "State:\tZ" in Path(f"/proc/{server}/status").read_text():
            break
        time.sleep(0.02)
    while folder.is_training():  # the child sees that its study has gone, and stops by itself
        time.sleep(0.02)
    stopped = folder.read_events()[-1]
    assert stopped["event"] == "stopped"
    assert 0 < stopped["images"] < 1_600
    failures, _ = outcome_of(study)
    assert failures == ()
    events = [event["event"] for event in folder.read_events() if event["event"] != "verdict"]
    assert events == ["started", "stopped", "resumed", "finished"]
    train(study.runs()[SOUND], name="whole", watch=Watch(checkpoint_seconds=1e9))
    assert same(checkpoint.load(folder.model)[0], checkpoint.load(RunFolder("runs/whole").model)[0])


def test_a_stopped_run_is_not_reported_as_finished(processes: Processes) -> None:
    def stop_it() -> None:
        folder = RunFolder(f"runs/s/{SOUND}")
        while not folder.log.exists():
            time.sleep(0.02)
        assert processes._server
        os.kill(*children(processes._server.process.pid), signal.SIGTERM)

    study = replace(plan(1_600), vary={"adam_g.lr": [2e-4]})
    threading.Thread(target=stop_it, daemon=True).start()
    failures, said = outcome_of(study)
    assert len(failures) == 1
    assert "stopped at image" in said
    assert "finished" not in said
    assert outcome_of(study)[0] == ()


def test_a_shorter_run_is_the_beginning_of_a_longer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(recipe=tiny(batch_size=64), name="s", at=(1, 2), evaluate={"extractor": "digits", "which": ["best"]})
    (job,) = jobs_of(study, "runs")
    assert job.recipe.images == 2 * job.dataset_size
    folder = job.folder
    train(job.recipe, name="seed0", watch=Watch(keep_every=job.dataset_size), host=Host(runs="runs/s"))
    kept, best = evaluations(study, job)
    assert kept[:2] == ["evaluate", str(sorted(folder.checkpoints.glob("kept-*"))[0])]
    assert best == ["evaluate", str(folder.path), "--which", "best", "--extractor", "digits"]
    measured = checkpoint.about(folder.checkpoints / "best.safetensors")["images"]
    figure = {"state": "best", "images": measured, "asked": {"extractor": "digits"}}
    folder.figures.write_text(json.dumps(figure) + "\n")
    assert list(evaluations(study, job)) == [kept]
    assert list(evaluations(replace(study, evaluate={"extractor": "digits", "measures": ["kid"]}), job)) != [kept]
    short = replace(job.recipe, images=job.dataset_size)
    train(short, name="short")
    tensors, about = checkpoint.load(Path(kept[1]))
    alone = checkpoint.load(RunFolder("runs/short").states()[0])
    assert about["images"] == alone[1]["images"]
    assert same(tensors, alone[0])


def test_figures_against_other_images_are_other_figures() -> None:
    np.savez("unseen.npz", load_digits().images[:100].astype(np.uint8)[..., None] * 15)
    asked = {"against": "unseen.npz", "extractor": "digits", "fakes": 100, "measures": ["kid"]}
    study = Study(recipe=tiny("dcgan", images=64), name="s", evaluate=asked)
    own = replace(study, evaluate={key: value for key, value in asked.items() if key != "against"})
    (job,) = jobs_of(study, "runs")
    train(job.recipe, name="seed0", host=Host(runs="runs/s"), watch=Watch(checkpoint_seconds=1e9))
    (left,) = evaluations(study, job)
    assert cli.main(left) == 0
    assert list(evaluations(study, job)) == []
    (figure,) = job.folder.read_figures()
    assert figure["protocol"]["source"] == "unseen.npz"
    assert len(list(evaluations(own, job))) == 1


def test_another_study_of_the_same_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    study = plan(320)
    train(study.runs()[SOUND], name=SOUND, host=Host(runs="runs/s"))
    Path("s.json").write_text(to_text(replace(study, recipe=tiny(images=320, batch_size=32))))
    assert cli.main(["study", "s.json"]) == 2
    said = capsys.readouterr().err
    assert "batch_size: 16 -> 32" in said
    assert "another name" in said


def test_a_run_that_another_process_trains_is_a_failure_of_its_own() -> None:
    study = replace(plan(320), vary={})
    with RunFolder("runs/s/seed0").lock():
        console = Console(file=io.StringIO(), width=200)
        ended = run_study(study, console=console)
    assert ended.comparison is None
    assert "being trained by another process" in ended.failures[0]


def test_a_dry_run_writes_nothing_and_prints_what_remains(capsys: pytest.CaptureFixture[str]) -> None:
    study = plan(320)
    assert cli.main(["study", "s.json", "--dry-run", "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert not Path("runs").exists()
    for name in study.runs():
        assert name in said
    assert "2 runs: " in said
    assert "--jobs 2" in said


def test_no_jobs_are_refused() -> None:
    with pytest.raises(InputError, match="--jobs must be at least 1; got 0"):
        run_study(plan(320), jobs=0)
