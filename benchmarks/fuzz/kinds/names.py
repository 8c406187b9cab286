"""Names of files, folders, classes and runs: markup, escapes, line breaks, bytes that are no text, every length."""

from __future__ import annotations

from random import Random

from .. import hostile
from ..ground import Attack, Ground
from ..stock import RUNS
from .npz import use


def make(ground: Ground, chance: Random) -> Attack:
    """Give something sound a hostile name, and let a command find it or be told it."""
    encoding = chance.choice(("utf-8", "utf-8", "utf-8", "ascii", "cp1252"))
    how = chance.randrange(9)
    photo = ground.stock.photo().read_bytes()
    if how < 2:
        name = hostile.name(chance, chance.choice((".png", ".jpg", "", ".mp4", ".tif")))
        ground.write(f"in/{name}", photo)
        ground.write("in/good.png", photo)
        words = ["upscale", "in", "--out", "o", *(["--compare", "p.html"] if chance.random() < 0.3 else [])]
        return Attack(f"a photo {name!r} in a folder", words, encoding=encoding)
    if how == 2:
        name = hostile.name(chance, ".png")
        ground.write(name, photo)
        words = ["upscale", *(["--", name] if name.startswith("-") else [name])]
        return Attack(f"a photo {name!r}", words, encoding=encoding)
    if how == 3:
        name = hostile.name(chance)
        ground.copy(ground.stock.digits(), "d")
        (ground.place / "d/a").rename(ground.place / "d" / name)
        return Attack(f"a class {name!r}", use("d", chance), encoding=encoding)
    if how == 4:
        name = hostile.name(chance, chance.choice((".png", ".txt", "")))
        ground.copy(ground.stock.digits(), "d")
        ground.write(f"d/b/{name}", b"no picture")
        return Attack(f"a file {name!r} among pictures", use("d", chance), encoding=encoding)
    if how == 5:
        name = hostile.name(chance)
        run = ground.run("digits", name)
        words = chance.choice(
            (["runs"], ["compare", "runs"], ["diagnose", run], ["generate", run, "-n", "2"], ["runs", run])
        )
        return Attack(f"a run {name!r}", words, owns=("runs",), encoding=encoding)
    if how == 6:
        name = hostile.word(chance)
        return Attack(
            f"--name {name!r}", ["train", *RUNS["digits"], "--images", "32", f"--name={name}"], encoding=encoding
        )
    if how == 7:
        name = hostile.word(chance) + chance.choice(hostile.ENDINGS)
        ground.write("0.png", photo)
        run = ground.run("classes" if chance.random() < 0.3 else "digits")
        words = chance.choice(
            (
                ["upscale", "0.png", f"--out={name}"],
                ["generate", run, "-n", "2", f"--out={name}"],
                ["generate", run, "-n", "2", f"--grid={name}"],
                ["convert", run, f"--out={name}"],
                ["diagnose", run, f"--out={name}"],
                ["compare", run, f"--out={name}"],
                ["data", "digits", f"--out={name}"],
                ["upscale", "0.png", f"--compare={name}"],
                ["runs", name],
                ["generate", name],
                ["upscale", name],
                ["data", name],
                ["upscale", "0.png", f"--model={name}"],
                ["train", name],
                ["study", name],
            )
        )
        return Attack(f"{words[0]} is told {name!r}", words, owns=("runs",), encoding=encoding)
    deep = "/".join(hostile.name(chance, at_most=60).replace("..", "dots") for _ in range(chance.choice((2, 6))))
    ground.write(f"in/{deep}/p.png", photo)
    words = ["upscale", "in", "--out", "o"] if chance.random() < 0.5 else use("in", chance)
    return Attack(f"a folder {deep!r}", words, encoding=encoding)
