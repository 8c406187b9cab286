"""Evaluate the diagnosis on the benchmark: which verdicts were given, when, and whether they were right.

python benchmarks/diagnosis/report.py OUT [--treated OUT] [--chart FILE.png]

The thresholds were tuned on seed 0, and on seed 1 of the digits; the figures that count are those of the other half,
and of other games and data.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from faults import BATCH, FAULTS, HEALTHY, IMAGES

from ganvas.diagnosis import diagnose
from ganvas.diagnosis.verdicts import CONDITIONS, SOUND, Assessor, Snapshot, distance, snapshots, verdict_of
from ganvas.runs.folder import RunFolder, figures_of
from ganvas.runs.record import Record


@dataclass(frozen=True)
class EvaluatedRun:
    """One run of the benchmark.

    Attributes:
        given: every verdict but healthy, with the share of the run after which it was first given.
        main: the verdict that stood longest; healthy only where none other was given.
        distance: of its final state, averaged over the last three looks.
        changes: how often the verdict changed.
        late: the share of the run from its best state to the verdict that it is past it; None where there is none.
    """

    kind: str
    data: str
    seed: int
    given: dict[str, float]
    main: str
    distance: float
    looks: list[Snapshot]
    changes: int
    late: float | None

    @property
    def fault(self) -> str:
        """Its kind in any game."""
        return self.kind.partition("@")[0]

    @property
    def right(self) -> tuple[str, ...]:
        """What should have been said."""
        return FAULTS[self.fault].right if self.fault in FAULTS else ()

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is another game, or on other data, than those that the thresholds were tuned on."""
        return self.fault != self.kind or self.data not in ("digits", "faces")

    @property
    def found(self) -> float | None:
        """The share of the run after which a right verdict was given, or None."""
        return min((self.given[name] for name in self.right if name in self.given), default=None)


def tuning(run: EvaluatedRun) -> bool:
    """Whether the thresholds were tuned on this run: half of the runs of each kind."""
    return run.seed == 0 or (run.seed == 1 and run.data == "digits")


def read(path: Path) -> EvaluatedRun:
    """Diagnose one run step by step, as it would have been while it trained."""
    kind, data, seed = path.name.split(".")
    folder = RunFolder(path)
    history = snapshots(_aged(folder.read_log()))
    given: dict[str, float] = {}
    stood: dict[str, int] = {}
    assessor, said, late = Assessor(BATCH), [], None
    for snapshot in history:
        said.append(assessor.add(snapshot).name)
        past = verdict_of("past-best", assessor.history) if said[-1] != "early" else None
        if past and late is None:
            late = past.evidence["images_ago"] / IMAGES
        for name in ({said[-1]} | ({"past-best"} if past else set())) - set(SOUND):
            given.setdefault(name, snapshot.images / IMAGES)
            stood[name] = stood.get(name, 0) + 1
    changes = sum(before != after for before, after in pairwise(said) if before != "early")
    for event in folder.read_events():
        if event["event"] == "diverged":
            given.setdefault("divergence", event["images"] / IMAGES)
            stood["divergence"] = len(history)
    main = max(stood, key=stood.__getitem__) if stood else "healthy"
    return EvaluatedRun(kind, data, int(seed), given, main, distance(history), history, changes, late)


def _aged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines of a log from before looks told how the kept model had aged, with that."""
    best = math.inf
    for line in lines:
        for figure in figures_of(line):
            if figure.measure == "SWD":
                best, newest = min(best, figure.value), figure.value
        if "signals" in line and math.isfinite(best):
            line["signals"].setdefault("aged", max(1.0, newest / max(best, 1e-9)))
    return lines


def table(runs: list[EvaluatedRun]) -> list[str]:
    """Recall and time to each verdict, and false alarms, as lines of Markdown."""
    lines = ["| fault | right verdict | runs | recognized | median time to it |", "|---|---|--:|--:|--:|"]
    times: list[float] = []
    by_verdict: dict[str, list[bool]] = {}
    for kind in sorted({run.kind for run in runs if run.fault in FAULTS}, key=_order):
        mine = [run for run in runs if run.kind == kind]
        fault = FAULTS[mine[0].fault]
        found = [run.found for run in mine if run.found is not None]
        times += found
        by_verdict.setdefault(fault.right[0], []).extend(run.found is not None for run in mine)
        when = f"{statistics.median(found):.0%}" if found else "-"
        lines.append(f"| {kind} | {' or '.join(fault.right)} | {len(mine)} | {len(found)} | {when} |")
    lines += ["", "| verdict | recall |", "|---|--:|"]
    lines += [f"| {name} | {sum(hits)} of {len(hits)} = {np.mean(hits):.2f} |" for name, hits in by_verdict.items()]
    healthy = [run for run in runs if run.fault in HEALTHY]
    alarms = [run for run in healthy if run.given]
    lines += [
        "",
        f"False alarms: {len(alarms)} of {len(healthy)} healthy runs"
        + "".join(f"; {run.kind}.{run.data}.{run.seed}: {', '.join(run.given)}" for run in alarms)
        + ".",
    ]
    if times:
        lines.append(f"Median time to the right verdict: {statistics.median(times):.0%} of the run.")
    late = [run.late for run in runs if run.late is not None and "past-best" in run.right]
    if late:
        lines.append(f"Median time from its best to the verdict that a run is past it: {statistics.median(late):.0%}.")
    if runs:
        lines.append(f"Changes of the verdict in a run: at most {max(run.changes for run in runs)}.")
    return lines


def _order(kind: str) -> tuple[int, str]:
    what, _, game = kind.partition("@")
    return [*FAULTS].index(what), game


def treatment(untreated: Path, treated: Path) -> list[str]:
    """How the treated runs ended against the untreated ones, by the scores of score.py, as lines of Markdown."""
    before, after = (json.loads((path / "scores.json").read_text()) for path in (untreated, treated))
    lines = ["| fault | treated | better | KID untreated, treated (medians) |", "|---|--:|--:|--:|"]
    better = compared = 0
    for kind in FAULTS:
        pairs = []
        for path in sorted(treated.glob(f"{kind}.*")):
            acted = any(event["event"] == "treated" for event in RunFolder(path).read_events())
            if acted and path.name in after:
                # A run that left no model at all is worse than any.
                pairs.append((before.get(path.name, math.inf), after[path.name]))
        wins = sum(now < then for then, now in pairs)
        better, compared = better + wins, compared + len(pairs)
        if pairs:
            medians = ", ".join(f"{statistics.median(values):.3f}" for values in zip(*pairs, strict=True))
            lines.append(f"| {kind} | {len(pairs)} | {wins} | {medians} |")
    lines += ["", f"Better than untreated: {better} of {compared} treated runs."]
    return lines


def predicts(runs: list[EvaluatedRun], folder: Path) -> list[str]:
    """How the interlacing of the losses and the distance of the last looks go with the score: rank correlations."""
    from scipy.stats import spearmanr

    scores = json.loads((folder / "scores.json").read_text())
    known = [(run, diagnose(Record(folder / f"{run.kind}.{run.data}.{run.seed}"))) for run in runs]
    lines = []
    for data in ("digits", "faces"):
        rows = [
            (found.interlace, run.distance, scores[name])
            for run, found in known
            if run.data == data
            and (name := f"{run.kind}.{run.data}.{run.seed}") in scores
            and found.interlace is not None
        ]
        if len(rows) < 3:
            continue  # no correlation of so few
        woven, far, score = zip(*rows, strict=True)
        by_weave, by_distance = (spearmanr(values, score).statistic for values in (woven, far))
        lines.append(
            f"{data}, {len(rows)} runs with cross-entropy: Spearman's correlation with KID is {by_weave:.2f} for the"
            f" interlacing of the losses, {by_distance:.2f} for the distance of the last looks."
        )
    return lines


def confusion(runs: list[EvaluatedRun], path: Path) -> None:
    """Draw the fault against the verdict that stood longest."""
    from matplotlib.figure import Figure

    kinds = [*FAULTS, *HEALTHY]
    names: list[str] = [*CONDITIONS, "healthy"]
    counts = np.zeros((len(kinds), len(names)), int)
    for run in runs:
        counts[kinds.index(run.kind), names.index(run.main)] += 1
    figure = Figure(figsize=(8, 8), layout="constrained", dpi=110)
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues", aspect="auto", vmin=0)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            dark = count > counts.max() / 2
            axes.text(column, row, str(count), ha="center", va="center", color="white" if dark else "black")
    for row, kind in enumerate(kinds):
        right = FAULTS[kind].right if kind in FAULTS else ("healthy",)
        for name in right:
            box = {"fill": False, "edgecolor": "tab:red", "linewidth": 1.5}
            axes.add_patch(_rectangle((names.index(name) - 0.5, row - 0.5), box))
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set_xlabel("verdict that stood longest")
    axes.set_title("what was done to the run (rows); red: what should be said", loc="left", fontsize=10)
    figure.savefig(path)


def _rectangle(corner: tuple[float, float], style: dict[str, Any]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 1, 1, **style)


def main() -> None:
    """Print the tables of both halves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--treated", type=Path)
    parser.add_argument("--chart", type=Path)
    given = parser.parse_args()
    runs = [read(path) for path in sorted(given.out.glob("*.*.[0-9]")) if (path / "log.jsonl").exists()]
    elsewhere, runs = [run for run in runs if run.is_elsewhere], [run for run in runs if not run.is_elsewhere]
    for title, half in (("tuned on", True), ("tested on", False)):
        print(f"\n### The half {title}\n")
        print("\n".join(table([run for run in runs if tuning(run) == half])))
    if elsewhere:
        print("\n### Other games and data\n")
        print("\n".join(table(elsewhere)))
    if given.treated:
        print("\n### Treated\n")
        print("\n".join(treatment(given.out, given.treated)))
    if (given.out / "scores.json").exists():
        print("\n### What predicts quality\n")
        print("\n".join(predicts(runs, given.out)))
    if given.chart:
        confusion([run for run in runs if not tuning(run)], given.chart)


if __name__ == "__main__":
    main()
