"""The fields of degradations as flags of a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_upscale import SHORT
from tests.conftest import Cli, assert_refused, write_photographs


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["Blind", "--data.degradation.first.jpeg", "10", "90"], ("first", "jpeg", [10.0, 90.0])),
        (["aged", "--data.degradation.scratches", "3"], ("scratches", None, 3.0)),
    ],
)
def test_a_training_with_fields_of_its_own(
    cli: Cli, tmp_path: Path, words: list[str], found: tuple[str, str | None, object]
) -> None:
    write_photographs(tmp_path / "photos", 4)
    done = cli("train", "srresnet-x4", "--data", "photos", "--name", "r", "--data.degradation", *words, *SHORT)
    assert done.returncode == 0, done.stderr
    rule = json.loads((tmp_path / "runs/r/recipe.json").read_text())["data"]["degradation"]
    part, inner, value = found
    assert (rule[part][inner] if inner else rule[part]) == value


def test_bad_fields_are_refused(cli: Cli, tmp_path: Path) -> None:
    write_photographs(tmp_path / "photos", 4)
    train = ["train", "srresnet-x4", "--data", "photos", *SHORT, "--data.degradation"]
    assert_refused(
        cli(*train, "Blind", "--data.degradation.first.blur", "3", "1"), "blur 3 to 1", "the smaller one first"
    )
    assert_refused(cli(*train, "Aged", "--data.degradation.jpeg", "0"), "jpeg 0", "from 1 to 100")
    # A field of the former Blind.
    assert_refused(cli(*train, "Blind", "--data.degradation.blur", "1"), "--data.degradation.blur")
