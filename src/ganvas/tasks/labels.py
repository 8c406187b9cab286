"""Whether the labels of the data fit a system with classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ganvas.errors import InputError, listed
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from ganvas.data import Dataset
    from ganvas.recipe.system import System

LEAST = 2  # images of a class: of one alone nothing can be learned but the image
SOURCES = (
    "images in a folder for each class, a parquet file with the column label, an npz file with an array of integers,"
    " or one of digits, mnist, fashion-mnist and cifar10"
)


def validate_labels(system: System, dataset: Dataset, folder: RunFolder | None = None) -> None:
    """Refuse data whose labels do not fit a system with classes.

    Args:
        dataset: the part that is trained on.
        folder: of the run, whose checkpoint knows the classes it was begun with; None where none is begun.

    Raises:
        InputError: labels are missing, there are too few or other classes, or a class has next to no images.
    """
    if not system.classes:
        return
    name, classes = dataset.name, dataset.classes
    if dataset.labels is None:
        why = f"have no usable labels ({dataset.unlabelled})" if dataset.unlabelled else "have no labels"
        raise InputError(
            f"the images of {name} {why}, and --system.classes {system.classes} needs the class of each; give"
            f" {SOURCES}, or --system.classes 0."
        )
    if folder:
        _refuse_other_classes(classes, dataset, folder)
    if len(classes) < 2:
        raise InputError(
            f"all images of {name} are of one class ({classes[0]}), so there is nothing to distinguish; give"
            " --system.classes 0."
        )
    if len(classes) != system.classes:
        raise InputError(
            f"{name} has {len(classes)} classes ({listed(classes)}), not {system.classes}; give --system.classes"
            f" {len(classes)}."
        )
    counts = [int((dataset.labels == label).sum()) for label in range(len(classes))]
    few = [f"{label} has {count}" for label, count in zip(classes, counts, strict=True) if count < LEAST]
    if few:
        raise InputError(
            f"a class needs {LEAST} images to train on, and of {name}'s {len(classes)} classes {listed(few)};"
            " add images, or remove the class."
        )


def _refuse_other_classes(classes: Sequence[str], dataset: Dataset, folder: RunFolder) -> None:
    before = _classes_of(folder)
    if not before or tuple(before) == tuple(classes):
        return
    gone = [label for label in before if label not in classes]
    new = [label for label in classes if label not in before]
    parts = [f"{what}: {listed(names)}" for what, names in (("gone", gone), ("new", new)) if names]
    raise InputError(
        f"the classes of {dataset.name} are not those that the run {folder.path} began with"
        f" ({'; '.join(parts) or f'another order: {listed(classes)}'}); restore them, or give a new --name."
    )


def _classes_of(folder: RunFolder) -> list[str]:
    from ganvas.runs import checkpoint

    for path in folder.states():
        try:
            return list(checkpoint.about(path).get("classes", []))
        except checkpoint.Damaged:
            continue
    return []
