"""The HTTP service and the page, on this machine unless told otherwise. Needs the extra `web`; imports no training."""

from __future__ import annotations

from importlib.util import find_spec

from ganvas.errors import InputError

NEEDS = "starlette", "uvicorn", "python_multipart"


def expect_installed(command: str) -> None:
    """Refuse a command where its packages are missing.

    Raises:
        InputError: one of them is.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise InputError(f"{command} needs {missing[0]}, which is not installed; run pip install 'ganvas[web]'.")
