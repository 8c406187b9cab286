"""Run folders written by hand: what a comparison reads, without training anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.imaging.grid import Pixels, grid, side_by_side
from ganvas.imaging.saving import save_png
from ganvas.recipe.serialization import to_plain
from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import Preview, read_previews, write_previews
from ganvas.studies.study import changed
from tests.conftest import tiny

PROTOCOL = {"extractor": "digits", "weights": "abc", "fakes": 1000, "source": "digits", "seed": 0, "ganvas": "0.1.0"}


def made(name: str, *, seed: int = 0, rate: float = 3600.0, **changes: Any) -> RunFolder:
    """A finished run of 400 images; `changes` are fields of the recipe with __ for the dots."""
    folder = RunFolder(Path("runs") / name)
    folder.path.mkdir(parents=True)
    fields = {path.replace("__", "."): value for path, value in changes.items()}
    recipe = changed(tiny("dcgan", images=400), {"seed": seed, **fields}, name)
    folder.recipe.write_text(json.dumps(to_plain(recipe)))
    folder.host.write_text(json.dumps({"device": "cpu", "processor": "abacus", "threads": 1}))
    for images in range(40, 401, 40):
        folder.add_log({"images": images, "images_per_second": rate, "d/adversarial": 1.0, "g/adversarial": 2.0})
        folder.add_log({"images": images, "swd": 40 / images})
    folder.add_event("started", images=0)
    folder.add_event("finished", images=400)
    return folder


def add_figure(folder: RunFolder, measure: str, value: float, state: str = "last", **protocol: Any) -> None:
    """Append to figures.jsonl, with an interval of 0.1 to both sides."""
    images = int(state.removeprefix("kept-")) if state.startswith("kept") else 400
    line = {"measure": measure, "value": value, "low": value - 0.1, "high": value + 0.1, "images": images}
    with folder.figures.open("a") as file:
        file.write(json.dumps({**line, "state": state, "protocol": {**PROTOCOL, **protocol}}) + "\n")


def add_previews(folder: RunFolder, count: int = 5, rows: int = 4, columns: int = 6, shade: int = 0) -> Pixels:
    """Draw grids of 16 px tiles with reals beside them; returns the last fakes (N, 16, 16, 1)."""
    folder.samples.mkdir()
    draw = np.random.default_rng(shade)
    for index in range(count):
        fakes = draw.integers(0, 256, (rows * columns, 16, 16, 1), dtype=np.uint8)
        reals = np.full_like(fakes, 200)
        layout = {"rows": rows, "columns": columns, "tile": (48, 48), "zoom": 3, "reals": columns}
        draw_preview(folder, index * 100, side_by_side([grid(fakes, columns), grid(reals, columns)]), "grid", **layout)
    return fakes


def draw_preview(folder: RunFolder, images: int, pixels: Pixels, kind: str, **layout: Any) -> None:
    """Write one preview and enter it into the index."""
    file = folder.sample_path(images)
    save_png(pixels, file)
    preview = Preview(file=file.name, images_seen=images, kind=kind, **layout)
    write_previews(folder.samples, [*read_previews(folder.samples), preview])
