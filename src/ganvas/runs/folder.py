"""A run on disk, the only interface between training, comparing and using it. Imports no torch.

recipe.json   host.json   log.jsonl   events.jsonl   figures.jsonl   samples/   checkpoints/   model.safetensors
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ganvas.errors import InputError
from ganvas.files import Busy, append_line, cannot, is_locked, locked, write_text
from ganvas.metrics import quantity
from ganvas.metrics.figure import Figure
from ganvas.recipe.legacy import renamed
from ganvas.runs.previews import read_previews, write_previews
from ganvas.untrusted import Json, count_in, is_count, is_number, read_lines, read_object

LOCK = ".lock"

MEASURES = {
    "swd": "SWD",
    "kid": "KID",
    "modes": "modes found",
    "quality": "quality",
    "psnr-y": "PSNR-Y",
    "st-lpips": "ST-LPIPS",
}
"""The measures taken during training, by their names in the logs of earlier versions."""

COUNTS = ("seed", "images", "batch_size", "schedule.d_per_g", "system.size", "system.latent")
"""The fields of a recipe that readers of runs reckon with."""

REPEATED = ("verdict", "treated", "kept", "taken back", "failed", "rolled back")  # events that a resumed run repeats


class RunFolder:
    """The files of one run."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.recipe = self.path / "recipe.json"
        self.host = self.path / "host.json"
        self.log = self.path / "log.jsonl"
        self.events = self.path / "events.jsonl"
        self.samples = self.path / "samples"
        self.checkpoints = self.path / "checkpoints"
        self.pretrained = self.checkpoints / "pretrained.safetensors"
        self.model = self.path / "model.safetensors"
        self.curves = self.path / "curves.png"
        self.figures = self.path / "figures.jsonl"
        self.evaluation = self.path / "evaluation.png"
        self.filmstrip = self.path / "filmstrip.png"
        self.animation = self.path / "animation.gif"

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    def exists(self) -> bool:
        """Whether the folder holds a run."""
        return self.recipe.is_file()

    def read_recipe(self) -> Json:
        """The recipe as plain data, with the current names of its fields.

        Raises:
            InputError: the file is missing, not valid JSON, or has no number where one belongs.
        """
        found: Json = renamed(read_object(self.recipe, "give the folder of a run (see ganvas runs)"))
        for path in COUNTS:
            value: Any = found
            for key in path.split("."):
                value = value.get(key, 0) if isinstance(value, dict) else 0
            if not is_count(value):
                raise InputError(
                    f"{self.recipe} has {path} {value!r}, which is not a whole number; repair it or restore it from a"
                    " backup."
                )
        return found

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the run against training by a second process; the lock of a killed process is released automatically.

        Raises:
            InputError: another process holds the lock, the folder cannot be written, or a part of it is a link.
        """
        self._expect_no_links()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot("write", self.path, error) from error
        try:
            with locked(self.path / LOCK):
                yield
        except Busy:
            raise InputError(
                f"the run {self.path} is being trained by another process; wait for it, or choose another --name."
            ) from None

    def is_training(self) -> bool:
        """Whether a process currently holds the lock; looking never keeps a process from training."""
        return is_locked(self.path / LOCK)

    def _expect_no_links(self) -> None:
        """Refuse a folder from elsewhere in which a link would lead writes, or deletions, out of it."""
        folders = self.samples, self.checkpoints, self.path / "tensorboard"
        for part in (*folders, self.log, self.events, self.figures, self.path / LOCK):
            if part.is_symlink():
                raise InputError(
                    f"{part} is a symbolic link, through which a run would write elsewhere; replace it by what it"
                    f" leads to, or move the whole run and make {self.path} the link."
                )

    def add_log(self, line: Json) -> None:
        """Append one line to log.jsonl."""
        _append(self.log, line)

    def add_event(self, event: str, **fields: Any) -> None:
        """Append one line to events.jsonl, with the time of day in seconds since 1970."""
        _append(self.events, {"event": event, "time": round(time.time(), 3), **fields})

    def add_figure(self, line: Json) -> None:
        """Append one line to figures.jsonl, with the time of day in seconds since 1970."""
        _append(self.figures, {**line, "time": round(time.time(), 3)})

    def read_log(self) -> list[Json]:
        """The lines of log.jsonl; an incomplete last line and damaged ones are omitted.

        Raises:
            InputError: it is not a readable file.
        """
        return [line for line in read_lines(self.log) if is_log_line(line)]

    def read_events(self) -> list[Json]:
        """The lines of events.jsonl; an incomplete last line and damaged ones are omitted.

        Raises:
            InputError: it is not a readable file.
        """
        return [line for line in read_lines(self.events) if is_event(line)]

    def read_figures(self) -> list[Json]:
        """The lines of figures.jsonl, the newest last; an incomplete last line is omitted.

        Raises:
            InputError: it is not a readable file.
        """
        return read_lines(self.figures)

    def ended_early(self) -> bool:
        """Whether the run finished before its recipe's length, with its best state as the model."""
        return any(event["event"] == "finished" and "early" in event for event in self.read_events()[-1:])

    def forget_after(self, images: int) -> None:
        """Drop the log lines, verdicts and samples after a count of images, which the resumed run will write again."""
        if self.log.exists():
            kept = [line for line in self.read_log() if line["images"] <= images]
            write_text(self.log, "".join(json.dumps(line) + "\n" for line in kept))
        events = self.read_events()
        kept = [event for event in events if event["event"] not in REPEATED or event.get("images", 0) <= images]
        if len(kept) < len(events):
            write_text(self.events, "".join(json.dumps(event) + "\n" for event in kept))
        previews = read_previews(self.samples)
        ahead = {self.samples / preview.file for preview in previews if preview.images_seen > images}
        if ahead:
            write_previews(self.samples, [preview for preview in previews if preview.images_seen <= images])
        for path in ahead | {grid for grid in self.sample_grids() if int(grid.stem) > images}:
            path.unlink(missing_ok=True)

    def sample_grids(self) -> list[Path]:
        """The sample grids in order of images seen."""
        return sorted(_numbered(self.samples, ".png"))

    def states(self) -> list[Path]:
        """The regular checkpoints, newest first, without the best one and those kept for good."""
        return sorted(_numbered(self.checkpoints, ".safetensors"), reverse=True)

    def sample_path(self, images: int) -> Path:
        """The path of the sample grid at a count of images."""
        return self.samples / f"{images:012d}.png"


def is_log_line(line: Json) -> bool:
    """Whether an object is a sound line of log.jsonl."""
    return is_count(line.get("images"))


def is_event(line: Json) -> bool:
    """Whether an object is a sound line of events.jsonl."""
    return (
        isinstance(line.get("event"), str)
        and all(is_count(line.get(name, 0)) for name in ("images", "at"))
        and all(is_number(line.get(name, 0)) for name in ("time", "saved_seconds"))
    )


def _numbered(folder: Path, ending: str) -> Iterator[Path]:
    """The files named after a count of images, not the copies of a sync tool: 000000000064 (1)."""
    return (path for path in folder.glob(f"[0-9]*{ending}") if path.stem.isdecimal() and path.is_file())


def figures_of(line: Json) -> list[Figure]:
    """The figures in a line of log.jsonl; none in a line of losses or signals.

    Earlier versions wrote each figure as a number: ``{"images": 64, "swd": 0.1, "protocol":
    "512 fakes, train"}``.
    """
    if isinstance(line.get("figures"), list):
        return _read_figures(line["figures"], line["images"])
    if MEASURES.keys().isdisjoint(line):
        return []
    protocol = _protocol(line.get("protocol"))
    return [
        _figure(name, line[name], line["images"], protocol, line.get(f"{name}_low"), line.get(f"{name}_high"))
        for name in MEASURES
        if is_number(line.get(name))
    ]


def reference_of(line: Json) -> list[Figure]:
    """The reference figures in a line of log.jsonl, such as those of bicubic interpolation."""
    if isinstance(line.get("reference"), list):
        return _read_figures(line["reference"], None)
    found, protocol = line.get("bicubic"), {**_protocol(line.get("protocol")), "upscaler": "bicubic"}
    if not isinstance(found, dict):
        return []
    return [_figure(name, found[name], None, protocol) for name in MEASURES if is_number(found.get(name))]


def _read_figures(plain: Any, images: int | None) -> list[Figure]:
    # Damaged figures are ignored.
    found = [Figure.from_plain({"images_seen": images, **one}) for one in plain if isinstance(one, dict)]
    return [replace(one, measure=MEASURES.get(one.measure, one.measure)) for one in found if one]


def _figure(
    name: str, value: float, images: int | None, protocol: Json, low: float | None = None, high: float | None = None
) -> Figure:
    about = quantity(MEASURES[name])
    assert about
    return Figure(
        measure=about.name,
        value=value,
        low=low,
        high=high,
        unit=about.unit,
        higher_is_better=about.higher_is_better,
        images_seen=images,
        protocol=protocol,
    )


def _protocol(written: Any) -> Json:
    """The protocol as an object; earlier versions wrote a sentence for all measures but KID: 512 fakes, train."""
    if not isinstance(written, str):
        return dict(written) if isinstance(written, dict) else {}
    some, _, split = written.partition(", ")
    number, _, what = some.partition(" ")
    count = count_in(number)
    return {"as": written} if count is None else {what: count, "split": split}


def _append(path: Path, line: Json) -> None:
    try:
        append_line(path, json.dumps(line).encode())
    except OSError as error:
        raise cannot("write", path, error) from error
