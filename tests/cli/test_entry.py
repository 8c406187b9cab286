"""The command as a whole process."""

from __future__ import annotations

import subprocess
import sys


def test_ctrl_c_while_the_interpreter_goes_down_is_silent() -> None:
    late = "import atexit, signal; atexit.register(signal.raise_signal, signal.SIGINT)"
    program = f"{late}; import sys; sys.argv = ['ganvas', '--version']; from ganvas.cli import entry; entry()"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ganvas ")
