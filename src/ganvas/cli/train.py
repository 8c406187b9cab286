"""Train a recipe, or go on with a run: ganvas train dcgan-digits"""

from __future__ import annotations

import signal

from rich.console import Console


def main(argv: list[str]) -> int:
    """Run ``ganvas train RECIPE [flags]``."""
    from ganvas.cli._flags import parse, with_epochs
    from ganvas.recipe.sources import Crops

    name, flags = parse("train", argv)

    from ganvas.data import open_data
    from ganvas.experiment import train
    from ganvas.training.loop import Diverged

    if flags.epochs:
        data = open_data(flags.recipe.data, flags.recipe.system.shape, workers=flags.host.workers)
        flags = with_epochs(flags, len(data.split(flags.recipe.data.held_out)[0]))
    console = Console(stderr=True)
    try:
        outcome = train(flags.recipe, name=flags.name or name, watch=flags.watch, host=flags.host, console=console)
    except Diverged as error:
        console.print(
            f"ganvas: the run diverged: {error}. Checkpoints from before that stand. The usual remedy is a lower"
            " --adam-g.lr and --adam-d.lr, or another objective, under a new --name.",
            style="red",
            highlight=False,
            soft_wrap=True,
        )
        return 1
    folder = outcome.folder
    if outcome.state == "stopped":
        console.print(f"stopped at image {outcome.images_seen:,}; the same command goes on from there")
        return 128 + (outcome.signal or signal.SIGINT)
    if outcome.early:
        saved = next(e["saved_seconds"] for e in reversed(folder.read_events()) if "saved_seconds" in e)
        console.print(f"ended early at image {outcome.images_seen:,}, {outcome.early}: about {saved:,.0f} s saved")
    made = {
        "sample sheet": folder.sheets()[-1],
        "film strip": folder.filmstrip,
        "animation": folder.animation,
        "loss curves": folder.curves,
        "model": folder.model,
    }
    for what, path in made.items():
        if path.exists():
            print(f"{what:<14}{path}")
    looks = [line for line in folder.read_log() if "psnr-y" in line]
    if looks:
        last = looks[-1]
        print(
            f"PSNR on Y     {last['psnr-y']:.2f} dB of {last['protocol']}; bicubic {last['bicubic']['psnr-y']:.2f} dB"
        )
    many = 2500 if folder.animation.exists() else 8 if flags.recipe.system.classes else 64
    enlarges = isinstance(flags.recipe.data, Crops)
    use = f"upscale PHOTO --model {folder.path}" if enlarges else f"generate {folder.path} -n {many} --grid fakes.png"
    print(f"next          ganvas {use}")
    return 0
