"""TensorBoard output: the lines of the log as scalars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ganvas.errors import InputError
from ganvas.runs.folder import RunFolder, figures_of


def tensorboard(folder: RunFolder) -> Callable[[dict[str, Any]], None]:
    """A sink for log lines that writes TensorBoard files to the folder `tensorboard` of the run.

    Raises:
        InputError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard.writer import SummaryWriter
    except ImportError:
        raise InputError(
            "--watch.tensorboard needs TensorBoard, which is not installed; run pip install 'ganvas[track]'."
        ) from None
    writer = SummaryWriter(str(folder.path / "tensorboard"))

    def write(line: dict[str, Any]) -> None:
        for name, value in line.items():
            if name != "images" and isinstance(value, float):
                writer.add_scalar(name, value, line["images"])
        for figure in figures_of(line):
            writer.add_scalar(f"validation/{figure.measure}", figure.value, line["images"])
        writer.flush()

    return write
