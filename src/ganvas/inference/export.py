"""Export a model, ganvas's own or a foreign one, as one safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from ganvas.errors import InputError
from ganvas.files import expect_ending
from ganvas.inference.base import Descriptor
from ganvas.inference.importers.foreign import read_weights
from ganvas.inference.loading import Which, is_own, read_model
from ganvas.runs import checkpoint
from ganvas.runs.models import find, generator_weights

KEPT = ("ganvas", "run", "system", "data", "start", "classes", "names", "images")


def convert(
    model: str | Path, target: Path, *, which: Which = "last", half: bool = False, bare: bool = False
) -> Descriptor:
    """Write the generator of a run, or the weights of a foreign checkpoint; return the model's descriptor.

    Args:
        which: the newest or the best measured checkpoint, if `model` is a run.
        half: store the weights as fp16; they become fp32 again when loaded.
        bare: store the weights of a run under the network's own names, and nothing about the run: for programs that
            know the network, such as those of ESRGAN.

    Raises:
        InputError: the model cannot be opened, a weight exceeds the range of fp16, or the file cannot be written.
    """
    expect_ending(target, ".safetensors", flag="--out")
    file = find(model, which)
    about = read_model(file).about
    if is_own(file):
        if bare:
            weights, _ = generator_weights(file)
            facts = {"source": about.name, "kind": about.network}
            checkpoint.write_tensors(target, _stored(weights, half, file), facts)
            return about
        weights, header = generator_weights(file)
        kept: dict[str, Any] = {key: header[key] for key in KEPT if key in header}
        checkpoint.save(target, {f"g.{name}": t for name, t in _stored(weights, half, file).items()}, kept)
        return about
    weights = {name: t.contiguous() for name, t in _stored(read_weights(file), half, file).items()}
    facts = {"source": file.name, "kind": about.network, "scale": str(about.scale)}
    checkpoint.write_tensors(target, weights, facts)
    return about


def _stored(weights: dict[str, Tensor], half: bool, file: Path) -> dict[str, Tensor]:
    if not half:
        return weights
    made = {name: t.half() if t.is_floating_point() else t for name, t in weights.items()}
    if not all(t.isfinite().all() for t in made.values()):
        raise InputError(f"{file} has weights too large for half precision; leave out --half.")
    return made
