"""Links, loops, pipes and devices in place of files, of folders and of results."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random

from .. import hostile
from ..ground import Attack, Ground
from ..stock import RUNS, longer
from .npz import use


def special(path: Path, ground: Ground, chance: Random) -> str:
    """Put something that is no regular file at a path; what it is, in words."""
    path.parent.mkdir(parents=True, exist_ok=True)
    how = chance.choice(
        ("pipe", "loop", "zero", "full", "tty", "stdin", "canary", "folder", "missing", "upwards", "readonly")
    )
    if how == "pipe":
        os.mkfifo(path)
    elif how == "readonly":
        path.mkdir()
        path.chmod(0o500)
    else:
        goals = {"zero": "/dev/zero", "full": "/dev/full", "tty": "/dev/tty", "stdin": "/dev/stdin", "upwards": ".."}
        goals |= {"loop": path.name, "missing": "nowhere/x", "folder": str(ground.outside / "folder")}
        path.symlink_to(goals.get(how, str(ground.outside / "canary.png")))
    return how


def make(ground: Ground, chance: Random) -> Attack:
    """Put one among the inputs, or where the command will write."""
    how = chance.randrange(7)
    photo = ground.stock.photo().read_bytes()
    ending = chance.choice((".png", ".jpg", ".mp4", ".tif", ""))
    if how == 0:
        ground.write("in/good.png", photo)
        what = special(ground.place / f"in/x{ending}", ground, chance)
        return Attack(f"{what} among photos", ["upscale", "in", "--out", "o"])
    if how == 1:
        what = special(ground.place / f"x{ending}", ground, chance)
        return Attack(
            f"{what} as the photo", ["upscale", f"x{ending}", *(["--out", "o"] if chance.random() < 0.5 else [])]
        )
    if how == 2:
        ground.copy(ground.stock.digits(), "d")
        what = special(ground.place / f"d/{chance.choice(('a/x.png', 'x', 'c', 'a/x.png'))}1", ground, chance)
        return Attack(f"{what} among pictures", use("d", chance))
    if how == 3:
        name = "s" + chance.choice((".zip", ".parquet", ".npz", "", ".json", ".safetensors", ".pth", ".py"))
        what = special(ground.place / name, ground, chance)
        words = chance.choice(
            (
                use(name, chance),
                ["study", name],
                ["convert", name, "--out", "c.safetensors"],
                ["generate", name],
                ["runs", name],
            )
        )
        return Attack(f"{what} as {name}", words)
    if how == 4:
        return _result(ground, photo, chance)
    run = ground.run()
    path = chance.choice(
        (
            *(
                ".diagnosis.png.part",
                "diagnosis.png",
                "figures.jsonl",
                ".figures.jsonl.part",
                "samples",
                "checkpoints",
                ".lock",
            ),
            *(".model.safetensors.part", "log.jsonl", "events.jsonl", "recipe.json", "model.safetensors", "host.json"),
            *("samples/000000000720.png", "samples/.index.json.part", "checkpoints/.000000000720.safetensors.part"),
        )
    )
    target = ground.place / run / path
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    what = special(target, ground, chance)
    words = chance.choice(
        (
            ["diagnose", run],
            ["train", *longer("digits")],
            ["runs"],
            ["compare", run],
            ["generate", run, "-n", "2"],
        )
    )
    return Attack(f"{what} as {path} of a run", words, owns=("runs",))


def _result(ground: Ground, photo: bytes, chance: Random) -> Attack:
    """Where a command is about to write its result, or the temporary name before it."""
    ground.write("p.png", photo)
    run = ground.run()
    target, words = chance.choice(
        (
            ("p_x4.png", ["upscale", "p.png", "--overwrite"]),
            (".p_x4.png.part", ["upscale", "p.png"]),
            ("o", ["upscale", "p.png", "--out", "o"]),
            ("o/.ganvas-upscale.jsonl", ["upscale", "p.png", "--out", "o"]),
            ("o.png", ["upscale", "p.png", "--out", "o.png"]),
            ("g.png", ["generate", run, "-n", "2", "--grid", "g.png"]),
            (".g.png.part", ["generate", run, "-n", "2", "--grid", "g.png"]),
            ("o", ["generate", run, "-n", "2", "--out", "o"]),
            ("c.safetensors", ["convert", run, "--out", "c.safetensors"]),
            ("comparison.html", ["compare", run]),
            (".comparison.html.part", ["compare", run]),
            ("e.json", ["data", "digits", "--out", "e.json"]),
            ("runs/n", ["train", *RUNS["digits"], "--images", "32", "--name", "n"]),
            ("runs/n/.lock", ["train", *RUNS["digits"], "--images", "32", "--name", "n"]),
            ("sheet.png", ["data", "digits", "--out", "sheet.png"]),
        )
    )
    what = special(ground.place / target, ground, chance)
    if chance.random() < 0.1:
        words = [*words, hostile.word(chance)]
    # A link that the user names as the result may itself be replaced, or followed to a folder.
    followed = [os.path.relpath(ground.outside / "folder", ground.place)] if (target, what) == ("o", "folder") else []
    return Attack(f"{what} where {target} goes", words, owns=("runs", target, *followed))
