"""The files of ganvas augment: images in class folders, the manifest, figures and the report."""

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
from ganvas.studies.synthetic.benefit import ARMS, BOTH, CROPS, REAL, Benefit
from ganvas.studies.synthetic.fakes import ConditionalGAN
from ganvas.studies.synthetic.filtering import ACCEPTED, REASONS, SPARE, FilterResult
from ganvas.studies.synthetic.settings import SyntheticSettings


class OutputFolder:
    """The files of one augmentation."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings = self.path / "settings.json"
        self.reals = self.path / "reals.npz"
        self.generator = self.path / "generator"
        self.images = self.path / "pictures"
        self.manifest = self.path / "manifest.jsonl"
        self.predictions = self.path / "judging"
        self.figures = self.path / "figures.jsonl"
        self.report = self.path / "report.md"
        self.chart = self.path / "report.png"


def write_images(
    output: OutputFolder, gan: ConditionalGAN, weights: str, found: FilterResult, classes: Sequence[str], seed: int
) -> None:
    """Write the accepted images, each marked as synthetic, then the manifest with a line for each.

    What was made with the generator before it was trained further is deleted.

    Raises:
        InputError: a file cannot be written or deleted.
    """
    folders = folder_names(classes)
    images, lines = {}, []
    for index in map(int, found.accepted):
        label = int(found.candidates.made.labels[index])
        path = output.images / folders[label] / f"{seed}-{index:06d}.png"
        images[path] = (
            found.candidates.made.images[index],
            gan.generator.provenance(seed, index, of=classes[label]),
        )
        realness = found.candidates.realness
        line = {
            "file": path.relative_to(output.path).as_posix(),
            "class": classes[label],
            "model": gan.generator.name,
            "weights": weights,
            "images": gan.generator.images_seen,
            "seed": seed,
            "index": index,
            "confidence": round(float(found.confidence[index]), 4),
            "realness": None if realness is None else round(float(realness[index]), 4),
            "distance": round(float(found.distance[index]), 4),
            "nearest": int(found.neighbour[index]),
        }
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    text = "".join(lines)
    if not output.manifest.exists() or output.manifest.read_text(encoding="utf-8") != text:
        # The manifest last: an interrupted call leaves it, and the next one deletes the rest.
        stale = [output.report, output.figures, output.chart]
        stale += sorted(set(output.images.glob(f"*/{seed}-[0-9]*.png")) - images.keys())
        for path in [*stale, output.manifest]:
            _delete(path)
    for path, (image, about) in images.items():
        save_png(image, path, about)
    write_text(output.manifest, text)


def _delete(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        remedy = "make its folder writable, or give a new --out"
        raise InputError(f"cannot delete {path} ({error.strerror}); {remedy}.") from None


def folder_names(classes: Sequence[str]) -> list[str]:
    """Unique names of the classes that every file system accepts."""
    plain = [re.sub(r"[^\w .+-]", "_", name).strip(" .") or "_" for name in classes]
    seen = [name.lower() for name in plain]
    return [f"{name}-{i}" if seen.count(name.lower()) > 1 else name for i, name in enumerate(plain)]


def write_figures(output: OutputFolder, found: Benefit, protocol: dict[str, Any]) -> None:
    """Write every accuracy and gain as a line with its protocol, as in a run's figures.jsonl.

    Raises:
        InputError: the file cannot be written.
    """
    about = {**protocol, "seeds": found.seeds, "test": len(found.labels), "ganvas": ganvas.__version__}
    lines = []
    for number, of in [(None, "all"), *enumerate(found.classes)]:
        made = {("accuracy", arm): found.accuracy(arm, number) for arm in ARMS}
        made |= {(f"gain over {over}", BOTH): found.gain(BOTH, over, number) for over in (REAL, CROPS)}
        for (measure, arm), one in made.items():
            line = {"measure": measure, "value": one.value, "low": one.low, "high": one.high}
            lines.append({**line, "protocol": {"arm": arm, "class": of, **about}, "time": round(time.time(), 3)})
    write_text(output.figures, "".join(json.dumps(line) + "\n" for line in lines))


def arms_table(found: Benefit) -> list[list[str]]:
    """The table of the arms: accuracy, and the gains over both arms without fakes."""
    rows = [["trained on", "accuracy", f"over {REAL}", f"over {found.name(CROPS)}"]]
    for arm in ARMS:
        gains = ["" if arm == over else signed(found.gain(arm, over)) for over in (REAL, CROPS)]
        rows.append([found.name(arm), plain(found.accuracy(arm)), *gains])
    return rows


def classes_table(found: Benefit) -> list[list[str]]:
    """The table of the classes: accuracy in every arm, and the decisive gain."""
    rows = [["class", *map(found.name, ARMS), f"{BOTH} over {found.name(found.rival)}"]]
    for number, name in enumerate(found.classes):
        values = [f"{found.accuracy(arm, number).value:.4f}" for arm in ARMS]
        rows.append([name, *values, signed(found.gain(BOTH, found.rival, number))])
    return rows


def filter_table(found: FilterResult, classes: Sequence[str]) -> list[list[str]]:
    """The table of the candidates' fates, class by class."""
    fates = (*REASONS, SPARE, ACCEPTED)
    rows = [["class", *fates]]
    rows += [[name, *(str(found.count(fate, number)) for fate in fates)] for number, name in enumerate(classes)]
    return [*rows, ["all", *(str(found.count(fate)) for fate in fates)]]


def write_report(
    output: OutputFolder,
    settings: SyntheticSettings,
    filtered: FilterResult,
    found: Benefit,
    notes: Sequence[str],
    trained_on: int,
) -> None:
    """Write the page for people.

    Args:
        trained_on: number of real training images.

    Raises:
        InputError: the file cannot be written.
    """
    parts = [
        "# Do the extra samples help?",
        found.sentence,
        f"![the arms, accepted and rejected images]({output.chart.name})",
        "## The training mixes",
        _markdown(arms_table(found)),
        f"Accuracy on {len(found.labels):,} real images that neither the generator nor any classifier was trained on,"
        f" mean of {found.seeds} seeds, with 95 % intervals over seeds (Student) and test images. Gains are paired by"
        " seed and by image. The fakes help if the whole interval of the gain of real + both over the better arm"
        " without fakes is above 0. The interval does not cover another choice of real images, nor another generator.",
        "## Class by class",
        _markdown(classes_table(found)),
        "With this many intervals at once, one in twenty is wrong: use them to explore, not to decide.",
        "## The candidates",
        _markdown(filter_table(filtered, found.classes)),
        " ".join(_filters(settings, filtered, trained_on)),
        *notes,
        "## Settings",
        "```json\n" + json.dumps(to_plain(settings), indent=2) + "\n```",
    ]
    write_text(output.report, "\n\n".join(parts) + "\n")


def _filters(settings: SyntheticSettings, found: FilterResult, trained_on: int) -> Iterator[str]:
    """A sentence on each reason to reject a candidate, or that it was off."""
    yield f"{len(found.candidates.made):,} candidates."
    if settings.copies:
        yield (
            f"Copy: it, or its mirror image, is nearer to one of the {trained_on:,} real training images than all but"
            f" {settings.copies} of the reals of its class are to another, which is below"
            f" {found.copy_below.min():.4f} to {found.copy_below.max():.4f} per pixel (0..1) by class."
        )
    else:
        yield "Copy: off (--copies 0)."
    if settings.confidence:
        yield f"Unsure: the classifier trained on the reals gives its class less than {settings.confidence}."
    else:
        yield "Unsure: off (--confidence 0)."
    if found.candidates.realness is None:
        yield "Unreal: off, since the model file has no D."
    elif settings.realness:
        yield f"Unreal: D ranks it in the last {settings.realness} of the rest of its class."
    else:
        yield "Unreal: off (--realness 0)."
    yield "Spare: it passed, but there were already enough."


def plain(found: Estimate) -> str:
    """An accuracy: 0.5120 (0.5005 .. 0.5235)."""
    return f"{found.value:.4f} ({found.low:.4f} .. {found.high:.4f})"


def signed(found: Estimate) -> str:
    """A gain: +0.0120 (-0.0005 .. +0.0245)."""
    return f"{found.value:+.4f} ({found.low:+.4f} .. {found.high:+.4f})"


def _markdown(rows: list[list[str]]) -> str:
    head, *body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([head, "|---" + "|--:" * (len(rows[0]) - 1) + "|", *body])
