"""Former names of classes and fields in saved recipes."""

from __future__ import annotations

from typing import Any

TYPES = {
    "Pictures": "Images",
    "Points": "Mixture2D",
    "PlaneMLP": "Toy2DMLP",
    "Plan": "Schedule",
    "Settings": "SyntheticSettings",  # of ganvas augment
}
KEYS = {
    ("Recipe", "plan"): "schedule",
    ("Recipe", "content"): "reconstruction",
    ("Crops", "low"): "degradation",
}


def renamed(plain: Any) -> Any:
    """Plain data of a recipe, or part of one, with former names replaced by current ones."""
    if isinstance(plain, list):
        return [renamed(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    kind = plain.get("type")
    found = {KEYS.get((str(kind), key), key): renamed(value) for key, value in plain.items()}
    if str(kind) in TYPES:
        found["type"] = TYPES[str(kind)]
    return found
