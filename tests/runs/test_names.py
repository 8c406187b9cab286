"""Names with digits that are no decimal numbers."""

from __future__ import annotations

from pathlib import Path

from ganvas.runs.folder import figures_of
from ganvas.runs.records import read_records
from tests.reports.runs import made


def test_runs_whose_names_have_circled_digits_and_superscripts() -> None:
    for name in ("①", "m²", "10", "9"):
        made(name)
    assert [record.name for record in read_records([Path("runs")])] == ["9", "10", "m²", "①"]


def test_a_protocol_that_begins_with_such_a_digit() -> None:
    (swd,) = figures_of({"images": 64, "swd": 0.5, "protocol": "② fakes, train"})
    assert swd.protocol == {"as": "② fakes, train"}
