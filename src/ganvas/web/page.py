"""The whole page: its files, the runs of a folder, and the models that it offers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from starlette.routing import BaseRoute

from ganvas.reports.templating import TEMPLATES
from ganvas.web.application import assets
from ganvas.web.gate import UPLOAD
from ganvas.web.model_pages import PageModels
from ganvas.web.run_pages import RunPages
from ganvas.web.service import Service
from ganvas.web.watching import Watched


def page(runs: Path, stopping: threading.Event, *, device: str = "cpu") -> tuple[list[BaseRoute], Callable[[], object]]:
    """The routes of the page, and what removes the files of unfinished work.

    Args:
        runs: the folder of the runs, or one.
        stopping: set when the server ends.
        device: where to compute.
    """
    watched = Watched(runs)
    models = PageModels(watched, device=device)
    service = Service(models, stopping)
    pages = [*RunPages(watched, stopping).routes(), *models.routes(service.limit, UPLOAD), *service.routes()]
    return [*assets(TEMPLATES / "page.css"), *pages], service.close
