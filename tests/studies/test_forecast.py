"""What a study is said to take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ganvas import Host, Study, cli
from ganvas.experiment.cost import Cost
from ganvas.recipe.serialization import to_plain
from ganvas.studies import forecast
from ganvas.studies.forecasting import _evaluations
from ganvas.studies.processes import FORKS
from ganvas.studies.run_jobs import jobs_of
from ganvas.studies.study import to_text
from tests.conftest import enlarging, tiny, write_photographs


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = Cost(images_per_second=100.0, seconds=0.0, memory=0, disk=0, batch=2)
    monkeypatch.setattr("ganvas.studies.forecasting._start", lambda: 5.0)
    monkeypatch.setattr("ganvas.studies.forecasting.estimate_cost", lambda *args, **options: cost)


def plan(**evaluate: object) -> Study:
    return Study(recipe=tiny(images=320), name="s", vary={"adam_g.lr": [2e-4]}, evaluate=evaluate)


def test_starting_and_judging_are_forecast(capsys: pytest.CaptureFixture[str]) -> None:
    study = plan(extractor="digits", fakes=500, which=["last", "best"])
    (one,) = forecast(study, Host())
    assert (one.left, one.start) == (320, 5.0 if FORKS else 15.0)  # one training, two states judged
    assert one.training == 3.2
    assert one.judging > 0
    assert one.seconds == one.training + one.start + one.judging
    Path("s.json").write_text(to_text(study))
    assert cli.main(["study", "s.json", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "judging" in said
    assert "with starting and judging" in said


def test_what_all_are_forked_from_starts_once() -> None:
    assert [one.start for one in forecast(replace(plan(), seeds=(0, 1)), Host())] == [5.0, 0.0 if FORKS else 5.0]


def test_nothing_is_judged_where_nothing_is_asked_for() -> None:
    (one,) = forecast(plan(), Host())
    assert (one.judging, one.start) == (0.0, 5.0)


def test_what_is_done_takes_no_time() -> None:
    study = plan(extractor="digits", which="last")
    (job,) = jobs_of(study, "runs")
    job.folder.path.mkdir(parents=True)
    job.folder.recipe.write_text(json.dumps(to_plain(job.recipe)))
    job.folder.add_log({"images": 320})
    job.folder.add_event("finished", images=320)
    assert _evaluations(study, job) == 1
    job.folder.add_figure(
        {"measure": "KID", "value": 1.0, "state": "last", "images_seen": 320, "asked": {"extractor": "digits"}}
    )
    assert _evaluations(study, job) == 0


def test_scoring_on_test_sets_is_forecast() -> None:
    write_photographs(Path("photos"), 3)
    recipe = replace(enlarging(Path("photos")), images=48)
    (one,) = forecast(Study(recipe=recipe, name="s", evaluate={"on": ["photos"]}), Host())
    assert one.judging > 0
