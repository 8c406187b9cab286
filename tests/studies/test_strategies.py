"""The study of the strategies: fair, scored, resumable, and on one page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganvas import Host, InputError, Watch, cli, compare, train
from ganvas.evaluation.pairs import score
from ganvas.recipe import WHOLE, Schedule
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.sources import Crops
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.studies import read_study, strategies
from ganvas.studies.presets import STRATEGIES, at_length, study_of
from ganvas.studies.run_jobs import evaluations, jobs_of
from ganvas.studies.side_by_side import references, side_by_side
from ganvas.studies.study import to_text
from ganvas.systems import named_recipe
from tests.conftest import tiny
from tests.photos import SYSTEM, tiny_srgan, write_photos

FIELDS = {"system.blocks": 1, "system.g_width": 4}


def test_four_strategies_on_one_budget() -> None:
    study = strategies(data=write_photos(), images=2_000, seeds=(0, 7), on=(), changes=FIELDS)
    runs = study.runs()
    assert list(runs) == [f"{name}-seed{seed}" for name in STRATEGIES for seed in (0, 7)]
    for recipe in runs.values():
        assert (recipe.images, recipe.system.blocks, recipe.data.source) == (2_000, 1, "photos")  # type: ignore[attr-defined, union-attr]
        # A tenth of the rate half-way, as in the recipes.
        assert recipe.adam_g.lr == recipe.adam_d.lr == Ramp(1e-4, 1e-5, 1_000, "step")
    assert [runs[f"{name}-seed0"].schedule.pretrain for name in STRATEGIES] == [0, 1_000, 1_000, 1_000]
    assert runs["srresnet-g1d2-seed0"].schedule.d_per_g == 2
    for name in STRATEGIES:
        assert runs[f"{name}-seed7"].reconstruction == named_recipe(name).reconstruction


def test_the_study_reads_back_from_its_file() -> None:
    study = strategies(data=write_photos(), images=800, on=[write_photos("pictures")], extractor="efficientnet-lite0")
    Path("study.json").write_text(to_text(study))
    assert read_study("study.json").runs() == study.runs()
    assert read_study("study.json").sets == ("pictures",)


def test_another_length_keeps_the_shares() -> None:
    recipe = tiny_srgan(images=640, schedule=Schedule(pretrain=WHOLE, freeze_d=(64, 128)))
    assert at_length(recipe, 320).schedule == Schedule(pretrain=WHOLE, freeze_d=(32, 64))
    assert at_length(at_length(named_recipe("srgan-pretrain"), 2_432), 243_200) == named_recipe("srgan-pretrain")


REFUSED = {
    "unknown set": (["--on", "Set6"], ["'Set6'"]),
    "unknown field": (["--set", "system.block=4"], ["'system.block'", "'system.blocks'"]),
    "no value": (["--set", "system.blocks"], ["--set system.blocks"]),
    "value that does not fit": (["--set", "batch_size=many"], ["batch_size"]),
    "no images": (["--images", "0"], ["--images must be at least one batch; got 0"]),
    "one seed twice": (["--seeds", "1", "1"], ["[1, 1]"]),
    "one set twice": (["--on", "pictures", "./pictures"], ["twice"]),
    "unknown extractor": (["--extractor", "vgg16"], ["'vgg16'"]),
    "data that are absent": (["--data", "nowhere"], ["nowhere"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    words, said = REFUSED[case]
    write_photos(), write_photos("pictures", count=1)
    given = [] if "--on" in words else ["--on", "pictures"]
    data = [] if "--data" in words else ["--data", "photos"]
    assert cli.main(["study", "strategies", *data, *given, *words]) == 2
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1, err
    for word in said:
        assert word in err
    assert not Path("runs").exists()


def test_flags_of_a_named_study_are_refused_with_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("s.json").write_text(json.dumps({"recipe": "dcgan-digits"}))
    assert cli.main(["study", "s.json", "--images", "100"]) == 2
    assert "--images is for ganvas study strategies" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": Crops(source="others")}, "the data"),
        ({"images": 640}, "images 640"),
        ({"batch_size": 4}, "batch_size 4"),
        ({"system": replace(SYSTEM, scale=2)}, "the scale 2"),
    ],
)
def test_an_unfair_comparison_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=f"b has {said}"):
        study_of({"a": tiny_srgan(), "b": tiny_srgan(**changes)}, name="r", seeds=[0])


@pytest.mark.parametrize(
    ("evaluate", "said"),
    [
        ({"on": []}, "evaluate.on []"),
        ({"on": 3}, "evaluate.on 3"),
        ({"on": "pictures", "fakes": 10}, "evaluate.fakes"),
    ],
)
def test_an_unsound_evaluation_is_refused(evaluate: dict[str, object], said: str) -> None:
    study = study_of({"a": tiny_srgan()}, name="r", seeds=[0])
    with pytest.raises(InputError, match=re.escape(said)):
        replace(study, evaluate=evaluate)


def test_test_sets_need_originals() -> None:
    with pytest.raises(InputError, match="no originals to compare with"):
        study_of({"a": tiny()}, name="r", seeds=[0], on=["Set5"])
    with pytest.raises(InputError, match="no recipe"):
        study_of({}, name="r", seeds=[0])


def run_it() -> tuple[Path, str]:
    """A study of two, trained and scored in this process; returns the study's folder and the page."""
    pictures = write_photos("pictures", count=3)
    photos = write_photos()
    recipes = {"plain": tiny_srgan(photos), "game": tiny_srgan(photos, schedule=Schedule())}
    study = study_of(recipes, name="r", seeds=[0, 1], on=[pictures])
    where = Path("runs/r")
    jobs = jobs_of(study, "runs")
    for job in jobs:
        watch = Watch(measure_every=32, sample_epochs=4)
        train(job.recipe, name=job.name, watch=watch, host=Host(runs=str(where)))
        assert list(evaluations(study, job)) == [
            ["evaluate", str(job.folder.path), "--which", "last", "--on", "pictures", "--seed", "0"]
        ]
        score(job.folder.path, study.sets)
        assert list(evaluations(study, job)) == []  # done once
    held = references(study, where)
    before = (where / "references.json").stat().st_mtime_ns
    assert references(study, where) == held
    assert (where / "references.json").stat().st_mtime_ns == before
    rows = side_by_side(study, jobs, where)
    assert rows
    for row in rows:
        assert list(row.images) == ["bicubic", "plain", "game", "original"]
        assert {picture.size for picture in row.images.values()} == {(80, 76)}
        assert set(row.scores) == {"bicubic", "plain", "game"}
    compare([where], out="page.html", references=held, rows=rows)
    return where, Path("page.html").read_text()


def test_the_page() -> None:
    where, text = run_it()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    data = json.loads(found[1])
    titles = [plane["title"] for plane in data["planes"]]
    assert "Side by side" in text
    assert text.count("bicubic: ") >= 4  # in the cards of the measures
    assert not re.search(r"https?:|//cdn|@import|<link|<iframe", text)
    # Sheets of low, enlarged and original crops: only the enlarged are the runs' own.
    assert (data["strips"]["rows"], data["strips"]["columns"]) == (1, 2)
    pytest.importorskip("stlpips_pytorch", reason="needs the package stlpips-pytorch")
    assert titles == ["ST-LPIPS on held-out crops, over training", "ST-LPIPS on pictures"]
    paths, ends = data["planes"]
    assert [len(series["points"]) for series in paths["series"]] == [4] * 4
    assert paths["reference"]["name"] == "bicubic"
    for plane in (paths, ends):
        assert {series["variant"] for series in plane["series"]} == {0, 1}
    measured = [figures_of(line) for line in RunFolder(where / "plain-seed0").read_log()]
    log = [{figure.measure: figure.value for figure in figures} for figures in measured if figures]
    (path,) = (series for series in paths["series"] if series["name"] == "plain-seed0")
    assert [(point["x"], point["y"]) for point in path["points"]] == [(o["PSNR-Y"], o["ST-LPIPS"]) for o in log]
    for point in (series["points"][-1] for series in ends["series"]):
        assert point["xl"] <= point["x"] <= point["xh"]
        assert point["message"] == "at the end, 2 seeds"


@pytest.mark.slow
def test_strategies_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "study",
        "strategies",
        "--data",
        write_photos(),
        "--images",
        "32",
        "--seeds",
        "0",
        "--on",
        write_photos("pictures", 2),
    ]
    fields = ["system.size=16", "system.g_width=4", "system.blocks=1", "system.d_width=2", "system.d_hidden=4"]
    words += ["--extractor", "efficientnet-lite0", "--set", "batch_size=8", *fields]
    assert cli.main(words) == 0
    assert "runs/strategies/comparison.html" in capsys.readouterr().out
    assert "Side by side" in Path("runs/strategies/comparison.html").read_text()
    assert cli.main(words) == 0
    assert capsys.readouterr().out.count("already finished") == 4
