"""Open the page of your runs in the browser: ganvas web"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ganvas.cli._parser import Parser
from ganvas.cli.serve import add_listening
from ganvas.errors import InputError
from ganvas.terminal import print

RUNS = "runs"


def main(argv: list[str]) -> int:
    """Run ``ganvas web``."""
    parser = Parser("ganvas web", description=__doc__)
    parser.add_argument("--runs", type=Path, help=f"folder of the runs, or a run (default: {RUNS})")
    add_listening(parser, 8642)
    parser.add_argument(
        "--open", action=argparse.BooleanOptionalAction, default=True, help="open it in the browser (default: yes)"
    )
    parser.add_argument("--device", default="cpu", help="device of what is computed (default: cpu)")
    arguments = parser.parse_args(argv)
    from ganvas.web import expect_installed

    expect_installed("ganvas web")
    runs = arguments.runs or Path(RUNS)
    if arguments.runs and not runs.is_dir():
        what = "is not a folder" if runs.exists() else "does not exist"
        raise InputError(f"--runs {runs} {what}; give the folder of the runs, or train a first one.")
    import threading

    from ganvas.web.application import application
    from ganvas.web.gate import Keys, access_to, expect_token
    from ganvas.web.page import page
    from ganvas.web.server import listen, open_browser, serve, url_of

    token = arguments.token or os.environ.get("GANVAS_TOKEN", "")
    keys = Keys(expect_token(token)) if token else Keys()
    access = access_to(arguments.host, keys, tuple(arguments.allow_host))
    with listen(arguments.host, arguments.port) as listening:
        url = url_of(listening, arguments.host)
        if not token:
            keys.renewed = lambda key: print(f"for another browser: {url}/?token={key}")
        print(f"the page is at {url}/?token={keys.token}", "this address opens once; Ctrl-C stops", sep="\n")
        if arguments.open:
            open_browser(f"{url}/?token={keys.token}")
        stopping = threading.Event()
        routes, close = page(runs, stopping, device=arguments.device)
        serve(application(routes, access), listening, stopping, close)
    return 0
