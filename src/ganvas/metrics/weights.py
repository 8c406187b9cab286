"""Published weights: where they lie, how they get there, and how they are read."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import InputError
from ganvas.files import kept_in

if TYPE_CHECKING:
    from torch import Tensor

HASH = 12  # characters of a SHA-256 that are shown
TIMEOUT = 20.0  # seconds without an answer after which the download counts as failed


def weights_dir() -> Path:
    """Where weights that no package brings live."""
    return kept_in("GANVAS_WEIGHTS", "weights")


def fetched(what: str, names: Sequence[str], url: str, sha256: str, instead: str) -> Path:
    """The file of weights in $GANVAS_WEIGHTS, else a folder in the user's cache; downloaded there if it is absent.

    Args:
        what: the weights are of, in the error.
        names: of the file; a download gets the first.
        url: to download it from.
        sha256: of its content; that of a file already there is left to `read_weights`.
        instead: the option that does without it, in the error.

    Raises:
        InputError: it is neither there nor available.
    """
    import torch

    folder = weights_dir()
    for name in names:
        if (folder / name).is_file():
            return folder / name
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Into a temporary file beside it, which is renamed once its hash is right.
        torch.hub.download_url_to_file(url, str(folder / names[0]), sha256, progress=False)
    except Exception as error:  # no network, a broken answer, a read-only folder
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the weights of {what} are not available and could not be downloaded ({reason}); put {names[0]}"
            f" into {folder}, name another folder in GANVAS_WEIGHTS, or give {instead}."
        ) from None
    finally:
        socket.setdefaulttimeout(before)
    return folder / names[0]


def read_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    """Read the tensors of a .pth file whose content is known.

    torch's reader for weights alone makes tensors of it and nothing else, whatever the file says.

    Raises:
        InputError: the SHA-256 of the file does not begin with `sha256`, or it holds no tensors.
    """
    from ganvas.nn.pth import read_pth

    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if not found.startswith(sha256):
        raise InputError(
            f"{path} is not the file it should be (its SHA-256 begins {found[:HASH]}, not {sha256[:HASH]}); delete it"
            " and fetch it again."
        )
    state: dict[str, Any] = read_pth(path)
    return state
