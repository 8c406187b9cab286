"""The page of runs in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ganvas.runs.folder import RunFolder
from tests.reports.runs import add_previews, draw_preview, made
from tests.web.browsing import Visit, expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page, Position


def names(page: Page) -> list[str]:
    return page.locator(".run a").all_text_contents()


def played(name: str = "digits", **changes: Any) -> RunFolder:
    folder = made(name, **changes)
    add_previews(folder)
    folder.log.write_text(json.dumps({"images": 40, "signals": {}}) + "\n" + folder.log.read_text())
    folder.add_event("verdict", images=120, verdict="oscillation", sentence="it turns and turns")
    return folder


HOSTILE = "<img src=x onerror=document.title='caught'>"


def test_the_list_is_searched_sorted_and_live(visit: Visit) -> None:
    played("run-2")
    played("run-10", system__latent=9)
    made(HOSTILE)
    page = visit()
    page.wait_for_selector(".run")
    assert page.url.endswith("/")
    assert set(names(page)) == {"run-2", "run-10", HOSTILE}
    page.get_by_label("Sort by").select_option("name")
    assert names(page)[1:] == ["run-2", "run-10"]
    page.get_by_label("Search").fill("oscill 10")
    assert names(page) == ["run-10"]
    assert "1 of 3 runs" in page.inner_text("main")
    page.get_by_label("Search").fill("nothing like it")
    assert page.get_by_text("No run matches.").is_visible()
    page.get_by_label("Search").fill("")
    made("later")
    expect(page, "document.querySelectorAll('.run').length", 4, seconds=3)
    shutil.rmtree("runs/run-2")
    expect(page, "document.querySelectorAll('.run').length", 3, seconds=3)
    page.get_by_role("link", name=HOSTILE).click()
    page.wait_for_selector(".charts svg")
    assert HOSTILE in page.inner_text("h1")
    assert page.title() == f"ganvas · {HOSTILE}"


def test_no_run_yet(visit: Visit) -> None:
    page = visit()
    assert "There is no run in runs yet." in page.inner_text("main")
    assert "ganvas train dcgan-digits" in page.inner_text("main")
    made("first")
    expect(page, "document.querySelectorAll('.run').length", 1, seconds=3)
    assert not page.get_by_text("There is no run in").is_visible()


def at(page: Page) -> str:
    return page.inner_text(".moment output")


def place(curve: Locator, share: float) -> Position:
    """Where a share of the horizontal axis of a chart is."""
    box = curve.bounding_box()
    assert box
    return {"x": 46 + (box["width"] - 54) * share, "y": 80}


def test_one_slider_over_all_samples_and_a_click_on_a_curve(visit: Visit) -> None:
    played()
    page = visit()
    page.get_by_role("link", name="digits").click()
    page.wait_for_selector(".charts svg")
    assert at(page) == "5 of 5, 400 images"
    expect(page, "document.querySelector('canvas.sheet').width", 612)
    slider = page.get_by_role("slider", name="moment")
    slider.press("ArrowLeft")
    assert at(page) == "4 of 5, 300 images"
    slider.press("Home")
    assert at(page) == "1 of 5, 0 images"
    page.get_by_role("button", name="next sample").click()
    assert at(page) == "2 of 5, 100 images"
    page.get_by_role("button", name="play").click()
    expect(page, "document.querySelector('.moment output').textContent", "5 of 5, 400 images")
    assert page.get_by_role("button", name="play").is_visible()
    page.get_by_role("button", name="1:1").click()
    assert page.evaluate("document.querySelector('canvas.sheet').clientWidth") == 612
    curve = page.locator(".chart").first
    curve.click(position=place(curve, 0.55))
    assert at(page) == "3 of 5, 200 images"
    curve.hover(position=place(curve, 0.5))
    assert "oscillation" in page.inner_text(".tip")
    assert page.locator(".band").count() == page.locator(".chart").count()
    page.get_by_role("button", name="120 – 400").click()
    assert at(page) == "2 of 5, 100 images"
    assert "it turns and turns" in page.inner_text("main")
    page.get_by_role("button", name="logarithmic").click()
    page.get_by_role("button", name="hours").click()
    assert "hours of training" in (page.text_content(".chart") or "")


def test_a_new_line_and_a_new_sample_are_there_within_a_second(visit: Visit) -> None:
    folder = played()
    page = visit()
    page.get_by_role("link", name="digits").click()
    page.wait_for_selector(".charts svg")
    with folder.lock():
        expect(page, "document.querySelector('.badge').textContent", "training", seconds=4)
        page.wait_for_timeout(500)
        began = time.monotonic()
        draw_preview(folder, 500, np.full((60, 60, 1), 9, np.uint8), "grid", rows=1, columns=1, tile=(56, 56))
        folder.add_log({"images": 512, "d/adversarial": 0.25, "g/adversarial": 3.5})
        expect(page, "document.querySelector('.moment output').textContent", "6 of 6, 500 images")
        expect(page, "document.querySelector('.log').textContent.includes('d/adversarial 0.25')", True)
        assert time.monotonic() - began < 1.5  # a second on a machine that does nothing else


def test_a_log_that_is_rewritten_and_a_run_that_is_deleted_while_shown(visit: Visit) -> None:
    folder = played()
    page = visit(allowed="410")  # the answer about a run that is gone
    page.get_by_role("link", name="digits").click()
    page.wait_for_selector(".charts svg")
    folder.forget_after(200)
    expect(page, "document.querySelector('.moment output').textContent", "3 of 3, 200 images")
    assert "was rewritten" in page.inner_text("[role=alert]")
    shutil.rmtree(folder.path)
    expect(page, "document.querySelector('[role=alert]').textContent.includes('is gone')", True)
    page.get_by_role("link", name=re.compile("Back")).click()
    expect(page, "document.querySelectorAll('.run').length", 0)


def test_sentences(visit: Visit) -> None:
    folder = made("words")
    folder.samples.mkdir()
    (folder.samples / "9.txt").write_text("a <b>bold</b> one\nanother\n")
    (folder.samples / "index.json").write_text(json.dumps([{"file": "9.txt", "images_seen": 9, "kind": "text"}]))
    page = visit()
    page.get_by_role("link", name="words").click()
    page.wait_for_selector(".sentences li")
    assert page.inner_text(".sentences").splitlines() == ["a <b>bold</b> one", "another"]


@pytest.mark.parametrize(("locale", "title"), [("en-GB", "Runs"), ("zh-CN", "训练"), ("fr-FR", "Runs")])
def test_the_language_is_that_of_the_browser_and_can_be_switched(visit: Visit, locale: str, title: str) -> None:
    played()
    page = visit(locale=locale)
    page.wait_for_selector(".run")
    assert page.inner_text("h1") == title
    page.locator("#language").select_option("zh")
    assert page.inner_text("h1") == "训练"
    assert "振荡" in page.inner_text(".run")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    page.reload()
    page.wait_for_selector(".run")
    assert page.inner_text("h1") == "训练"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_telephone(visit: Visit, scheme: str) -> None:
    played("a-name-that-is-longer-than-the-screen-of-a-telephone-is-wide")
    page = visit(viewport={"width": 390, "height": 800}, color_scheme=scheme)
    page.wait_for_selector(".run")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".run a").click()
    page.wait_for_selector(".charts svg")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(21, 22, 24)") == (scheme == "dark")


def test_the_keyboard_alone(visit: Visit) -> None:
    played()
    page = visit()
    page.wait_for_selector(".run")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.run a')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".charts svg")
    assert page.evaluate("document.activeElement.id") == "main"
    unnamed = """[...document.querySelectorAll('button, input, select, canvas, svg[role], img')]
        .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length || one.alt))
        .map((one) => one.outerHTML)"""
    assert page.evaluate(unnamed) == []
