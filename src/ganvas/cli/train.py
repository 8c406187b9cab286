"""Train a recipe, or resume a run: ganvas train dcgan-digits"""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.errors import InputError
from ganvas.terminal import print
from ganvas.terminal.console import Console

if TYPE_CHECKING:
    from ganvas.cli._flags import Flags
    from ganvas.runs.folder import RunFolder


def main(argv: list[str]) -> int:
    """Run ``ganvas train RECIPE [flags]``."""
    from ganvas.cli._flags import parse, with_length
    from ganvas.data import expect_available
    from ganvas.runs.folder import RunFolder
    from ganvas.runs.previews import read_previews
    from ganvas.tasks import task_of

    name, flags = parse("train", argv)
    expect_available(flags.recipe.data)
    begun = RunFolder(Path(flags.host.runs) / (flags.name or name))
    own, flags = flags, with_length(argv, flags)
    note = ""
    if not own.epochs and flags.recipe.images < own.recipe.images:
        flags, note = _fitted(begun, flags, own.recipe.images)
    _expect_no_shorter(begun, flags.recipe.images)

    from ganvas.diagnosis.remedies import advice
    from ganvas.experiment import train
    from ganvas.runs.again import NameTaken, renamed_command
    from ganvas.training.loop import Diverged

    console = Console(stderr=True)
    try:
        outcome = train(
            flags.recipe, name=flags.name or name, watch=flags.watch, host=flags.host, console=console, note=note
        )
    except NameTaken as error:
        command = renamed_command(argv, RunFolder(Path(flags.host.runs) / (flags.name or name)))
        raise InputError(f"{str(error).removesuffix('.')}; {command} begins a run of its own.") from None
    except Diverged as error:
        folder = RunFolder(Path(flags.host.runs) / (flags.name or name))
        remedies = advice("divergence", flags.recipe, error.images, folder)
        console.print(
            f"ganvas: the run diverged, since {error}; train again under a new --name with lower --adam-g.lr and"
            " --adam-d.lr, or another objective. Earlier checkpoints are kept.",
            style="red",
            highlight=False,
            soft_wrap=True,
        )
        for remedy in remedies[:2]:
            console.print(f"  remedy: {remedy}", highlight=False, soft_wrap=True)
        return 1
    folder = outcome.folder
    if outcome.state == "stopped":
        console.print(f"stopped at image {outcome.images_seen:,}; run the same command to resume")
        return 128 + (outcome.signal or signal.SIGINT)
    if outcome.early:
        saved = next(e["saved_seconds"] for e in reversed(folder.read_events()) if "saved_seconds" in e)
        console.print(f"ended early at image {outcome.images_seen:,} ({outcome.early}), saving about {saved:,.0f} s")
    outputs = {
        "latest sample": next(
            (folder.samples / preview.file for preview in reversed(read_previews(folder.samples))), None
        ),
        "film strip": folder.filmstrip,
        "animation": folder.animation,
        "loss curves": folder.curves,
        "model": folder.model,
    }
    task = task_of(flags.recipe)
    lines = [(title, str(path)) for title, path in outputs.items() if path and path.exists()]
    for title, line in (*lines, *task.results(folder), ("next", task.next_command(flags.recipe, folder))):
        print(f"{title:<14}{line}")
    return 0


def _fitted(begun: RunFolder, flags: Flags, own: int) -> tuple[Flags, str]:
    """The flags, and a note that the length was fitted to the data; a run begun with a greater one keeps that."""
    if not begun.exists():
        return flags, (
            f"{flags.recipe.images:,} images rather than the recipe's {own:,}, as {flags.recipe.data.title} has fewer"
            " than the data that it was made for; --epochs N or --images N sets another length"
        )
    before = begun.read_recipe().get("images")
    if isinstance(before, int) and before > flags.recipe.images:
        flags = replace(flags, recipe=replace(flags.recipe, images=before))
    return flags, ""


def _expect_no_shorter(folder: RunFolder, images: int) -> None:
    """Reject a length that an unfinished run has passed: its recipe would say less than its weights have seen.

    Raises:
        InputError: it has.
    """
    from ganvas.runs.record import Record

    if not folder.exists():
        return
    record = Record(folder)
    if record.state == "stopped" and record.images_seen > images:
        raise InputError(
            f"--images {images:,} is less than the {record.images_seen:,} that {folder.path} has seen already; give at"
            " least as many, or choose a new --name."
        )
