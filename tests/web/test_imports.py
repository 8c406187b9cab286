"""What the room may import, and when torch is loaded."""

from __future__ import annotations

import ast
import subprocess
import sys

from tests.conftest import ROOT

APART = {"training", "observers", "experiment", "studies", "evaluation", "tasks", "cli"}


def test_it_imports_no_room_that_trains() -> None:
    for file in (ROOT / "src" / "ganvas" / "web").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
        modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        assert not {module.split(".")[1] for module in modules if module.startswith("ganvas.")} & APART, file


def test_torch_waits_until_something_is_computed() -> None:
    script = (
        "import sys, threading, pathlib, ganvas.web.server; from ganvas.web.page import page;"
        " page(pathlib.Path('runs'), threading.Event());"
        " print([name for name in ('torch', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
