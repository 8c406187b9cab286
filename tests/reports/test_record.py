"""A run folder read as values: current lines, lines of earlier versions, and damaged ones."""

from __future__ import annotations

import json
import math

import pytest

from ganvas import InputError
from ganvas.metrics.figure import Figure
from ganvas.runs.record import Record, find_runs
from tests.reports.runs import PROTOCOL, add_figure, made

KID = Figure(measure="KID", value=0.2, low=0.1, high=0.3, higher_is_better=False, protocol={"extractor": "digits"})


def test_figures_of_the_log_are_read_in_the_new_form_and_the_old() -> None:
    folder = made("a")
    folder.add_log({"images": 400, "figures": [KID.to_plain()]})
    folder.add_log({"images": 480, "kid": 0.4, "kid_low": 0.3, "kid_high": 0.5, "protocol": {"extractor": "digits"}})
    record = Record(folder)
    assert record.points("KID (digits)") == [(400, 0.2), (480, 0.4)]
    assert [(figure.low, figure.high) for figure in record.measured["KID (digits)"]] == [(0.1, 0.3), (0.3, 0.5)]
    assert record.points("SWD")[-1] == (400, 0.1)
    assert list(record.terms) == ["d/adversarial", "g/adversarial"]


def test_a_figure_is_read_in_the_new_form_and_the_old() -> None:
    folder = made("a")
    new = Figure(
        measure="PSNR-Y",
        test_set="Set5",
        value=30.0,
        unit="dB",
        higher_is_better=True,
        images_seen=400,
        state="best",
        protocol=PROTOCOL,
    )
    folder.add_figure(new.to_plain())
    add_figure(folder, "PSNR-Y on Set5", 29.0)
    best, last = Record(folder).figures
    assert (best.measure, best.test_set, best.unit, best.images_seen) == ("PSNR-Y", "Set5", "dB", 400)
    assert (last.measure, last.test_set, last.higher_is_better, last.images_seen) == ("PSNR-Y", "Set5", True, 400)
    assert best.protocol == last.protocol == {key: value for key, value in PROTOCOL.items() if key != "ganvas"}


def test_a_class_is_what_a_figure_was_taken_on() -> None:
    folder = made("a")
    add_figure(folder, "KID on class cat on a mat", 0.1)
    add_figure(folder, "charm on Sundays", 0.1)
    kid, charm = Record(folder).figures
    assert (kid.measure, kid.test_set, kid.higher_is_better) == ("KID", "class cat on a mat", False)
    assert (charm.measure, charm.test_set, charm.higher_is_better) == ("charm on Sundays", "", None)


DAMAGED = [
    {"images": 440, "figures": 5},
    {"images": 440, "figures": [5, {}, {"measure": "swd"}, {"measure": "swd", "value": "x"}]},
    {"images": 440, "swd": "x", "protocol": 5},
    {"images": 440, "swd": math.nan},
    {"images": 440, "d/adversarial": None},
    {"images": 440, "psnr-y": 20.0, "bicubic": 5},
]


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_line_of_the_log_is_as_good_as_none(line: dict[str, object]) -> None:
    folder = made("a")
    folder.add_log(line)
    record = Record(folder)
    assert record.points("SWD")[-1] == (400, 0.1)
    assert record.terms["d/adversarial"][-1][0] == 400
    assert record.reference == {}


@pytest.mark.parametrize(
    "line",
    ["5", "null", '{"measure": "FD"}', '{"measure": 5, "value": 1}', '{"measure": "FD", "value": 1, "protocol": 5}'],
)
def test_a_damaged_figure_is_as_good_as_none(line: str) -> None:
    folder = made("a")
    folder.figures.write_text(line + "\n")
    assert Record(folder).figures == ()


def test_what_bicubic_has_is_read_in_the_new_form_and_the_old() -> None:
    bicubic = Figure(measure="PSNR-Y", value=22.5, unit="dB", higher_is_better=True)
    for name, line in {
        "new": {"figures": [], "reference": [bicubic.to_plain()]},
        "old": {"psnr-y": 23.0, "bicubic": {"psnr-y": 22.5}},
    }.items():
        folder = made(name)
        folder.add_log({"images": 100, **line})
        assert Record(folder).reference == {"PSNR-Y": 22.5}


def test_a_run_without_a_recipe_is_refused() -> None:
    with pytest.raises(InputError, match=r"recipe\.json does not exist"):
        Record("nowhere")


def test_runs_are_found_with_their_state() -> None:
    made("a")
    stopped = made("b")
    stopped.add_event("stopped", images=400)
    found, broken = find_runs(stopped.path.parent)
    assert not broken
    assert {record.name: (record.state, record.system, record.data) for record in found} == {
        "a": ("finished", "DCGAN", "digits"),
        "b": ("stopped", "DCGAN", "digits"),
    }
    plain = json.loads(stopped.recipe.read_text())
    stopped.recipe.write_text(json.dumps({**plain, "system": None}))
    assert Record(stopped).system == "?"


def test_a_count_of_thousands_of_digits_is_no_count() -> None:
    folder = made("a")
    protocol = f"{'9' * 5000} fakes, train"
    folder.log.write_text(json.dumps({"images": 64, "swd": 0.1, "protocol": protocol}) + "\n")
    assert Record(folder).measured["SWD"][0].protocol == {"as": protocol}
