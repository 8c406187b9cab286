"""What a good answer to bad input is, and what of it a case broke."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .ground import Attack, Ground

INJECTED = "INJECTED"
"""Hostile names hold a line break before this word: a line of output that begins with it was forged."""

FAULTS = ("traceback", "hang", "crash", "touched", "leftover", "sentence", "escape")

SENTENCE = re.compile(r"ganvas: \S.*\.")
# A warning of a library is no answer, and a person cannot act on it.
NOISE = re.compile(r"^.*(\w+Warning: |VIPS-WARNING|\(process:\d+\)).*$", re.MULTILINE)
TRACE = re.compile(r"^Traceback \(most recent call last\):", re.MULTILINE)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
FRAME = re.compile(r'File "[^"]*/src/(ganvas/[^"]+)", line (\d+),? in (\w+)')
LEFTOVER = re.compile(r"^\..*\.[0-9a-f]{8}\.part$|^tmp")

State = dict[str, tuple[object, ...]]


@dataclass(frozen=True)
class Answer:
    """How a command ended."""

    code: int | None
    """Its exit code; None if it was ended after the time limit, negative for a signal."""
    seconds: float
    computed: float
    """Seconds of computing among them."""
    reported: bool
    """Whether it had said something within the time limit when it ended or was ended."""
    memory: int
    """At its peak, in MiB, above that of the parent."""
    out: bytes
    err: bytes
    trace: str = ""
    """The class and the traceback of what `main` raised, or the stack where it hung; empty otherwise."""


@dataclass(frozen=True)
class Fault:
    """One thing that a good answer has not."""

    kind: str
    """One of FAULTS."""
    where: str
    """What tells it from other faults: the innermost line of ganvas, or the words without names and numbers."""
    detail: str


def snapshot(root: Path) -> State:
    """Kind, mode, size and content of everything below a folder; links are not followed."""
    found: State = {}
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                path = Path(entry.path)
                about = entry.stat(follow_symlinks=False)
                kind = stat.S_IFMT(about.st_mode)
                name = str(path.relative_to(root))
                if kind == stat.S_IFDIR:
                    waiting.append(path)
                    found[name] = (kind, about.st_mode)
                elif kind == stat.S_IFREG:
                    found[name] = (kind, about.st_mode, about.st_size, _digest(path))
                else:
                    link = str(path.readlink()) if kind == stat.S_IFLNK else ""
                    found[name] = (kind, about.st_mode, link)
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def judge(attack: Attack, answer: Answer, ground: Ground, before: State, after: State) -> list[Fault]:
    """All faults of an answer; none if it is good."""
    texts = [stream.decode(attack.encoding, "replace") for stream in (answer.err, answer.out)]
    return [
        *_ended(answer, texts[0] + texts[1]),
        *_said(answer, *texts),
        *_wrote(attack, answer, ground, before, after),
    ]


def innermost(trace: str, first: bool = False) -> str:
    """``runs/record.py:70 in seed``: the line of ganvas that is nearest to an error, or that hangs."""
    frames = FRAME.findall(trace)
    if not frames:
        return "outside of ganvas"
    path, line, function = frames[0] if first else frames[-1]
    return f"{path}:{line} in {function}"


def _ended(answer: Answer, printed: str) -> Iterator[Fault]:
    if answer.code is None and answer.reported:
        return  # long work, whose end nobody waited for
    if answer.code is None:
        yield Fault(
            "hang",
            innermost(answer.trace, first=True),
            f"after {answer.seconds:.0f} s, {answer.computed:.0f} of them computing\n{answer.trace}",
        )
    elif answer.code < 0:
        yield Fault("crash", f"signal {-answer.code}, {innermost(printed, first=True)}", printed[-2000:])
    elif answer.trace:
        yield Fault("traceback", f"{answer.trace.split()[0]} at {innermost(answer.trace)}", answer.trace)
    elif TRACE.search(printed):
        yield Fault("traceback", f"printed, at {innermost(printed)}", printed[-2000:])


def _said(answer: Answer, err: str, out: str) -> Iterator[Fault]:
    for text in (err, out):
        bad = CONTROL.search(text)
        if bad:
            line = text[: bad.start()].rpartition("\n")[2] + text[bad.start() :].partition("\n")[0]
            yield Fault("escape", f"{bad.group()!r} in: {_shape(line)}", repr(line))
            break
    forged = next((line for line in (err + "\n" + out).splitlines() if line.startswith(INJECTED)), None)
    if forged is not None:
        first = next((line for line in (err + "\n" + out).splitlines() if line.strip()), "")
        yield Fault("escape", f"line break of a name in: {_shape(first)}", repr(err + out))
    if answer.trace or answer.code is None or answer.code < 0 or TRACE.search(err):
        return
    noise = NOISE.search(err)
    if noise:
        yield Fault("sentence", f"noise: {_shape(noise.group())}", err)
    if answer.code == 2:
        yield from _refused(err)
    elif answer.code not in (0, 1, 3):
        yield Fault("sentence", f"exit code {answer.code}", err + out)
    elif answer.code == 1 and not (err + out).strip():
        yield Fault("sentence", "exit code 1 without a word", "")


def _refused(err: str) -> Iterator[Fault]:
    """Code 2 is one sentence with a remedy; notes may stand before it."""
    lines = [line for line in err.split("\n") if line.strip()]
    if not lines or not lines[-1].startswith("ganvas: ") or sum(line.startswith("ganvas: ") for line in lines) > 1:
        yield Fault("sentence", f"not one sentence: {_shape(lines[-1] if lines else 'nothing')}", err)
    elif not SENTENCE.fullmatch(lines[-1]):
        yield Fault("sentence", f"no full stop: {_shape(lines[-1])}", err)
    elif "; " not in lines[-1]:
        yield Fault("sentence", f"no remedy: {_shape(lines[-1])}", err)


def _shape(line: str) -> str:
    """A line without its names and numbers, so that the same sentence about another file is the same."""
    line = re.sub(r"'[^']*'|\"[^\"]*\"", "''", line)
    line = re.sub(r"\S*[/\\]\S*|\S+\.(?:[a-z0-9]{2,11})\b", "PATH", line)
    return re.sub(r"\d[\d.,e+-]*", "N", line)[:160].encode("ascii", "backslashreplace").decode()


def _wrote(attack: Attack, answer: Answer, ground: Ground, before: State, after: State) -> Iterator[Fault]:
    place, home, temporary = (
        str(folder.relative_to(ground.root)) + "/" for folder in (ground.place, ground.home, ground.temporary)
    )
    free = (f"{home}.cache/ganvas", f"{home}.config", *(os.path.normpath(place + own) for own in attack.owns))
    for name in _changed(before, after):
        owned = name.startswith(free)
        if name not in before and name.startswith(temporary):
            # What is killed cannot clean up.
            if answer.code is not None and answer.code >= 0:
                yield Fault("leftover", f"in the folder of temporary files: {_shape(Path(name).name)}", name)
        elif name not in before and (owned or name.startswith(place)):
            if LEFTOVER.search(Path(name).name) and answer.code is not None and answer.code >= 0:
                yield Fault("leftover", f"by ganvas {' '.join(attack.argv[:1])}", name)
        elif not owned:
            verb = "made" if name not in before else "removed" if name not in after else "changed"
            yield Fault("touched", f"{verb} by ganvas {' '.join(attack.argv[:1])}: {_shape(name)}", name)


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
