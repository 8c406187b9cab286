"""The header of a checkpoint. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ganvas.untrusted import Unreadable, expect_file, is_count, parse_json

TEXTS = ("run", "data", "start", "licence")


class Damaged(Exception):
    """A checkpoint file is truncated or altered; the message names it."""


def read_header(path: Path) -> tuple[dict[str, Any], str]:
    """The description and the digest of the tensors from a file's header, without reading the tensors.

    Raises:
        Damaged: the file is not a ganvas checkpoint.
    """
    try:
        expect_file(path)
        with safe_open(path, "numpy") as file:
            header = file.metadata() or {}
        about, digest = parse_json(header["ganvas"]), header["digest"]
    except KeyError as error:
        raise Damaged(f"{path} is not an intact ganvas checkpoint (its header lacks {error})") from None
    except (SafetensorError, Unreadable, OSError) as error:
        raise Damaged(f"{path} is not an intact ganvas checkpoint ({error})") from None
    if wrong := _wrong(about):
        raise Damaged(f"{path} is not an intact ganvas checkpoint ({wrong} in its header)")
    return {"run": path.stem, "data": "", **about}, digest


def _wrong(about: Any) -> str:
    """The field of a description that is missing or of the wrong kind; empty if all are sound."""
    if not isinstance(about, dict):
        return "no object"
    classes = about.get("classes", [])
    sound = {name: isinstance(about.get(name, ""), str) for name in TEXTS} | {
        "system": isinstance(about.get("system"), dict),
        "images": is_count(about.get("images")),
        "classes": isinstance(classes, list) and all(isinstance(name, str) for name in classes),
    }
    return next((f"no {name} of the right kind" for name in sound if not sound[name]), "")
