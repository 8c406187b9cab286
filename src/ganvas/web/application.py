"""The application: routes behind the gate, and errors as sentences."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import Lifespan

from ganvas.web.gate import UPLOAD, Access, Gate
from ganvas.web.problems import HANDLERS


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
