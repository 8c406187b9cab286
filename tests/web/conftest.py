"""A browser, and the page in it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ganvas.web.application import application
from ganvas.web.gate import Keys, access_to
from ganvas.web.page import page
from tests.web.browsing import Visit, launched, opened
from tests.web.serving import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of a file."""
    with launched() as found:
        yield found


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Open the page of ``runs/``, with its key, in a tab of its own."""
    stopping = threading.Event()
    keys = Keys(renewed=lambda key: None)
    routes, close = page(Path("runs"), stopping)
    with ExitStack() as stack:
        stack.callback(close)
        place = stack.enter_context(served(application(routes, access_to("127.0.0.1", keys)), stopping))

        def visit(**options: Any) -> Page:
            tab = stack.enter_context(opened(browser, f"{place}/?token={keys.token}", **options))
            tab.wait_for_selector("h1")
            return tab

        yield visit
