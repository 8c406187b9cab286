"""The likelihood curve: quality against diversity over the temperature, of a GAN and of its likelihood model.

A temperature alone moves any model along a curve, so a GAN has gained something only where it lies beyond the curve of
the likelihood model that it began as (Caccia et al. 2020, Language GANs Falling Short, arXiv:1811.02549).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ganvas.metrics.bleu import bleu, self_bleu
from ganvas.metrics.figure import Figure
from ganvas.metrics.intervals import LEVEL, RESAMPLES, Array, Estimate
from ganvas.metrics.language_model import TrigramModel, nats_of
from ganvas.metrics.measure import Evidence, Measure, Quantity
from ganvas.metrics.sentences import Lines
from ganvas.metrics.two_sample import two_sample_auc

TEMPERATURES = (0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25)
LIKELIHOOD, GAN = "likelihood", "GAN"
"""The curves by name: in `Evidence.draws`, and in the protocol of every point."""
COLOURS = {LIKELIHOOD: "tab:gray", GAN: "tab:blue"}
PLANES = (("self-BLEU-4", "BLEU-4"), ("LM", "reverse LM"))
"""Diversity and quality by BLEU, quality and diversity by language models."""
ENDS = {
    "self-BLEU-4": "less is more diverse",
    "BLEU-4": "more is more like real text",
    "LM": "less is more likely",
    "reverse LM": "less covers more",
}
GAINS = {up: f"{up} gain over likelihood" for _, up in PLANES}
UNITS = {"BLEU-4": "BLEU-4", "reverse LM": "nats a token of reverse LM"}


@dataclass(frozen=True)
class Point:
    """What was found of lines drawn at one temperature: a score for each line, the mean of which is a figure.

    Attributes:
        bleu, self_bleu: BLEU-4 (N,).
        nats, tokens: of each line, by a model of the reals (N,).
        reverse_nats, reverse_tokens: of each real, by a model of the lines (M,).
        auc: of a classifier.
    """

    bleu: Array
    self_bleu: Array
    nats: Array
    tokens: Array
    reverse_nats: Array
    reverse_tokens: Array
    auc: Estimate

    def on(self, name: str, lines: Array, reals: Array) -> Array:
        """A figure by name, of how often each line (R, N) and each real (R, M) counts: (R,)."""
        found: dict[str, Callable[[], Array]] = {
            "BLEU-4": lambda: lines @ self.bleu / len(self.bleu),
            "self-BLEU-4": lambda: lines @ self.self_bleu / len(self.self_bleu),
            "LM": lambda: (lines @ self.nats) / (lines @ self.tokens),
            "reverse LM": lambda: (reals @ self.reverse_nats) / (reals @ self.reverse_tokens),
        }
        return found[name]()


class Interval(Protocol):
    """A value, and the ends of its interval: of one run, or over seeds."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


class LikelihoodCurve(Measure):
    """Both curves, and what the GAN has gained."""

    name, order = "curve", 130
    gives = (
        Quantity(GAINS["BLEU-4"], higher_is_better=True),
        Quantity(GAINS["reverse LM"], higher_is_better=True, unit="nats a token"),
        Quantity("BLEU-4", least=0, most=1),
        Quantity("self-BLEU-4", least=0, most=1),
        Quantity("LM", unit="nats a token", least=0),
        Quantity("reverse LM", higher_is_better=False, unit="nats a token", least=0),
        Quantity("AUC", higher_is_better=False, least=0, most=1),
    )
    needs = frozenset({"text", "draws"})

    def is_default(self, x: Evidence) -> bool:
        """Wherever sentences can be drawn at any temperature."""
        return bool(x.draws)

    def compute(self, x: Evidence) -> Iterable[Figure]:
        """What was gained, then five figures for every curve and temperature."""
        reals, rng = x.of_text.reals, np.random.default_rng(x.seed)
        self.curves: dict[str, dict[float, Point]] = {}
        advance = x.track("temperatures", len(x.draws) * len(TEMPERATURES))
        of_reals = TrigramModel(reals, x.of_text.words)
        for name, draw in x.draws.items():
            self.curves[name] = {}
            for temperature in TEMPERATURES:
                self.curves[name][temperature] = _point(draw(temperature), reals, of_reals, x)
                advance(1)
        self.real = _point(x.of_text.control, reals, of_reals, x)
        # The lines of all temperatures are drawn from the same numbers, so they are resampled together.
        self.lines, self.reals = (_counts(len(some), rng) for some in (self.real.bleu, reals))
        self.gains = {up: gain for across, up in PLANES if len(self.curves) > 1 and (gain := self._gain(across, up))}
        for name, gain in self.gains.items():
            yield self.figure(GAINS[name], gain, x.protocol)
        for name, points in self.curves.items():
            for temperature, point in points.items():
                protocol = {**x.protocol, "curve": name, "temperature": temperature}
                for quantity in ("BLEU-4", "self-BLEU-4", "LM", "reverse LM"):
                    real = float(self.real.on(quantity, self.lines[:1], self.reals[:1])[0])
                    yield self.figure(quantity, self._estimate(point, quantity), protocol, real=real)
                yield self.figure("AUC", point.auc, protocol, real=self.real.auc.value)

    def notes(self, x: Evidence) -> Iterable[str]:
        """What the game has given, in a sentence."""
        if LIKELIHOOD not in self.curves:
            yield (
                f"{x.name} was never trained by likelihood alone, so there is no curve to compare it with; pretrain it"
                " (--schedule.pretrain), or train textgan-mle on the same text."
            )
        elif GAN not in self.curves:
            yield f"{x.name} is a likelihood model: its curve is what a GAN has to lie beyond."
        elif len(self.gains) < len(PLANES):
            across = next(across for across, up in PLANES if up not in self.gains)
            value, (low, high) = self._across(across)[0][0], (TEMPERATURES[0], TEMPERATURES[-1])
            yield (
                f"{x.name} lies off the curve of its likelihood model, which has a {across} of {value:.3f} at no"
                f" temperature from {low:g} to {high:g}."
            )
        else:
            across, _ = PLANES[0]
            own, curve = self._across(across)
            (same,) = _along(own[:1], curve[:1], np.array([TEMPERATURES]))
            yield verdict(x.name, self.gains)
            yield f"Its {across} at T 1 is {own[0]:.3f}, which its likelihood model has at T {same:.2f}."

    def panel(self, x: Evidence) -> Callable[[Any], None]:
        """Both planes, and the AUC over the temperature; real text as a star."""

        def draw(axes: Any) -> None:
            axes.set_axis_off()
            cells = axes.get_subplotspec().subgridspec(1, 3)
            for (across, up), cell in zip(PLANES, cells, strict=False):
                self._draw_plane(axes.figure.add_subplot(cell), across, up)
            self._draw_auc(axes.figure.add_subplot(cells[2]))

        return draw

    def _gain(self, across: str, up: str) -> Estimate | None:
        """How far the GAN lies beyond the curve at an equal value `across`, above 0 where it is better.

        None where no temperature gives its likelihood model that value.
        """
        own, x, xs = self.curves[GAN][1.0], *self._across(across)
        if not xs[0].min() <= x[0] <= xs[0].max():
            return None
        ys = np.stack([point.on(up, self.lines, self.reals) for point in self.curves[LIKELIHOOD].values()], 1)
        beyond = own.on(up, self.lines, self.reals) - _along(x, xs, ys)
        return _interval(beyond if up == "BLEU-4" else -beyond)

    def _across(self, name: str) -> tuple[Array, Array]:
        """A figure of the GAN (R,), and of its likelihood model at every temperature (R, T)."""
        curve = self.curves[LIKELIHOOD].values()
        xs = np.stack([point.on(name, self.lines, self.reals) for point in curve], 1)
        return self.curves[GAN][1.0].on(name, self.lines, self.reals), xs

    def _estimate(self, point: Point, name: str) -> Estimate:
        return _interval(point.on(name, self.lines, self.reals))

    def _draw_plane(self, axes: Any, across: str, up: str) -> None:
        for name, points in self.curves.items():
            x, y = ([self._estimate(point, of).value for point in points.values()] for of in (across, up))
            axes.plot(x, y, "o-", color=COLOURS[name], markersize=4, label=name)
            for temperature, *place in zip(points, x, y, strict=True):
                if name == next(iter(self.curves)) and temperature in (TEMPERATURES[0], 1.0, TEMPERATURES[-1]):
                    text = {"xytext": (0, -12), "textcoords": "offset points", "fontsize": "x-small", "ha": "center"}
                    axes.annotate(f"T {temperature:g}", place, color=COLOURS[name], **text)
        axes.margins(0.12)
        star = (self._estimate(self.real, of).value for of in (across, up))
        axes.plot(*([value] for value in star), "*", color="tab:green", markersize=13, label="real text", zorder=5)
        axes.set_xlabel(f"{across}, {ENDS[across]}")
        axes.set_ylabel(f"{up}, {ENDS[up]}")
        axes.legend(frameon=False, fontsize="small")

    def _draw_auc(self, axes: Any) -> None:
        for name, points in self.curves.items():
            found = [point.auc.value for point in points.values()]
            axes.plot([*points], found, "o-", color=COLOURS[name], markersize=4)
        axes.axhline(self.real.auc.value, color="tab:green", linestyle=":")
        axes.set_xlabel("temperature")
        axes.set_ylabel("AUC, less is more like real text")


def by_temperature(figures: Iterable[Figure]) -> dict[str, dict[float, list[Figure]]]:
    """The points among figures, by curve and temperature."""
    found: dict[str, dict[float, list[Figure]]] = {}
    for figure in figures:
        if figure.is_point:
            at = found.setdefault(str(figure.protocol["curve"]), {})
            at.setdefault(figure.protocol.get("temperature", 1.0), []).append(figure)
    return found


def verdict(name: str, gains: Mapping[str, Interval]) -> str:
    """What the game has given a model beyond its likelihood curve, in a sentence.

    Args:
        gains: by the figure that is gained, as in `GAINS`; without an interval nothing is significant.
    """
    signs = {_sign(gain) for gain in gains.values()}
    found = " and ".join(_said(of, gain) for of, gain in gains.items())
    if signs == {0}:
        return f"{name} only moves along the curve: a temperature does the same ({found})."
    if -1 not in signs:
        return f"{name} is better than its likelihood model at equal diversity, by {found}."
    if 1 not in signs:
        return f"{name} is worse than its likelihood model at equal diversity, by {found}; a temperature does better."
    return f"{name} is better than its likelihood model in one way and worse in another, at equal diversity: {found}."


def _sign(gain: Interval) -> int:
    """1 or -1 where the interval does not reach over 0."""
    return 0 if gain.low is None or gain.high is None else int(gain.low > 0) - int(gain.high < 0)


def _said(of: str, gain: Interval) -> str:
    ends = "" if gain.low is None or gain.high is None else f" ({gain.low:+.3f} .. {gain.high:+.3f})"
    return f"{gain.value:+.3f}{ends} {UNITS[of]}"


def _point(lines: Lines, reals: Lines, of_reals: TrigramModel, x: Evidence) -> Point:
    of_lines = TrigramModel(lines, x.of_text.words)
    return Point(
        bleu(lines, reals, (4,))[:, 0],
        self_bleu(lines, (4,))[:, 0],
        *nats_of(of_reals, lines),
        *nats_of(of_lines, reals),
        two_sample_auc(lines, reals, x.seed),
    )


def _counts(count: int, rng: np.random.Generator) -> Array:
    """How often each of `count` lines counts: in the first row once, then as resamples have it."""
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    return np.concatenate([np.ones((1, count)), drawn])


def _interval(values: Array) -> Estimate:
    """The first value, with the percentile interval of the others."""
    low, high = np.quantile(values[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    value = float(values[0])
    return Estimate(value, min(float(low), value), max(float(high), value))


def _along(x: Array, xs: Array, ys: Array) -> Array:
    """The height (R,) at x (R,) of lines through points (R, T), level beyond their ends."""
    order = np.argsort(xs, axis=1)
    xs, ys = (np.take_along_axis(np.broadcast_to(some, xs.shape), order, 1) for some in (xs, ys))
    return np.array([np.interp(*row) for row in zip(x, xs, ys, strict=True)])
