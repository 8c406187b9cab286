"""Sentences to measure: of a small grammar, and with their words in another order."""

from __future__ import annotations

import numpy as np

from ganvas.metrics.sentences import Line

NOUNS = [
    "cat",
    "dog",
    "bus",
    "plane",
    "train",
    "bird",
    "table",
    "street",
    "kitchen",
    "clock",
    "toilet",
    "bear",
    "horse",
    "boat",
]
OTHERS = ["red", "small", "old", "empty", "white", "busy", "wooden", "wet"]
DOES = ["sits", "stands", "waits", "sleeps", "lies"]
PLACES = ["on", "near", "under", "behind", "beside"]


def captions(count: int, seed: int = 0) -> list[Line]:
    """``count`` sentences of 6 to 14 words."""
    rng = np.random.default_rng(seed)

    def thing() -> list[str]:
        some = list(rng.choice(OTHERS, rng.integers(0, 3), replace=False))
        return ["a", *map(str, some), str(rng.choice(NOUNS))]

    made = []
    for _ in range(count):
        line = [*thing(), str(rng.choice(DOES)), str(rng.choice(PLACES)), *thing()]
        made.append((*line, *(["and", *thing()] if rng.random() < 0.3 else []), "."))
    return made


def shuffled(lines: list[Line], seed: int = 0) -> list[Line]:
    """The same words of every sentence in a random order."""
    rng = np.random.default_rng(seed)
    return [tuple(line[i] for i in rng.permutation(len(line))) for line in lines]
