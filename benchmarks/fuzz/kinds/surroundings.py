"""Sound input in odd surroundings: variables, encodings, folders that may not be written."""

from __future__ import annotations

from random import Random

from .. import hostile
from ..ground import Attack, Ground
from ..stock import RUNS

VARIABLES = (
    "HOME",
    "TMPDIR",
    "GANVAS_CACHE",
    "GANVAS_DATA",
    "GANVAS_WEIGHTS",
    "GANVAS_SYSTEMS",
    "GANVAS_SHARED",
    "COLUMNS",
)


def make(ground: Ground, chance: Random) -> Attack:
    """A sound command; what surrounds it is not."""
    ground.write("p.png", ground.stock.photo().read_bytes())
    ground.copy(ground.stock.digits(), "d")
    run = ground.run()
    words = chance.choice(
        (
            ["upscale", "p.png"],
            ["data", "d"],
            ["data", "digits"],
            ["runs"],
            ["list"],
            ["generate", run, "-n", "2"],
            ["train", *RUNS["digits"], "--images", "32", "--name", "n"],
            ["train", "mlp-digits", "--data.source", "d", "--images", "32", "--name", "n"],
            ["diagnose", run],
            ["compare", run],
            ["plan", *RUNS["digits"]],
            ["train", "--help"],
            ["train", "mlp-digits", "--help"],
        )
    )
    encoding = chance.choice(("utf-8", "ascii", "cp1252", "latin-1", "cp437"))
    values = ("", "/", "/nowhere/x", "/dev/null", "p.png", ".", "0", "-1", "x", "99999999999", *hostile.NAMES[:20])
    environment = {chance.choice(VARIABLES): chance.choice(values)} if chance.random() < 0.8 else {}
    if environment.get("TMPDIR") is not None and chance.random() < 0.5:
        environment["TMPDIR"] = "/nowhere"
    if chance.random() < 0.2:
        ground.place.chmod(0o500)
    return Attack(f"{environment or 'nothing'} and {encoding}", words, ("runs",), environment, encoding)
