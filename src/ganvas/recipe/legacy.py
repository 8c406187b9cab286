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
# A name that has passed on to another class, and a field by which the former is known.
PASSED_ON = {("Blind", "jpeg"): "BlindOnce"}


def former(plain: dict[str, Any]) -> str:
    """The present name of the class of which plain data were written, but for the names in TYPES."""
    kind = str(plain.get("type"))
    return next((name for (passed, key), name in PASSED_ON.items() if kind == passed and key in plain), kind)


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
