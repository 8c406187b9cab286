"""Find learning rates and penalties for a recipe by short paired trials: ganvas tune dcgan-digits"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ganvas.cli import _flags
from ganvas.studies.tuning.search import Search
from ganvas.terminal import print

if TYPE_CHECKING:
    from rich.table import Table

    from ganvas.studies.tuning import Trial

WIDTH = 104  # characters of the table, so that no row is broken
OURS = ("--search", "--name")  # flags that ganvas train lacks, or uses otherwise


@dataclass(frozen=True)
class TuneFlags(_flags.Common):
    """Options of a search."""

    search: Search = field(default_factory=Search)
    """What is searched, and at what cost."""


def main(argv: list[str]) -> int:
    """Run ``ganvas tune RECIPE [flags]``."""
    from ganvas.data import expect_available

    name, flags = _flags.parse_as(TuneFlags, "tune", argv)
    expect_available(flags.recipe.data)

    from ganvas.studies.tuning import SearchStopped, tune

    flags = _flags.with_length(argv, flags)
    folder = flags.name or f"tune-{name}"
    try:
        result = tune(flags.recipe, name=folder, search=flags.search, host=flags.host)
    except SearchStopped as stopped:
        print("stopped; repeat the command to continue", file=sys.stderr)
        return 128 + stopped.signal
    from ganvas.terminal.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, WIDTH)
    console.print(_table(result.trials))
    for trial in result.trials:
        if not trial.is_healthy:
            console.print(f"{trial.candidate.label}, seed {trial.seed}: {trial.why}", markup=False)
    console.print(f"choice   {result.choice.reason}", markup=False)
    if result.choice.candidate is None:
        return 1
    words = shlex.join(["ganvas", "train", *_kept(argv, result.flags)])
    console.print(f"train    {' '.join([words, *result.flags])}", markup=False)
    resume = f"--host.runs {flags.host.runs}/{folder} --name {result.choice.candidate.run(flags.recipe.seed)}"
    console.print(f"         to continue its trial, add {resume}", markup=False)
    console.print(f"cost     {result.seconds:,.0f} s, {result.images:,} images: {result.share:.0%} of the run's images")
    print(result.chart)
    return 0


def _kept(argv: list[str], changed: Sequence[str]) -> list[str]:
    """The words of a command line that ganvas train understands and that no changed flag overrules."""
    overruled = {flag.split()[0] for flag in changed}
    kept, dropping = [], False
    for word in argv:
        # A flag's values are all words up to the next flag; a number below 0 is not a flag.
        if word.startswith("--"):
            flag = word.split("=")[0].replace("_", "-")
            dropping = flag.split(".")[0] in OURS or flag in overruled
        if not dropping:
            kept.append(word)
    return kept


def _table(trials: Sequence[Trial]) -> Table:
    from rich.table import Column, Table

    heads = ("seed", "images", "KID", "95 % interval", "SWD")
    table = Table("candidate", *(Column(head, justify="right") for head in heads), "verdict", box=None)
    table.add_column("seconds", justify="right")
    for trial in trials:
        kid = trial.kid
        figures = (f"{kid.value:.3g}", f"{kid.low:.3g} to {kid.high:.3g}", f"{trial.swd:.3g}") if kid else ("-", "", "")
        own = " (own)" if trial.candidate.is_own else ""
        row = (f"{trial.seed}", f"{trial.images:,}", *figures, trial.verdict, f"{trial.seconds:.0f}")
        table.add_row(trial.candidate.label + own, *row)
    return table
