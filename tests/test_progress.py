"""The progress line fits the terminal, and speaks where there is none."""

from __future__ import annotations

import io
import time
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from ganvas import progress
from ganvas.observers.progress import ProgressLine
from ganvas.progress import Bar
from ganvas.training.run import Report

DETAILS = ["4,712 img/s", "d/adversarial 0.693", "g/adversarial 0.712", "data wait 0.9%"]


def drawn(width: int, *, counts: bool = False) -> str:
    """The line of a task that is 42 % done, on a terminal of this width."""
    out = io.StringIO()
    bar = Bar(Console(file=out, force_terminal=True, width=width, color_system=None), refresh=False)
    task = bar.add("training", 1000, counts=counts)
    bar.update(task, completed=420, details=DETAILS)
    with bar.console.capture() as captured:
        bar.console.print(bar.get_renderable())
    return captured.get()


def test_the_line_loses_the_data_wait_then_the_bar_then_the_losses() -> None:
    shown = {width: drawn(width) for width in (200, 110, 90, 80, 60, 40, 30)}
    for width, text in shown.items():
        assert text.count("\n") == 1, text
        assert "42%" in text, (width, text)
        assert "left " in text, (width, text)
        assert len(text.rstrip("\n")) <= width
        if "data wait" in text:
            assert "━" * 10 in text, (width, text)
    assert "data wait 0.9%" in shown[200]
    assert "━" * 10 in shown[200]
    assert "data wait" not in shown[110]
    assert "━" in shown[110]
    assert "g/adversarial" in shown[110]
    assert "━" not in shown[80]
    assert "d/adversarial" in shown[80]
    assert "adversarial" not in shown[40]


@pytest.mark.parametrize(("counts", "done"), [(False, " 42%"), (True, "420/1,000")])
def test_a_very_narrow_line_keeps_what_is_done_then_the_time_left(counts: bool, done: str) -> None:
    for width in range(len(done), 40):
        text = drawn(width, counts=counts).rstrip("\n")
        assert len(text) <= width
        whole = f"{done}  left -:--:--"
        expected = (f"training  {whole}", whole, f"{done}  -:--:--", done)
        assert text == next(one for one in expected if len(one) <= width), width


def test_long_work_speaks_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    bar = Bar(Console(file=out, width=80))
    task = bar.add("decoding", 1000, counts=True)
    bar.advance(task, 10)
    assert not out.getvalue()
    monkeypatch.setattr(progress, "SILENCE", 0.0)
    bar.advance(task, 10)
    assert "decoding 20/1,000" in out.getvalue()
    silent = Bar(Console(file=out, width=80), show=False)
    silent.advance(silent.add("silent", 10))
    assert "silent" not in out.getvalue()


def test_a_step_that_takes_long_does_not_silence_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SILENCE", "GRACE", "LOOKS"):
        monkeypatch.setattr(progress, name, 0.01)
    out = io.StringIO()
    with Bar(Console(file=out, width=80)) as bar:
        bar.update(bar.add("done", 1), completed=1)
        bar.add("measures", 3, counts=True)
        out.truncate(0)
        until = time.monotonic() + 10
        while "measures 0/3" not in out.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
    assert "measures 0/3" in out.getvalue()
    said = out.getvalue()
    time.sleep(0.1)
    assert out.getvalue() == said


@pytest.mark.parametrize(("rate", "said"), [(0.4, "0.4 img/s"), (4700.4, "4,700 img/s")])
def test_a_slow_run_has_a_rate_too(rate: float, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    line, clock = ProgressLine(Console(file=out, width=200)), [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    run: Any = SimpleNamespace(images_seen=0, recipe=SimpleNamespace(images=rate * 100))
    line.start(run)
    clock[0] = 50.0
    line.step(run, Report(images_seen=int(rate * 50), terms={}, waited=0.0))
    line.close()
    assert said in out.getvalue()
