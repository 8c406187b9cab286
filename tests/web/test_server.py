"""A real server: ports, and the end."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ganvas.errors import InputError
from ganvas.web.application import application
from ganvas.web.gate import Access
from ganvas.web.server import listen, serve, url_of
from tests.conftest import Cli, assert_refused
from tests.processes import Forked, ganvas


async def endless(request: Request) -> Response:
    async def lines() -> AsyncIterator[str]:
        import asyncio

        while True:
            yield "data: x\n\n"
            await asyncio.sleep(0.05)

    return StreamingResponse(lines(), media_type="text/event-stream")


def serve_streams(place: str) -> None:
    listening = listen("127.0.0.1", 0)
    Path(place).write_text(url_of(listening, "127.0.0.1"))
    serve(application([Route("/", endless)], Access()), listening, threading.Event())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_seconds_with_streams_open(number: int, tmp_path: Path) -> None:
    place = tmp_path / "place"
    server = Forked(serve_streams, str(place))
    while not (place.exists() and place.read_text()):
        time.sleep(0.02)
    streams = [urllib.request.urlopen(place.read_text(), timeout=10) for _ in range(6)]
    for stream in streams:
        assert stream.readline() == b"data: x\n"
    began = time.monotonic()
    server.send_signal(number)
    code, printed = server.ended()
    assert time.monotonic() - began < 3
    assert code == {signal.SIGINT: 1, signal.SIGTERM: 143}[signal.Signals(number)]  # KeyboardInterrupt, not yet caught
    assert printed.count("Traceback") == (number == signal.SIGINT)
    for stream in streams:
        stream.close()


async def busy(request: Request) -> Response:
    import anyio.to_thread

    Path("busy").touch()
    await anyio.to_thread.run_sync(time.sleep, 30)
    return Response()


def serve_work(place: str) -> None:
    listening = listen("127.0.0.1", 0)
    Path(place).write_text(url_of(listening, "127.0.0.1"))
    serve(application([Route("/", busy)], Access()), listening, threading.Event(), Path("busy").unlink)


def test_it_does_not_wait_for_the_step_that_a_thread_is_in(tmp_path: Path) -> None:
    place = tmp_path / "place"
    server = Forked(serve_work, str(place))
    while not (place.exists() and place.read_text()):
        time.sleep(0.02)
    with socket.create_connection(("127.0.0.1", int(place.read_text().rpartition(":")[2]))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not Path("busy").exists():
            time.sleep(0.02)
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 143
    assert time.monotonic() - began < 3
    assert not Path("busy").exists()


def test_a_port_that_is_taken_is_refused() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InputError, match=f"^port {port} of 127.0.0.1 is taken by another program; .* --port"):
            listen("127.0.0.1", port)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may listen at every port")
def test_a_port_that_is_not_permitted_is_refused() -> None:
    with pytest.raises(InputError, match="above 1023"):
        listen("127.0.0.1", 80)


@pytest.mark.parametrize(
    ("host", "port", "message"), [("127.0.0.1", 70_000, "70000 is out of range"), ("203.0.113.9", 0, "--host")]
)
def test_an_address_that_is_not_here_is_refused(host: str, port: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        listen(host, port)


def test_answers_are_not_delayed() -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # otherwise asyncio does not set TCP_NODELAY


def test_the_address_to_open() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        for host, shown in {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]", "localhost": "localhost"}.items():
            assert url_of(bound, host) == f"http://{shown}:{port}"


def test_the_page_refuses_what_it_cannot_show(cli: Cli) -> None:
    assert_refused(cli("web", "--no-open", "--runs", "nowhere"), "--runs nowhere does not exist", "train a first one")
    Path("file").touch()
    assert_refused(cli("web", "--no-open", "--runs", "file"), "is not a folder")
    assert_refused(cli("web", "--no-open", "--token", "guess"), "at least 16")
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        assert_refused(cli("web", "--no-open", "--port", port), f"port {port} of 127.0.0.1 is taken")


def test_the_command_prints_an_address_that_opens(tmp_path: Path) -> None:
    server = ganvas("web", "--no-open", "--port", "0")
    while not server.printed.exists() or "Ctrl-C" not in server.printed.read_text():
        time.sleep(0.02)
        assert server.poll() is None
    (url,) = [word for word in server.printed.read_text().split() if word.startswith("http://")]
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert b"refresh" in answer.read()
    server.send_signal(signal.SIGINT)
    code, printed = server.ended()
    assert code == 130
    assert "for another browser: http://127.0.0.1:" in printed
    assert "Traceback" not in printed
