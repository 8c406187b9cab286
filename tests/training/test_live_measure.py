"""The KID while training: logged with its protocol, and nothing else changes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from ganvas import InputError, Watch, train
from ganvas.observers.measure import Figure
from ganvas.runs import checkpoint
from tests.conftest import same, tiny


def test_the_kid_is_logged_and_disturbs_nothing() -> None:
    for name, extractor in (("without", ""), ("with", "digits")):
        train(tiny("dcgan"), name=name, watch=Watch(measure_every=96, extractor=extractor))
    states = [max(Path(f"runs/{name}/checkpoints").glob("[0-9]*.safetensors")) for name in ("without", "with")]
    assert same(*(checkpoint.load(state)[0] for state in states))
    lines = [json.loads(line) for line in Path("runs/with/log.jsonl").read_text().splitlines()]
    measured = [line for line in lines if "kid" in line]
    assert [line["images"] for line in measured] == [96, 192]
    assert all(line["kid_low"] < line["kid"] < line["kid_high"] for line in measured)
    protocol = measured[0]["protocol"]
    assert protocol["extractor"] == "digits"
    assert protocol["fakes"] == protocol["reals"] == 512
    assert [line["swd"] for line in lines if "swd" in line] == [
        line["swd"]
        for line in map(json.loads, Path("runs/without/log.jsonl").read_text().splitlines())
        if "swd" in line
    ]


def test_the_best_is_then_the_one_with_the_smallest_kid() -> None:
    train(tiny("dcgan"), name="run", watch=Watch(measure_every=32, extractor="digits"))
    lines = [json.loads(line) for line in Path("runs/run/log.jsonl").read_text().splitlines()]
    best = min((line for line in lines if "kid" in line), key=lambda line: line["kid"])
    assert checkpoint.about(Path("runs/run/checkpoints/best.safetensors"))["images"] == best["images"]


@pytest.mark.parametrize(("extractor", "figure"), [("", "swd"), ("digits", "kid")])
def test_each_look_tells_how_the_kept_model_has_aged(extractor: str, figure: str) -> None:
    watch = Watch(measure_every=32, diagnose_every=32, extractor=extractor)
    for images in (96, 192):  # stopped and resumed
        train(tiny("dcgan", images=images), name="run", watch=watch)
    measured: list[float] = []
    least, aged = 0.0, []
    for line in map(json.loads, Path("runs/run/log.jsonl").read_text().splitlines()):
        if figure in line:
            measured.append(line[figure])
            least = line.get(f"{figure}_low", line[figure])
        if "signals" in line:
            aged.append(line["signals"]["aged"] == max(1.0, least / min(measured)))
    assert aged == [True] * 6


@pytest.mark.parametrize(
    ("figures", "aged"),
    [
        ([(0.4, 0.39), (0.2, 0.19), (0.3, 0.29)], 0.29 / 0.2),
        ([(0.4, 0.39), (0.2, 0.19), (0.21, 0.19)], 1.0),  # within its interval
        ([(0.003, -0.002), (-0.0002, -0.005), (-0.0006, -0.006)], 1.0),  # an unbiased figure falls below zero
        ([(0.00005, -0.005), (0.0004, -0.004)], 1.0),
    ],
)
def test_a_model_has_aged_only_by_what_its_interval_leaves_no_doubt_of(
    figures: list[tuple[float, float]], aged: float
) -> None:
    figure = Figure()
    assert math.isnan(figure.aged)
    for value, low in figures:
        figure.note(value, low)
    assert figure.aged == pytest.approx(aged)


def test_an_unknown_extractor_is_refused_before_anything_is_written() -> None:
    with pytest.raises(InputError, match=r"'digit'.*'digits'"):
        Watch(extractor="digit")
    assert not Path("runs").exists()
