"""What is left on the disk: pictures in class folders, the manifest, figures and the report."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ganvas
from ganvas.errors import InputError
from ganvas.files import write_text
from ganvas.imaging.saving import save_png
from ganvas.metrics.intervals import Estimate
from ganvas.recipe.serialization import to_plain
from ganvas.studies.synthetic.benefit import ARMS, BOTH, CROPS, REAL, Judgement
from ganvas.studies.synthetic.fakes import Maker
from ganvas.studies.synthetic.filtering import ACCEPTED, REASONS, SPARE, Filtered
from ganvas.studies.synthetic.settings import Settings


class Place:
    """The files of one augmentation."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings = self.path / "settings.json"
        self.reals = self.path / "reals.npz"
        self.generator = self.path / "generator"
        self.pictures = self.path / "pictures"
        self.manifest = self.path / "manifest.jsonl"
        self.judging = self.path / "judging"
        self.figures = self.path / "figures.jsonl"
        self.report = self.path / "report.md"
        self.picture = self.path / "report.png"


def write_pictures(
    place: Place, maker: Maker, weights: str, found: Filtered, classes: Sequence[str], seed: int
) -> None:
    """Write the accepted pictures, each with a label that it is synthetic, then the manifest with a line for each.

    What was made and judged with the generator before it was trained further is deleted.

    Raises:
        InputError: a file cannot be written or deleted.
    """
    folders = folder_names(classes)
    pictures, lines = {}, []
    for index in map(int, found.accepted):
        label = int(found.candidates.made.labels[index])
        path = place.pictures / folders[label] / f"{seed}-{index:06d}.png"
        pictures[path] = (
            found.candidates.made.images[index],
            maker.generator.provenance(seed, index, of=classes[label]),
        )
        realness = found.candidates.realness
        line = {
            "file": path.relative_to(place.path).as_posix(),
            "class": classes[label],
            "model": maker.generator.name,
            "weights": weights,
            "images": maker.generator.images_seen,
            "seed": seed,
            "index": index,
            "confidence": round(float(found.confidence[index]), 4),
            "realness": None if realness is None else round(float(realness[index]), 4),
            "distance": round(float(found.distance[index]), 4),
            "nearest": int(found.neighbour[index]),
        }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    told = "".join(lines)
    if not place.manifest.exists() or place.manifest.read_text(encoding="utf-8") != told:
        # The manifest last: as long as it is there, or none is, the next call goes on with this.
        stale = [place.report, place.figures, place.picture]
        stale += sorted(set(place.pictures.glob(f"*/{seed}-[0-9]*.png")) - pictures.keys())
        for path in [*stale, place.manifest]:
            _delete(path)
    for path, (picture, about) in pictures.items():
        save_png(picture, path, about)
    write_text(place.manifest, told)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        remedy = "make its folder writable, or give a new --out"
        raise InputError(f"cannot delete {path} ({error.strerror}); {remedy}.") from None


def folder_names(classes: Sequence[str]) -> list[str]:
    """Names of the classes that any file system takes, each once."""
    plain = [re.sub(r"[^\w .+-]", "_", name).strip(" .") or "_" for name in classes]
    seen = [name.lower() for name in plain]
    return [f"{name}-{i}" if seen.count(name.lower()) > 1 else name for i, name in enumerate(plain)]


def write_figures(place: Place, found: Judgement, protocol: dict[str, Any]) -> None:
    """Write every accuracy and the gains, one line each with its protocol, as in a run's figures.jsonl.

    Raises:
        InputError: the file cannot be written.
    """
    about = {**protocol, "seeds": found.seeds, "test": len(found.labels), "ganvas": ganvas.__version__}
    lines = []
    for number, of in [(None, "all"), *enumerate(found.classes)]:
        made = {("accuracy", arm): found.accuracy(arm, number) for arm in ARMS}
        made |= {(f"gain over {over}", BOTH): found.gain(BOTH, over, number) for over in (REAL, CROPS)}
        for (measure, arm), one in made.items():
            told = {"measure": measure, "value": one.value, "low": one.low, "high": one.high}
            lines.append({**told, "protocol": {"arm": arm, "class": of, **about}, "time": round(time.time(), 3)})
    write_text(place.figures, "".join(json.dumps(line) + "\n" for line in lines))


def rows_of_arms(found: Judgement) -> list[list[str]]:
    """The table of the arms: accuracy, and the gains over both arms without fakes."""
    rows = [["learnt from", "accuracy", f"over {REAL}", f"over {found.name(CROPS)}"]]
    for arm in ARMS:
        gains = ["" if arm == over else signed(found.gain(arm, over)) for over in (REAL, CROPS)]
        rows.append([found.name(arm), plain(found.accuracy(arm)), *gains])
    return rows


def rows_of_classes(found: Judgement) -> list[list[str]]:
    """The table of the classes: accuracy in every arm, and the gain that decides."""
    rows = [["class", *map(found.name, ARMS), f"{BOTH} over {found.name(found.rival)}"]]
    for number, name in enumerate(found.classes):
        values = [f"{found.accuracy(arm, number).value:.4f}" for arm in ARMS]
        rows.append([name, *values, signed(found.gain(BOTH, found.rival, number))])
    return rows


def rows_of_filter(found: Filtered, classes: Sequence[str]) -> list[list[str]]:
    """The table of the candidates' fates, class by class."""
    fates = (*REASONS, SPARE, ACCEPTED)
    rows = [["class", *fates]]
    rows += [[name, *(str(found.count(fate, number)) for fate in fates)] for number, name in enumerate(classes)]
    return [*rows, ["all", *(str(found.count(fate)) for fate in fates)]]


def write_report(
    place: Place, settings: Settings, filtered: Filtered, found: Judgement, notes: Sequence[str], learnt: int
) -> None:
    """Write the page for people.

    Args:
        learnt: real pictures learnt from.

    Raises:
        InputError: the file cannot be written.
    """
    parts = [
        "# Do the extra samples help?",
        found.sentence,
        f"![the arms, accepted and rejected pictures]({place.picture.name})",
        "## What was learnt from",
        _markdown(rows_of_arms(found)),
        f"Accuracy on {len(found.labels):,} real pictures that neither the generator nor any classifier learnt from,"
        f" mean of {found.seeds} seeds, with 95 % intervals over seeds (Student) and test pictures. Gains are compared"
        " seed by seed and picture by picture. The fakes help if the whole interval of real + both over the better arm"
        " without fakes lies above 0. It does not cover another choice of real pictures, nor another generator.",
        "## Class by class",
        _markdown(rows_of_classes(found)),
        "So many intervals at once are for looking, not for deciding: one in twenty is wrong.",
        "## What became of the candidates",
        _markdown(rows_of_filter(filtered, found.classes)),
        " ".join(_filters(settings, filtered, learnt)),
        *notes,
        "## Settings",
        "```json\n" + json.dumps(to_plain(settings), indent=2) + "\n```",
    ]
    write_text(place.report, "\n\n".join(parts) + "\n")


def _filters(settings: Settings, found: Filtered, learnt: int) -> Iterator[str]:
    """A sentence on each reason to reject a candidate; that it was not asked for, where it was off."""
    yield f"{len(found.candidates.made):,} candidates."
    if settings.copies:
        yield (
            f"Copy: it, or its mirror image, is nearer to one of the {learnt:,} real pictures learnt from than all but"
            f" {settings.copies} of the real ones of its class are to another, which is below"
            f" {found.copy_below.min():.4f} to {found.copy_below.max():.4f} per pixel (0..1) by class."
        )
    else:
        yield "Copy: nothing was rejected as one (--copies 0)."
    if settings.confidence:
        yield f"Unsure: the classifier of the reals gives its class less than {settings.confidence}."
    else:
        yield "Unsure: nothing was rejected as such (--confidence 0)."
    if found.candidates.realness is None:
        yield "Unreal: nothing was rejected as such, since the model came without its D."
    elif settings.realness:
        yield f"Unreal: D puts it among the last {settings.realness} of those left of its class."
    else:
        yield "Unreal: nothing was rejected as such (--realness 0)."
    yield "Spare: it passed when there were enough."


def plain(found: Estimate) -> str:
    """An accuracy: 0.5120 (0.5005 .. 0.5235)."""
    return f"{found.value:.4f} ({found.low:.4f} .. {found.high:.4f})"


def signed(found: Estimate) -> str:
    """A gain: +0.0120 (-0.0005 .. +0.0245)."""
    return f"{found.value:+.4f} ({found.low:+.4f} .. {found.high:+.4f})"


def _markdown(rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([head, "|---" + "|--:" * (len(rows[0]) - 1) + "|", *body])
