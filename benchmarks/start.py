"""Time to the answer of commands that compute nothing, against importing torch: python benchmarks/start.py

Each command is a whole process, and each round runs all of them, with ``python -c "import torch"`` first; the medians
over the rounds are printed as a Markdown table, after one round that only fills the caches of bytecode. The answer is
there with the first text that a command prints; ganvas compare and ganvas diagnose go on to draw their page and image,
and the last column has the time of the whole process.
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
from collections.abc import Sequence
from pathlib import Path

IMPORT = "import torch"
READ, REFUSE, HELP = 0.35, 0.35, 1.5  # the ratios to reach
COMMANDS: dict[str, tuple[Sequence[str], float]] = {
    "`ganvas --version`": (["--version"], READ),
    "`ganvas --help`": (["--help"], READ),
    "`ganvas list`": (["list"], READ),
    "`ganvas runs`": (["runs"], READ),
    "`ganvas compare runs/a runs/b`": (["compare", "runs/a", "runs/b"], READ),
    "`ganvas diagnose runs/a`": (["diagnose", "runs/a"], READ),
    "a recipe that does not exist": (["train", "dcgan-digit"], REFUSE),
    "a flag that does not exist": (["train", "dcgan-digits", "--adam-g.lrr", "1"], REFUSE),
    "a path that does not exist": (["train", "dcgan-digits", "--data.source", "no/where"], REFUSE),
    "a run that does not exist": (["generate", "runs/c"], REFUSE),
    "`ganvas train dcgan-digits --help`": (["train", "dcgan-digits", "--help"], HELP),
}
TINY = ["--images", "2000", "--system.g-width", "8", "--system.d-width", "8", "--watch.diagnose-every", "100"]


def main() -> None:
    """Make two runs in a temporary folder, time every command, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="of every command (default: 5)")
    given = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for seed, name in enumerate("ab"):
            started(["-m", "ganvas", "train", "dcgan-digits", "--name", name, "--seed", str(seed), *TINY], folder)
        host = json.loads((folder / "runs/a/host.json").read_text(encoding="utf-8"))
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in (IMPORT, *COMMANDS)}
        for _ in range(given.rounds + 1):
            taken[IMPORT].append(started(["-c", IMPORT], folder))
            for name, (words, _) in COMMANDS.items():
                taken[name].append(started(["-m", "ganvas", *words], folder))
    torch = statistics.median(whole for _, whole in taken.pop(IMPORT)[1:])
    print(f"{host['processor']}, {host['cores']} cores, Python {host['python']}, torch {host['torch']},")
    print(f"commit {commit.stdout.strip()}: `python benchmarks/start.py --rounds {given.rounds}`")
    print(f"`{IMPORT}` takes {torch:.2f} s.\n")
    print("| command | answer, s | of importing torch | at most | whole process, s |")
    print("|---|--:|--:|--:|--:|")
    for name, rounds in taken.items():
        answer, whole = (statistics.median(times) for times in zip(*rounds[1:], strict=True))
        print(f"| {name} | {answer:.2f} | {answer / torch:.2f} | {COMMANDS[name][1]} | {whole:.2f} |")


def started(words: Sequence[str], folder: Path) -> tuple[float, float]:
    """Seconds until a Python process first prints, and until it ends; one that prints nothing answers by its end."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, env=environment
    ) as process:
        assert process.stdout
        first = process.stdout.read(1)
        answer = time.perf_counter() - began
        process.stdout.read()
        process.wait()
    whole = time.perf_counter() - began
    return answer if first else whole, whole


if __name__ == "__main__":
    main()
