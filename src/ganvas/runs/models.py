"""Where a model's weights lie: in a run, in a file, or in the package. Finding them imports no torch."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ganvas.errors import InputError, nearest
from ganvas.runs.folder import RunFolder

if TYPE_CHECKING:
    from torch import Tensor


def bundled() -> dict[str, Path]:
    """The models in the package, by name."""
    folder = Path(str(files("ganvas"))) / "models"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def find(model: str | Path, which: Literal["last", "best"] = "last") -> Path:
    """The file of a model: a file itself, a run's newest or best state, or a bundled model.

    Raises:
        InputError: there is none.
    """
    path = Path(model)
    if path.is_file():
        return path
    if not path.exists():
        named = bundled()
        if str(model) in named:
            return named[str(model)]
        raise InputError(
            f"there is no {path}{nearest(str(model), named)}; ganvas runs lists the runs, and the bundled models are"
            f" {', '.join(named)}."
        )
    folder = RunFolder(path)
    best = folder.checkpoints / "best.safetensors"
    # A lengthened run is ahead of the model of its first end; one that ended early left its best as its model.
    newest = [folder.model] if folder.ended_early() else [*folder.states(), folder.model]
    candidates = [best] if which == "best" else newest
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    other = "last" if which == "best" else "best"
    raise InputError(f"{path} holds no {which} state yet; train the run first, or give --which {other}.")


def generator_weights(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of the generator to use, the moving average where there is one, and what the file says of itself.

    Raises:
        InputError: the file is damaged or none of ours.
    """
    from ganvas.runs import checkpoint

    try:
        tensors, about = checkpoint.load(file)
    except checkpoint.Damaged as error:
        raise InputError(f"{error}; give another checkpoint of the run, or train it again.") from None
    prefix = "ema." if any(name.startswith("ema.") for name in tensors) else "g."
    weights = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    # Models that are passed on are stored in half precision.
    return {n: t.float() if t.is_floating_point() else t for n, t in weights.items()}, about
