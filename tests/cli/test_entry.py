"""The command as a whole process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli, assert_refused


def test_ctrl_c_while_the_interpreter_goes_down_is_silent() -> None:
    late = "import atexit, signal; atexit.register(signal.raise_signal, signal.SIGINT)"
    program = f"{late}; import sys; sys.argv = ['ganvas', '--version']; from ganvas.cli import entry; entry()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ganvas ")


def test_a_refusal_is_one_sentence_and_code_2(process: Cli) -> None:
    assert_refused(process("train", "dcgan-digit"), "'dcgan-digit'", "'dcgan-digits'")


def test_help_is_no_error(process: Cli) -> None:
    done = process("upscale", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--model" in done.stdout


def test_a_reader_that_has_gone_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ganvas", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        assert child.stderr.read() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("errors", ["2>/dev/full", "2>&-"])
def test_a_stderr_that_cannot_be_written_stops_nothing(errors: str) -> None:
    program = "import sys; from ganvas.cli import main; sys.exit(main(['runs', 'nowhere']))"
    assert subprocess.run([f"exec '{sys.executable}' -c \"{program}\" {errors}"], shell=True).returncode == 2


def test_no_home_is_no_error() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GANVAS_")}
    program = "import os, pathlib; from ganvas.files import kept_in; print(kept_in('GANVAS_CACHE', 'x'))"
    homeless = f"import pathlib\ndef none(): raise RuntimeError\npathlib.Path.home = none\n{program}"
    done = subprocess.run([sys.executable, "-c", homeless], env=environment, capture_output=True, text=True)
    assert (done.returncode, Path(done.stdout.strip()).parts[-2:]) == (0, ("ganvas", "x")), done.stderr
