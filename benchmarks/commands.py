"""Whole commands, from Enter to finished files: python benchmarks/commands.py [answers] [jobs] [training] [looking]

Each command is a process of its own. Each round runs all of a table's commands in turns, with ``python -c "import
torch"`` or with the plain script (`benchmarks/tutorial.py`: imports, data loading, losses and pictures included), so
that whatever else the machine does meets all alike; medians over the rounds, after one that only fills the caches of
bytecode and data, are printed as Markdown tables.

    answers   commands that compute nothing: the time to the first text they print
    jobs      using a model, and the start of a training
    training  a whole training against the plain script, in fp32 and bf16 (takes long)
    looking   the share of a run's time that its observers take, as the run itself records it
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_image

TORCH = ("-c", "import torch")
TINY = ("--images", "2000", "--system.g-width", "8", "--system.d-width", "8", "--watch.diagnose-every", "100")
SCRIPT = str(Path(__file__).with_name("tutorial.py").resolve())
FIRST_ROUND = """
import dataclasses, os, sys, ganvas
class First(ganvas.Observer):
    def step(self, run, report):
        os._exit(0)
recipe = dataclasses.replace(ganvas.named_recipe("mlp-mnist"), data=ganvas.Images(source=sys.argv[1]))
ganvas.train(recipe, name=f"first-{os.getpid()}", observers=[First()])
"""


@dataclass(frozen=True)
class Command:
    """A row of a table.

    Attributes:
        title: as printed.
        words: of Python's command line.
        goal: the ratio to reach, to importing torch at most, to the plain script at least.
        script: words of the plain script's; empty compares with importing torch.
    """

    title: str
    words: Sequence[str]
    goal: float
    script: Sequence[str] = ()


def verb(title: str, *words: str, goal: float) -> Command:
    """A command of ganvas."""
    return Command(title or f"`ganvas {' '.join(words)}`", ("-m", "ganvas", *words), goal)


ANSWERS = (
    verb("", "--version", goal=0.35),
    verb("", "--help", goal=0.35),
    verb("", "list", goal=0.35),
    verb("", "runs", goal=0.35),
    verb("", "compare", "runs/a", "runs/b", goal=0.35),
    verb("", "diagnose", "runs/a", goal=0.35),
    verb("a recipe that does not exist", "train", "dcgan-digit", goal=0.35),
    verb("a flag that does not exist", "train", "dcgan-digits", "--adam-g.lrr", "1", goal=0.35),
    verb("a path that does not exist", "train", "dcgan-digits", "--data.source", "no/where", goal=0.35),
    verb("a run that does not exist", "generate", "runs/c", goal=0.35),
    verb("", "train", "dcgan-digits", "--help", goal=1.5),
)


def jobs(mnist: str) -> Iterable[Command]:
    """The start of a training, and using a model."""
    yield Command("first round of `mlp-mnist`, data seen before", ("-c", FIRST_ROUND, mnist), 1.6)
    yield verb("", "generate", "runs/a", "-n", "64", "--grid", "grid.png", goal=1.3)
    yield verb("", "upscale", "photo.png", "--out", "big.png", "--overwrite", goal=1.8)


def training(mnist: str, faces: str) -> Iterable[Command]:
    """Trainings, each beside the plain script that does the same."""
    goals = {"fp32": (2.0, 2.3, 1.3), "bf16": (2.5, 3.0, 2.0)}
    for precision, (once, ten, photos) in goals.items():
        rows = ("mlp-mnist", "mlp", mnist, 60_000, once), ("mlp-mnist", "mlp", mnist, 600_000, ten)
        for recipe, network, data, images, goal in (*rows, ("dcgan-faces64", "dcgan", faces, 3_000, photos)):
            flags = "--data", data, "--images", str(images), "--precision", precision, "--name", "NEW"
            ours = "-m", "ganvas", "train", recipe, *flags
            plain = SCRIPT, network, data, "--images", str(images)
            yield Command(f"`{recipe}`, {images:,} images, {precision}", ours, goal, plain)


def main() -> None:
    """Make two runs in a temporary folder, time the tables' commands, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = "answers", "jobs", "training", "looking"
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"any of {', '.join(names)} (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=5, help="of every command; 3 are enough for training (default: 5)"
    )
    parser.add_argument("--mnist", default="../shared/data/mnist", help="folder of MNIST's four IDX files")
    parser.add_argument("--faces", default="../shared/data/faces/faces-6500.zip", help="zip of JPEG faces")
    parser.add_argument("--only", default="", help="only commands whose title holds this")
    given = parser.parse_args()
    if unknown := set(given.tables) - set(names):
        parser.error(f"there is no table {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    wanted = given.tables or names
    mnist, faces = str(Path(given.mnist).resolve()), str(Path(given.faces).resolve())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for seed, name in enumerate("ab"):
            elapsed(("-m", "ganvas", "train", "dcgan-digits", "--name", name, "--seed", str(seed), *TINY), folder)
        Image.fromarray(load_sample_image("flower.jpg")[100:356, 200:456]).save(folder / "photo.png")
        print(stamp(json.loads((folder / "runs/a/host.json").read_text(encoding="utf-8"))))
        if "answers" in wanted:
            against_torch(ANSWERS, folder, given.rounds, given.only, answer=True)
        if "jobs" in wanted:
            against_torch(jobs(mnist), folder, given.rounds, given.only, answer=False)
        if "training" in wanted:
            against_script(training(mnist, faces), folder, given.rounds, given.only)
        if "looking" in wanted:
            looking(folder)


def stamp(host: dict[str, str]) -> str:
    """Machine, versions, commit and command."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    command = " ".join(["python benchmarks/commands.py", *(word for word in sys.argv[1:] if "/" not in word)])
    versions = f"{host['processor']}, {host['cores']} cores, Python {host['python']}, torch {host['torch']}"
    return f"{versions}, commit {commit.stdout.strip()}: `{command}`"


def against_torch(commands: Iterable[Command], folder: Path, rounds: int, only: str, answer: bool) -> None:
    """Print a table of commands against importing torch."""
    chosen = [command for command in commands if only in command.title]
    if not chosen:
        return
    taken: dict[str, list[tuple[float, float]]] = {command.title: [] for command in chosen}
    imports = []
    for number in range(rounds + 1):
        imports.append(elapsed(TORCH, folder)[1])
        for command in chosen:
            taken[command.title].append(elapsed(command.words, folder, number))
    torch = statistics.median(imports[1:])
    print(f"\n`import torch` takes {torch:.2f} s.\n")
    print("| command | " + ("answer, s | " if answer else "") + "of importing torch | at most | whole process, s |")
    print("|---|--:|--:|--:|" + ("--:|" if answer else ""))
    for command in chosen:
        first, whole = (statistics.median(times) for times in zip(*taken[command.title][1:], strict=True))
        ratio = (first if answer else whole) / torch
        cells = [f"{first:.2f}"] if answer else []
        print(
            "|", " | ".join([command.title, *cells, f"{ratio:.2f}", str(command.goal), f"{whole:.2f}"]), "|", flush=True
        )


def against_script(commands: Iterable[Command], folder: Path, rounds: int, only: str) -> None:
    """Print a table of trainings against the plain script."""
    print("\n| training | plain script, s | ganvas, s | times as fast | range | at least |")
    print("|---|--:|--:|--:|---|--:|")
    for index, command in enumerate(command for command in commands if only in command.title):
        pairs = [
            (elapsed(command.script, folder)[1], elapsed(command.words, folder, f"{index}-{number}")[1])
            for number in range(rounds)
        ]
        script, ours = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratios = sorted(plain / fast for plain, fast in pairs)
        print(
            f"| {command.title} | {script:.1f} | {ours:.1f} | {statistics.median(ratios):.2f} |"
            f" {ratios[0]:.2f} to {ratios[-1]:.2f} | {command.goal} |",
            flush=True,
        )


def looking(folder: Path) -> None:
    """Print the observers' share of runs of about 15 and 60 s of the cheapest network of images, and of others."""
    print("\n| run | seconds | share of observers | at most |\n|---|--:|--:|--:|")
    for index, (words, goal) in enumerate(
        (
            (("mlp-digits", "--images", "70000"), 0.05),
            (("mlp-digits", "--images", "280000"), 0.03),
            (("mlp-ring",), 0.05),
            (("dcgan-digits",), 0.03),
        )
    ):
        elapsed(("-m", "ganvas", "train", *words, "--name", f"looked-{index}"), folder)
        lines = (folder / f"runs/looked-{index}/events.jsonl").read_text(encoding="utf-8").splitlines()
        end = json.loads(lines[-1])
        print(f"| `{' '.join(words)}` | {end['seconds']:.0f} | {end['observers']:.1%} | {goal:.0%} |", flush=True)


def elapsed(words: Sequence[str], folder: Path, new: object = "") -> tuple[float, float]:
    """Seconds until a Python process first prints, and until it ends; one that prints nothing answers by its end.

    Args:
        new: sets the name of a run, NEW among the words, apart from others.

    Raises:
        SystemExit: it was not a refusal, and yet failed.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    words = [word.replace("NEW", f"run-{new}") for word in words]
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, env=environment
    ) as process:
        assert process.stdout
        first = process.stdout.read(1)
        answer = time.perf_counter() - began
        rest = process.stdout.read()
        code = process.wait()
    whole = time.perf_counter() - began
    if code not in (0, 2):
        raise SystemExit(f"{words} failed:\n{(first + rest).decode(errors='replace')}")
    return answer if first else whole, whole


if __name__ == "__main__":
    main()
