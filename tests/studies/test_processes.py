"""The processes of a study: forked at once from one that is ready, each with a fate of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from ganvas.runs.folder import RunFolder
from ganvas.studies.processes import Poll, Processes
from tests.processes import children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others do not fork")

SCRIPT = """
import sys
from dataclasses import replace
import ganvas
recipe = replace(ganvas.named_recipe("mlp-digits"), images=64)
print(ganvas.run_study(ganvas.Study(recipe=recipe, name="s")).failures)
"""


@pytest.fixture
def output() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        yield file


def endless(name: str) -> list[str]:
    return ["train", "mlp-digits", "--images", "100000000", "--name", name]


def wait_for(what: Callable[[], object]) -> None:
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < 60
        time.sleep(0.02)


def code_of(poll: Poll) -> int | None:
    wait_for(lambda: poll() is not None)
    return poll()


def server_of(processes: Processes) -> int:
    assert processes._server
    return processes._server.process.pid


def printed(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode()


def test_codes_and_what_was_printed(processes: Processes, output: IO[bytes]) -> None:
    polls = [processes.start(words, output) for words in (["--version"], ["train", "nonsense"])]
    assert [code_of(poll) for poll in polls] == [0, 2]
    assert "ganvas 0" in printed(output)
    assert "there is no recipe 'nonsense'" in printed(output)


def test_what_is_forked_has_no_threads(processes: Processes, output: IO[bytes]) -> None:
    code_of(processes.start(["--version"], output))
    assert "\nThreads:\t1\n" in Path(f"/proc/{server_of(processes)}/status").read_text()


def test_a_kill_takes_no_other_down(processes: Processes, output: IO[bytes]) -> None:
    first, second = (processes.start(endless(name), output) for name in "ab")
    wait_for(lambda: len(children(server_of(processes))) == 2)
    killed, stopped = children(server_of(processes))
    os.kill(killed, signal.SIGKILL)
    assert code_of(first) == -signal.SIGKILL
    assert second() is None
    wait_for(lambda: RunFolder("runs/b").sample_grids())
    os.kill(stopped, signal.SIGTERM)
    assert code_of(second) == 128 + signal.SIGTERM
    assert RunFolder("runs/b").read_events()[-1]["event"] == "stopped"


def test_without_the_server_its_runs_stop_and_others_begin(processes: Processes, output: IO[bytes]) -> None:
    poll = processes.start(endless("a"), output)
    wait_for(lambda: RunFolder("runs/a").sample_grids())
    os.kill(server_of(processes), signal.SIGKILL)
    assert code_of(poll) == -signal.SIGKILL
    wait_for(lambda: not RunFolder("runs/a").is_training())
    assert RunFolder("runs/a").read_events()[-1]["event"] == "stopped"
    assert code_of(processes.start(["--version"], output)) == 0
    last = processes.start(endless("a"), output)
    wait_for(RunFolder("runs/a").is_training)
    processes.kill()
    wait_for(lambda: not RunFolder("runs/a").is_training())
    assert code_of(last) is not None


def test_a_script_that_guards_nothing_beside_a_file_named_like_a_module() -> None:
    Path("there").mkdir()
    Path("script.py").write_text(SCRIPT)
    Path("there/fractions.py").write_text("raise SystemExit('not that of Python')")
    done = subprocess.run([sys.executable, "../script.py"], cwd="there", capture_output=True, text=True, timeout=120)
    assert done.stdout == "()\n", done.stderr
    assert RunFolder("there/runs/s/seed0").model.is_file()
