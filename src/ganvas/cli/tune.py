"""Advise on a recipe's rates and penalty by short paired probes: ganvas tune dcgan-digits"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ganvas.cli import _flags
from ganvas.studies.tuning.settings import Search

if TYPE_CHECKING:
    from rich.table import Table

    from ganvas.studies.tuning import Probe

WIDTH = 104  # characters of the table, whose rows are not to be broken
OURS = ("--search", "--name")  # flags that ganvas train has not, or means otherwise


@dataclass(frozen=True)
class TuneFlags(_flags.Common):
    """What is said of a search."""

    search: Search = field(default_factory=Search)
    """What is tried, and at what cost."""


def main(argv: list[str]) -> int:
    """Run ``ganvas tune RECIPE [flags]``."""
    name, flags = _flags.parse_as(TuneFlags, "tune", argv)

    from ganvas.data import count
    from ganvas.studies.tuning import Stopped, tune

    if flags.epochs:
        flags = _flags.with_epochs(flags, count(flags.recipe.data, flags.recipe.system.shape))
    folder = flags.name or f"tune-{name}"
    try:
        advice = tune(flags.recipe, name=folder, search=flags.search, host=flags.host)
    except Stopped as stopped:
        print("stopped; the same command goes on from there", file=sys.stderr)
        return 128 + stopped.signal
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, WIDTH)
    console.print(_table(advice.probes))
    for probe in advice.probes:
        if not probe.is_sound:
            console.print(f"{probe.candidate.label}, seed {probe.seed}: {probe.why}", markup=False)
    console.print(f"choice   {advice.choice.reason}", markup=False)
    if advice.choice.candidate is None:
        return 1
    words = shlex.join(["ganvas", "train", *_kept(argv, advice.flags)])
    console.print(f"train    {' '.join([words, *advice.flags])}", markup=False)
    goes_on = f"--host.runs {flags.host.runs}/{folder} --name {advice.choice.candidate.run(flags.recipe.seed)}"
    console.print(f"         to go on with its probe, add {goes_on}", markup=False)
    console.print(f"cost     {advice.seconds:,.0f} s, {advice.images:,} images: {advice.share:.0%} of the run's images")
    print(advice.picture)
    return 0


def _kept(argv: list[str], changed: Sequence[str]) -> list[str]:
    """The words of a command line that mean the same to ganvas train and are not overruled by other flags."""
    overruled = {flag.split()[0] for flag in changed}
    kept, dropping = [], False
    for word in argv:
        # What follows a flag up to the next are its values; a number below 0 is no flag.
        if word.startswith("--"):
            flag = word.split("=")[0].replace("_", "-")
            dropping = flag.split(".")[0] in OURS or flag in overruled
        if not dropping:
            kept.append(word)
    return kept


def _table(probes: Sequence[Probe]) -> Table:
    from rich.table import Column, Table

    heads = ("seed", "images", "KID", "95 % interval", "SWD")
    table = Table("candidate", *(Column(head, justify="right") for head in heads), "verdict", box=None)
    table.add_column("seconds", justify="right")
    for probe in probes:
        kid = probe.kid
        about = (f"{kid.value:.3g}", f"{kid.low:.3g} to {kid.high:.3g}", f"{probe.swd:.3g}") if kid else ("-", "", "")
        own = " (own)" if probe.candidate.is_own else ""
        row = (f"{probe.seed}", f"{probe.images:,}", *about, probe.verdict, f"{probe.seconds:.0f}")
        table.add_row(probe.candidate.label + own, *row)
    return table
