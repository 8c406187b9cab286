"""One file never ends the others: pipes, names, links, failing programs; and two commands for one file."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from PIL import Image

from ganvas.files import hidden
from ganvas.imageio import job
from ganvas.imageio import operation as operation_module
from ganvas.imageio.writing import Rows
from tests.conftest import Cli, assert_refused
from tests.imageio.conftest import Upscale, pixels, save
from tests.imageio.test_video import CODED, VIDEO, ffmpeg, needs_ffmpeg, streams

NAME = ".ganvas-upscale.jsonl"


def names(folder: str) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in Path(folder).iterdir())


def odd_files(folder: Path) -> dict[str, str]:
    """What is in a folder beside photos, and what is said about it."""
    folder.mkdir()
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe.mp4")
    os.mkfifo(folder / "pipe")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "gone.jpg").symlink_to("nowhere.jpg")
    (folder / "around").symlink_to(folder.absolute())
    for count in (248, 251):  # the names of their results have 251 and 254 bytes
        save(folder / ("n" * (count - 4) + ".png"), pixels(8, 8))
    save(folder / ("m" * 251 + ".png"), pixels(8, 8))
    save(folder / "\udcff\udcfe.png", pixels(8, 8))  # no UTF-8
    return {
        "pipe.png": "not a regular file",
        "pipe.mp4": "not a regular file",
        "zero.png": "not a regular file",
        "loop.png": "symbolic links",
        "gone.jpg": "No such file",
        "m" * 251 + ".png": "File name too long",
    }


def test_odd_files_in_a_folder_do_not_end_the_others(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    bad = odd_files(Path("in"))
    save(Path("in/zz.png"), pixels(8, 8))
    assert upscale("in", "--out", "out") == 1
    printed = capsys.readouterr().out
    assert f"4 upscaled, 1 other files skipped, {len(bad)} failed" in printed
    for name, why in bad.items():
        line = next(line for line in printed.splitlines() if line.startswith(f"  {Path('in') / name}: "))
        assert why in line
    made = names("out")
    assert made == sorted([NAME, "zz_x4.png", "\udcff\udcfe_x4.png", "n" * 244 + "_x4.png", "n" * 247 + "_x4.png"])
    assert upscale("in", "--out", "out") == 1
    assert "0 upscaled, 4 already done" in capsys.readouterr().out


def test_odd_files_named_in_the_command_do_not_either(upscale: Upscale) -> None:
    odd_files(Path("in"))
    save(Path("in/zz.png"), pixels(8, 8))
    assert upscale(*sorted(str(path) for path in Path("in").glob("*.*"))) == 1
    assert Path("in/zz_x4.png").exists()


def test_a_film_without_ffmpeg_does_not_either(
    upscale: Upscale, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    Path("in").mkdir()
    save(Path("in/a.png"), pixels(8, 8))
    Path("in/film.mp4").write_bytes(b"film")
    assert upscale("in", "--out", "out") == 1
    printed = capsys.readouterr().out
    assert "in/film.mp4: videos need ffmpeg and ffprobe, which are not installed; install ffmpeg" in printed
    assert Path("out/a_x4.png").exists()


def test_a_name_that_the_terminal_lacks_does_not_end_the_others(upscale: Upscale) -> None:
    for name in ("a.png", "猫.png", "\udcff.png", "z.png"):
        save(Path("in") / name, pixels(8, 8))
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    with contextlib.redirect_stdout(terminal):
        assert upscale("in", "--out", "out", "--check") == 0
    terminal.flush()
    assert b"4 upscaled" in terminal.buffer.getvalue()  # type: ignore[attr-defined]
    assert len(names("out")) == 5


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_subfolder_that_may_not_be_read_is_reported(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("in/a.png"), pixels(8, 8))
    Path("in/locked").mkdir(mode=0)
    assert upscale("in", "--out", "out") == 1
    assert "in/locked: the folder cannot be read (Permission denied)" in capsys.readouterr().out


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyError("x"), IndexError("x"), RecursionError()])
def test_whatever_fails_in_one_photo_the_others_go_on(
    error: Exception, upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        save(Path("in") / name, pixels(8, 8))
    real = job.open_photo

    def failing(path: Path, limit: float) -> object:
        if path.name == "b.png":
            raise error
        return real(path, limit)

    monkeypatch.setattr(job, "open_photo", failing)
    assert upscale("in", "--out", "out") == 1
    assert "2 upscaled, 1 failed" in capsys.readouterr().out


def test_a_manifest_from_elsewhere_leads_nowhere_else(upscale: Upscale, cli: Cli, model: Path) -> None:
    save(Path("in/p.png"), pixels(8, 8))
    Path("out").mkdir()
    Path("precious").write_text("mine")
    (Path("out") / NAME).symlink_to(Path("precious").absolute())
    assert_refused(cli("upscale", "in", "--out", "out", "--model", str(model)), "symbolic link", "remove it")
    assert Path("precious").read_text() == "mine"
    (Path("out") / NAME).unlink()
    assert upscale("in", "--out", "out") == 0
    Path(".up.0123abcd.part").write_text("mine")
    Path("out/p_x4.png").unlink()
    manifest = (Path("out") / NAME).read_text()
    for result, part in (("../up", ".up.0123abcd.part"), ("p_x4.png", "../.p_x4.png.0123abcd.part"), ("p_x4.png", 3)):
        line = manifest.replace('"p_x4.png"', f'"{result}"', 1)
        line = line[: line.index('"part"')] + f'"part": "{part}", "bytes": 4}}\n'
        (Path("out") / NAME).write_text("[]\n7\n" + "[" * 9999 + "\n" + line)
        Path(".p_x4.png.0123abcd.part").write_text("mine")
        assert upscale("in", "--out", "out", "--overwrite") == 0
        assert Path(".up.0123abcd.part").exists()
        assert Path(".p_x4.png.0123abcd.part").exists()


def test_two_commands_for_one_file_are_kept_apart(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("p.png"), pixels())
    with FileLock(hidden(Path("p_x4.png").absolute(), ".lock")):
        assert upscale("p.png") == 1
    assert "another ganvas upscale is writing p_x4.png; wait for it to finish" in capsys.readouterr().err
    Path(".p_x4.png.0123abcd.part").write_text("left by a kill")
    assert upscale("p.png") == 0
    assert names(".") == ["p.png", "p_x4.png"]


@pytest.mark.parametrize("locks", [True, False], ids=["", "on a disk without locks"])
def test_a_file_upscaled_twice_at_once_is_never_torn(
    locks: bool, upscale: Upscale, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(Path("p.png"), pixels(40, 60))
    real, codes = operation_module.write_photo, []

    def interrupted(path: Path, form: str, rows: Iterable[Rows], *rest: Any) -> None:
        def more() -> Iterator[Rows]:
            for index, band in enumerate(rows):
                yield band
                if not index:
                    monkeypatch.setattr(operation_module, "write_photo", real)
                    codes.append(upscale("p.png", "--overwrite"))

        real(path, form, more(), *rest)

    monkeypatch.setattr(operation_module, "write_photo", interrupted)
    if not locks:
        monkeypatch.setattr(job, "locked", lambda *_, **__: contextlib.nullcontext())
        monkeypatch.setattr(job, "remove_leftovers_of", lambda path: None)
    assert upscale("p.png", "--overwrite") == 0
    assert codes == [1 if locks else 0]
    assert_whole()


WORKER = """
import sys
from ganvas.cli import main
for line in sys.stdin:
    print(main(line.split()), flush=True)
"""


@pytest.mark.slow
def test_a_file_upscaled_by_two_processes_at_once_is_never_torn(model: Path) -> None:
    save(Path("p.png"), pixels(40, 60))
    words = f"upscale p.png --overwrite --model {model}\n"
    with contextlib.ExitStack() as running:
        pair = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(2)
        ]
        for _ in range(50):
            Path("p_x4.png").unlink(missing_ok=True)
            for one in pair:
                assert one.stdin
                one.stdin.write(words)
                one.stdin.flush()
            while not Path("p_x4.png").exists():
                assert all(one.poll() is None for one in pair)
            with Image.open("p_x4.png") as image:
                image.load()
            assert "0" in [code_of(one) for one in pair]
            assert_whole()
        for one in pair:
            assert one.stdin
            one.stdin.close()


def code_of(worker: subprocess.Popen[str]) -> str:
    """The exit code of its command, which it prints last."""
    assert worker.stdout
    return next(line.strip() for line in worker.stdout if line.strip() in ("0", "1", "2"))


def assert_whole() -> None:
    """The result is complete, and nothing else is left."""
    with Image.open("p_x4.png") as image:
        assert image.size == (240, 160)
        image.load()
    assert names(".") == ["p.png", "p_x4.png"]


@needs_ffmpeg
def test_a_film_with_cover_art_keeps_it(upscale: Upscale) -> None:
    save(Path("cover.png"), pixels(50, 40))
    ffmpeg(*VIDEO, *CODED, "plain.mp4")
    cover = ("-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", "plain.mp4", "-i", "cover.png", *cover, "film.mp4")  # the cover is the first stream
    assert upscale("film.mp4", "--out", "out") == 0
    shown = "stream=codec_name,width:stream_disposition=attached_pic"
    every = subprocess.run(
        f"ffprobe -v error -show_entries {shown} -of csv=p=0 out/film_x4.mp4".split(),
        capture_output=True,
        text=True,
    ).stdout.split()
    assert every == ["h264,128,0", "png,40,1"]


@needs_ffmpeg
@pytest.mark.parametrize("name", ["-x.mp4", "concat:a.mp4", "a b%03d'.mp4", "http:x.mp4"])
def test_the_name_of_a_film_is_no_option_and_no_protocol(name: str, upscale: Upscale) -> None:
    folder = Path("in")
    folder.mkdir()
    ffmpeg(*VIDEO, *CODED, "plain.mp4")
    Path("plain.mp4").replace(folder / name)
    with contextlib.chdir(folder):
        assert upscale(".", "--out", "../out") == 0
    (made,) = Path("out").glob("[!.]*")
    assert streams(f"file:{made}")["video"]["width"] == 128


@needs_ffmpeg
def test_a_playlist_named_like_a_film_leads_to_no_other_file(
    upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in").mkdir()
    ffmpeg(*VIDEO, *CODED, "-f", "mpegts", "secret.ts")
    ffmpeg(*VIDEO, *CODED, "in/good.mp4")
    Path("in/concat.mp4").write_text("ffconcat version 1.0\nfile ../secret.ts\n")
    Path("in/list.mp4").write_text("#EXTM3U\n#EXTINF:1,\n../secret.ts\n#EXT-X-ENDLIST\n")
    assert upscale("in", "--out", "out") == 1
    assert "1 upscaled, 2 failed" in capsys.readouterr().out


@needs_ffmpeg
def test_an_error_of_ffmpeg_sets_one_film_aside(
    upscale: Upscale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in").mkdir()
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        ffmpeg(*VIDEO, *CODED, f"in/{name}")
    from ganvas.imageio import video

    real = video._encoding

    def failing(source: Path, *rest: object) -> list[str]:
        command = real(source, *rest)  # type: ignore[arg-type]
        return [*command[:-1], "-c:v:0", "none", command[-1]] if source.name == "b.mp4" else command

    monkeypatch.setattr(video, "_encoding", failing)
    assert upscale("in", "--out", "out") == 1
    assert "2 upscaled, 1 failed" in capsys.readouterr().out
    assert not list(Path("out").glob(".*.part"))
