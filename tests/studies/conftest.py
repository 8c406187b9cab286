"""One process from which the runs of all these tests are forked: to start it takes longer than most of them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ganvas.studies import runner
from ganvas.studies.processes import Processes


@pytest.fixture(scope="session")
def _shared(_private_cache: None) -> Iterator[Processes]:
    class Kept(Processes):
        def close(self) -> None:
            """Not at the end of one study."""

    made = Kept(os.environ)
    yield made
    made.stop()
    Processes.close(made)


@pytest.fixture(autouse=True)
def processes(_shared: Processes, monkeypatch: pytest.MonkeyPatch) -> Processes:
    monkeypatch.setattr(runner, "Processes", lambda environment: _shared)
    return _shared
