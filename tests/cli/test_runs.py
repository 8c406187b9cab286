"""The list of runs: whole names, JSON, and the disk space that it frees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import ganvas
from ganvas import Watch, train
from ganvas.runs.folder import RunFolder
from ganvas.runs.record import Record
from ganvas.runs.tidying import superseded
from tests.conftest import Cli, TrainedRun, assert_refused, tiny
from tests.reports.runs import made


def test_names_are_whole_at_any_width(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    names = [f"{'long-' * 20}{number}" for number in range(2)]
    for name in names:
        made(name)
    printed = cli("runs").stdout
    assert all(name in printed for name in names)
    assert len(printed.splitlines()) == 3


def test_json_is_the_same_list(cli: Cli) -> None:
    made("a")
    made("b", seed=3).add_event("diverged", images=96, term="d/adversarial")
    made("c").recipe.write_text("{")
    found = {run["name"]: run for run in json.loads(cli("runs", "--json").stdout)}
    assert found["a"]["state"] == "finished"
    assert (found["a"]["images_seen"], found["a"]["images"], found["a"]["data"]) == (400, 400, "digits")
    assert (found["b"]["state"], found["b"]["seed"], found["b"]["path"]) == ("diverged", 3, str(Path("runs/b")))
    assert found["c"]["state"] == "broken"
    assert "recipe.json cannot be read" in found["c"]["about"]


def test_the_runs_of_a_study_are_listed_too(cli: Cli) -> None:
    made("single")
    made("study/seed-0")
    made("study/seed-1").recipe.write_text("{")
    Path("runs/study/study.json").write_text("{}")
    Path("runs/notes.txt").write_text("mine")
    found = {run["name"]: run for run in json.loads(cli("runs", "--json").stdout)}
    assert {name: run["state"] for name, run in found.items()} == {
        "single": "finished",
        "study/seed-0": "finished",
        "study/seed-1": "broken",
    }
    assert all(run["path"] == str(Path("runs", name)) for name, run in found.items())
    printed = cli("runs").stdout
    assert all(name in printed for name in found)


def test_one_run_is_a_list_of_one(cli: Cli) -> None:
    made("a")
    made("broken").recipe.write_text("{")
    for name, state in (("a", "finished"), ("broken", "broken")):
        (found,) = json.loads(cli("runs", f"runs/{name}", "--json").stdout)
        assert (found["name"], found["path"], found["state"]) == (name, str(Path("runs", name)), state)
        assert state in cli("runs", f"runs/{name}").stdout


@pytest.fixture
def run(trained_run: TrainedRun) -> RunFolder:
    """A finished run with a spare of its last state, two kept states and a leftover."""
    folder = trained_run(tiny(), Watch(measure_every=64))
    (last,) = folder.states()
    for name in ("000000000176", "kept-000000000096"):
        shutil.copy(last, last.with_stem(name))
    (folder.samples / ".0.png.part").write_bytes(b"torn")
    return folder


def files(folder: RunFolder) -> set[str]:
    return {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()}


def test_tidying_says_what_it_would_delete_and_deletes_nothing_unasked(run: RunFolder, cli: Cli) -> None:
    before = files(run)
    done = cli("runs", "--tidy")
    assert_refused(done, "nothing was deleted; add --yes", "MB")
    assert "checkpoints/000000000176.safetensors, samples/.0.png.part" in done.stdout
    assert files(run) == before


def test_a_tidied_run_opens_resumes_and_lengthens(run: RunFolder, cli: Cli) -> None:
    before, expected = files(run), ganvas.open(run.path).generate(3)
    done = cli("runs", "--tidy", "--yes")
    assert done.returncode == 0, done.stderr
    assert before - files(run) == {"checkpoints/000000000176.safetensors", "samples/.0.png.part"}
    assert (ganvas.open(run.path).generate(3) == expected).all()
    train(tiny(images=16 * 14), name="r")
    train(tiny(images=16 * 14), name="whole")
    lengthened, whole = (ganvas.open(f"runs/{name}").generate(3) for name in ("r", "whole"))
    assert (lengthened == whole).all()
    assert "nothing to delete" not in cli("runs", "--tidy").stdout  # its last state has a spare again


def test_kept_states_go_only_when_asked_for(run: RunFolder, cli: Cli) -> None:
    done = cli("runs", "--tidy", "--kept", "--yes")
    assert "can then no longer be opened or evaluated" in done.stdout
    left = {name for name in files(run) if name.startswith("checkpoints/")}
    assert left == {"checkpoints/000000000192.safetensors", "checkpoints/best.safetensors"}
    assert cli("runs", "--tidy", "--kept").stdout.startswith("nothing to delete")


def test_a_spare_stays_where_the_last_state_is_damaged_or_the_run_goes_on(run: RunFolder) -> None:
    last = run.states()[0]
    sound = last.read_bytes()
    last.write_bytes(sound[:100])
    assert [path.name for path in superseded(Record(run))] == [".0.png.part"]
    last.write_bytes(sound)
    run.add_event("resumed", images=192)
    assert superseded(Record(run)) == []
