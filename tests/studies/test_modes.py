"""The study of mode coverage: its games, its table, and a game that diverges."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from ganvas import Host, Study, Watch, cli, compare, evaluate, run_study, train
from ganvas.recipe.objectives import NonSaturating, Relativistic
from ganvas.recipe.penalties import R1, R2
from ganvas.recipe.ramp import Ramp
from ganvas.recipe.sources import Images
from ganvas.studies import read_study
from ganvas.studies.modes import modes, tabulate
from ganvas.studies.run_jobs import evaluations, jobs_of
from ganvas.studies.study import to_text
from ganvas.systems import named_recipe
from ganvas.systems.dcgan import DCGAN
from ganvas.training.loop import Diverged
from tests.conftest import tiny
from tests.stacks import small_mnist

DIVERGING = {"adam_g.lr": 1e30}


def test_every_game_on_one_budget() -> None:
    study = modes(images=1_000, seeds=(0, 7), changes={"system.g_width": 8, "penalties.0.gamma": 3.0})
    runs = study.runs()
    assert list(runs)[:4] == ["rpgan-r1-r2-seed0", "rpgan-r1-r2-seed7", "gan-r1-r2-seed0", "gan-r1-r2-seed7"]
    first = runs["rpgan-r1-r2-seed0"]
    assert first.objective == Relativistic()
    assert [type(penalty) for penalty in first.penalties] == [R1, R2]
    assert runs["rpgan-r1-seed0"] == replace(first, penalties=first.penalties[:1])
    assert runs["gan-r1-r2-seed0"] == replace(first, objective=NonSaturating())
    assert runs["gan-r1-seed7"].penalties == (R1(gamma=3.0),)
    for recipe in runs.values():
        assert (recipe.images, recipe.system.g_width, recipe.data) == (1_000, 8, Images(source="stacked-mnist"))  # type: ignore[attr-defined]
    assert isinstance(first.adam_g.lr, Ramp)
    assert first.adam_g.lr.over == 1_000
    assert modes().runs()["rpgan-r1-r2-seed0"] == named_recipe("dcgan-stacked-mnist")
    Path("study.json").write_text(to_text(study))
    assert read_study("study.json").runs() == runs


def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: object) -> Study:
    small_mnist(tmp_path / "sets", monkeypatch)
    variants = {"rpgan-r1-r2": {}, "gan-r1": DIVERGING}
    return Study(recipe=recipe, name="m", variants=variants, evaluate={"measures": ["modes"], "fakes": 100})  # type: ignore[arg-type]


def test_the_table_has_figures_and_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = DCGAN(size=16, g_width=4, d_width=4, latent=8, d_norm="none")
    data = Images(source="stacked-mnist")
    study = small(tmp_path, monkeypatch, tiny(system=system, data=data, images=32))
    sound, diverging = jobs_of(study, "runs")
    where = Path("runs/m")
    for job in (sound, diverging):
        train(
            replace(job.recipe, adam_g=sound.recipe.adam_g),
            name=job.name,
            watch=Watch(grid=(2, 2)),
            host=Host(runs=str(where)),
        )
    (words,) = evaluations(study, sound)
    assert words[:2] == ["evaluate", str(sound.folder.path)]
    evaluate(sound.folder.path, measures=["modes"], fakes=100)
    assert list(evaluations(study, sound)) == []
    diverging.folder.add_event("diverged", images=32, term="d/adversarial")
    table, picture = tabulate(study, compare([sound.folder.path, diverging.folder.path]), where)
    lines = table.read_text().splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["real images", "rpgan-r1-r2", "gan-r1"]
    assert "| 1000, 0.0781 |" in lines[3]
    assert "| diverged at image 32 (d/adversarial) | | | 32 |" in lines[4]
    assert {line.count("|") for line in lines[:5]} == {9}
    assert "100 of stacked-mnist-test" in table.read_text()
    with Image.open(picture) as drawn:
        assert (np.asarray(drawn.convert("L")) < 64).mean() > 0.1  # digits are light on black


def test_a_game_that_diverges_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = small(tmp_path, monkeypatch, tiny(images=320))
    study = replace(study, variants={"gan-r1": DIVERGING})
    (job,) = jobs_of(study, "runs")
    with pytest.raises(Diverged):
        train(job.recipe, name=job.name, host=Host(runs="runs/m"))
    console = Console(file=io.StringIO(), width=200)
    ended = run_study(study, console=console)
    assert ended.failures == ()
    assert "diverged at image" in console.file.getvalue()  # type: ignore[attr-defined]
    table, picture = ended.extras
    assert "diverged at image" in table.read_text()
    assert picture.is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data", "digits"], "--data is for ganvas study strategies; leave it out"),
        (["--images", "0"], "--images must be at least one batch; got 0"),
        (["--set", "system.g_widht=8"], "'system.g_width'"),
        (["--seeds", "1", "1"], "[1, 1]"),
    ],
)
def test_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["study", "modes", *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not Path("runs").exists()


def test_the_help_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["study", "modes", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "MNIST/raw in $GANVAS_DATA" in said
    assert f"{8 * 2} runs of {modes().recipe.images:,} images" in said
    assert "modes.md, modes.png and comparison.html into runs/modes" in said
