"""Faults planted on purpose, to see that the fuzzer finds each: what a fuzzer cannot see, it cannot miss."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

from ganvas.errors import InputError

from .ground import Attack, Ground

FAULTS = ("traceback", "hang", "crash", "touched", "leftover", "sentence", "escape", "none")


def make(ground: Ground, chance: Random) -> Attack:
    """A case whose command commits the fault that it is told."""
    return Attack("a planted fault", [chance.choice(FAULTS)])


def command(argv: list[str]) -> int:
    """Commit one fault; ``none`` is a good answer."""
    name = argv[0]
    if name == "traceback":
        raise KeyError(name)
    if name == "hang":
        time.sleep(60)
    if name == "crash":
        import ctypes

        ctypes.string_at(0)
    if name == "touched":
        Path("../../outside/canary.txt").write_text("mine now", encoding="utf-8")
    if name == "leftover":
        Path(".x.png.0123abcd.part").touch()
    word = {"sentence": "no", "escape": "ganvas: \x1b[31m is no name; choose another."}.get(name)
    print(word or str(InputError("ganvas: this is no name; choose another.")), file=sys.stderr)
    return 2
