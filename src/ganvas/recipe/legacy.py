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


def renamed(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe as plain data with the names of today, where an earlier version of ganvas wrote it."""
    found: dict[str, Any] = _renamed(recipe) if "plan" in recipe and "schedule" not in recipe else recipe
    return found


def _renamed(plain: Any) -> Any:
    if isinstance(plain, list):
        return [_renamed(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    kind = plain.get("type")
    found = {KEYS.get((str(kind), key), key): _renamed(value) for key, value in plain.items()}
    if str(kind) in TYPES:
        found["type"] = TYPES[str(kind)]
    return found
