"""The command line: one thin file per verb. Starting it loads no torch."""

from __future__ import annotations

import ast
import importlib
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from ganvas import __version__
from ganvas.errors import InputError

VERBS = (
    "train",
    "generate",
    "augment",
    "upscale",
    "evaluate",
    "diagnose",
    "compare",
    "study",
    "tune",
    "runs",
    "list",
    "plan",
    "data",
    "convert",
)


def entry() -> NoReturn:
    """Run `main` as the whole process."""
    try:
        code = main()
    finally:
        # Ctrl-C while the interpreter goes down would print a traceback of some library's finaliser.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def main(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 done, 2 unusable input, 1 failed, 130 or 143 stopped.

    ganvas augment has one more: 3, the extra samples do not help.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        return _dispatch(argv)
    except InputError as error:
        print(f"ganvas: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ganvas: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone: nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(usage())
        return 0
    if argv[0] == "--version":
        print(f"ganvas {__version__}")
        return 0
    verb, rest = argv[0], argv[1:]
    if verb not in VERBS:
        from ganvas.errors import nearest

        raise InputError(f"there is no verb {verb!r}{nearest(verb, VERBS)}; ganvas --help shows them all.")
    code: int = importlib.import_module(f"ganvas.cli.{verb}").main(rest)
    return code


def usage() -> str:
    """The text of ``ganvas --help``, read from the verbs' docstrings without importing them."""
    lines = [f"  {verb:<10}{_summary(verb)}" for verb in VERBS]
    return "\n".join(
        [
            "usage: ganvas VERB [ARGUMENTS]",
            "",
            "Train, judge, compare and use generative adversarial networks.",
            "",
            *lines,
            "",
            "ganvas VERB --help says more. A first run on bundled data: ganvas train dcgan-digits",
        ]
    )


def _summary(verb: str) -> str:
    source = (Path(__file__).parent / f"{verb}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
