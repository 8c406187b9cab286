"""One run as a report: everything in one page, or Markdown with its pictures; names that are markup; CSV."""

from __future__ import annotations

import csv
import json
import re
from html import escape
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from ganvas.runs.folder import RunFolder
from ganvas.runs.previews import Preview, write_previews
from tests.conftest import Cli, assert_refused
from tests.reports.runs import add_figure, add_previews, made

EVIL = '<b>|x[y](z)`*"><script>alert(1)'


@pytest.fixture
def run() -> RunFolder:
    folder = made("r", seed=7)
    add_previews(folder, count=9)
    add_figure(folder, "FD", 9.0)
    add_figure(folder, "precision", 0.95)
    for images in range(40, 401, 40):
        folder.add_log({"images": images, "signals": {"auc": 0.9, "logit_real": images / 400}, "terms": {}})
    folder.add_event("verdict", verdict="d-dominates", images=200, since=120, sentence="D tells every fake.")
    folder.add_event("warning", images=0, sentence="Only 60 images.")
    folder.add_event("finished", images=400)
    return folder


def rows(text: str) -> list[list[str]]:
    """The cells of all tables of a page."""
    found = re.findall(r"<tr>(.*?)</tr>", text)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]


def test_a_page_holds_all_of_it_and_needs_nothing(run: RunFolder, cli: Cli) -> None:
    done = cli("report", "runs/r")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(Path("runs/r/report.html"))]
    text = Path("runs/r/report.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<img src="data:image/webp;base64,', text)) == 5 + 2  # sheets, curves and diagnosis
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "after 0 images, reals on the right" in text
    assert "after 800 images" in text
    cells = rows(text)
    assert ["seed", "7"] in cells
    assert ["200 to 400", "d-dominates", "D tells every fake."] in cells
    assert ["<code>system.size</code>", "16"] in cells
    assert any(row[:5] == ["FD ↓", "9 [8.9, 9.1]", "", "last", "400"] and "fakes 1000" in row[5] for row in cells)
    assert any(row[:2] == ["precision ↑", "0.95 [0.85, 1]"] for row in cells)
    assert any(row[:4] == ["SWD ↓", "0.1", "", "best"] for row in cells)
    assert "image 0: Only 60 images." in text


def test_markdown_has_its_pictures_beside_it(run: RunFolder, cli: Cli) -> None:
    done = cli("report", "runs/r", "--out", "the report.md")
    assert done.stdout.splitlines() == ["the report.md", "the report-files"]
    text = Path("the report.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", text)
    assert len(pictures) == 7
    for picture in pictures:
        with Image.open(unquote(picture)) as image:
            image.load()
    assert "| seed | 7 |" in text
    assert "\n\n\n\n" not in text


@pytest.mark.parametrize("out", ["r.html", "r.md"])
def test_names_mark_nothing_up(run: RunFolder, cli: Cli, out: str) -> None:
    run.add_event("verdict", verdict=EVIL, images=300, since=300, sentence=f"{EVIL}\n# Title\x1b[31m")
    add_figure(run, "FD", 8.0, source=EVIL)
    run.path.rename("runs/<i>_x_")
    done = cli("report", "runs/<i>_x_", "--out", out)
    assert done.returncode == 0, done.stderr
    text = Path(out).read_text(encoding="utf-8")
    for markup in ("<b>", "<i>", "<script>alert", "\x1b"):
        assert markup not in text
    if out == "r.html":
        assert escape(EVIL, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text
    else:
        assert "&lt;i&gt;\\_x\\_" in text
        assert not re.search(r"(?<!\\)\[y(?<!\\)\]", text)
        assert "\n# Title" not in text
        assert all(len(re.findall(r"(?<!\\)\|", line)) in (0, 3, 4, 7) for line in text.splitlines())


def test_without_reals_no_real_image_is_shown(run: RunFolder, cli: Cli) -> None:
    cli("report", "runs/r", "--no-reals", "--out", "r.md")
    with Image.open("r-files/samples-000000000800.png") as image:
        assert image.size == (6 * 50 + 2, 4 * 50 + 2)
    assert "reals on the right" not in Path("r.md").read_text()


def test_the_log_and_the_figures_as_tables(run: RunFolder, cli: Cli) -> None:
    done = cli("report", "runs/r", "--csv", "tables")
    assert done.stdout.splitlines()[1:] == [str(Path("tables") / name) for name in ("log.csv", "figures.csv")]
    with Path("tables/log.csv").open(newline="") as lines:
        log = list(csv.DictReader(lines))
    assert (log[0]["images"], log[0]["d/adversarial"], log[-1]["signals.logit_real"]) == ("40", "1.0", "1.0")
    with Path("tables/figures.csv").open(newline="") as lines:
        found = list(csv.DictReader(lines))
    assert [one["measure"] for one in found] == ["SWD"] * 10 + ["FD", "precision"]
    assert (found[-2]["source"], found[-2]["value"], found[-2]["low"]) == ("evaluate", "9.0", "8.9")
    assert json.loads(found[-1]["protocol"])["fakes"] == 1000


def test_a_run_with_nothing_but_a_recipe_has_a_report(cli: Cli) -> None:
    folder = made("r")
    for path in (folder.log, folder.events, folder.host):
        path.unlink()
    done = cli("report", "runs/r", "--out", "r.html")
    assert done.returncode == 0, done.stderr
    text = Path("r.html").read_text()
    assert "The log is empty." in text
    assert "There are no samples to show." in text
    assert "has not been evaluated" in text


def test_damaged_previews_are_passed_over(run: RunFolder, cli: Cli) -> None:
    run.sample_path(0).write_bytes(b"text")
    run.sample_path(800).write_bytes(run.sample_path(400).read_bytes()[:900])
    assert cli("report", "runs/r", "--out", "r.md").returncode == 0
    assert len(list(Path("r-files").glob("samples-*.png"))) == 3


def test_a_modality_shown_as_text_keeps_its_lines(cli: Cli) -> None:
    folder = made("r")
    folder.samples.mkdir()
    (folder.samples / "400.txt").write_text("<b>one</b>\n  two | three\n")
    write_previews(folder.samples, [Preview(file="400.txt", images_seen=400, kind="text")])
    assert cli("report", "runs/r", "--out", "r.html").returncode == 0
    assert "<pre>&lt;b&gt;one&lt;/b&gt;\n  two | three" in Path("r.html").read_text()
    assert cli("report", "runs/r", "--out", "r.md").returncode == 0
    assert "\n    <b>one</b>\n      two | three\n" in Path("r.md").read_text()


def test_what_cannot_be_written_is_named(run: RunFolder, cli: Cli) -> None:
    assert_refused(cli("report", "runs/r", "--out", "r.pdf"), "r.pdf", ".html or .md")
    assert_refused(cli("report", "runs/none"), "runs/none")
    Path("file").write_text("")
    assert_refused(cli("report", "runs/r", "--out", "file/r.html"), "file/r.html")
    assert_refused(cli("report", "runs/r", "--out", "r.html", "--csv", "file"), "file/log.csv")
