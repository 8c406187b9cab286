"""The attacks that a server on loopback is open to, each answered by the right code."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ganvas.errors import InputError
from ganvas.web import expect_installed
from ganvas.web.application import application
from ganvas.web.gate import Access, Keys, access_to, expect_token
from tests.web.client import PLACE, Client

TOKEN = "0123456789abcdef"


async def echo(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def wrong(request: Request) -> Response:
    raise InputError("--seed -1 is negative; give 0 or more.")


async def faulty(request: Request) -> Response:
    raise ZeroDivisionError("/home/secret")


def client(access: Access | None = None, most: int = 100) -> Client:
    methods = ["GET", "POST", "DELETE"]
    routes = [Route("/", echo, methods=methods), Route("/wrong", wrong), Route("/faulty", faulty)]
    return Client(application(routes, access or Access(), most=most))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8642", "LOCALHOST", "[::1]:8642"])
def test_own_hosts_pass(host: str) -> None:
    assert client().get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8642",
        "192.168.0.7",
        "",
        "127.0.0.1@evil",
        "a b",
    ],
)
def test_a_name_that_was_rebound_to_loopback_is_refused(host: str) -> None:
    answer = client().get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert "--allow-host" in answer.json()["detail"]


def test_two_hosts_are_refused() -> None:
    assert client().get("/", headers=[("Host", "127.0.0.1"), ("Host", "evil.example")]).status_code == 400


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH", "OPTIONS"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:3000"},  # another program on this machine
        {"Origin": "http://[127.0.0.1:8642"},
        {"Origin": ""},
        {"Origin": "file://127.0.0.1:8642"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": PLACE},
    ],
    ids=str,
)
def test_another_website_can_change_nothing(method: str, headers: dict[str, str]) -> None:
    answer = client().request(method, "/", headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": PLACE}, {"Origin": PLACE, "Sec-Fetch-Site": "same-origin"}], ids=str
)
def test_the_own_page_and_programs_pass(headers: dict[str, str]) -> None:
    assert client().post("/", headers=headers).status_code == 200


def test_a_link_on_another_website_may_lead_here() -> None:
    assert client().get("/", headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/wrong", "/faulty", "/none"])
def test_every_answer_has_the_headers_that_protect_it(path: str) -> None:
    headers = client().get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self'; img-src 'self' blob: data:;")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in headers if name.startswith("access-control")]


def test_errors_are_sentences_without_paths_of_the_machine() -> None:
    answer = client().get("/wrong")
    assert (answer.status_code, answer.json()["detail"]) == (400, "--seed -1 is negative; give 0 or more.")
    assert answer.json()["title"] == "Bad Request"
    answer = client().get("/faulty")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "ZeroDivisionError" in answer.json()["detail"]
    assert client().get("/none").json()["detail"].startswith("there is nothing at /none;")
    assert client().post("/wrong").json()["detail"].startswith("POST is not allowed here; use GET or HEAD.")


def test_large_bodies_are_refused_whatever_they_say_of_their_length() -> None:
    assert client().post("/", content=b"x" * 100).json() == {"bytes": 100}
    assert client().post("/", content=b"x" * 101).status_code == 413
    assert client().post("/", content=b"x" * 101).json()["detail"].endswith("raise --max-upload.")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 10

    assert client().post("/", content=pieces()).status_code == 413


def test_a_key_that_opens_once_is_exchanged_for_a_cookie() -> None:
    printed: list[str] = []
    keys = Keys(renewed=printed.append)
    first = keys.token
    one, other = (client(access_to("127.0.0.1", keys)) for _ in range(2))
    assert one.get("/").status_code == 401
    assert "Authorization: Bearer" in one.get("/").json()["detail"]
    assert "newest one" in one.get("/", headers={"Accept": "text/html"}).text
    entered = one.get("/", params={"token": first})
    assert "token" not in entered.text
    cookie = entered.headers["set-cookie"].lower()
    assert cookie.startswith("ganvas-8642=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert first not in cookie
    assert one.get("/").status_code == 200
    assert other.get("/", params={"token": first}).status_code == 401
    assert other.get("/", params={"token": "\u00e9\ud7ff"}).status_code == 401
    assert other.get("/", params={"token": printed[-1]}).status_code == 200
    assert other.post("/").status_code == 200
    assert other.post("/", headers={"Origin": "https://evil.example"}).status_code == 403


def test_a_token_of_the_user_opens_as_often_as_wanted() -> None:
    access = access_to("127.0.0.1", Keys(TOKEN))
    for _ in range(2):
        assert client(access).post("/", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client(access).get("/", params={"token": TOKEN}).status_code == 200
    for wrong in ("Bearer 0123456789abcdeF", f"Basic {TOKEN}", "Bearer", "Bearer \xe9"):
        assert client(access).get("/", headers={"Authorization": wrong.encode("latin-1")}).status_code == 401
    for cookie in ("ganvas-8642=", "ganvas-8642=guessed", ";;=;", "ganvas-8643=x"):
        assert client(access).get("/", headers={"Cookie": cookie}).status_code == 401


def test_only_health_is_told_without_a_key() -> None:
    locked = client(access_to("127.0.0.1", Keys(TOKEN)))
    assert locked.get("/v2/health/live").status_code == 404  # this application has none, but the gate lets it pass
    assert locked.get("/v2/health/live/../../wrong").status_code == 401
    assert locked.get("/wrong").status_code == 401


def test_off_loopback_a_token_is_compulsory_and_names_are_known() -> None:
    with pytest.raises(InputError, match="give a --token"):
        access_to("0.0.0.0", None)
    access = access_to("0.0.0.0", Keys(TOKEN), ("gpu.example.org",))
    told = {"Authorization": f"Bearer {TOKEN}"}
    for host, code in {"10.1.2.3:8642": 200, "gpu.example.org": 200, "[fe80::1]": 200, "evil.example": 400}.items():
        assert client(access).get("/", headers={**told, "Host": host}).status_code == code
    # A proxy before it has another Host than the page in the browser.
    for origin, code in {"https://gpu.example.org": 200, "https://evil.example": 403}.items():
        assert client(access).post("/", headers={**told, "Origin": origin}).status_code == code


@pytest.mark.parametrize("token", ["", "short", "0123456789abcde", "0123456789abcde\n", "0123456789 abcdef", "ü" * 20])
def test_a_token_that_can_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(InputError, match="at least 16"):
        expect_token(token)


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="--allow-host 'http://x' is not the name"):
        access_to("127.0.0.1", None, ("http://x",))


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.web.NEEDS", ("starlette", "uvicorn_that_is_not_there"))
    with pytest.raises(InputError, match=r"needs uvicorn_that_is_not_there, .* pip install 'ganvas\[web\]'\.$"):
        expect_installed("ganvas web")
