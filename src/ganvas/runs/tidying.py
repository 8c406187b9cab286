"""The files of a finished run that nothing needs any more. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ganvas.files import TEMPORARY
from ganvas.runs.header import Damaged, read_header
from ganvas.runs.record import Record


def superseded(run: Record, kept: bool = False) -> list[Path]:
    """The files of a finished run that neither opening, resuming nor lengthening it needs; none of another run.

    These are the spares of its last state, if that is intact, and what a killed process left behind. The last and the
    best state and the model always stay.

    Args:
        kept: also the states that --watch.keep-every kept; they can then no longer be opened or evaluated.
    """
    if run.state != "finished":
        return []
    last, spares = run.folder.states()[:1], run.folder.states()[1:]
    if not all(map(_is_intact, [*last, run.folder.model])):
        spares = []
    found = [*spares, *run.folder.path.rglob(f".*{TEMPORARY}")]
    found += run.folder.checkpoints.glob("kept-*.safetensors") if kept else ()
    return [path for path in found if path.is_file() and not path.is_symlink()]


def remove(run: Record, files: list[Path]) -> int:
    """Delete files of a run, under its lock; the bytes that they held.

    Raises:
        InputError: the run is being trained again.
    """
    with run.folder.lock():
        return sum(_removed(path) for path in files)


def size(files: list[Path]) -> int:
    """Their bytes; 0 for one that has gone meanwhile."""
    return sum(_sizes(files))


def _sizes(files: list[Path]) -> Iterator[int]:
    for path in files:
        with suppress(OSError):
            yield path.stat().st_size


def _removed(path: Path) -> int:
    held = size([path])
    path.unlink(missing_ok=True)
    return held


def _is_intact(path: Path) -> bool:
    try:
        read_header(path)
    except Damaged:
        return False
    return True
