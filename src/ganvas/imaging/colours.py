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


def colours_of_signals(names: Iterable[str]) -> dict[str, str]:
    """The colour of every signal of one panel of the diagnosis: that of the images it is about, or one of the others.

    None has the colour of a player.
    """
    others = iter(("tab:purple", "tab:brown", "tab:red", "tab:cyan", "tab:gray"))
    about = {name: next((kind for kind in IMAGES if name.endswith(f"_{kind}")), None) for name in names}
    return {name: IMAGES[kind] if kind else next(others) for name, kind in about.items()}
