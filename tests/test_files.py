"""The writer of files: whole files whoever else writes them, nothing through links, one sentence on what fails."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from PIL import Image

from ganvas import train
from ganvas.errors import InputError
from ganvas.files import append_line, hidden, plain_name, remove_leftovers, write_atomically, write_text
from ganvas.runs.folder import LOCK, RunFolder
from tests.conftest import Cli, TrainedRun, assert_refused, tiny


def names() -> list[str]:
    """What is in this folder."""
    return sorted(path.name for path in Path().iterdir())


def test_two_writers_of_one_file_leave_a_whole_one() -> None:
    def second(part: Path) -> None:
        part.write_text("second" * 1000)
        write_text(Path("f"), "first" * 9)  # another process begins and ends meanwhile

    write_atomically(Path("f"), second)
    assert Path("f").read_text() == "second" * 1000
    assert names() == ["f"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_whatever_ends_a_write_leaves_the_old_file_alone(error: BaseException) -> None:
    Path("f").write_text("old")

    def fail(part: Path) -> None:
        part.write_text("half")
        raise error

    with pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt):
        write_atomically(Path("f"), fail)
    assert Path("f").read_text() == "old"
    assert names() == ["f"]


def test_a_name_of_any_length_is_written(tmp_path: Path) -> None:
    for name in ("n" * 255, "名" * 85, "n" * 251 + ".txt"):
        write_text(tmp_path / name, "x")
        assert len(os.fsencode(hidden(tmp_path / name, ".0123abcd.part").name)) < 255
    assert len(names()) == 3
    with pytest.raises(InputError, match=r"^cannot write .*\(File name too long\); choose a shorter name"):
        write_text(tmp_path / ("n" * 256), "x")


@pytest.mark.parametrize("path", [".", "..", "/", "folder", "pipe", "/dev/null", "file/x", "loop"])
def test_what_is_no_file_is_not_replaced(path: str) -> None:
    Path("folder").mkdir()
    os.mkfifo("pipe")
    Path("file").touch()
    Path("loop").symlink_to("loop")
    with pytest.raises(InputError, match=r"give the name of a file|choose another location"):
        write_text(Path(path), "x")
    assert not stat.S_ISREG(Path("/dev/null").stat().st_mode)
    assert names() == ["file", "folder", "loop", "pipe"]


def test_a_line_is_appended_after_one_that_a_kill_cut() -> None:
    Path("f").write_bytes(b'{"a": 1}\n{"b"')
    append_line(Path("f"), b"{}", sync=True)
    append_line(Path("f"), b"[]")
    assert Path("f").read_bytes() == b'{"a": 1}\n{"b"\n{}\n[]\n'


@pytest.mark.parametrize("name", ["log", "events", "figures"])
@pytest.mark.parametrize("place", [lambda path: path.symlink_to(path.with_name("not-there")), os.mkfifo])
def test_lines_are_appended_to_regular_files_alone(name: str, place: Callable[[Path], object]) -> None:
    folder = RunFolder("r")
    folder.path.mkdir()
    place(getattr(folder, name))
    add = {"log": folder.add_log, "events": lambda line: folder.add_event("e"), "figures": folder.add_figure}[name]
    with pytest.raises(InputError, match=rf"^cannot write r/{name}.jsonl \("):
        add({})
    assert not (folder.path / "not-there").exists()


@pytest.mark.parametrize("name", ["samples", "checkpoints", "log.jsonl", "figures.jsonl", ".lock"])
def test_training_on_in_a_folder_with_links_is_refused(name: str, trained_run: TrainedRun) -> None:
    """A run from elsewhere must neither write through its links nor delete what is behind them."""
    run, precious = trained_run(tiny(images=64)), Path("precious").absolute()
    if "." in name:
        precious.write_text("mine")
    else:
        precious.mkdir()
        (precious / "000000009999.png").write_text("mine")
    part = run.path / name
    shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)
    part.symlink_to(precious)
    with pytest.raises(InputError, match=rf"{name} is a symbolic link.*; .* move the whole run"):
        train(tiny(images=128), name="r")
    file = precious if precious.is_file() else precious / "000000009999.png"
    assert file.read_text() == "mine"
    assert precious.is_file() or [*precious.iterdir()] == [file]


def test_a_linked_part_of_a_run_is_not_written_through(trained_run: TrainedRun, cli: Cli) -> None:
    run = trained_run(tiny())
    Path("precious").write_text("mine")
    for name in (".diagnosis.png.part", "diagnosis.png", "figures.jsonl"):
        (run.path / name).unlink(missing_ok=True)
        (run.path / name).symlink_to(Path("precious").absolute())
    assert cli("diagnose", "runs/r").returncode == 0
    done = cli("evaluate", "runs/r", "--fakes", "16", "--measures", "swd")
    assert_refused(done, "figures.jsonl", "remove the symbolic link")
    assert Path("precious").read_text() == "mine"
    assert not (run.path / "diagnosis.png").is_symlink()


def test_names_from_headers_stay_in_the_folder(trained_run: TrainedRun, cli: Cli) -> None:
    from ganvas.runs import checkpoint

    run = trained_run(tiny())
    tensors, about = checkpoint.load(run.model)
    checkpoint.save(Path("deep/er/foreign.safetensors"), tensors, {**about, "run": "../../up" + "é" * 300})
    where = ["--against", "digits", "--fakes", "16", "--measures", "swd"]
    for words in (["generate", "-n", "2"], ["evaluate", *where]):
        assert cli(words[0], "deep/er/foreign.safetensors", *words[1:]).returncode == 0
    made = sorted(path for path in Path().rglob("*.png") if path.parts[0] != "runs")
    assert [path.name.split("é")[0] for path in made] == ["_.._up", "ganvas-evaluate-_.._up"]
    assert not list(Path().resolve().parent.glob("*.png"))
    given = ("..", "/", ".a/b ", "c:d", "猫" * 50, "a\x1bb")
    assert [plain_name(name) for name in given] == ["", "_", "a_b", "c_d", "猫" * 33, "a_b"]


def test_leftovers_of_a_kill_are_removed_and_odd_ones_do_not_matter() -> None:
    Path("r/sub").mkdir(parents=True)
    Path("r/sub/.x.png.0123abcd.part").touch()
    Path("r/.folder.part").mkdir()
    remove_leftovers(Path("r"))
    assert [path.name for path in sorted(Path("r").rglob("*"))] == [".folder.part", "sub"]


def test_looking_never_keeps_a_run_from_training() -> None:
    folder, over, refused = RunFolder("r"), threading.Event(), 0
    with folder.lock():
        assert folder.is_training()

    def look() -> None:
        while not over.is_set():
            RunFolder("r").is_training()

    watchers = [threading.Thread(target=look) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    for _ in range(300):
        try:
            with folder.lock():
                pass
        except InputError:
            refused += 1
    over.set()
    for watcher in watchers:
        watcher.join()
    assert refused == 0
    assert not folder.is_training()
    with FileLock(folder.path / LOCK):  # the lock of another process
        assert folder.is_training()
        with pytest.raises(InputError, match="being trained by another process"), folder.lock():
            pass


def test_looking_at_a_run_writes_nothing_into_it(trained_run: TrainedRun, cli: Cli) -> None:
    run = trained_run(tiny(images=64))
    (run.path / LOCK).unlink()
    before = sorted(run.path.rglob("*"))
    assert cli("runs").returncode == cli("compare", "runs/r", "--out", "page.html").returncode == 0
    assert sorted(run.path.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["generate", "n" * 300], "File name too long"),
        (["upscale", "n" * 300 + ".png"], "File name too long"),
        (["compare", "runs/r", "--out", "."], "."),
        (["convert", "runs/r", "--out", "file/x.safetensors"], "Not a directory"),
        (["upscale", "p.png", "--out", "a/" * 1500], "nested too deeply"),
        (["evaluate", "runs/r", "--fakes", "16", "--measures", "swd", "--json", "/dev/null"], "/dev/null"),
    ],
)
def test_an_error_of_the_system_is_one_sentence(
    words: list[str], expected: str, trained_run: TrainedRun, cli: Cli
) -> None:
    trained_run(tiny())
    Path("file").touch()
    Image.new("L", (4, 4)).save("p.png")
    assert_refused(cli(*words), expected)


def test_names_that_the_terminal_cannot_show_do_not_end_a_command(process: Cli, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    folder = tmp_path / "runs" / "猫\udcff"
    folder.mkdir()
    (folder / "recipe.json").write_text(json.dumps({"images": 1}))
    done = process("runs", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 2)
