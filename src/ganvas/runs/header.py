"""The header of a checkpoint. Imports no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open


class Damaged(Exception):
    """A checkpoint file is truncated or altered; the message names it."""


def read_header(path: Path) -> tuple[dict[str, Any], str]:
    """The description and the digest of the tensors from a file's header, without reading the tensors.

    Raises:
        Damaged: the file is not a ganvas checkpoint.
    """
    try:
        with safe_open(path, "numpy") as file:
            header = file.metadata() or {}
        return json.loads(header["ganvas"]), header["digest"]
    except (SafetensorError, KeyError, json.JSONDecodeError, OSError) as error:
        raise Damaged(f"{path} is not an intact ganvas checkpoint ({error})") from None
