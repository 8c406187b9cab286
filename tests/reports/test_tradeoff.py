"""The perception-distortion plane: the page draws what was logged and measured, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganvas import compare
from ganvas.imaging.grid import Pixels, grid
from ganvas.metrics.figure import Figure
from ganvas.recipe.serialization import to_plain
from ganvas.reports import Reference, frames
from ganvas.reports.tradeoff import planes
from ganvas.runs.folder import RunFolder
from tests.photos import tiny_srgan
from tests.reports.runs import PROTOCOL, add_figure, draw_preview, made
from tests.reports.test_page import decoded


def watched(name: str, **changes: Any) -> RunFolder:
    folder = made(name, **changes)
    for images in (100, 200, 300, 400):
        line = {"images": images, "psnr-y": 20 + images / 100, "st-lpips": 1 / images}
        folder.add_log({**line, "bicubic": {"psnr-y": 22.5, "st-lpips": 0.3}})
    return folder


def score(folder: RunFolder, where: str, psnr: float, distance: float, state: str = "last", data: str = "abc") -> None:
    add_figure(folder, f"PSNR-Y on {where}", psnr, state, data=data)
    add_figure(folder, f"ST-LPIPS on {where}", distance, state, data=data)


def test_runs_without_both_measures_have_no_plane() -> None:
    made("a")
    assert planes(compare(["runs"], out="page.html")) == []
    assert "Perception and distortion" not in Path("page.html").read_text()


def test_a_run_is_a_path_with_its_knee_and_bicubic() -> None:
    folder = watched("a")
    folder.add_event("knee", images=400, at=300)
    folder.add_event("finished", images=400)
    (plane,) = planes(compare(["runs"], out="page.html"))
    assert plane["reference"] == {"name": "bicubic", "x": 22.5, "y": 0.3}
    (series,) = plane["series"]
    path = [(21, 0.01), (22, 0.005), (23, 1 / 300), (24, 0.0025)]
    assert [(point["x"], point["y"]) for point in series["points"]] == path
    assert [point["knee"] for point in series["points"]] == [False, False, True, False]
    assert re.search(r'"planes":\[\{"title"', Path("page.html").read_text())


def test_the_ends_of_settings_on_every_set() -> None:
    for seed in (0, 1):
        score(watched(f"a-seed{seed}", seed=seed), "Set5", 30.0 + seed, 0.2)
        score(watched(f"b-seed{seed}", seed=seed, batch_size=8), "Set5", 29.0, 0.125 + 0.25 * seed)
    protocol = {key: value for key, value in {**PROTOCOL, "data": "abc"}.items() if key != "ganvas"}
    figures = tuple(
        Figure(measure=measure, test_set="Set5", value=value, protocol=protocol)
        for measure, value in (("PSNR-Y", 28.4), ("ST-LPIPS", 0.4))
    )
    comparison = compare(["runs"], out="page.html", references=[Reference("bicubic", figures)])
    _, plane = planes(comparison)
    assert plane["title"] == "ST-LPIPS on Set5"
    assert plane["reference"] == {"name": "bicubic", "x": 28.4, "y": 0.4}
    assert {s["name"]: (s["points"][-1]["x"], s["points"][-1]["y"]) for s in plane["series"]} == {
        "a": (30.5, 0.2),
        "b": (29.0, 0.25),
    }
    assert "bicubic: 28.4" in Path("page.html").read_text()


def test_figures_of_different_images_are_not_paired() -> None:
    folder = made("a")
    add_figure(folder, "PSNR-Y on photos", 30.0, data="one")
    add_figure(folder, "ST-LPIPS on photos", 0.2, data="two")
    assert planes(compare(["runs"])) == []


def decoded_tile(tile: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(tile).convert("L"))


def test_strips_of_crops_show_only_the_runs_output() -> None:
    folder = made("a")
    folder.recipe.write_text(json.dumps(to_plain(tiny_srgan())))
    folder.samples.mkdir()
    tiles = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), np.uint8)  # four triples, two beside each other
    draw_preview(folder, 0, grid(tiles, 6), "triples", rows=2, columns=2, tile=(48, 48), zoom=3)
    cut = frames.cut_strips(compare(["runs"]).records)
    assert (cut.rows, cut.columns, cut.by_run["a"].noise) == (1, 4, (0, 0))
    assert decoded(cut.by_run["a"].frames[0].source).shape == (16, 64)
    grey = np.concatenate([decoded_tile(tiles[3 * index + 1]) for index in range(4)], axis=1)
    assert np.array_equal(decoded(cut.by_run["a"].frames[0].source), grey)
    originals = np.concatenate([decoded_tile(tiles[3 * index + 2]) for index in range(4)], axis=1)
    assert np.array_equal(decoded(cut.reals), originals)
