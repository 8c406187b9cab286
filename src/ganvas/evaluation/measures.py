"""The measures by name, and the figures they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ganvas
from ganvas.evaluation.samples import Sets
from ganvas.metrics.classifier_score import classes, classifier_score
from ganvas.metrics.extractors import Extracted, Extractor
from ganvas.metrics.fid import frechet
from ganvas.metrics.intervals import Estimate
from ganvas.metrics.kid import kernel_distance
from ganvas.metrics.precision_recall import DENSITY_COVERAGE_K, PRECISION_RECALL_K, density_coverage, precision_recall


@dataclass(frozen=True)
class Figure:
    """A figure with all that decides it.

    Two figures are comparable if `measure` and every field of `protocol` but the version of ganvas agree.
    """

    measure: str
    estimate: Estimate
    protocol: dict[str, Any]

    def line(self) -> dict[str, Any]:
        """As plain data."""
        e = self.estimate
        return {"measure": self.measure, "value": e.value, "low": e.low, "high": e.high, "protocol": self.protocol}


@dataclass(frozen=True)
class Inputs:
    """What a measure on features is computed from."""

    sets: Sets
    extractor: Extractor
    fake: Extracted
    real: Extracted
    seed: int


Made = tuple[dict[str, Estimate], dict[str, Any]]
"""Estimates by name, and what the protocol has to say besides the sets and the extractor."""


def _fd(x: Inputs) -> Made:
    name = "FID" if x.extractor.name == "inception" else "FD"
    return {name: frechet(x.fake.features, x.real.features)}, {}


def _kid(x: Inputs) -> Made:
    return {"KID": kernel_distance(x.fake.features, x.real.features)}, {}


def _precision_recall(x: Inputs) -> Made:
    return precision_recall(x.fake.features, x.real.features, seed=x.seed), {"k": PRECISION_RECALL_K}


def _density_coverage(x: Inputs) -> Made:
    return density_coverage(x.fake.features, x.real.features, seed=x.seed), {"k": DENSITY_COVERAGE_K}


def _score(x: Inputs) -> Made:
    name = "Inception score" if x.extractor.name == "inception" else "classifier score"
    return {name: classifier_score(x.fake.probabilities, seed=x.seed)}, {"splits": 1}


def _classes(x: Inputs) -> Made:
    found = classes(x.fake.probabilities, x.real.probabilities, x.seed)
    return {"modes covered": found.modes, "class KL": found.kl}, {}


ON_FEATURES: dict[str, Callable[[Inputs], Made]] = {
    "fd": _fd,
    "kid": _kid,
    "pr": _precision_recall,
    "dc": _density_coverage,
    "score": _score,
    "classes": _classes,
}
MEASURES = (*ON_FEATURES, "by-class", "memorisation", "perceptual", "modes")
EXTRACTOR = "efficientnet-lite0"  # unless said otherwise
DEFAULT = ("fd", "kid", "pr", "dc", "score", "memorisation")


def on_features(measure: str, inputs: Inputs) -> list[Figure]:
    """The figures of one measure on features.

    Raises:
        InputError: it is undefined for these sets.
    """
    estimates, more = ON_FEATURES[measure](inputs)
    of = inputs.extractor
    about = {"extractor": of.name, "weights": of.weights, "resize": of.resize, **inputs.sets.protocol, **more}
    return [figure(name, estimate, about) for name, estimate in estimates.items()]


def figure(name: str, estimate: Estimate, protocol: dict[str, Any]) -> Figure:
    """A figure stamped with the version of ganvas."""
    return Figure(name, estimate, {**protocol, "ganvas": ganvas.__version__})
