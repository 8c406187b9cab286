"""A study as a value and as a file: its runs and their names, and everything that cannot be one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ganvas import Hinge, InputError, Ramp, Study, cli, named_recipe
from ganvas.studies import read_study
from ganvas.studies.study import to_text
from tests.conftest import tiny


def written(**plain: Any) -> str:
    Path("plan.json").write_text(json.dumps({"recipe": "dcgan-digits", **plain}))
    return "plan.json"


def test_every_setting_with_every_seed() -> None:
    study = read_study(written(vary={"adam_d.lr": [2e-4, 5e-5], "batch_size": [16]}, seeds=[0, 7]))
    runs = study.runs()
    assert study.name == "plan"
    assert list(runs) == [
        "adam_d.lr=0.0002-batch_size=16-seed0",
        "adam_d.lr=0.0002-batch_size=16-seed7",
        "adam_d.lr=5e-05-batch_size=16-seed0",
        "adam_d.lr=5e-05-batch_size=16-seed7",
    ]
    last = runs["adam_d.lr=5e-05-batch_size=16-seed7"]
    assert (last.adam_d.lr, last.adam_g, last.batch_size, last.seed) == (5e-5, study.recipe.adam_g, 16, 7)


def test_variants_change_several_fields_together() -> None:
    variants = {"plain": {}, "hinge": {"objective": "Hinge", "adam_d.lr": "2e-4..5e-5@2000"}}
    runs = read_study(written(variants=variants, set={"images": 640})).runs()
    assert list(runs) == ["plain-seed0", "hinge-seed0"]
    assert runs["hinge-seed0"].objective == Hinge()
    assert runs["hinge-seed0"].adam_d.lr == Ramp(2e-4, 5e-5, 2000)
    assert {recipe.images for recipe in runs.values()} == {640}


def test_a_python_file_gives_the_same_study() -> None:
    Path("plan.py").write_text(
        "import ganvas\n"
        "study = ganvas.Study(recipe=ganvas.named_recipe('dcgan-digits'),\n"
        "    vary={'objective': [ganvas.Hinge(), ganvas.LeastSquares()]}, seeds=(0, 1))\n"
    )
    study = read_study("plan.py")
    assert study.name == "plan"
    assert study.runs()["objective=Hinge-seed1"].objective == Hinge()


def test_a_study_reads_back_from_its_text() -> None:
    study = Study(recipe=tiny(), name="s", vary={"adam_g.lr": [Ramp(1e-3, 1e-4, 500), 2e-4]}, seeds=(0, 1), at=(1, 2))
    Path("s.json").write_text(to_text(study))
    again = read_study("s.json")
    assert again.runs() == study.runs()
    assert (again.name, again.at) == ("s", (1, 2))


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "unknown key": ({"sede": [0]}, ["'sede'", "'seeds'"]),
    "unknown field": ({"vary": {"adam_d.lrr": [1e-4]}}, ["'adam_d.lrr'", "'adam_d.lr'"]),
    "unknown field set": ({"set": {"adam.lr": 1e-4}}, ["plan.json", "'adam.lr'"]),
    "unknown field of a variant": ({"variants": {"a": {"sistem.size": 16}}}, ["'sistem.size'", "'system.size'"]),
    "value that does not fit": ({"vary": {"batch_size": ["many"]}}, ["batch_size", "'many'"]),
    "impossible value": ({"vary": {"system.size": [48]}}, ["--system.size 48"]),
    "no list": ({"vary": {"adam_d.lr": 1e-4}}, ["adam_d.lr", "list"]),
    "no values": ({"vary": {"adam_d.lr": []}}, ["adam_d.lr", "list"]),
    "one value twice": ({"vary": {"adam_d.lr": [1e-4, 0.0001]}}, ["twice"]),
    "one seed twice": ({"seeds": [0, 0]}, ["[0, 0]"]),
    "seeds that are no list": ({"seeds": 3}, ["seeds", "list"]),
    "seed that is no number": ({"seeds": ["a"]}, ["['a']"]),
    "variant that is no object": ({"variants": {"a": [1]}}, ["'a'", "[1]"]),
    "seed varied": ({"vary": {"seed": [0, 1]}}, ["'seed'", "'seeds'"]),
    "two lengths": ({"at": [1, 2], "vary": {"images": [640, 1280]}}, ["'images'", "'at'"]),
    "no epochs": ({"at": [0]}, ["[0]"]),
    "unknown evaluation": ({"evaluate": {"extracter": "digits"}}, ["evaluate.extracter", "'extractor'"]),
    "no such reals": ({"evaluate": {"against": "rest.npz"}}, ["evaluate.against", "'rest.npz'"]),
    "no recipe": ({"recipe": None}, ["recipe"]),
    "unknown recipe": ({"recipe": "dcgan-digit"}, ["'dcgan-digit'", "'dcgan-digits'"]),
    "path as a name": ({"name": "../x"}, ["'../x'"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    plain, said = REFUSED[case]
    assert cli.main(["study", written(**plain)]) == 2
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1
    for words in said:
        assert words in err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import no_such_module\nstudy = 1\n", "ModuleNotFoundError: No module named 'no_such_module', line 1"),
        ("import ganvas\n\nstudy = ganvas.Stduy()\n", "line 3"),
        ("study = (\n", "SyntaxError"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0, line 2"),
        ("raise BaseException('no\\nmore')\n", "BaseException: no\\nmore, line 1"),
        ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E\n", "(E, line 3)"),
        ("plan = 3\n", "study = ganvas.Study("),
    ],
)
def test_a_python_file_that_cannot_be_run_is_refused(text: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("plan.py").write_text(text)
    assert cli.main(["study", "plan.py"]) == 2
    err = capsys.readouterr().err
    assert len(err.strip().splitlines()) == 1
    assert "plan.py" in err
    assert said in err


@pytest.mark.parametrize("text", ["{", "[1]", "[" * 100_000, '{"seeds": ' + "9" * 5000 + "}", '{"seeds": [NaN]}'])
def test_a_file_that_is_no_json_object_is_refused(text: str) -> None:
    Path("plan.json").write_text(text)
    with pytest.raises(InputError, match=r"plan\.json"):
        read_study("plan.json")


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"no file nowhere\.json"):
        read_study("nowhere.json")


def test_the_runs_of_a_study_are_valid_recipes() -> None:
    study = Study(recipe=named_recipe("wgan-gp-cifar10"), vary={"penalties.0.weight": [1, 10.0]})
    assert [run.penalties[0].weight for run in study.runs().values()] == [1.0, 10.0]
