"""Errors as application/problem+json (RFC 9457): what is wrong, and what to do, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ganvas.errors import InputError
from ganvas.machine import out_of_memory


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error as a response."""
    title = HTTPStatus(status).phrase
    content = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(content, status, headers, "application/problem+json")


async def of_input(request: Request, error: Exception) -> Response:
    """The response for what a user can mend."""
    return problem(400, str(error))


async def of_http(request: Request, error: Exception) -> Response:
    """The response for a refusal, or for a path or method that does not exist."""
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = f"there is nothing at {request.url.path}; check the address."
    if error.status_code == 405:
        allowed = sorted((error.headers or {}).get("Allow", "").split(", "))
        detail = f"{request.method} is not allowed here; use {' or '.join(allowed)}."
    return problem(error.status_code, detail, error.headers)


async def of_fault(request: Request, error: Exception) -> Response:
    """The response for a fault of the program, whose traceback goes to the terminal."""
    if out_of_memory(error):
        return problem(503, "there is too little free memory for this; send a smaller image.")
    return problem(500, f"an unexpected error ({type(error).__name__}); the terminal of the server shows where.")


async def of_leaving(request: Request, error: Exception) -> Response:
    """The response that nobody hears: the client has gone."""
    return Response(status_code=499)


HANDLERS = {ClientDisconnect: of_leaving, InputError: of_input, HTTPException: of_http, Exception: of_fault}
