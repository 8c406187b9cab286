"""Score the final model of every run by a measure that neither diagnosis nor treatment saw; scored runs are skipped.

python benchmarks/diagnosis/score.py OUT [OUT ...]

KID on efficientnet-lite0 features at 64 px, 512 fakes against training images; for the runs on few images against
the held-out ones, since copying is no success. Kept in each OUT as scores.json; a run without a whole model has none.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import faults  # noqa: F401, registers its system

import ganvas
from ganvas.files import write_text


def main() -> None:
    """Score what has no score yet."""
    for out in map(Path, sys.argv[1:]):
        file = out / "scores.json"
        scores: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
        for run in sorted(out.glob("*.*.[0-9]")):
            if run.name in scores or not (run / "recipe.json").exists():
                continue
            few = run.name.startswith("few-pictures")
            try:
                found = ganvas.evaluate(
                    run, measures=["kid"], fakes=200 if few else 512, resize=64, split="held-out" if few else "train"
                )
            except ganvas.InputError as error:
                print(f"{run.name}: {error}", flush=True)
                continue
            scores[run.name] = found.figures[0].value
            print(f"{run.name}: {scores[run.name]:.4f}", flush=True)
            write_text(file, json.dumps(scores, indent=1))


if __name__ == "__main__":
    main()
