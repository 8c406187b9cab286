"""Train many runs and compare them: ganvas study FILE, or a study known by name: ganvas study strategies"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.cli._parser import Parser
from ganvas.errors import InputError
from ganvas.terminal import print
from ganvas.untrusted import Unreadable, parse_json

if TYPE_CHECKING:
    from rich.console import Console

    from ganvas.experiment import Host
    from ganvas.studies import Study

FLAGS = ("data", "images", "seeds", "on", "extractor", "set")
NAMED = {"strategies": FLAGS, "modes": ("images", "seeds", "set")}  # the flags of each study known by name

NEEDS = (
    "modes needs MNIST's four files in MNIST/raw in $GANVAS_DATA (default: ~/.cache/ganvas/datasets), and downloads"
    " missing ones. It trains 8 games with every seed, by default 16 runs of 486,400 images, which takes hours on a"
    " CPU, and writes modes.md, modes.png and comparison.html into runs/modes. --dry-run estimates the time on this"
    " machine; --images, --seeds and --set shorten it."
)


def main(argv: list[str]) -> int:
    """Run ``ganvas study FILE|NAME``."""
    parser = Parser("ganvas study", description=__doc__, epilog=NEEDS)
    parser.add_argument(
        "study",
        metavar="FILE|NAME",
        help="a .json file, a .py file that defines a study (and is run as a program: open only what you trust),"
        " strategies (compares four ways to train SRGAN), or modes (which of 1,000 modes each objective finds)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the runs and their estimated time")
    parser.add_argument("--jobs", type=int, default=1, help="parallel runs (default: 1)")
    parser.add_argument("--runs", default="runs", help="folder that holds the study's folder (default: runs)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")
    parser.add_argument("--workers", type=int, default=0, help="threads that decode images (default: one per core)")
    parser.add_argument("--only", default="", help=argparse.SUPPRESS)  # how a study starts its own children
    race = parser.add_argument_group("with strategies and modes")
    race.add_argument(
        "--images",
        type=int,
        help="length of every run; pretraining and ramps scale with it (default: the recipes')",
    )
    race.add_argument("--seeds", type=int, nargs="+", help="seeds for every strategy or game (default: 0 1)")
    race.add_argument(
        "--set", nargs="+", metavar="FIELD=VALUE", help="fields of every recipe, such as system.blocks=4 batch_size=8"
    )
    race = parser.add_argument_group("with strategies")
    race.add_argument("--data", help="the photographs (default: div2k)")
    race.add_argument("--on", nargs="+", metavar="SET", help="test sets to score on (default: Set5 Set14 BSD100)")
    race.add_argument("--extractor", help="network of the perceptual terms: vgg19 (default) or efficientnet-lite0")
    arguments = parser.parse_args(argv)
    if arguments.study not in NAMED and not Path(arguments.study).is_file():
        raise InputError(f"there is no file {arguments.study}; give a study, a .json or .py file.")
    from ganvas.experiment import Host
    from ganvas.studies import run_study
    from ganvas.studies.run_jobs import train_one
    from ganvas.terminal.console import Console
    from ganvas.training.loop import Diverged

    host = Host(device=arguments.device, workers=arguments.workers, runs=arguments.runs)
    if arguments.only:
        try:
            outcome = train_one(arguments.study, arguments.only, host)
        except Diverged:
            return 1
        if outcome.state == "stopped":
            print(f"stopped at image {outcome.images_seen:,}; repeat the command to continue")
            return 128 + (outcome.signal or signal.SIGINT)
        return 0
    study = _study(arguments)
    console = Console(highlight=False)
    if arguments.dry_run:
        _dry_run(study, host, arguments.jobs, console)
        return 0
    # Like Ctrl-C: the runs in progress write a checkpoint first.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    result = run_study(study, host=host, jobs=arguments.jobs, console=console)
    if result.comparison:
        from ganvas.cli.compare import show

        show(result.comparison, console)
        print(result.page, *result.extras, sep="\n")
    return 1 if result.failures else 0


def _study(arguments: argparse.Namespace) -> Study:
    from ganvas.studies import read_study, strategies
    from ganvas.studies.modes import modes

    name = arguments.study
    given = {flag: getattr(arguments, flag) for flag in FLAGS if getattr(arguments, flag) is not None}
    for flag in given:
        if flag not in NAMED.get(name, ()):
            homes = " or ".join(home for home, flags in NAMED.items() if flag in flags)
            remedy = "leave it out" if name in NAMED else "set it in the file"
            raise InputError(f"--{flag} is for ganvas study {homes}; {remedy}.")
    if name not in NAMED:
        return read_study(name)
    if given.get("images", 1) < 1:
        raise InputError(f"--images must be at least one batch; got {given['images']}.")
    changes = _fields(given.pop("set", []))
    return modes(**given, changes=changes) if name == "modes" else strategies(**given, changes=changes)


def _fields(words: list[str]) -> dict[str, Any]:
    """FIELD=VALUE with the value as JSON, or else as text."""
    found: dict[str, Any] = {}
    for word in words:
        path, equals, text = word.partition("=")
        if not path or not equals:
            raise InputError(f"--set {word} is not FIELD=VALUE; give e.g. --set system.blocks=4.")
        try:
            found[path] = parse_json(text)
        except Unreadable:
            found[path] = text
    return found


def _dry_run(study: Study, host: Host, jobs: int, console: Console) -> None:
    from rich.table import Column, Table

    from ganvas.cli.plan import duration
    from ganvas.studies import forecast

    estimates = forecast(study, host)
    heads = ("images", "left", "start", "training", "judging")
    table = Table("run", *(Column(head, justify="right") for head in heads), box=None)
    for one in estimates:
        times = [duration(seconds) if seconds else "-" for seconds in (one.start, one.training, one.judging)]
        table.add_row(one.job.name, f"{one.job.recipe.images:,}", f"{one.left:,}", *times)
    console.print(table)
    total = sum(one.seconds for one in estimates)
    note = f", at best {duration(total / jobs)} with --jobs {jobs}" if jobs > 1 else ""
    console.print(f"{len(estimates)} runs: {duration(total)} in sequence{note}, with starting and judging")
