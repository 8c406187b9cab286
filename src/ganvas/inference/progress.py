"""Progress of a network that generates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ganvas.inference.base import Predictor
from ganvas.progress import Bar
from ganvas.terminal.console import Console


@contextmanager
def generating(model: Predictor, total: int, *, show: bool = True) -> Iterator[None]:
    """Show a bar on stderr of the samples that the model's network makes, whichever method asks for them."""
    with Bar(Console(stderr=True), show=show) as bar:
        task = bar.add(f"generating with {model.name}", total, counts=True)
        # The last batch is filled up.
        hook = model.network.register_forward_hook(
            lambda network, inputs, made: bar.update(task, completed=min(total, bar.tasks[0].completed + len(made)))
        )
        try:
            yield
        finally:
            hook.remove()
