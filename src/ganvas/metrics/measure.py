"""A measure as a value: its name, the figures it gives, what it needs, and how they are computed. Imports no torch.

One file of this room is one measure. A class of your own counts like those here as soon as its module is imported::

    class Brightness(Measure):
        name = "brightness"
        gives = (Quantity("brightness"),)

        def compute(self, x: Evidence) -> Iterable[Figure]:
            return [self.figure("brightness", mean(x.fakes.mean((1, 2, 3)), x.seed), x.protocol)]
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

import ganvas
from ganvas.imaging.damage_map import is_lost
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import LEVEL, RESAMPLES, Array, Estimate, mean
from ganvas.metrics.neighbors import Nearest
from ganvas.metrics.sentences import Line, Lines, Text

if TYPE_CHECKING:
    from ganvas.metrics.extractors.extractor import Extracted, Extractor
    from ganvas.metrics.perceptual import PerceptualDistance

Need = Literal[
    "extractor", "features", "probabilities", "class names", "labels", "training", "held-out", "distance", "mixture",
    "vectors", "text", "draws", "likelihood", "oracle", "rule", "originals", "damage",
]  # fmt: skip
"""What a measure may ask for besides fakes and reals; `Evidence` says where each is found.

`vectors` are fakes and reals whose numbers have distances, as pixels and coordinates do, and the numbers of words not.
"""
OF_SAMPLES: tuple[Need, ...] = (
    "extractor", "features", "probabilities", "class names", "labels", "training", "held-out", "distance", "mixture",
    "vectors", "text", "draws", "likelihood", "oracle", "rule",
)  # fmt: skip
"""What can be gathered of fakes and reals, without pairs of results and originals."""


@dataclass(frozen=True)
class Quantity:
    """A number that a measure gives."""

    name: str
    """As people read it: FD, PSNR-Y."""
    higher_is_better: bool | None = None
    """None where neither is."""
    unit: str = ""
    """dB, for example; empty for a bare number."""
    least: float = -math.inf
    """No value is smaller, so no interval reaches further down."""
    most: float = math.inf
    """No value is larger."""


@dataclass(frozen=True)
class Labels:
    """The names of all classes, and the numbers of those that the fakes (N,) and the reals (M,) are of."""

    names: tuple[str, ...]
    fakes: NDArray[np.int64]
    reals: NDArray[np.int64]


def untracked(what: str, total: int) -> Callable[[int], object]:
    """Shows no progress."""
    return lambda count: None


def _none() -> NDArray[Any]:
    return np.empty(0)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What measures are computed from; what none of them needs is left out."""

    fakes: NDArray[Any] = field(default_factory=_none)
    """(N, ...), of any modality; images are uint8 (N, H, W, C)."""
    reals: NDArray[Any] = field(default_factory=_none)
    """(M, ...)."""
    name: str = "these fakes"
    """Of the run, or of the source of the fakes."""
    protocol: Mapping[str, Any] = field(default_factory=dict)
    """What every figure has to say of the samples."""
    seed: int = 0
    """Of the intervals."""
    extractor: Extractor | None = None
    """For `extractor`, `features`, `probabilities` and `class names`, of which the latter two ask for classes."""
    fake: Extracted | None = None
    """What the extractor says of the fakes, for `features` and `probabilities`."""
    real: Extracted | None = None
    labels: Labels | None = None
    """For `labels`: the classes, where the fakes were made of those of the reals."""
    training: Callable[[], Iterable[NDArray[Any]]] | None = None
    """For `training`: all that was trained on, in parts that need not lie in memory together."""
    nearest: Nearest | None = None
    """For `training`: the part of it that is nearest to each fake."""
    held_out: NDArray[Any] | None = None
    """For `held-out`: what was never trained on."""
    distance: PerceptualDistance | None = None
    """For `distance`."""
    mixture: tuple[NDArray[Any], float] | None = None
    """For `mixture`: centres (K, F) and standard deviation of the Gaussians that are learned."""
    text: Text | None = None
    """For `text`: the sentences that fakes and reals stand for."""
    draws: Mapping[str, Callable[[float], Lines]] = field(default_factory=dict)
    """For `draws`: as many fakes at a temperature, by the names of the curves in `ganvas.metrics.likelihood_curve`."""
    likelihood: Callable[[Lines], float] | None = None
    """For `likelihood`: nats a token of sentences by the generator."""
    oracle: Callable[[Lines], float] | None = None
    """For `oracle`: nats a token of sentences by the model that the data come from."""
    rule: Callable[[Line], bool] | None = None
    """For `rule`: whether a sentence keeps the rule of the data."""
    scores: Mapping[str, Array] = field(default_factory=dict)
    """For `originals`: what each `PairMeasure`, by its name, has found in every pair (N,)."""
    repairs: Mapping[str, Array] = field(default_factory=dict)
    """For `damage`: what each `RepairMeasure`, by its name, has added up in every picture (N, ...)."""
    test_set: str = ""
    track: Callable[[str, int], Callable[[int], object]] = untracked
    """Called with a description and a total, returns what is called with every number of items done."""

    @property
    def of_fakes(self) -> Extracted:
        """What the extractor says of the fakes."""
        assert self.fake is not None, "a measure without the need `features` or `probabilities` asks for them"
        return self.fake

    @property
    def of_reals(self) -> Extracted:
        """What the extractor says of the reals."""
        assert self.real is not None, "a measure without the need `features` or `probabilities` asks for them"
        return self.real

    @property
    def of_text(self) -> Text:
        """The sentences."""
        assert self.text is not None, "a measure without the need `text` asks for them"
        return self.text

    @property
    def on_features(self) -> dict[str, Any]:
        """The protocol of a figure on the extractor's features."""
        assert self.extractor is not None
        return {**self.extractor.protocol, **self.protocol}


class Measure(ABC):
    """Something that is measured of samples. The class says what it is; an instance serves one evaluation."""

    name: ClassVar[str]
    """The word on the command line."""
    gives: ClassVar[tuple[Quantity, ...]]
    """Every number that it may give."""
    needs: ClassVar[frozenset[Need]] = frozenset()
    """What has to be gathered for it; where that is missing, it is refused, or left out with a note."""
    formerly: ClassVar[str] = ""
    """The word it had on the command line in older versions, which is still taken."""
    order: ClassVar[int] = 100
    """Its place among the others in tables: lower is earlier."""
    sources: ClassVar[tuple[str, ...]] = ()
    """The only sources of reals that it is for; empty: any."""
    alone: ClassVar[bool] = False
    """Whether it has an extractor and a number of fakes of its own, so that no other is taken with it; of the first of
    its sources it is then what is measured by default."""
    extractor: ClassVar[str] = ""
    """The only one it works with; empty: any."""
    fakes: ClassVar[int] = 0
    """How many are usual; 0 is as many as of every other."""

    def is_default(self, x: Evidence) -> bool:
        """Whether it is taken by default."""
        return False

    def check(self, x: Evidence) -> None:  # noqa: B027
        """Refuse what it is undefined for, before anything is computed: the features are not there yet.

        Raises:
            InputError: it is.
        """

    @abstractmethod
    def compute(self, x: Evidence) -> Iterable[Figure]:
        """The figures.

        Raises:
            InputError: they are undefined for this evidence.
        """

    def notes(self, x: Evidence) -> Iterable[str]:
        """Sentences that a reader of its figures must know."""
        return ()

    def panel(self, x: Evidence) -> Callable[[Any], None] | None:
        """What draws it on matplotlib axes, in place of the nearest training images; None where nothing does."""
        return None

    def figure(
        self,
        quantity: str,
        value: Estimate | float,
        protocol: Mapping[str, Any],
        *,
        test_set: str = "",
        real: float | None = None,
    ) -> Figure:
        """A figure with all that is known of its quantity, one of `gives`, stamped with the version of ganvas."""
        about = next(one for one in self.gives if one.name == quantity)
        found = value if isinstance(value, Estimate) else None
        return Figure(
            measure=about.name,
            value=found.value if found else float(value),  # type: ignore[arg-type]
            low=found.low if found else None,
            high=found.high if found else None,
            unit=about.unit,
            higher_is_better=about.higher_is_better,
            test_set=test_set,
            real=real,
            protocol={**protocol, "ganvas": ganvas.__version__},
        )


class PairMeasure(Measure):
    """Something that is measured of results and their originals, pair by pair."""

    needs = frozenset({"originals"})
    undefined: ClassVar[str] = "images that it is undefined for"
    """Of which pairs there is no score, in words."""

    def is_default(self, x: Evidence) -> bool:
        """All that are available are taken."""
        return True

    def open(self) -> None:
        """Load what it needs, before the first pair.

        Raises:
            InputError: that is not available.
        """

    def move(self, device: str) -> None:
        """Put what it has loaded on a device.

        Raises:
            InputError: this machine has no such device.
        """

    @abstractmethod
    def score(self, result: NDArray[np.uint8], original: NDArray[np.uint8], crop: int) -> float | None:
        """The score of one pair, uint8 (H, W, C) both, without `crop` pixels on each side; None where it has none."""

    def about(self) -> dict[str, Any]:
        """What the protocol says of the measure itself."""
        return {}

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """The mean over the pairs."""
        found = mean(x.scores[self.name], x.seed)
        (quantity,) = self.gives
        return [self.figure(quantity.name, found, {**self.about(), **x.protocol}, test_set=x.test_set)]


@dataclass(frozen=True)
class RepairCase:
    """What became of one picture; images are uint8 (H, W, 3), and masks are of holes, scratches and stains."""

    original: NDArray[np.uint8]
    result: NDArray[np.uint8]
    damage: NDArray[np.uint8]
    """The true masks, 255 where there is damage."""
    found: NDArray[np.uint8]
    """What the model found, at least 128 where it calls it damage."""
    given: NDArray[np.uint8]
    """The result where the true masks were given."""
    clean: NDArray[np.uint8]
    """What the model made of the original."""
    clean_found: NDArray[np.uint8]
    """What it found there."""

    @property
    def lost(self) -> NDArray[np.bool_]:
        """(H, W): where nothing is left, under holes and scratches."""
        return is_lost(self.damage)


class RepairMeasure(Measure):
    """Something that is measured of repaired pictures whose damage is known, over all their pixels together."""

    needs = frozenset({"damage"})

    @abstractmethod
    def sums(self, case: RepairCase) -> Array:
        """What one picture adds."""

    @abstractmethod
    def of(self, sums: Array) -> tuple[float, ...]:
        """The values of `gives`, in order, of what all pictures add up to."""

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """Over all pixels together, with intervals over the pictures."""
        rows = x.repairs[self.name]
        pick = np.random.default_rng(x.seed).integers(0, len(rows), (RESAMPLES, len(rows)))
        drawn = np.array([self.of(rows[some].sum(0)) for some in pick])
        protocol = {**x.protocol, "mean": "over the pixels of all pictures"}
        for quantity, value, some in zip(self.gives, self.of(rows.sum(0)), drawn.T, strict=True):
            if not np.isnan(value):  # as is the precision of a model that finds nothing
                low, high = np.nanpercentile(some, (100 * (1 - LEVEL) / 2, 100 * (1 + LEVEL) / 2))
                yield self.figure(quantity.name, Estimate(value, low, high), protocol, test_set=x.test_set)
