"""What the tests of extra samples share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts take longer than these trainings; those of a whole command are drawn for the fixture `extra`."""
    monkeypatch.setattr("ganvas.studies.synthetic.pipeline.draw", lambda *of: None)
    monkeypatch.setattr("ganvas.observers.curves.draw", lambda *of: None)
