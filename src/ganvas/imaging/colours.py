"""The colours of matplotlib's charts: each player, and each kind of image, has the same one in all of them."""

from __future__ import annotations

from collections.abc import Iterable

GENERATOR, DISCRIMINATOR = "tab:blue", "tab:orange"
PLAYERS = {"g/adversarial": GENERATOR, "d/adversarial": DISCRIMINATOR}
OTHERS = ("tab:green", "tab:red", "tab:purple", "tab:brown", "tab:pink", "tab:olive")
IMAGES = {"real": "tab:green", "held_out": "tab:olive", "fake": "tab:pink"}


def colours_of(terms: Iterable[str]) -> dict[str, str]:
    """The colour of every term of a log; they repeat after many."""
    others = sorted(set(terms) - set(PLAYERS))
    return {**PLAYERS, **{name: OTHERS[index % len(OTHERS)] for index, name in enumerate(others)}}


def colour_of_signal(name: str) -> str | None:
    """The colour of a signal of the diagnosis that is about one kind of image; None for another."""
    return next((colour for kind, colour in IMAGES.items() if name.endswith(f"_{kind}")), None)
