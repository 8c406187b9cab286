"""The page is self-contained, and its images are those of the previews."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

from ganvas import compare
from ganvas.cli import main
from ganvas.imaging.grid import GAP, Pixels
from ganvas.reports import frames
from ganvas.runs.folder import RunFolder
from tests.reports.runs import add_figure, add_previews, draw_preview, made


def page(*runs: str) -> str:
    compare(runs or ["runs"], out="page.html")
    return Path("page.html").read_text()


def drawn(text: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])  # type: ignore[no-any-return]


def decoded(address: str) -> Pixels:
    with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as image:
        return np.asarray(image.convert("L"))


def test_nothing_is_fetched() -> None:
    folder = made("a")
    add_previews(folder)
    add_figure(folder, "FD", 9.0)
    text = page()
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|//cdn|@import|<link|<iframe", text)
    assert {address.split(":")[0] for address in re.findall(r'src="([^"$]+)"', text)} <= {"data"}


def test_real_images_can_be_left_out() -> None:
    add_previews(made("a"))
    assert drawn(page())["strips"]["reals"]  # type: ignore[index]
    assert main(["compare", "runs", "--no-reals", "--out", "page.html"]) == 0
    assert drawn(Path("page.html").read_text())["strips"]["reals"] == ""  # type: ignore[index]


def test_names_cannot_break_out_of_the_page() -> None:
    made("a<script>alert(1)<b>")
    text = page()
    assert "<script>alert" not in text
    assert drawn(text)["runs"][0]["name"] == "a<script>alert(1)<b>"  # type: ignore[index]


def test_names_of_runs_classes_and_protocols_are_shown_as_they_are() -> None:
    name, label = "<b>x<b>", '"><script>alert(1)</script>'
    folder = made(name)
    add_previews(folder, count=1)
    add_figure(folder, f"KID on class {label}", 0.1, source=f"{label}&'")
    folder.add_event("verdict", verdict=label, images=40, sentence=f"{label} is ill")
    made("y", augment__noise=0.5)
    text = page()
    assert "<b>x" not in text
    assert "<script>alert" not in text
    assert "alert(1)</script>" not in text
    assert len(re.findall("<script", text)) == 2
    data = drawn(text)
    assert name in [run["name"] for run in data["runs"]]  # type: ignore[index]
    assert any(verdict["verdict"] == label for run in data["runs"] for verdict in run["verdicts"])  # type: ignore[index]
    assert f"<h3>KID on class {escape(label)} ↓ last</h3>" in text
    assert f"source {escape(label)}&amp;&#39;" in text


def test_a_run_made_before_there_was_an_index_is_compared_without_its_previews() -> None:
    folder = made("a")
    add_previews(folder)
    (folder.samples / "index.json").unlink()
    text = page()
    assert drawn(text)["strips"]["runs"] == []  # type: ignore[index]
    assert "The previews of a are not shown" in text


def test_a_preview_that_is_damaged_is_passed_over() -> None:
    folder = made("a")
    add_previews(folder, count=3)
    folder.sample_path(100).write_bytes(b"\x89PNG")
    cut = frames.cut_strips(compare(["runs"]).records)
    assert [frame.images_seen for frame in cut.by_run["a"].frames] == [0, 200]


def test_tiles_are_cut_where_they_were_drawn() -> None:
    folder = made("a")
    fakes = add_previews(folder, rows=4, columns=6)
    cut = frames.cut_strips(compare(["runs/a"]).records)
    assert (cut.rows, cut.columns, cut.side) == (3, 4, 16)
    last = decoded(cut.by_run["a"].frames[-1].source)
    for index in range(12):
        top, left = 16 * (index // 4), 16 * (index % 4)
        assert np.array_equal(last[top : top + 16, left : left + 16], fakes[index, :, :, 0])
    assert (decoded(cut.reals) == 200).all()
    assert [frame.images_seen for frame in cut.by_run["a"].frames] == [0, 100, 200, 300, 400]


def test_runs_of_unlike_grids_show_the_z_they_share() -> None:
    add_previews(made("a"), rows=4, columns=6)
    small = add_previews(made("b", batch_size=32), rows=1, columns=3, shade=1)
    cut = frames.cut_strips(compare(["runs"]).records)
    assert (cut.rows, cut.columns) == (1, 3)
    assert np.array_equal(decoded(cut.by_run["b"].frames[-1].source), np.concatenate(small[:, :, :, 0], axis=1))


def test_other_seeds_are_not_passed_off_as_the_same_z() -> None:
    for seed in (0, 1):
        add_previews(made(f"a-seed{seed}", seed=seed))
    text = page()
    assert "Seed 0, z of length 8" in text
    assert "Seed 1, z of length 8" in text
    add_previews(made("b-seed0", batch_size=32))
    assert "The same z in every run" in page("runs/a-seed0", "runs/b-seed0")


def test_images_stay_within_their_budget() -> None:
    folder = RunFolder("runs/a")
    for index in range(8):
        folder = made(f"r{index}", batch_size=16 + index)
        add_previews(folder, count=40, shade=index)
    cut = frames.cut_strips(compare(["runs"]).records)
    assert sum(len(frame.source) for strip in cut.by_run.values() for frame in strip.frames) <= frames.BUDGET
    assert all(len(strip.frames) > 4 for strip in cut.by_run.values())


def test_curves_are_placed_on_images_and_on_hours() -> None:
    made("a", rate=400.0)
    charts = drawn(page())["charts"]
    points = charts[0]["series"][0]["points"]  # type: ignore[index]
    assert points[-1] == {"i": 400, "h": round(1 / 3600, 6), "y": 1.0}


def test_intermediate_figures_become_a_curve_with_intervals() -> None:
    folder = made("a")
    for state in ("kept-000000000208", "last"):
        add_figure(folder, "FD", 9.0, state)
    chart = drawn(page())["charts"][-1]  # type: ignore[index]
    assert chart["title"] == "FD"
    assert [(p["i"], p["low"], p["high"]) for p in chart["series"][0]["points"]] == [(208, 8.9, 9.1), (400, 8.9, 9.1)]


def test_points_are_shown_as_one_image() -> None:
    folder = made("a")
    plain = json.loads(folder.recipe.read_text())
    del plain["system"]["size"]
    plain["data"] = {"type": "Mixture2D", "shape": "ring", "count": 500, "held_out": 0.05}
    folder.recipe.write_text(json.dumps(plain))
    folder.samples.mkdir()
    draw_preview(folder, 100, np.full((470, 500, 3), 255, np.uint8), "plot")
    assert "1 run of Mixture2D ring 500" in page()
    cut = frames.cut_strips(compare(["runs"]).records)
    assert decoded(cut.by_run["a"].frames[0].source).shape == (301, 320)


def test_frames_are_of_the_same_moments_in_every_run() -> None:
    add_previews(made("a"), count=41)
    late = made("b", batch_size=32)
    late.samples.mkdir()
    for count in [0, *range(3000, 4000, 25)]:
        draw_preview(late, count, np.full((50 + GAP, 50 + GAP, 1), 9, np.uint8), "grid", tile=(48, 48), zoom=3)
    cut = frames.cut_strips(compare(["runs"]).records)
    counts = {name: [frame.images_seen for frame in strip.frames] for name, strip in cut.by_run.items()}
    assert counts["a"][-1] == 4000
    # Had the previews been chosen by their number, half of these would lie before those of the other run.
    moments = [4000 * (index / 15) ** 1.5 for index in range(16)]
    assert counts["b"] == sorted({max(c for c in (0, *range(3000, 4000, 25)) if c <= m) for m in moments})


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's code")
def test_the_page_shows_no_image_of_a_later_moment() -> None:
    script = (Path(frames.__file__).parent / "templates" / "page.js").read_text(encoding="utf-8")
    (shown,) = [line for line in script.splitlines() if line.startswith("const shownAt")]
    asks = "console.log(JSON.stringify([5, 10, 19, 20].map((x) => shownAt([{i: 10}, {i: 20}], x) ?? null)))"
    code = f"const at = (point) => point.i;\n{shown}\n{asks}"
    done = subprocess.run(["node", "-e", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [None, {"i": 10}, {"i": 10}, {"i": 20}]
