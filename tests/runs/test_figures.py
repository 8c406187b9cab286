"""Figures of a log line, of today's runs and of those made before figures were objects."""

from __future__ import annotations

from ganvas.metrics.figure import Figure
from ganvas.runs.folder import figures_of, reference_of


def test_a_line_of_figures() -> None:
    figure = Figure(measure="SWD", value=0.5, higher_is_better=False, protocol={"fakes": 8})
    (read,) = figures_of({"images": 64, "figures": [figure.to_plain()]})
    assert (read.measure, read.value, read.images_seen, read.protocol) == ("SWD", 0.5, 64, {"fakes": 8})
    (before,) = figures_of({"images": 64, "figures": [{**figure.to_plain(), "measure": "swd"}]})
    assert before == read  # as a run has it that was begun before figures took the measures' own names
    assert figures_of({"images": 64, "d/adversarial": 1.0}) == []


def test_a_line_of_an_old_run() -> None:
    (swd,) = figures_of({"images": 64, "swd": 0.5, "protocol": "512 fakes, train"})
    assert swd.measure == "SWD"
    assert (swd.value, swd.protocol, swd.higher_is_better) == (0.5, {"fakes": 512, "split": "train"}, False)
    kid = {"kid": 0.2, "kid_low": 0.1, "kid_high": 0.3, "protocol": {"extractor": "digits"}}
    (read,) = figures_of({"images": 64, **kid})
    assert (read.low, read.high, read.protocol["extractor"]) == (0.1, 0.3, "digits")
    line = {"images": 64, "psnr-y": 20.0, "bicubic": {"psnr-y": 19.0}, "protocol": "64 crops, held-out"}
    assert figures_of(line)[0].unit == "dB"
    (bicubic,) = reference_of(line)
    assert (bicubic.value, bicubic.protocol) == (19.0, {"crops": 64, "split": "held-out", "upscaler": "bicubic"})
