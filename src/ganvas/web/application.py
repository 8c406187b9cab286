"""The application: routes behind the gate, errors as sentences, and the files of the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Lifespan

from ganvas.web.gate import UPLOAD, Access, Gate
from ganvas.web.problems import HANDLERS

ASSETS = Path(__file__).parent / "assets"
# Named here: the system's own table may say anything, and a browser runs no script of another type.
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


def application(
    routes: Sequence[BaseRoute],
    access: Access,
    *,
    most: int = UPLOAD,
    lifespan: Lifespan[Starlette] | None = None,
) -> Gate:
    """An application of these routes.

    Args:
        access: who may use it.
        most: bytes that a request may have.
        lifespan: what to do at the start and at the end.
    """
    return Gate(Starlette(routes=routes, exception_handlers=HANDLERS, lifespan=lifespan), access, most)


def assets(*more: Path) -> list[BaseRoute]:
    """The routes of the page's files, and of further ones, each by its own name: no path is made of what a URL says."""
    files = [*(file for file in sorted(ASSETS.iterdir()) if file.suffix in TYPES), *more]
    routes = [Route(f"/static/{file.name}", _sending(file)) for file in files if file.suffix != ".html"]
    return [*routes, Route("/", _sending(ASSETS / "index.html"))]


def _sending(file: Path) -> Callable[[Request], Awaitable[Response]]:
    async def send(request: Request) -> Response:
        return FileResponse(file, media_type=TYPES[file.suffix], headers={"Cache-Control": "no-cache"})

    return send
