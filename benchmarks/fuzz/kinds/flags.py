"""Words of the command line: wrong verbs, flags, values, orders."""

from __future__ import annotations

from random import Random

from ganvas.cli import VERBS
from ganvas.experiment import Host
from ganvas.observers.watch import Watch
from ganvas.recipe.serialization import flatten, to_plain
from ganvas.systems import named_recipe

from .. import hostile
from ..ground import Attack, Ground
from ..stock import RUNS

# A length that is merely too long is no bad input: it would train for years.
LONG = ("images", "epochs", "schedule.", "watch.", "batch_size")
OF_VERBS: dict[str, tuple[str, ...]] = {
    "generate": ("-n", "--class", "--seed", "--grid", "--out", "--steps", "--which", "--device", "--interpolate"),
    "upscale": (
        *("--out", "--model", "--scale", "--strength", "--format", "--quality", "--limit", "--tile", "--precision"),
        *("--compare", "--original", "--device"),
    ),
    "data": ("--out", "--augmented", "--workers"),
    "convert": ("--out", "--which", "--half"),
    "compare": ("--out", "--by"),
    "diagnose": ("--out",),
    "evaluate": (
        *("--against", "--extractor", "--measures", "--perceptual", "--fakes", "--split", "--seed", "--which"),
        *("--resize", "--out", "--json", "--device"),
    ),
    "augment": (
        *("--out", "--per-class", "--real-per-class", "--test", "--test-share", "--model", "--recipe", "--size"),
        *("--candidates", "--confidence", "--realness", "--copies", "--fake-share", "--updates", "--seeds", "--seed"),
    ),
    "study": ("--jobs", "--runs", "--device", "--workers", "--images", "--seeds", "--set", "--data", "--on"),
    "runs": (),
    "list": (),
}


def make(ground: Ground, chance: Random) -> Attack:
    """A verb with a flag that it has, or nearly has, and a value that it does not expect."""
    how = chance.randrange(10)
    if how == 0:
        words = [hostile.word(chance) for _ in range(chance.randrange(1, 4))]
        if chance.random() < 0.5:
            words.insert(0, chance.choice(VERBS))
        return Attack(f"words: {words!r}", words)
    if how < 5:
        return _recipe(chance)
    verb = chance.choice([*OF_VERBS])
    words = [verb, *_sound(verb, ground, chance)]
    for _ in range(chance.choice((1, 1, 2))):
        flag = chance.choice(OF_VERBS[verb] or ("--x",))
        if chance.random() < 0.15:
            flag = chance.choice((flag[:-1], flag + "x", flag.upper(), "-" + flag, flag.lstrip("-")))
        value = chance.choice(hostile.NUMBERS) if chance.random() < 0.5 else hostile.word(chance)
        words += chance.choice(([flag, value], [flag, value], [f"{flag}={value}"], [flag]))
    return Attack(f"flags of {verb}", words, owns=("runs",))


def _recipe(chance: Random) -> Attack:
    verb = chance.choice(("train", "train", "plan", "tune"))
    words = [verb, *RUNS["digits"]]
    name = words[1]
    parts = {"": to_plain(named_recipe(name)), "watch.": to_plain(Watch()), "host.": to_plain(Host())}
    flags = sorted(
        {prefix + path for prefix, plain in parts.items() for path, _ in flatten(plain) if "type" not in path}
    )
    flags += ["name", "epochs", "objective", "penalties", "data", "steering", "lr", "batch", "reconstruction"]
    for _ in range(chance.choice((1, 1, 1, 2))):
        flag = chance.choice(flags)
        value = chance.choice(hostile.NUMBERS) if chance.random() < 0.6 else hostile.word(chance)
        if verb != "plan" and flag.startswith(LONG) and value.strip("-0123456789_.e") == "":
            value = chance.choice(("nan", "x", "-1", ""))
        if chance.random() < 0.1:
            flag = chance.choice((flag + "x", flag.replace(".", "-"), flag.upper()))
        flag = "--" + flag.replace("_", "-")
        words += chance.choice(([flag, value], [flag, value], [f"{flag}={value}"], [flag]))
    return Attack(f"flags of a recipe for {verb}", words)


def _sound(verb: str, ground: Ground, chance: Random) -> list[str]:
    """The arguments without which a verb does nothing."""
    if verb in ("upscale", "data", "augment"):
        ground.copy(*((ground.stock.photo(), "0.png") if verb == "upscale" else (ground.stock.digits(),)))
        return {"upscale": ["0.png"], "data": ["digits"], "augment": ["digits", "--out", "o", "--per-class", "2"]}[verb]
    if verb == "study":
        ground.write("s.json", '{"recipe": "mlp-digits", "seeds": [0], "set": {"images": 64}}')
        return [chance.choice(("s.json", "s.json", "modes", "strategies")), "--dry-run"]
    if verb in ("generate", "convert", "diagnose", "compare", "evaluate"):
        run = ground.run()
        return [run, *(["--out", "o.safetensors"] if verb == "convert" else [])]
    return []
