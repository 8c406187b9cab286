"""Folders of photos survive kills: all results complete, none made twice."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import pyvips
from PIL import Image

from ganvas.files import hidden
from ganvas.imageio.interrupts import deferred, stoppable
from ganvas.imageio.manifest import Manifest
from tests.imageio.conftest import Upscale, deep, pixels, save
from tests.processes import ganvas

NAME = ".ganvas-upscale.jsonl"

# A file that was just being opened is closed by nobody.
INTERRUPTED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def lines(folder: str = "out") -> list[dict[str, Any]]:
    """The manifest."""
    texts = (Path(folder) / NAME).read_text().splitlines()
    return [json.loads(text) for text in texts if text.startswith("{") and text.endswith("}")]


def mixed(folder: Path, count: int) -> list[str]:
    """Photos of many kinds; the names of their results."""
    names = []
    for index in range(count):
        ending = (".jpg", ".png", ".webp", ".tif", ".png", ".jpg")[index % 6]
        name = f"{'sub/' * (index % 3)}photo{index:03d}{ending}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if index % 6 == 4:
            deep(path, (1, 3, 4)[index % 3], 24 + index % 7, 30)
        else:
            channels = 4 if ending in (".png", ".tif", ".webp") and index % 2 else 3
            save(path, pixels(24 + index % 7, 30, channels, seed=index), orientation=1 + index % 8)
        names.append(f"{name[: -len(ending)]}_x4{ending}")
    return names


def stop_at_random(model: Path, folder: str, out: str, signals: Sequence[int], seed: int) -> int:
    """Run the command, stopping it by each signal while it writes, then to its end; the last exit code."""
    chance = random.Random(seed)
    command = "upscale", folder, "--out", out, "--model", str(model)
    manifest = Path(out) / NAME
    for number in signals:
        process = ganvas(*command)
        before = manifest.stat().st_size if manifest.exists() else 0
        while process.poll() is None and (not manifest.exists() or manifest.stat().st_size == before):
            time.sleep(0.002)
        time.sleep(chance.random() * 0.15)
        process.send_signal(number)
        code, output = process.ended()
        assert "Traceback" not in output
        if number == signal.SIGINT:
            assert code in (0, 130)
            assert not list(Path(out).rglob(".*.part"))
    return ganvas(*command).wait()


def assert_all_good(names: list[str], out: str = "out") -> None:
    """Every result is there, whole, and was made once; nothing else is."""
    found = sorted(path.relative_to(out).as_posix() for path in Path(out).rglob("*") if path.is_file())
    assert found == sorted([*names, NAME])
    for name in names:
        with Image.open(Path(out) / name) as image:
            image.load()
    done = [line["result"] for line in lines(out) if line["status"] == "done"]
    assert sorted(done) == sorted(names)


def test_a_stopped_folder_goes_on(model: Path) -> None:
    names = mixed(Path("in"), 24)
    assert stop_at_random(model, "in", "out", [signal.SIGKILL, signal.SIGINT], seed=0) == 0
    assert_all_good(names)


@INTERRUPTED
def test_ctrl_c_between_the_line_and_the_name_makes_nothing_twice(
    upscale: Upscale, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = mixed(Path("in"), 24)
    add = Manifest.add

    def interrupted(manifest: Manifest, line: dict[str, Any]) -> None:
        add(manifest, line)
        patch.undo()
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "add", interrupted)
        assert upscale("in", "--out", "out") == 130
    assert 1 <= len(lines()) < 24
    assert upscale("in", "--out", "out") == 0
    assert_all_good(names)


@INTERRUPTED
def test_ctrl_c_is_not_lost_where_the_last_photo_gets_its_name(
    upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    names = mixed(Path("in"), 3)
    add = Manifest.add

    def interrupted(manifest: Manifest, line: dict[str, Any]) -> None:
        add(manifest, line)
        if len(lines()) == len(names):
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Manifest, "add", interrupted)
    assert upscale("in", "--out", "out") == 130
    time.sleep(0.1)  # nothing comes later
    assert_all_good(names)
    assert "Traceback" not in capfd.readouterr().err


def test_ctrl_c_comes_right_after_what_must_be_whole() -> None:
    reached = []

    @stoppable()
    def work() -> None:
        with deferred():
            with deferred():
                signal.raise_signal(signal.SIGINT)
            reached.append("whole")
        reached.append("after")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["whole"]


def test_ctrl_c_is_deferred_in_the_main_thread_alone() -> None:
    entered, leave = threading.Event(), threading.Event()

    def elsewhere() -> None:
        with deferred():
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=elsewhere)
    other.start()
    entered.wait(10)
    try:
        with pytest.raises(KeyboardInterrupt), stoppable():
            signal.raise_signal(signal.SIGINT)
    finally:
        leave.set()
        other.join()


def test_a_signal_that_the_shell_has_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_the_last_rows_are_saved_leaves_nothing(upscale: Upscale, monkeypatch: pytest.MonkeyPatch) -> None:
    save(Path("in/p.png"), pixels())
    left = threading.Event()
    join, load = threading.Thread.join, pyvips.Image.new_from_source
    savers = []

    def interrupted(thread: threading.Thread, timeout: float | None = None) -> None:
        if thread.name == "ganvas-save" and not savers:
            savers.append(thread)
            raise KeyboardInterrupt
        join(thread, timeout)

    def late(*arguments: Any, **options: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            left.wait(10)
        return load(*arguments, **options)

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    monkeypatch.setattr(pyvips.Image, "new_from_source", late)
    assert upscale("in", "--out", "out") == 130
    left.set()
    join(savers[0])
    assert not list(Path("out").rglob("*p_x4*"))


@INTERRUPTED
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_libvips_logs_is_not_lost(
    number: signal.Signals, upscale: Upscale, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    class Signalling(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.threadName == "MainThread" and record.getMessage().startswith("VIPS: "):
                log.removeHandler(self)
                signal.raise_signal(number)

    log, one = logging.getLogger("pyvips"), Signalling()
    caplog.set_level(logging.DEBUG, "pyvips")
    mixed(Path("in"), 24)
    log.addHandler(one)
    try:
        code = upscale("in", "--out", "out")
    except SystemExit as stopped:
        code = int(str(stopped.code))
    finally:
        log.removeHandler(one)
    assert code == 128 + number
    assert "Traceback" not in capfd.readouterr().err
    assert len(list(Path("out").rglob("photo*"))) < 24


@pytest.mark.slow
def test_a_folder_killed_many_times(model: Path) -> None:
    names = mixed(Path("in"), 200)
    assert stop_at_random(model, "in", "out", [signal.SIGKILL] * 5, seed=1) == 0
    assert_all_good(names)


def test_a_kill_between_the_last_line_and_the_name(upscale: Upscale) -> None:
    names = mixed(Path("in"), 4)
    assert upscale("in", "--out", "out") == 0
    whole = (Path("out") / names[1]).read_bytes()
    result = Path("out") / names[1]
    (recorded,) = (line for line in lines() if line["result"] == names[1])
    result.replace(result.with_name(recorded["part"]))
    assert upscale("in", "--out", "out") == 0
    assert (Path("out") / names[1]).read_bytes() == whole
    assert_all_good(names)


def test_a_torn_line_and_a_torn_file_are_made_anew(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    names = mixed(Path("in"), 3)
    assert upscale("in", "--out", "out") == 0
    manifest = Path("out") / NAME
    last = lines()[-1]["result"]
    manifest.write_bytes(manifest.read_bytes()[:-20])
    part = hidden(Path("out") / last, ".0123abcd.part")
    (Path("out") / last).replace(part)
    part.write_bytes(part.read_bytes()[:50])
    assert upscale("in", "--out", "out") == 0
    assert "1 upscaled, 2 already done" in capsys.readouterr().out
    assert not part.exists()
    for name in names:
        with Image.open(Path("out") / name) as image:
            image.load()


def test_done_means_the_same_photo_and_the_same_settings(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("in/p.png"), pixels())
    assert upscale("in", "--out", "out") == 0
    assert upscale("in", "--out", "out") == 0
    assert "0 upscaled, 1 already done" in capsys.readouterr().out
    assert upscale("in", "--out", "out", "--no-colour-lock") == 1
    assert "made with other settings" in capsys.readouterr().err
    assert upscale("in", "--out", "out", "--no-colour-lock", "--overwrite") == 0
    assert upscale("in", "--out", "out", "--no-colour-lock", "--overwrite") == 0
    assert "1 already done" in capsys.readouterr().out
    save(Path("in/p.png"), pixels(seed=1))
    assert upscale("in", "--out", "out", "--no-colour-lock") == 1
    assert "has changed since" in capsys.readouterr().err


def test_results_of_earlier_jobs_are_checked_too(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("in/p.jpg"), pixels())
    assert upscale("in", "--out", "out", "--format", "png") == 0
    assert "EXIF kept" not in capsys.readouterr().out
    assert upscale("in", "--out", "out", "--format", "png", "--check") == 0
    output = capsys.readouterr().out
    assert "EXIF kept" in output
    assert "0 upscaled, 1 already done" in output
    save(Path("in/p.png"), pixels())
    assert upscale("in", "--out", "out", "--format", "png", "--check") == 0
    output = capsys.readouterr().out
    assert "p_x4.png: " in output
    assert "p_png_x4.png: " in output


def test_moved_folders_are_known_again(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("in/p.png"), pixels())
    assert upscale("in", "--out", "out") == 0
    Path("in").rename("photos")
    Path("out").rename("large")
    assert upscale("photos", "--out", "large") == 0
    assert "1 already done" in capsys.readouterr().out


def test_names_that_differ_in_their_endings(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.jpg", "a.png", "b.png"):
        save(Path("in") / name, pixels())
    assert upscale("in", "--out", "out", "--format", "png") == 0
    assert sorted(path.name for path in Path("out").glob("[ab]*")) == ["a_jpg_x4.png", "a_png_x4.png", "b_x4.png"]
    save(Path("in/b.jpg"), pixels())
    assert upscale("in", "--out", "out", "--format", "png") == 0
    assert "1 upscaled, 3 already done" in capsys.readouterr().out
    assert Path("out/b_jpg_x4.png").exists()


def test_a_folder_into_itself(upscale: Upscale) -> None:
    save(Path("in/p.png"), pixels())
    for _ in range(2):
        assert upscale("in", "--out", "in") == 0
        assert sorted(path.name for path in Path("in").glob("p*")) == ["p.png", "p_x4.png"]
    assert upscale("in", "--out", "in/large") == 0
    assert sorted(path.name for path in Path("in/large").glob("p*")) == ["p_x4.png", "p_x4_x4.png"]
    assert upscale("in", "--out", "in/large") == 0


def test_folders_and_patterns(upscale: Upscale) -> None:
    for name in ("one/a.png", "two/a.png", "two/deep/b.png"):
        save(Path(name), pixels())
    assert upscale("one", "two", "--out", "out") == 0
    found = sorted(path.relative_to("out").as_posix() for path in Path("out").rglob("[ab]*.png"))
    assert found == ["one/a_x4.png", "two/a_x4.png", "two/deep/b_x4.png"]
    assert upscale("t*/**/*.png", "--out", "flat") == 0
    assert sorted(path.name for path in Path("flat").glob("*.png")) == ["a_x4.png", "b_x4.png"]


def test_two_at_once_are_kept_apart(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    from filelock import FileLock

    save(Path("in/p.png"), pixels())
    Path("out").mkdir()
    with FileLock(os.fspath(Path("out/.ganvas-upscale.lock"))):
        assert upscale("in", "--out", "out") == 2
    assert "another ganvas upscale" in capsys.readouterr().err
    assert upscale("in", "--out", "out") == 0


def test_a_line_for_every_photo_reports_time_and_colours(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("p.png"), pixels())
    assert upscale("p.png") == 0
    output = capsys.readouterr().out
    assert "p_x4.png  120 x 80, " in output
    assert "s/MP" in output
