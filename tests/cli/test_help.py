"""Help: the flags that matter first, all of them on request, and the right name for a wrong one."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ganvas import Watch, train
from ganvas.cli._flags import parse
from ganvas.data import NAMES
from ganvas.runs.again import again, free_name
from ganvas.runs.folder import RunFolder
from tests.conftest import Cli, TrainedRun, assert_refused, tiny


def flags(page: str) -> list[str]:
    return re.findall(r"^  (--\S+)", page, re.M)


def test_help_shows_what_matters_first(cli: Cli) -> None:
    page = cli("train", "dcgan-digits", "--help").stdout
    assert len(flags(page)) == 20
    assert len(page.splitlines()) < 60
    for flag in ("--data digits", "--objective NonSaturating", "--penalties none", "--steering advise", "--adam-g.lr"):
        assert f"  {flag}" in page
    assert "Wasserstein" in page
    assert "--help-all lists all" in page


def test_help_all_lists_every_flag_of_the_recipe_as_changed(cli: Cli) -> None:
    page = cli("train", "wgan-gp-cifar10", "--adam-d", "SGD", "--help-all").stdout
    shown = flags(page)
    assert len(shown) == len(set(shown)) > 70
    assert {"--penalties.0.weight", "--adam-d.momentum", "--adam-g.beta1", "--host.runs", "--watch.grid"} <= set(shown)
    assert "--adam-d.beta1" not in shown
    page = " ".join(page.split())
    assert "One of auto, cpu, cuda, mps." in page
    assert all(name in page for name in NAMES)


@pytest.mark.parametrize(
    ("flag", "meant"),
    [
        ("--lr", "--adam-g.lr and --adam-d.lr"),
        ("--learning_rate", "--adam-g.lr and --adam-d.lr"),
        ("--batch", "--batch-size"),
        ("--optimizer", "--adam-d SGD"),
        ("--num-epochs", "--epochs"),
        ("--dataset", "--data"),
        ("--gpu", "--host.device"),
        ("--image-size", "--system.size"),
        ("--loss", "--objective"),
        ("--n-critic", "--schedule.d-per-g"),
        ("--outdir", "--host.runs"),
        ("--resume", "the same command resumes a run"),
    ],
)
def test_what_people_type_is_answered_with_the_flag_meant(cli: Cli, flag: str, meant: str) -> None:
    assert_refused(cli("train", "dcgan-digits", flag, "1"), meant)


def test_a_remedy_is_a_command_that_works(trained_run: TrainedRun) -> None:
    folder = trained_run(tiny("dcgan", images=16), Watch(checkpoint_seconds=1e9))
    command = again(folder, "--adam-d.lr 5e-05")
    assert command == "ganvas train runs/r --adam-d.lr 5e-05 --name r-2"
    _, made = parse("train", shlex.split(command)[2:])
    assert made.recipe.adam_d.lr == 5e-5
    assert made.name == "r-2"
    Path("runs/r-2").mkdir()
    assert free_name(folder) == "r-3"
    elsewhere = RunFolder("other place/x")
    assert again(elsewhere, "") == "ganvas train 'other place/x' --name x-2 --host.runs 'other place'"


def test_a_refused_name_is_answered_with_a_command(cli: Cli) -> None:
    train(tiny(images=16), name="r", watch=Watch(checkpoint_seconds=1e9))
    done = cli("train", "runs/r", "--seed", "3", "--name", "r")
    assert_refused(done, "another recipe", "ganvas train runs/r --seed 3 --name r-2 begins")


def test_only_help_explains_the_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.cli._help._docs", lambda kind: pytest.fail(f"read the source of {kind}"))
    _, found = parse("train", ["dcgan-digits", "--seed", "3"])
    assert found.recipe.seed == 3
