"""The gate that every request passes: Host, Origin, key, size; and the headers that every response gets.

Loopback is no protection in itself: a website can point a name of its own at 127.0.0.1, and let a visitor's browser
send requests there. So the Host must be a known one, and whatever is not a mere GET must come from the page itself.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ganvas.errors import InputError
from ganvas.web.problems import problem

LOOPBACK = frozenset(("127.0.0.1", "localhost", "[::1]"))
SHORTEST = 16  # characters of a token, so that it cannot be guessed
OPEN = frozenset(("/v2/health/live", "/v2/health/ready"))  # told without a key: whether the service is there
SAFE = frozenset(("GET", "HEAD"))
UPLOAD = 64 << 20  # bytes of a request

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?", re.ASCII)

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# By a page of our own, not by a redirect: a cookie that is SameSite=Strict is not sent along a chain of redirects that
# another site began, such as that of a terminal in the browser.
_ENTERED = (
    '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/"><title>ganvas</title>'
    '<link rel="icon" href="data:,">'
)
_LOCKED = (
    '<!doctype html><meta charset="utf-8"><title>ganvas</title><link rel="icon" href="data:,"><h1>ganvas</h1>'
    "<p>This page needs the address with its key: open the newest one that the command has printed in its terminal."
)


@dataclass
class Keys:
    """What opens the application: a token, and the cookie that it is exchanged for.

    Attributes:
        token: the token; one of the user's opens as often as wanted.
        renewed: where tokens open once, called with the next one after each use; None if the token stays.
    """

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    renewed: Callable[[str], object] | None = None
    session: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def enter(self, token: str) -> bool:
        """Whether a token opens; one that opens once is then replaced."""
        right = _same(token, self.token)
        if right and self.renewed:
            self.token = secrets.token_urlsafe(24)
            self.renewed(self.token)
        return right

    def opens(self, headers: Headers, cookie: str) -> bool:
        """Whether a request carries the cookie of that name, or the token that stays."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if not self.renewed and kind.lower() == "bearer" and _same(token.strip(), self.token):
            return True
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(cookie)
        except CookieError:
            return False
        return found is not None and _same(found.value, self.session)


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), known.encode())


@dataclass(frozen=True)
class Access:
    """Who may use the application.

    Attributes:
        hosts: names that it answers to, as in the Host header without the port.
        any_address: it also answers to every numeric address, which no website can claim for itself.
        keys: what opens it; None if whoever reaches it may use it.
        proxied: names of a proxy before it, whose pages are its own although the Host that arrives is another.
    """

    hosts: frozenset[str] = LOOPBACK
    any_address: bool = False
    keys: Keys | None = None
    proxied: frozenset[str] = frozenset()


def access_to(host: str, keys: Keys | None, names: tuple[str, ...] = ()) -> Access:
    """Who may use an application that listens at an address.

    Args:
        host: the address or name to listen at.
        names: further names that it answers to, such as those of a proxy.

    Raises:
        InputError: a name is none, or everybody in the network would get in without a key.
    """
    for name in names:
        if not _HOST.fullmatch(name.lower()):
            raise InputError(f"--allow-host {name!r} is not the name of a machine; give one such as gpu.example.org.")
    given = frozenset(name.lower() for name in names)
    if is_loopback(host):
        return Access(LOOPBACK | {_bracketed(host)} | given, keys=keys, proxied=given)
    if keys is None:
        raise InputError(f"--host {host} opens the service to others in the network; give a --token, too.")
    own = {_bracketed(host), socket.gethostname().lower()}
    return Access(LOOPBACK | own | given, any_address=True, keys=keys, proxied=given)


def expect_token(token: str) -> str:
    """Refuse a token that can be guessed.

    Raises:
        InputError: it is too short, or not of letters, digits and - . _ ~ alone.
    """
    if len(token) < SHORTEST or not re.fullmatch(r"[A-Za-z0-9._~-]+", token):
        raise InputError(f"--token must be at least {SHORTEST} letters, digits and - . _ ~, so that nobody guesses it.")
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host.strip('[]')}]" if ":" in host else host.lower()


class Gate:
    """The outermost layer of an application."""

    def __init__(self, app: ASGIApp, access: Access, most: int = UPLOAD) -> None:
        """`most` is the bytes that a request may have."""
        self.app, self.access, self.most = app, access, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                made = MutableHeaders(scope=message)
                for name, value in {**HEADERS, "Cache-Control": "no-store"}.items():
                    made.setdefault(name, value)
            await send(message)

        if answer := self._answer(scope, headers):
            await answer(scope, receive, with_headers)
        else:
            await self.app(scope, self._bounded(receive), with_headers)

    def _answer(self, scope: Scope, headers: Headers) -> Response | None:
        """The gate's own answer; None if the request may pass."""
        found = [_HOST.fullmatch(host.lower()) for host in headers.getlist("host")]
        host = found[0][1] if len(found) == 1 and found[0] else ""
        if not self._is_known(host):
            return problem(
                400,
                f"this server does not answer to the name {headers.get('host', '')[:80]!r}; use http://127.0.0.1, or"
                " start it with --allow-host NAME.",
            )
        if scope["method"] not in SAFE and not self._is_own(headers):
            return problem(403, "this request was sent by another website; only the page of this server may do so.")
        if answer := self._locked(scope, headers):
            return answer
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self.most:
            return problem(413, self._too_large())
        return None

    def _is_known(self, host: str) -> bool:
        return host in self.access.hosts or (self.access.any_address and _is_address(host))

    def _is_own(self, headers: Headers) -> bool:
        """Whether a request came from a page of this server, or from no page at all."""
        if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return False
        origins = headers.getlist("origin")
        return all(self._is_own_origin(origin, headers["host"]) for origin in origins)

    def _is_own_origin(self, origin: str, host: str) -> bool:
        try:
            found = urlsplit(origin)
        except ValueError:
            return False
        own = found.netloc.lower() == host.lower() or (found.hostname or "") in self.access.proxied
        return found.scheme in ("http", "https") and own

    def _locked(self, scope: Scope, headers: Headers) -> Response | None:
        keys = self.access.keys
        if keys is None or scope["path"] in OPEN:
            return None
        cookie = f"ganvas-{(scope.get('server') or ('', 0))[1]}"  # cookies are the same for all ports of a machine
        query = parse_qs(scope["query_string"].decode("ascii", "replace"))
        if scope["method"] == "GET" and "token" in query and keys.enter(query["token"][0]):
            entered = HTMLResponse(_ENTERED)
            entered.set_cookie(cookie, keys.session, httponly=True, samesite="strict")
            return entered
        if keys.opens(headers, cookie):
            return None
        if "text/html" in headers.get("accept", ""):
            return HTMLResponse(_LOCKED, 401)
        told = "give the token of the server as Authorization: Bearer TOKEN, or open the address that it printed."
        return problem(401, told, {"WWW-Authenticate": "Bearer"})

    def _bounded(self, receive: Receive) -> Receive:
        """Whatever a request says of its length, no more is read."""
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.most:
                raise HTTPException(413, self._too_large())
            return message

        return bounded

    def _too_large(self) -> str:
        return f"a request may have {self.most >> 20:,} MB; send a smaller file, or raise --max-upload."


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
