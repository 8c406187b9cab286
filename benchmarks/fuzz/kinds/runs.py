"""Run folders with one file damaged, replaced by something else, or missing."""

from __future__ import annotations

import os
import shutil
from random import Random

from ganvas.cli import VERBS

from .. import hostile
from ..ground import Attack, Ground
from ..stock import RUNS, longer

FILES = (
    *("recipe.json", "log.jsonl", "events.jsonl", "figures.jsonl", "host.json", "samples/index.json"),
    *("model.safetensors", "curves.png", "filmstrip.png", "samples", "checkpoints", ".lock", "samples/*.png"),
    *("checkpoints/best.safetensors", "checkpoints/*.safetensors", "diagnosis.png", "diagnosis.json"),
)


def make(ground: Ground, chance: Random) -> Attack:
    """Spoil a run, then read, resume or use it."""
    kind = chance.choice(("digits", "digits", "digits", "classes", "plane"))
    run = ground.run(kind)
    folder = ground.place / run
    what = []
    for _ in range(chance.choice((1, 1, 2))):
        pattern = chance.choice(FILES)
        path = chance.choice(sorted(folder.glob(pattern)) or [folder / pattern.replace("*", "000000000720")])
        what.append(f"{path.relative_to(folder)} {replace(path, ground, chance)}")
    if chance.random() < 0.1:
        stray = hostile.name(chance, ".png")
        ground.write(f"{run}/samples/{stray}" if (folder / "samples").is_dir() else stray, "no picture")
        what.append(f"a stray {stray!r} among the samples")
    return Attack(f"a run's {'; '.join(what)}", command(kind, run, ground, chance), owns=("runs",))


def replace(path: os.PathLike[str], ground: Ground, chance: Random) -> str:
    """Put something else at a path; what it is, in words."""
    target = ground.place / path
    data = target.read_bytes() if target.is_file() else b"{}"
    how = chance.choice(("damaged", "damaged", "damaged", "folder", "pipe", "link", "loop", "unreadable", "missing"))
    if how == "unreadable" and target.exists():
        target.chmod(0)
        return how
    if target.is_dir():
        shutil.rmtree(target)
    elif target.exists() or target.is_symlink():
        target.unlink()
    target.parent.mkdir(parents=True, exist_ok=True)
    if how == "damaged":
        target.write_bytes(hostile.damaged(data, chance))
    elif how == "folder":
        target.mkdir()
    elif how == "pipe":
        os.mkfifo(target)
    elif how == "link":
        goal = chance.choice(("canary.txt", "folder", "missing", "canary.png", "recipe.json"))
        target.symlink_to(ground.outside / goal)
        return f"a link to {goal}"
    elif how == "loop":
        target.symlink_to(target)
    return how


def command(kind: str, run: str, ground: Ground, chance: Random) -> list[str]:
    """One of the commands that read a run."""
    other = [ground.run(kind, "other")] if chance.random() < 0.5 else []
    commands = [
        ["runs"],
        ["diagnose", run],
        ["compare", run, *other],
        ["compare", "runs"],
        ["generate", run, "-n", "4", "--grid", "g.png"],
        ["generate", run, "-n", "4", "--which", "best", "--out", "o"],
        ["generate", run, "-n", "3", "--steps", "2", "--interpolate", "--out", "o.gif"],
        ["convert", run, "--out", "c.safetensors"],
        ["train", *RUNS[kind], "--name", "r"],
        ["train", *longer(kind)],
        ["upscale", run, "--model", run],
        *([["report", run]] if "report" in VERBS else []),
    ]
    return chance.choice(commands)
