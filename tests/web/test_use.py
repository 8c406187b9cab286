"""Using models on the page, in a real browser."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from ganvas.cli import main
from tests.conftest import TrainedRun, bundled_photographs, tiny
from tests.web.browsing import Visit, expect
from tests.web.test_service import DIGITS

if TYPE_CHECKING:
    from playwright.sync_api import Page


def use(page: Page, label: str) -> None:
    page.get_by_role("link", name="Use", exact=True).click()
    page.get_by_label("Model").select_option(label=label)


def write_photo(name: str = "old photo.jpg") -> Path:
    Image.fromarray(bundled_photographs()[0][:24, :40]).save(name)
    return Path(name).resolve()


def test_images_of_a_seed_are_those_of_the_command_line(visit: Visit, trained_run: TrainedRun, tmp_path: Path) -> None:
    trained_run(tiny("dcgan", system=DIGITS), name="digits")
    page = visit()
    page.get_by_role("link", name="digits").click()
    page.get_by_role("link", name="Use this model").click()
    page.get_by_label("seed").fill("7")
    page.get_by_label("number of images").fill("4")
    page.get_by_label("class").select_option("3")
    page.get_by_role("button", name="Generate").click()
    expect(page, "[...document.querySelectorAll('.cell img')].filter((one) => one.naturalWidth === 16).length", 4, 20)
    words = ["generate", "runs/digits", "-n", "4", "--seed", "7", "--class", "3", "--out", "samples"]
    assert f"ganvas {' '.join(words)}" in page.inner_text(".command code")
    assert main(words) == 0
    page.locator(".cell").nth(2).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="download").click()
    assert download.value.suggested_filename == "7-000002.png"
    assert Path(download.value.path()).read_bytes() == (tmp_path / "samples" / "3" / "7-000002.png").read_bytes()


def test_sentences_are_sampled(visit: Visit, trained_run: TrainedRun) -> None:
    trained_run(tiny("text"), name="words")
    page = visit()
    use(page, "words")
    page.get_by_label("number of sentences").fill("3")
    page.get_by_label("temperature").fill("0.5")
    page.get_by_role("button", name="Generate").click()
    expect(page, "document.querySelectorAll('.sentences li').length", 3, 20)


@pytest.mark.parametrize(
    ("model", "suffix", "size"), [("photo-x4", "_x4", (160, 96)), ("repair", "_repaired", (40, 24))]
)
def test_a_photo_is_changed_and_can_be_compared_and_downloaded(
    visit: Visit, model: str, suffix: str, size: tuple[int, int]
) -> None:
    photo = write_photo()
    Path("note.txt").write_text("no photo")
    page = visit(allowed="415")
    use(page, model)
    page.locator("input[type=file]").set_input_files([photo, Path("note.txt").resolve()])
    assert "Up to 64 MB and 100 megapixels" in page.inner_text(".drop")
    expect(page, "document.querySelector('.pair img.over')?.naturalWidth", size[0], 60)
    expect(page, "document.querySelectorAll('.result [role=alert]').length", 1, 20)
    assert "this is not an image" in page.inner_text(".result [role=alert]")
    slider = page.get_by_role("slider", name="position of the divider")
    slider.press("Home")
    assert page.evaluate("document.querySelector('.pair').style.getPropertyValue('--at')") == "0%"
    assert f"ganvas {'repair' if model == 'repair' else 'upscale'} 'old photo.jpg' --model {model}" in page.inner_text(
        "main"
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="download").click()
    assert download.value.suggested_filename == f"old photo{suffix}.jpg"
    with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as made:
        assert made.size == size


def test_a_run_without_weights_is_not_offered_and_one_that_is_gone_says_so(
    visit: Visit, trained_run: TrainedRun
) -> None:
    folder = trained_run(tiny("dcgan"), name="digits")
    page = visit(allowed="400", viewport={"width": 390, "height": 800})
    use(page, "digits")
    page.get_by_label("seed").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    folder.model.unlink()
    for state in folder.states():
        state.unlink()
    page.get_by_role("button", name="Generate").click()
    expect(page, "document.querySelector('[role=alert]')?.textContent.includes('has no last state')", True, 10)
    page.reload()
    page.wait_for_selector("main option", state="attached")
    expect(page, "[...document.querySelectorAll('main option')].some((one) => one.textContent === 'digits')", False)
