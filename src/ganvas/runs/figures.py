"""Figures from the lines of figures.jsonl, including those of earlier versions. Imports no torch.

In earlier versions the measure contained the name of the test set or class (``PSNR-Y on Set5``), the count of images
was called `images`, and the direction of the measure was not stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ganvas.metrics import quantity
from ganvas.metrics.figure import Figure

ON_SET = re.compile(r"((?:PSNR|SSIM)-(?:Y|RGB)|(?:ST-)?LPIPS|KID) on (.+)", re.DOTALL)


def figure_of(line: Any) -> Figure | None:
    """The figure in a line of figures.jsonl, without the ganvas version in its protocol; None if it is damaged."""
    if not isinstance(line, dict):
        return None
    found = Figure.from_plain({"images_seen": line.get("images"), **line})
    if not found:
        return None
    on_set = ON_SET.fullmatch(found.measure)
    measure, test_set = on_set.groups() if on_set else (found.measure, found.test_set)
    about, better = quantity(measure), found.higher_is_better
    if about and "higher_is_better" not in line:
        better = about.higher_is_better
    return replace(
        found,
        measure=measure,
        test_set=test_set,
        higher_is_better=better,
        protocol={key: value for key, value in found.protocol.items() if key != "ganvas"},
    )


def latest(figures: Iterable[Figure]) -> list[Figure]:
    """The last of several figures of the same weights and protocol."""
    found: dict[Any, Figure] = {}
    for figure in figures:
        protocol = tuple(sorted((key, repr(value)) for key, value in figure.protocol.items()))
        found[figure.measure, figure.test_set, figure.state, protocol] = figure
    return list(found.values())
