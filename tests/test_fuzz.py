"""The fuzzer of the command line: it sees every kind of fault, and all its generators still make their cases."""

from __future__ import annotations

import importlib
import importlib.util
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from benchmarks.fuzz.__main__ import LATE, kinds
from benchmarks.fuzz.ground import Attack, Ground
from benchmarks.fuzz.judge import Answer, judge, snapshot
from benchmarks.fuzz.kills import JOBS
from benchmarks.fuzz.stock import RUNS, Stock

from tests.conftest import ROOT, TrainedRun, tiny

NEEDS_PROC = pytest.mark.skipif(sys.platform != "linux", reason="forks and limits as Linux has them")


class OneRun(Stock):
    """A stock whose runs are all the same one, which another test may have trained already."""

    def run(self, kind: str) -> Path:
        """The one run."""
        assert kind in RUNS
        return Path("runs/r").resolve() if Path("runs/r").exists() else self.folder / "r"


def fuzz(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.fuzz", *words]
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, capture_output=True, text=True, timeout=600, cwd=ROOT, env=environment, check=False)


@NEEDS_PROC
def test_every_planted_fault_is_found() -> None:
    done = fuzz("--selfcheck")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("PASS\n")


@NEEDS_PROC
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the films are made by ffmpeg")
def test_every_kind_makes_its_cases(tmp_path: Path, trained_run: TrainedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    stock = OneRun(tmp_path)
    trained_run(tiny()).path.rename(tmp_path / "r")
    for kind in kinds():
        make = importlib.import_module(f"benchmarks.fuzz.kinds.{kind}").make
        for number in range(2):
            ground = Ground(tmp_path / f"{kind}-{number}", stock)
            ground.prepare()
            monkeypatch.chdir(ground.place)
            attack = make(ground, random.Random(f"0 {kind}:{number}"))
            assert attack.what
            assert all("\0" not in word for word in attack.argv)


def test_what_it_imports_and_trains_exists() -> None:
    from ganvas.cli._flags import parse

    for name in LATE:
        assert importlib.util.find_spec(name), name
    for words in (*(("train", *words) for words in RUNS.values()), *(job.words for job in JOBS.values())):
        if words[0] == "train":
            parse("train", list(words[1:]))


def judged(tmp_path: Path, err: str, code: int = 2, trace: str = "", argv: Sequence[str] = ("runs",)) -> list[str]:
    ground = Ground(tmp_path / "ground", Stock(tmp_path))
    ground.prepare()
    state = snapshot(ground.root)
    answer = Answer(code, 0.1, 0.1, False, 0, b"", err.encode(), trace)
    return [fault.kind for fault in judge(Attack("x", argv), answer, ground, state, state)]


@pytest.mark.parametrize(
    ("err", "faults"),
    [
        ("ganvas: the run x does not exist; train it first.\n", []),
        ("a note\nganvas: the run x does not exist; train it first.\n", []),
        ("ganvas: the run x does not exist; train it first\n", ["sentence"]),
        ("ganvas: the run x does not exist.\n", ["sentence"]),
        ("usage: ganvas\n", ["sentence"]),
        ("", ["sentence"]),
        ("ganvas: the run \x9b31m does not exist; train it first.\n", ["escape"]),
        ("x.py:1: UserWarning: old\nganvas: the run x does not exist; train it first.\n", ["sentence"]),
        ("Traceback (most recent call last):\n  File\nKeyError: 1\n", ["traceback"]),
    ],
)
def test_a_refusal_is_one_sentence_with_a_remedy(tmp_path: Path, err: str, faults: list[str]) -> None:
    assert judged(tmp_path, err) == faults


@pytest.mark.slow
@NEEDS_PROC
def test_cases_of_every_kind_run(tmp_path: Path) -> None:
    done = fuzz("--cases", "30", "--out", str(tmp_path / "found.json"))
    assert done.returncode in (0, 1), done.stdout + done.stderr
    assert "not made" not in done.stdout
