"""Show a recipe's layers and shapes, and its speed, time, memory and disk use on this machine"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Column, Table

if TYPE_CHECKING:
    from torch import nn

    from ganvas.experiment.cost import Layer


def main(argv: list[str]) -> int:
    """Run ``ganvas plan RECIPE [flags]``."""
    from ganvas.cli._flags import parse, with_length
    from ganvas.data import NAMES, count, expect_available, open_data
    from ganvas.terminal.console import Console

    _, flags = parse("plan", argv)
    expect_available(flags.recipe.data)
    flags = with_length(argv, flags)
    device = flags.host.torch_device()
    console = Console(highlight=False)
    recipe = flags.recipe

    import torch

    from ganvas.errors import InputError
    from ganvas.experiment.cost import estimate_cost, layers
    from ganvas.nn.building import within_memory
    from ganvas.progress import Bar
    from ganvas.tasks import task_of
    from ganvas.training.loop import Diverged

    task = task_of(recipe)
    epoch, name = count(recipe.data, recipe.system.shape), recipe.data.title
    if recipe.system.classes and name not in NAMES:
        whole = open_data(recipe.data, recipe.system.shape)
        task.check_data(recipe, flags.watch, whole.split(recipe.data.held_out)[0])
    task.check_count(recipe, epoch)
    example = torch.zeros(2, *recipe.system.judged_shape)
    for title, build, given in (
        ("generator", recipe.system.generator, recipe.system.inputs(2, 0)),
        ("discriminator", recipe.system.discriminator, example),
    ):
        with within_memory(device):
            network = build()
        console.print(_table(title, tuple(given.shape[1:]), layers(network, given), network))
        del network  # not to count as memory of the run
    try:
        with Bar(Console(stderr=True)) as bar:
            bar.add("timing", 1)
            cost = estimate_cost(recipe, device, epoch, flags.watch)
    except Diverged as error:
        raise InputError(
            f"the recipe cannot be timed, since {error}; lower --adam-g.lr and --adam-d.lr, or choose another"
            " objective."
        ) from None
    epochs = recipe.images / epoch
    console.print(f"data     {name}: {epoch:,} {task.unit}; {recipe.images:,} images in total, {epochs:.1f} epochs")
    smaller = cost.batch < recipe.batch_size
    timed = f", timed in batches of {cost.batch}" if smaller else ""
    rate = f"{cost.images_per_second:,.0f}" if cost.images_per_second >= 10 else f"{cost.images_per_second:.2g}"
    console.print(f"rate     {rate} images/s in {recipe.precision} on {device}{timed}")
    console.print(f"time     {duration(cost.seconds)}")
    memory = f"{cost.memory / 2**20:,.0f} MiB at peak"
    console.print(f"memory   {memory}{f', more in batches of {recipe.batch_size}' if smaller else ''}")
    console.print(f"disk     {cost.disk / 2**20:,.0f} MiB for the run folder")
    return 0


def _table(title: str, given: tuple[int, ...], rows: list[Layer], network: nn.Module) -> Table:
    table = Table("layer", Column("output", justify="right"), Column("parameters", justify="right"), box=None)
    table.title, table.title_justify = title, "left"
    table.add_row("input", _shape(given), "")
    for row in rows:
        table.add_row(row.kind, _shape(row.shape), f"{row.parameters:,}" if row.parameters else "")
    table.add_row("total", "", f"{sum(parameter.numel() for parameter in network.parameters()):,}")
    return table


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "1"


def duration(seconds: float) -> str:
    """Hours and minutes, or minutes and seconds."""
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {int(seconds % 60):02d} s"
