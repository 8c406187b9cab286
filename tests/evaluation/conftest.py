"""A folder of pictures, and a loader that opens whatever it is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ganvas.evaluation import upscalers
from ganvas.runs.models import find
from tests.evaluation.upscaling import Doubled, picture


@pytest.fixture
def folder() -> str:
    for index in range(3):
        picture(f"waves/{index}.png", seed=index)
    return "waves"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """The files that were asked for and their strengths; each opens, whatever it is."""
    asked: list[tuple[str, float]] = []

    def open_as(kind: type[Any], model: str | Path, *, which: Any, device: str, strength: float = 1.0) -> Doubled:
        asked.append((str(find(model, which) if Path(model).is_dir() else model), strength))
        return Doubled(Path(model).stem)

    monkeypatch.setattr(upscalers, "open_as", open_as)
    return asked
