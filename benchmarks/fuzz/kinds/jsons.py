"""Every JSON file that ganvas reads, filled with every kind of JSON, before a command that reads it."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from .. import hostile
from ..ground import Attack, Ground
from ..stock import RUNS, longer

RUN_FILES = ("recipe.json", "log.jsonl", "events.jsonl", "figures.jsonl", "host.json", "samples/index.json")
FIGURE = {
    "measure": "FID",
    "value": 3.5,
    "low": 3.0,
    "high": 4.0,
    "images_seen": 640,
    "higher_is_better": False,
    "protocol": {"extractor": "digits", "fakes": 64, "ganvas": "0.1.0"},
    "options": {"fakes": 64},
    "time": 1.0,
}
EVENTS = ("verdict", "treated", "finished", "diverged", "knee", "kept", "rolled back", "resumed")


def make(ground: Ground, chance: Random) -> Attack:
    """Spoil one JSON file."""
    if chance.random() < 0.12:
        return _manifest(ground, chance)
    kind = chance.choice(("digits", "digits", "classes", "plane"))
    run = ground.run(kind)
    file = chance.choice(RUN_FILES)
    path = ground.place / run / file
    text = path.read_text(encoding="utf-8") if path.exists() else json.dumps(FIGURE)
    if file.endswith("jsonl"):
        ground.write(f"{run}/{file}", _lines(file, text, chance))
    else:
        ground.write(f"{run}/{file}", hostile.json_text(chance, json.loads(text)))
    other = ground.run(kind, "other")
    words = chance.choice(
        (
            ["runs"],
            ["runs"],
            ["diagnose", run],
            ["diagnose", run],
            ["compare", run, other],
            ["compare", "runs", "--by", "hours"],
            ["generate", run, "-n", "2", "--grid", "g.png"],
            ["convert", run, "--out", "c.safetensors"],
            ["train", *RUNS[kind], "--name", "r"],
            ["train", *longer(kind)],
            ["train", f"{run}/recipe.json", "--name", "n", "--images", "64"],
        )
    )
    return Attack(f"{file} of a run", words, owns=("runs",))


def _lines(file: str, text: str, chance: Random) -> bytes:
    """A file of lines, one of them spoilt or foreign."""
    lines = [line.encode() for line in text.splitlines() if line.strip()] or [b"{}"]
    if chance.random() < 0.5:
        spoilt = [
            hostile.spoil(json.loads(line), chance) if chance.random() < 0.5 else json.loads(line) for line in lines
        ]
        return b"\n".join(map(hostile.dumps, spoilt)) + b"\n"
    place = chance.choice((-1, -1, 0, chance.randrange(len(lines))))
    sound: Any = json.loads(lines[place])
    if file == "events.jsonl" and chance.random() < 0.5:
        sound = {
            "event": chance.choice(EVENTS),
            "time": 1.0,
            "images": 320,
            "verdict": "healthy",
            "sentence": "x",
            "at": 64,
        }
    line = hostile.json_text(chance, sound)
    if chance.random() < 0.5:
        lines[place] = line
    else:
        lines.append(line)
    return b"\n".join(lines) + (b"\n" if chance.random() < 0.8 else b"")


def _manifest(ground: Ground, chance: Random) -> Attack:
    """The manifest of a folder of results."""
    ground.write("in/p.png", ground.stock.photo().read_bytes())
    line: dict[str, Any] = {
        "status": "done",
        "source": "p.png",
        "result": chance.choice(("p_x4.png", "../../x", "/etc/passwd")),
        "bytes": chance.choice((0, 5, "x", None, -1)),
        "settings": {},
    }
    ground.write("o/.ganvas-upscale.jsonl", hostile.json_text(chance, line) + b"\n")
    ground.write("o/p_x4.png", b"")
    return Attack("the manifest of results", ["upscale", "in", "--out", "o"], owns=("o",))
