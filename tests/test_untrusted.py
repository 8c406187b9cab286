"""What anyone may have written: files that are none, JSON that is not what it should be."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ganvas import InputError
from ganvas.untrusted import Unreadable, expect_file, parse_json, read_lines, read_object
from tests.conftest import Cli, assert_refused
from tests.reports.runs import add_figure, add_previews, made

NESTED = "[" * 100_000


def test_json_is_bounded() -> None:
    for text in (NESTED, '{"a":' * 100_000, "[" * 65 + "]" * 65, "{", "", b"\xff"):
        with pytest.raises(Unreadable):
            parse_json(text)
    assert parse_json("[" * 64 + "]" * 64)
    assert parse_json(b"\xef\xbb\xbf[9223372036854775807, -5]") == [2**63 - 1, -5]
    assert all(type(one) is float for one in parse_json(f"[9223372036854775808, {'9' * 5000}]"))


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo("pipe")
    Path("folder").mkdir()
    Path("loop").symlink_to("loop")
    Path("large").write_bytes(b"12345")
    for name, reason in {
        "pipe": "pipe or a device",
        "/dev/zero": "pipe or a device",
        "folder": "folder",
        "loop": "cannot be opened",
        "n" * 300: "cannot be opened",
        "nul\0": "null",
        "large": "5 bytes exceed the limit of 4",
    }.items():
        with pytest.raises(Unreadable, match=reason):
            expect_file(Path(name), 4)
    for name in ("none", "large/none"):
        with pytest.raises(FileNotFoundError):
            expect_file(Path(name))
        assert read_lines(Path(name)) == []
        with pytest.raises(InputError, match=f"{name} does not exist; give another"):
            read_object(Path(name), "give another")


def test_lines_that_are_no_objects_are_passed_over() -> None:
    Path("lines").write_bytes(b'{"a": 1}\n5\n[]\n' + NESTED.encode() + b'\n\xff\n{"b": "\xff"}\n{"a": 2}\n{"a": ')
    assert read_lines(Path("lines")) == [{"a": 1}, {"b": "\udcff"}, {"a": 2}]


FILES = ("recipe.json", "log.jsonl", "events.jsonl", "figures.jsonl", "host.json", "samples/index.json")


def two_runs() -> None:
    for name, batch in (("a", 16), ("b", 32)):
        folder = made(name, batch_size=batch)
        add_figure(folder, "FD", 9.0)
        add_previews(folder, 1)
        folder.add_log({"images": 400, "signals": {"auc": 0.9}, "terms": {}})


def in_place_of(path: Path, what: str) -> None:
    path.unlink()
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "link loop":
        path.symlink_to(path.name)
    else:
        path.write_text(what)


@pytest.mark.parametrize("file", FILES)
def test_a_run_with_a_broken_file_is_a_line_of_runs(cli: Cli, file: str) -> None:
    two_runs()
    for what in ("pipe", "folder", "link loop", NESTED, "[]", "\x1b"):
        in_place_of(Path("runs/b") / file, what)
        done = cli("runs")
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 3, done.stdout
        assert ("broken: " in done.stdout) == (file == "recipe.json" or (file[0] in "le" and what[0] in "pfl"))
        if file == "recipe.json" and what != "pipe":
            assert_refused(cli("diagnose", "runs/b"), "runs/b/recipe.json")
        path = Path("runs/b") / file
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
        path.touch()


WRONG: list[tuple[str, Any]] = [
    ("seed", "x"),
    ("seed", 10**400),
    ("images", None),
    ("batch_size", []),
    ("schedule", {"d_per_g": {}}),
    ("system", {"type": "DCGAN", "size": float("nan")}),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_recipe_without_its_numbers_is_named(cli: Cli, field: str, value: Any) -> None:
    two_runs()
    recipe = Path("runs/b/recipe.json")
    recipe.write_text(json.dumps({**json.loads(recipe.read_text()), field: value}))
    assert_refused(cli("compare", "runs"), "runs/b/recipe.json", f"has {field}", "not a whole number", "backup")
    assert f"has {field}" in cli("runs").stdout


DAMAGED_EVENTS = [
    {"event": 5, "images": 400},
    {"event": "finished", "images": "x"},
    {"event": "finished", "images": 10**400},
    {"event": "finished", "images": -1},
    {"event": "knee", "at": []},
    {"event": "finished", "time": {}},
]


def test_a_damaged_event_is_as_good_as_none(cli: Cli) -> None:
    two_runs()
    with Path("runs/b/events.jsonl").open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in DAMAGED_EVENTS)
    assert cli("runs").stdout.count("finished") == 2


def test_a_damaged_objective_and_damaged_signals_are_passed_over(cli: Cli) -> None:
    two_runs()
    with Path("runs/b/log.jsonl").open("a") as file:
        for line in ({"signals": [1]}, {"signals": {"auc": "x"}}, {"signals": {"auc": 1.0}, "terms": ["d"]}):
            file.write(json.dumps({"images": 400, **line}) + "\n")
    done = cli("diagnose", "runs/b")
    assert (done.returncode, "too early to tell" in done.stdout) == (0, True), done.stderr
    recipe = Path("runs/b/recipe.json")
    recipe.write_text(json.dumps({**json.loads(recipe.read_text()), "objective": [5]}))
    assert_refused(cli("diagnose", "runs/b"), "runs/b/recipe.json", "objective")


def test_a_name_that_is_no_text_gets_onto_the_page(cli: Cli) -> None:
    two_runs()
    recipe = Path("runs/b/recipe.json")
    plain = json.loads(recipe.read_text())
    plain["system"]["d_norm"] = "\ud800"
    recipe.write_text(json.dumps(plain))
    done = cli("compare", "runs")
    assert done.returncode == 0, done.stderr
    assert "\\ud800" in done.stdout
    assert "\\ud800" in Path("comparison.html").read_text(encoding="utf-8")
