"""Do extra samples help? ganvas augment on MNIST and CIFAR-10 with few real pictures of every class.

    python benchmarks/extra_samples.py --out FOLDER [--sets mnist cifar10.parquet] [--reals 20 100 500] [-- FLAGS]

Runs one command a set and number of reals, one after the other, each in FOLDER/SET-REALS; what is done already is not
done again. Prints one row each, as Markdown. Flags after -- go to every command, as --images 50000. Digits are never
mirrored.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from ganvas.synthetic.judging import ARMS, BOTH


def row(folder: Path, name: str, reals: int) -> str:
    """One experiment as a row of the table."""
    lines = [json.loads(text) for text in (folder / "figures.jsonl").read_text(encoding="utf-8").splitlines()]
    whole = {(line["measure"], line["protocol"]["arm"]): line for line in lines if line["protocol"]["class"] == "all"}
    values = {arm: whole["accuracy", arm]["value"] for arm in ARMS}
    rival = max(ARMS[1::-1], key=values.__getitem__)
    gain = whole[f"gain over {rival}", BOTH]
    fakes = gain["protocol"]["fakes"]
    told = "help" if gain["low"] > 0 else "hurt" if gain["high"] < 0 else "cannot be told"
    cells = [name, str(reals), f"{fakes:,}", *(f"{values[arm]:.4f}" for arm in ARMS)]
    cells += [f"{gain['value']:+.4f} ({gain['low']:+.4f} .. {gain['high']:+.4f})", told]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run all, then print the table."""
    argv, _, flags = "\0".join(sys.argv[1:]).partition("\0--\0")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["mnist", "cifar10"])
    parser.add_argument("--reals", type=int, nargs="+", default=[20, 100, 500])
    arguments = parser.parse_args(argv.split("\0") if argv else [])
    rows = []
    for reals in arguments.reals:
        for source in arguments.sets:
            name = "cifar10" if "cifar10" in source else Path(source).stem
            folder = arguments.out / f"{name}-{reals}"
            command = [sys.executable, "-m", "ganvas", "augment", source, "--per-class", "500", "--out", str(folder)]
            command += ["--real-per-class", str(reals), *(flags.split("\0") if flags else [])]
            command += ["--no-flips"] if "mnist" in source else []
            print(" ".join(command[2:]), flush=True)
            code = subprocess.run(command, check=False).returncode
            if code in (0, 3):
                rows.append(row(folder, name, reals))
            print(f"exit code {code}", flush=True)
    print(f"| set | reals a class | fakes | {' | '.join(ARMS)} | real + both over the better without | fakes |")
    print("|---" + "|--:" * (len(ARMS) + 3) + "|---|")
    print("\n".join(sorted(rows, key=lambda line: line.split(" | ")[0])))


if __name__ == "__main__":
    main()
