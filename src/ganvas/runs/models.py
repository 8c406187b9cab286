"""Where a model's weights lie: in a run, in a file, or in the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from ganvas.errors import InputError
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder


def shipped() -> dict[str, Path]:
    """The models that the package brings, by name."""
    folder = Path(str(files("ganvas"))) / "models"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def find(model: str | Path, which: Literal["last", "best"] = "last") -> Path:
    """The file of a model: a .safetensors file itself, a run's newest or best state, or one that the package brings.

    Raises:
        InputError: there is none.
    """
    path = Path(model)
    if path.is_file():
        return path
    if not path.exists():
        named = shipped()
        if str(model) in named:
            return named[str(model)]
        brought = f", and the models {', '.join(named)} come with ganvas" if named else ""
        raise InputError(f"there is no {path}; ganvas runs lists the runs there are{brought}.")
    folder = RunFolder(path)
    best = folder.checkpoints / "best.safetensors"
    # A lengthened run is ahead of the model of its first end; one that ended early left its best as its model.
    newest = [folder.model] if folder.ended_early() else [*folder.states(), folder.model]
    candidates = [best] if which == "best" else newest
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise InputError(f"{path} holds no {which} state yet; train the run first, or give the other one.")


def generator_weights(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of the generator to use, the moving average where there is one, and what the file says of itself.

    Raises:
        InputError: the file is damaged or none of ours.
    """
    try:
        tensors, about = checkpoint.load(file)
    except checkpoint.Damaged as error:
        raise InputError(f"{error}; give another checkpoint of the run, or train it again.") from None
    prefix = "ema." if any(name.startswith("ema.") for name in tensors) else "g."
    weights = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    # Models that are passed on are stored in half precision.
    return {n: t.float() if t.is_floating_point() else t for n, t in weights.items()}, about
