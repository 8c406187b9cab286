"""A client that calls an application directly."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp

PLACE = "http://127.0.0.1:8642"


class Client:
    """Keeps its cookies; a fault of the application is answered as a server would."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.cookies = app, httpx.Cookies()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The whole response to one request."""
        return self.together((method, path, options))[0]

    def together(self, *requests: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
        """The responses to requests that are made at the same time."""

        async def send() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=PLACE, cookies=self.cookies) as client:
                made = await asyncio.gather(*(client.request(m, path, **options) for m, path, options in requests))
                self.cookies.update(client.cookies)
                return list(made)

        return asyncio.run(send())

    def get(self, path: str, **options: Any) -> httpx.Response:
        """As `request`."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """As `request`."""
        return self.request("POST", path, **options)
