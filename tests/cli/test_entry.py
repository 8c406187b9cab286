"""The command as a whole process."""

from __future__ import annotations

import subprocess
import sys

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
