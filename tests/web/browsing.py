"""A browser with windows nobody sees: Debian's Chromium, driven by Playwright; tests skip where either is absent."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Visit = Callable[..., "Page"]
"""Opens the page of ``runs/`` in a tab of its own; keywords as of `opened`."""

FLAGS = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync")


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Browser, place: str, allowed: str = "", **options: Any) -> Iterator[Page]:
    """A page at an address, which asks for nothing elsewhere and has no error on its console.

    Args:
        allowed: a text in errors that are expected.
    """
    context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}, **options})
    context.set_default_timeout(8000)
    page, faults = context.new_page(), list[str]()
    origin = place.split("/?")[0].rstrip("/")
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith((f"{origin}/", "data:", "blob:")) else faults.append(asked.url),
    )
    try:
        page.goto(place)
        yield page
    finally:
        context.close()
    assert not [fault for fault in faults if not allowed or allowed not in fault]


def expect(page: Page, script: str, value: object, seconds: float = 5) -> None:
    """Wait until an expression has a value in the page."""
    deadline = time.monotonic() + seconds
    while (found := page.evaluate(script)) != value:
        assert time.monotonic() < deadline, f"{script} is {found!r}, not {value!r}"
        page.wait_for_timeout(20)
