"""Serve models over HTTP, image bytes in and out: ganvas serve srgan-x4"""

from __future__ import annotations

import os

from ganvas.cli._parser import Parser
from ganvas.errors import InputError
from ganvas.terminal import print


def main(argv: list[str]) -> int:
    """Run ``ganvas serve MODEL..``."""
    parser = Parser("ganvas serve", description=__doc__)
    parser.add_argument("models", nargs="+", metavar="MODEL", help="run folder, weights file or bundled model")
    add_listening(parser, 8000)
    parser.add_argument("--device", default="cpu", help="device (default: cpu)")
    parser.add_argument(
        "--precision", choices=("fp32", "auto"), default="auto", help="of upscalers, as of ganvas upscale"
    )
    parser.add_argument("--limit", type=float, default=100.0, help="maximum megapixels of a photo (default: 100)")
    parser.add_argument("--queue", type=float, default=64.0, help="megapixels of photos that may wait (default: 64)")
    parser.add_argument("--max-upload", type=int, default=64, metavar="MB", help="size of a request (default: 64)")
    arguments = parser.parse_args(argv)
    from ganvas.web import expect_installed

    expect_installed("ganvas serve")
    for flag, value in (("limit", arguments.limit), ("queue", arguments.queue), ("max-upload", arguments.max_upload)):
        if not 0 < value < 1e6:
            raise InputError(f"--{flag} {value:g} is out of range; give a number above 0.")
    from ganvas.runs.models import find
    from ganvas.web.gate import Keys, access_to, expect_token
    from ganvas.web.server import listen, url_of

    for model in arguments.models:
        find(model)
    token = arguments.token or os.environ.get("GANVAS_TOKEN", "")
    keys = Keys(expect_token(token)) if token else None
    access = access_to(arguments.host, keys, tuple(arguments.allow_host))
    with listen(arguments.host, arguments.port) as listening:  # refused before torch is imported
        import threading

        from ganvas.web.application import application
        from ganvas.web.served import Models, named
        from ganvas.web.server import serve
        from ganvas.web.service import Service

        models, stopping = (
            Models(named(arguments.models), device=arguments.device, precision=arguments.precision),
            threading.Event(),
        )
        for name in models.places:
            about = models.describe(name)
            print(f"{name}: {about['does']} ({', '.join(about['operations']) or 'only described'})")
        service = Service(models, stopping, limit=arguments.limit, queue=arguments.queue)
        print(f"serving at {url_of(listening, arguments.host)}; Ctrl-C stops")
        serve(
            application(service.routes(), access, most=arguments.max_upload << 20), listening, stopping, service.close
        )
    return 0


def add_listening(parser: Parser, port: int) -> None:
    """Add where to listen, and who may use it."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: 127.0.0.1, this machine)")
    parser.add_argument("--port", type=int, default=port, help=f"port, 0 for a free one (default: {port})")
    parser.add_argument(
        "--token",
        default="",
        help="key that opens it, at least 16 characters; compulsory for another --host (default: $GANVAS_TOKEN)",
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="further name that it answers to; repeatable"
    )
