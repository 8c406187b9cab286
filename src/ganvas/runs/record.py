"""The files of runs turned into values: all that a comparison says is computed from these."""

from __future__ import annotations

import bisect
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from ganvas.errors import InputError
from ganvas.metrics.figure import Figure as TakenFigure
from ganvas.recipe.serialization import flatten
from ganvas.runs import checkpoint
from ganvas.runs.folder import MEASURES, Json, RunFolder, figures_of, read_json, reference_of, summarise

MEASURE = "swd"  # of the log: the distance taken while training
KID = "kid"  # the same, where the watch asks for it: one curve for each extractor
SPLIT = ("data.type", "data.held_out")
NO_CURVES = ("images", "images_per_second", "data_wait", "kid_low", "kid_high")


@dataclass(frozen=True)
class Figure:
    """One line of figures.jsonl."""

    measure: str
    value: float
    low: float | None
    high: float | None
    images: int
    state: str
    """Of which weights: last, best, or kept-IMAGES."""
    protocol: Json
    """How it was taken, without the version of ganvas: figures are comparable where all of this agrees."""


@dataclass(frozen=True)
class Reference:
    """What needs no training and is no run, to hold the runs against."""

    name: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Verdict:
    """What was said of a stretch of a run."""

    verdict: str
    start: int
    """In images; the next verdict's start, or the run's end, closes it."""
    sentence: str


@dataclass(frozen=True)
class Record:
    """One run, as its folder tells it."""

    name: str
    path: Path
    state: str
    """training, finished, stopped or diverged."""
    about: str
    """The state in words, with the place of a failure."""
    images_seen: int
    of: int
    recipe: dict[str, Any]
    """Every leaf of the recipe by its dotted path, class names included."""
    data: str
    """Fingerprint of the pictures learned from, or empty where no checkpoint is whole."""
    machine: str
    clock: tuple[tuple[int, float], ...]
    """(images seen, hours of training until then), from (0, 0.0) on."""
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    """Of every loss term and of the distance: (images, value)."""
    figures: tuple[Figure, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    sheets: tuple[Path, ...] = ()
    knee: int | None = None
    """Count of images at which looking better no longer paid, where the run found one."""
    reference: dict[str, Any] = field(default_factory=dict)
    """What enlarging without a network has on the crops that the log's measures are taken on."""

    @property
    def source(self) -> str:
        """What is learned from: a data set's name or path, or the numbers of a drawn one."""
        drawn = [str(leaf) for path, leaf in self.recipe.items() if path.startswith("data.") and path not in SPLIT]
        return str(self.recipe.get("data.source") or " ".join(drawn))

    @property
    def seed(self) -> int:
        """The recipe's seed."""
        return int(self.recipe.get("seed", 0))

    def hours(self, images: float) -> float:
        """Hours of training until this count of images."""
        index = min(max(1, bisect.bisect_left(self.clock, (int(images), 0.0))), len(self.clock) - 1)
        if index < 1:
            return 0.0
        (x0, y0), (x1, y1) = self.clock[index - 1 : index + 1]
        return y0 + (y1 - y0) * min(1.0, (images - x0) / (x1 - x0))


def gather(paths: Iterable[str | Path], unfinished: bool = False) -> tuple[Record, ...]:
    """Read runs; a folder that holds runs stands for all of them.

    Args:
        paths: folders of runs.
        unfinished: take runs that are still training as they stand.

    Raises:
        InputError: one is no run, cannot be read, is still training, or learned from other pictures than the first.
    """
    unique: dict[Path, RunFolder] = {}
    for folder in (folder for path in paths for folder in _expand(Path(path))):
        unique.setdefault(folder.path.resolve(), folder)
    folders = list(unique.values())
    for folder in folders:
        if not unfinished and folder.is_training():
            raise InputError(
                f"the run {folder.path} is still training; wait for its end, or give --unfinished to compare what is"
                " there."
            )
    records = tuple(_read(folder, name) for folder, name in zip(folders, _names(folders), strict=True))
    for record in records[1:]:
        _refuse_other_data(records[0], record)
    return records


def _expand(path: Path) -> list[RunFolder]:
    if RunFolder(path).exists():
        return [RunFolder(path)]
    below = sorted((recipe.parent for recipe in path.glob("*/recipe.json")), key=_natural)
    if not below:
        raise InputError(f"{path} is no run and holds none; give the folder of a run, as ganvas runs lists them.")
    return [RunFolder(folder) for folder in below]


def _natural(path: Path) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _names(folders: Sequence[RunFolder]) -> list[str]:
    # Two runs of one name are told apart by their paths.
    count = Counter(folder.path.resolve().name for folder in folders)
    return [f.path.resolve().name if count[f.path.resolve().name] == 1 else str(f.path) for f in folders]


def _read(folder: RunFolder, name: str) -> Record:
    recipe = dict(flatten(folder.read_recipe()))
    if not {"system.type", "data.type"} <= recipe.keys():
        raise InputError(f"{folder.recipe} is no recipe of ganvas; restore it from a copy, or leave this run out.")
    summary, events, log = summarise(folder), folder.read_events(), folder.read_log()
    about: str = summary.state
    if summary.state == "diverged":
        about = f"diverged at image {events[-1].get('images', 0):,} ({events[-1].get('term', 'unknown term')})"
    elif summary.state == "finished":
        early = events[-1].get("early")
        about += f" early at image {summary.images_seen:,} ({early})" if early else ""
    else:
        about = f"{summary.state} at {min(1.0, summary.images_seen / max(1, summary.of)):.0%}"
    return Record(
        name=name,
        path=folder.path,
        state=summary.state,
        about=about,
        images_seen=summary.images_seen,
        of=summary.of,
        recipe=recipe,
        data=_fingerprint(folder),
        machine=_machine(folder),
        clock=tuple(_clock(log)),
        curves=_curves(log),
        figures=tuple(_figures(folder.read_figures())),
        verdicts=tuple(_verdicts(events, log)),
        sheets=tuple(folder.sheets()),
        knee=next((event.get("at") for event in reversed(events) if event.get("event") == "knee"), None),
        reference=next(
            ({one.measure: one.value for one in found} for line in log if (found := reference_of(line))), {}
        ),
    )


def _clock(log: list[Json]) -> Iterable[tuple[int, float]]:
    # Every line gives the rate since the line before: rates added up are the wall-clock time of training, with what
    # the observers took, without pauses between two commands.
    images, hours = 0, 0.0
    yield images, hours
    for line in log:
        rate = line.get("images_per_second", 0.0)
        if _is_number(rate) and rate > 0 and line["images"] > images:
            hours += (line["images"] - images) / rate / 3600
            images = line["images"]
            yield images, hours


def _curves(log: list[Json]) -> dict[str, list[tuple[int, float]]]:
    curves: dict[str, list[tuple[int, float]]] = {}
    for line in log:
        measured = {
            f"{KID} ({figure.protocol.get('extractor', '?')})"
            if figure.measure == KID
            else figure.measure: figure.value
            for figure in figures_of(line)
        }
        others = {name: value for name, value in line.items() if name not in MEASURES}
        for name, value in {**others, **measured}.items():
            if name not in NO_CURVES and _is_number(value):
                curves.setdefault(name, []).append((line["images"], value))
    return curves


def _figures(lines: list[Json]) -> Iterable[Figure]:
    """The figures of a run; of two about the same weights by the same protocol the later counts."""
    latest: dict[tuple[str, str, str], Figure] = {}
    for plain in lines:
        try:
            low, high = (plain[end] if _is_number(plain.get(end)) else None for end in ("low", "high"))
            protocol = {key: value for key, value in plain["protocol"].items() if key != "ganvas"}
            images = int(plain["images_seen"] if "images_seen" in plain else plain["images"])
            title = TakenFigure.from_plain(plain).title
            figure = Figure(title, plain["value"], low, high, images, plain["state"], protocol)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # a line that some other program wrote
        if _is_number(figure.value):
            latest[figure.measure, figure.state, json.dumps(protocol, sort_keys=True)] = figure
    return latest.values()


def _verdicts(events: list[Json], log: list[Json]) -> list[Verdict]:
    # A run is taken for healthy from its first look on; only changes are events.
    found = [Verdict("healthy", line["images"], "") for line in log if "signals" in line][:1]
    for event in events:
        if event.get("event") == "verdict":
            found.append(
                Verdict(str(event.get("verdict")), int(event.get("images", 0)), str(event.get("sentence", "")))
            )
    last = [one for one, following in pairwise(found) if one.start < following.start]
    return [*last, *found[-1:]]


def _machine(folder: RunFolder) -> str:
    host = read_json(folder.host) if folder.host.exists() else {}
    device = host.get("device", "")
    return str(host.get("processor", "")) + f", {host.get('threads', '?')} threads" if device == "cpu" else str(device)


def _fingerprint(folder: RunFolder) -> str:
    for path in filter(Path.exists, (folder.model, *folder.states())):
        try:
            return str(checkpoint.about(path).get("data", ""))
        except checkpoint.Damaged:
            continue
    return ""


def _refuse_other_data(first: Record, other: Record) -> None:
    view = ("system.size", "system.channels", "data.fit")
    if first.data and other.data and all(first.recipe.get(key) == other.recipe.get(key) for key in view):
        same = first.data == other.data
    else:
        same = os.path.normpath(first.source) == os.path.normpath(other.source)
    if not same:
        raise InputError(
            f"the run {first.name} learned from {first.source} and {other.name} from {other.source}, other"
            " data, so that no figure of one says anything about the other; compare runs of one data set."
        )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
