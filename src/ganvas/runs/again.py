"""The command that trains a run again with other settings, under a name that is not taken."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from ganvas.errors import InputError
from ganvas.runs.folder import RunFolder


class NameTaken(InputError):
    """A run of that name is there, and what is asked for needs another one."""


def free_name(folder: RunFolder) -> str:
    """The name of a run beside this one that does not exist yet: ``digits``, ``digits-2``, ``digits-3``."""
    base, number = re.sub(r"-\d+$", "", folder.name), 2
    while (folder.path.parent / f"{base}-{number}").exists():
        number += 1
    return f"{base}-{number}"


def again(folder: RunFolder, flags: str) -> str:
    """The command that trains a run's recipe, changed by these flags, as another run."""
    runs = folder.path.parent
    where = "" if runs == Path("runs") else f" --host.runs {shlex.quote(str(runs))}"
    words = f"ganvas train {shlex.quote(str(folder.path))} {flags}".rstrip()
    return f"{words} --name {shlex.quote(free_name(folder))}{where}"


def renamed_command(words: list[str], folder: RunFolder) -> str:
    """A command line of ``ganvas train`` with a name that is free."""
    kept, skipped = [], False
    for word in words:
        if skipped or word == "--name" or word.startswith("--name="):
            skipped = word == "--name" and not skipped
            continue
        kept.append(word)
    return shlex.join(["ganvas", "train", *kept, "--name", free_name(folder)])
