"""The command line: one thin file per verb. Starting it imports no torch."""

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
from ganvas.terminal import prepare, print

VERBS = (
    "train",
    "generate",
    "augment",
    "upscale",
    "repair",
    "evaluate",
    "diagnose",
    "report",
    "compare",
    "study",
    "tune",
    "runs",
    "list",
    "plan",
    "data",
    "convert",
    "serve",
    "web",
)


def entry() -> NoReturn:
    """Run `main` as a process."""
    try:
        code = main()
    finally:
        # Ctrl-C during interpreter shutdown would print a traceback from some library's finalizer.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def main(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit code: 0 success, 1 failure, 2 invalid input, 130 or 143 stopped.

    ganvas augment also returns 3 if the extra samples do not help.
    """
    argv = sys.argv[1:] if argv is None else argv
    prepare()
    try:
        return _dispatch(argv)
    except InputError as error:
        print(f"ganvas: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        print(f"ganvas: {str(stop) or 'stopped'}", file=sys.stderr)
        return 130
    except SystemExit as ended:  # of a parser that has printed its help, or of a study that was told to stop
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BrokenPipeError:
        # The reader of the pipe (head, less) is gone: there is nobody to report to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # Every path is the user's: what the system says about it is all there is to know.
        from ganvas.files import cannot

        print(f"ganvas: {cannot('use', error.filename or 'a file', error)}", file=sys.stderr)
        return 2
    except RecursionError:
        print("ganvas: a path or a file is nested too deeply; give one with fewer levels.", file=sys.stderr)
        return 2
    except UnicodeEncodeError as error:
        print(f"ganvas: this system cannot encode the name {error.object!r}; rename it.", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        from ganvas.machine import out_of_memory

        if not out_of_memory(error):
            raise
        print(
            "ganvas: there is too little free memory for this; make the batch, the images or the networks smaller.",
            file=sys.stderr,
        )
        return 2


def _dispatch(argv: list[str]) -> int:
    if not argv or argv[0] in ("-h", "--help"):
        print(*usage().splitlines(), sep="\n")
        return 0
    if argv[0] == "--version":
        print(f"ganvas {__version__}")
        return 0
    verb, rest = argv[0], argv[1:]
    if verb not in VERBS:
        from ganvas.errors import nearest

        raise InputError(f"there is no verb {verb!r}{nearest(verb, VERBS)}; run ganvas --help for all verbs.")
    if unset := next((word for word in rest if word.startswith("--") and word.endswith("=--")), ""):
        # argparse takes this "--" for the end of the flags, and makes an empty list of the value.
        raise InputError(f"{unset} has no value; give one after the equals sign, or leave the flag out.")
    code: int = importlib.import_module(f"ganvas.cli.{verb}").main(rest)
    return code


def usage() -> str:
    """The text of ``ganvas --help``, read from the verbs' docstrings without importing them."""
    lines = [f"  {verb:<10}{_summary(verb)}" for verb in VERBS]
    return "\n".join(
        [
            "usage: ganvas VERB [ARGUMENTS]",
            "",
            "Train, evaluate, compare and use generative adversarial networks.",
            "",
            *lines,
            "",
            "Run ganvas VERB --help for details. For a first run on bundled data: ganvas train dcgan-digits",
        ]
    )


def _summary(verb: str) -> str:
    source = (Path(__file__).parent / f"{verb}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").splitlines()[0]
