"""A real server on a free port, in a thread of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from ganvas.web.server import Server, listen, url_of


@contextmanager
def served(app: ASGIApp, stopping: threading.Event) -> Iterator[str]:
    """The address of an application while it is served."""
    with listen("127.0.0.1", 0) as listening:
        server = Server(app, stopping)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield url_of(listening, "127.0.0.1")
        finally:
            stopping.set()
            server.should_exit = True
            thread.join(10)
