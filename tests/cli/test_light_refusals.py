"""Wrong paths are refused before torch is loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["upscale", "nope.jpg"], "nope.jpg does not exist"),
        (["generate", "runs/nope"], "there is no runs/nope"),
    ],
)
def test_a_wrong_path_is_refused_without_torch(words: list[str], message: str) -> None:
    code = f"import sys; from ganvas.cli import main; code = main({words}); print(code, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["2", "False"]
    assert message in done.stderr
