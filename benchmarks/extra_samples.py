"""Do extra samples help? ganvas augment on MNIST and CIFAR-10 with few real images of every class.

    python benchmarks/extra_samples.py FOLDER [--sets mnist cifar10] [--reals 20 100 500] [--table] [-- FLAGS]

Runs one command a set and number of reals, one after the other, each in FOLDER/SET-REALS; what is finished is not done
again, what was stopped goes on. Then prints the results as a Markdown table and draws them as FOLDER/arms.png; --table
does this alone. Flags after -- go to every command, as --images 50000. Digits are never mirrored.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from ganvas.studies.synthetic.benefit import ARMS, BOTH, CROPS, REAL

Figures = dict[tuple[str, str], dict[str, Any]]

COLOURS = ("#9aa5b1", "#2f6f9f", "#e3a1c4", "#d1006b", "#d9a441")


def read(folder: Path) -> Figures:
    """The figures over all classes by measure and arm; empty where the experiment is not finished."""
    if not (folder / "report.md").exists():
        return {}
    lines = [json.loads(text) for text in (folder / "figures.jsonl").read_text(encoding="utf-8").splitlines()]
    return {(line["measure"], line["protocol"]["arm"]): line for line in lines if line["protocol"]["class"] == "all"}


def row(name: str, reals: int, found: Figures) -> str:
    """One experiment as a row of the table."""
    values = {arm: found["accuracy", arm]["value"] for arm in ARMS}
    gain = found[f"gain over {max((CROPS, REAL), key=values.__getitem__)}", BOTH]
    answer = "help" if gain["low"] > 0 else "hurt" if gain["high"] < 0 else "not significant"
    cells = [name, str(reals), f"{gain['protocol']['fakes']:,}", *(f"{values[arm]:.4f}" for arm in ARMS)]
    cells += [f"{gain['value']:+.4f} ({gain['low']:+.4f} .. {gain['high']:+.4f})", answer]
    return f"| {' | '.join(cells)} |"


def draw(path: Path, found: dict[tuple[str, int], Figures]) -> None:
    """Accuracy over the number of real images, a line for every arm, a panel for every set."""
    names = list(dict.fromkeys(name for name, _ in found))
    figure = Figure(figsize=(5.5 * len(names), 4.2), layout="constrained", dpi=110)
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        counts = [count for other, count in found if other == name]
        for place, (arm, colour) in enumerate(zip(ARMS, COLOURS, strict=True)):
            lines = [found[name, count]["accuracy", arm] for count in counts]
            shifted = [count * 1.04 ** (place - 2) for count in counts]  # so that the intervals do not overlap
            half = [line["value"] - line["low"] for line in lines]
            axes.errorbar(
                shifted, [line["value"] for line in lines], half, fmt="o-", color=colour, label=arm, capsize=3, ms=4
            )
        axes.set_xscale("log")
        axes.set_xticks(counts, map(str, counts))
        axes.minorticks_off()
        axes.set_xlabel("real training images of every class")
        axes.set_ylabel("accuracy on held-out real images")
        axes.set_title(name, loc="left")
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False)
    figure.savefig(path)


def main() -> None:
    """Run all, then print the table."""
    argv, _, flags = "\0".join(sys.argv[1:]).partition("\0--\0")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="+", default=["mnist", "cifar10"])
    parser.add_argument("--reals", type=int, nargs="+", default=[20, 100, 500])
    parser.add_argument("--table", action="store_true", help="start nothing, show what is finished")
    arguments = parser.parse_args(argv.split("\0"))
    where = {
        ("cifar10" if "cifar10" in source else Path(source).stem, reals): source
        for reals in arguments.reals
        for source in arguments.sets
    }
    for (name, reals), source in where.items():
        folder = arguments.folder / f"{name}-{reals}"
        if arguments.table or read(folder):
            continue
        command = [sys.executable, "-m", "ganvas", "augment", source, "--per-class", "500", "--out", str(folder)]
        command += ["--real-per-class", str(reals), *(flags.split("\0") if flags else [])]
        command += ["--no-flips"] if "mnist" in source else []
        print(" ".join(command[2:]), flush=True)
        print(f"exit code {subprocess.run(command, check=False).returncode}", flush=True)
    found = {key: read(arguments.folder / f"{key[0]}-{key[1]}") for key in sorted(where)}
    found = {key: figures for key, figures in found.items() if figures}
    print(f"| set | reals a class | fakes | {' | '.join(ARMS)} | real + both over the better without | fakes |")
    print("|---" + "|--:" * (len(ARMS) + 3) + "|---|")
    print("\n".join(row(*key, figures) for key, figures in found.items()))
    if found:
        draw(arguments.folder / "arms.png", found)


if __name__ == "__main__":
    main()
