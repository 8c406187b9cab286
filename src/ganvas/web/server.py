"""Listening and serving until Ctrl-C or SIGTERM, which end within seconds whatever is under way."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import closing
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from ganvas.errors import InputError
from ganvas.imageio.interrupts import stoppable
from ganvas.terminal import print

PATIENCE = 2  # seconds that connections are given to end by themselves
LAST = 0.2  # seconds that a thread is given after that


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 picks a free one.

    Raises:
        InputError: the port is taken or not permitted, or the machine has no such address.
    """
    if not 0 <= port <= 65_535:
        raise InputError(f"--port {port} is out of range; give 1 to 65535, or 0 for a free one.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)  # of an unnamed protocol, asyncio delays answers by 40 ms
        try:
            if sys.platform != "win32":  # where it would let two programs share a port
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(512)
        except OSError:
            listening.close()
            raise
    except socket.gaierror as error:
        raise InputError(f"--host {host} is not an address of this machine ({error.strerror}).") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = "is taken by another program; give another --port, or 0 for a free one"
        elif error.errno in (errno.EACCES, errno.EPERM):
            reason = "is not permitted; give a --port above 1023"
        else:
            reason = f"cannot be listened at ({error.strerror}); give another --host or --port"
        raise InputError(f"port {port} of {host} {reason}.") from None
    return listening


def url_of(listening: socket.socket, host: str) -> str:
    """The address to open in a browser."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host.strip('[]')}]" if ":" in host else host)
    return f"http://{shown}:{listening.getsockname()[1]}"


class Server(uvicorn.Server):
    """A server.

    Attributes:
        stopping: set as soon as it is to end; streams and long work look at it.
    """

    def __init__(self, app: ASGIApp, stopping: threading.Event) -> None:
        self.stopping = stopping
        super().__init__(
            uvicorn.Config(
                app,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=PATIENCE,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As of uvicorn."""
        self.stopping.set()
        super().handle_exit(sig, frame)


def serve(
    app: ASGIApp, listening: socket.socket, stopping: threading.Event, close: Callable[[], object] = lambda: None
) -> None:
    """Serve until stopped.

    Args:
        stopping: set as soon as it is to end.
        close: called at the end, to remove what unfinished work leaves behind.

    Raises:
        KeyboardInterrupt, SystemExit: by Ctrl-C or SIGTERM, once all has ended.
    """
    logger = logging.getLogger("uvicorn")
    logger.handlers, logger.propagate = [_Told()], False
    logger.setLevel(logging.ERROR)
    server = Server(app, stopping)
    with closing(listening), stoppable():
        try:
            server.run([listening])
        except (KeyboardInterrupt, SystemExit) as ended:
            close()
            _leave_work(130 if isinstance(ended, KeyboardInterrupt) else 143)
            raise
        finally:
            stopping.set()


def _leave_work(code: int) -> None:
    """End the process if a thread is still in the middle of a step: Python would wait for it, which may take long."""
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("AnyIO")]
    for thread in threads:
        thread.join(LAST)
    if any(thread.is_alive() for thread in threads):
        sys.stdout.flush()
        os._exit(code)


class _Told(logging.Handler):
    """Tells what went wrong on stderr, but for what is cut off at the end."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0] if record.exc_info else None
        if kind is not asyncio.CancelledError and not record.getMessage().startswith("Cancel "):
            print(*self.format(record).splitlines(), sep="\n", file=sys.stderr)


def open_browser(url: str) -> None:
    """Open an address in the browser, if this machine has one with windows."""

    def show() -> None:
        try:
            # One of this very class is a browser of the terminal, which would take it over.
            if type(browser := webbrowser.get()) is not webbrowser.GenericBrowser:
                browser.open(url)
        except webbrowser.Error:
            pass  # there is none; the address was printed

    threading.Thread(target=show, daemon=True).start()
