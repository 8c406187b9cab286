"""The models that the page offers: the bundled ones, and every run that has weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas.errors import InputError
from ganvas.runs.models import bundled, find, packaged
from ganvas.untrusted import Json
from ganvas.web.run_pages import Answer
from ganvas.web.served import Models
from ganvas.web.watching import Watched

if TYPE_CHECKING:
    from ganvas.inference import Predictor

RUN = re.compile(r"run-(\d{1,9})")


class PageModels(Models):
    """Bundled models by name, and runs by their number: ``run-3``; a run that has trained on is opened again."""

    def __init__(self, runs: Watched, *, device: str = "cpu") -> None:
        super().__init__({name: name for name in bundled() | packaged()}, device=device)
        self.runs = runs
        self._stamps: dict[str, tuple[str, int]] = {}

    def expect(self, name: str) -> str:
        """See `Models.expect`."""
        if found := RUN.fullmatch(name):
            self.places[name] = str(self.runs.run(int(found[1])).folder.path)
        return super().expect(name)

    def open(self, name: str, strength: float = 1.0) -> Predictor:
        """See `Models.open`."""
        file = find(self.places[name])
        stamp = str(file), file.stat().st_mtime_ns
        if self._stamps.get(name, stamp) != stamp:
            self.forget(name)
        self._stamps[name] = stamp
        return super().open(name, strength)

    def routes(self, limit: float, upload: int) -> Sequence[BaseRoute]:
        """The route of the list; `limit` are megapixels of a photo, `upload` bytes of a request."""

        def listed() -> Json:
            found = [{"name": name, "label": name, "place": name} for name in bundled() | packaged()]
            for number, run in sorted(self.runs.look().items(), key=lambda item: item[1].name):
                if run.summary["state"] != "broken" and _has_weights(str(run.folder.path)):
                    found.append({"name": f"run-{number}", "label": run.name, "place": str(run.folder.path)})
            return {"models": found, "limit": limit, "upload": upload >> 20}

        async def models(request: Request) -> Response:
            return Answer(await anyio.to_thread.run_sync(listed))

        return [Route("/api/models", models)]


def _has_weights(place: str) -> bool:
    try:
        find(place)
    except InputError:
        return False
    return True
