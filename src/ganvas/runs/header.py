"""What a checkpoint says of itself, read from its header alone. Imports no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open


class Damaged(Exception):
    """A checkpoint file is torn or altered; the message names it."""


def read_header(path: Path) -> tuple[dict[str, Any], str]:
    """The description in a file's header, and the digest of its tensors, without reading these.

    Raises:
        Damaged: the file is no checkpoint of ganvas.
    """
    try:
        with safe_open(path, "numpy") as file:
            header = file.metadata() or {}
        return json.loads(header["ganvas"]), header["digest"]
    except (SafetensorError, KeyError, json.JSONDecodeError, OSError) as error:
        raise Damaged(f"{path} is no whole checkpoint of ganvas ({error})") from None
