"""samples/index.json is a stranger's file: nothing in it leads out of the folder, or ends a command."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from ganvas.data import open_data
from ganvas.experiment.resume import restore
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import INDEX, Preview, at_moments, read_previews, write_previews
from ganvas.training.run import Run
from tests.conftest import tiny
from tests.reports.runs import add_previews, made

SAMPLES = Path("r/samples")
SOUND = {"file": "000000000064.png", "images_seen": 64, "kind": "plot"}


def write(text: str) -> None:
    SAMPLES.mkdir(parents=True, exist_ok=True)
    (SAMPLES / SOUND["file"]).write_bytes(b"")  # type: ignore[operator]
    (SAMPLES / INDEX).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("file", ["../../precious.txt", "../precious.txt", "/etc/hostname", "", ".", "..", ".hidden"])
def test_a_file_elsewhere_is_neither_read_nor_deleted(file: str) -> None:
    write(json.dumps([{**SOUND, "file": file}]))
    for precious in (Path("precious.txt"), Path("r/precious.txt")):
        precious.write_text("precious")
    assert read_previews(SAMPLES) == []
    RunFolder("r").forget_after(0)
    assert Path("precious.txt").is_file()
    assert Path("r/precious.txt").is_file()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("images_seen", "abc"),
        ("images_seen", None),
        ("images_seen", 1e9),
        ("file", 5),
        ("file", {}),
        ("tile", [48]),
        ("tile", 0),
        ("columns", 0),
        ("zoom", None),
        ("zoom", 10**400),
        ("rows", [1]),
        ("reals", []),
        ("left", "wide"),
        ("left", float("nan")),
        ("classes", [1]),
        ("kind", None),
    ],
)
def test_a_damaged_entry_is_passed_over(name: str, value: Any) -> None:
    write(json.dumps([{**SOUND, name: value}, SOUND]))
    assert [preview.images_seen for preview in read_previews(SAMPLES)] == [64]


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "{}", "7", '["x"]'])
def test_a_damaged_index_is_an_empty_one(text: str) -> None:
    write(text)
    assert read_previews(SAMPLES) == []
    write_previews(SAMPLES, [Preview(file=SOUND["file"], images_seen=64, kind="plot")])  # type: ignore[arg-type]
    assert len(read_previews(SAMPLES)) == 1


def test_a_foreign_image_in_the_samples_stays() -> None:
    write(json.dumps([SOUND]))
    (SAMPLES / "2024-holiday.png").write_bytes(b"")
    RunFolder("r").forget_after(64)
    assert {path.name for path in SAMPLES.iterdir()} == {INDEX, SOUND["file"], "2024-holiday.png"}


def test_of_each_moment_the_newest_preview_before_it() -> None:
    previews = [Preview(file=f"{count}.png", images_seen=count, kind="plot") for count in (10, 500, 510, 1000)]
    chosen = at_moments(previews, [0, 5, 10, 100, 499, 505, 999])
    assert [preview.images_seen for preview in chosen] == [10, 500, 510]
    assert at_moments([], [0, 1]) == []


def test_a_damaged_index_is_kept_when_the_run_goes_on() -> None:
    folder = made("r")
    add_previews(folder, 2)
    index = folder.samples / INDEX
    entries = json.loads(index.read_text())
    said = Console(file=io.StringIO(), width=200)
    run, dataset = Run(tiny("plane"), torch.device("cpu")), open_data(tiny("plane").data, (2,))
    run.images_seen = 400
    restore(run, folder, dataset, said)
    assert not folder.events.read_text().count("damaged")
    index.write_text(damaged := json.dumps([*entries, {"file": 5}]))
    restore(run, folder, dataset, said)
    assert "index.json is damaged; it is kept as index.json.damaged" in said.file.getvalue()  # type: ignore[attr-defined]
    assert (folder.samples / "index.json.damaged").read_text() == damaged
    assert len(json.loads(index.read_text())) == len(entries)
    assert '"index.json"' in folder.events.read_text()
