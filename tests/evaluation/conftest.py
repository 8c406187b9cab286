"""A folder of pictures, and an engine that opens whatever it is given."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.evaluation.enlarging import Upscaler, picture


@pytest.fixture
def folder() -> str:
    for index in range(3):
        picture(f"waves/{index}.png", seed=index)
    return "waves"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What was asked of the engine, which opens whatever it is."""
    asked: list[tuple[str, float]] = []

    def open_upscaler(model: str | Path, *, strength: float, device: str) -> Upscaler:
        asked.append((str(model), strength))
        return Upscaler(Path(model).stem)

    monkeypatch.setitem(
        sys.modules, "ganvas.inference.upscaler", SimpleNamespace(open_upscaler=open_upscaler, Upscaler=Upscaler)
    )
    return asked
