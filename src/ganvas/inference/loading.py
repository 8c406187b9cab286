"""The one loader: a run folder, a checkpoint, a model file, a bundled model or a foreign one -> its predictor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ganvas import registry
from ganvas.errors import InputError
from ganvas.files import plain_name
from ganvas.inference.base import Descriptor, Model, Predictor
from ganvas.inference.importers.foreign import read_foreign
from ganvas.nn.building import no_larger_than
from ganvas.nn.device import on_device
from ganvas.recipe.system import System
from ganvas.runs.models import bundled, find, generator_weights, packaged, player_weights
from ganvas.systems import read_system
from ganvas.untrusted import Unreadable, expect_file

Which = Literal["last", "best"]
P = TypeVar("P", bound=Predictor)

LICENCE = "MIT"  # of the bundled models, but for these, which started from others
LICENCES = {"photo-x4": "BSD-3-Clause"}
PACKAGED_LICENCE = "BSD-3-Clause"  # of the published Real-ESRGAN
STARTS = {"srgan-x4": "srresnet-x4"}  # the bundled SRResNet that a bundled SRGAN started from


def open(model: str | Path, *, which: Which = "last", device: str = "cpu", **options: Any) -> Predictor:
    """Open a model as a `Generator`, an `Upscaler`, a `PointGenerator` or another predictor; `about` describes it.

    Args:
        model: a run folder, a file of weights, or the name of a bundled model.
        which: the newest or the best measured checkpoint, if `model` is a run.
        device: where to compute.
        options: options of the predictor, such as `strength`, `precision` and `tile` of an `Upscaler`.

    Raises:
        InputError: the model does not exist or is damaged, or an option is invalid.
    """
    return open_as(Predictor, model, which=which, device=device, **options)  # type: ignore[type-abstract]


def open_as(kind: type[P], model: str | Path, *, which: Which = "last", device: str = "cpu", **options: Any) -> P:
    """Open a model for callers that need one kind of predictor.

    Raises:
        InputError: see `open`; or the model is of another kind, and the message names the command for it.
    """
    found = read_model(model, which)
    predictor = predictor_of(found.about.task)
    if not issubclass(predictor, kind):
        raise InputError(
            f"{model} {predictor.does}, but a model that {kind.does} is needed; give one, or use"
            f" {predictor.use.format(model=model)}."
        )
    on_device(found.network, device)
    made = predictor.load(found, **options)
    made.network = found.network
    if found.system:
        system, file = found.system, find(model, which)
        made.read_discriminator = lambda: _discriminator(system, file, device)
    return made


def _discriminator(system: System, file: Path, device: str) -> nn.Module:
    weights, _ = player_weights(file, "d")
    if not weights:
        raise InputError(
            f"{file} holds the generator alone; give ganvas.open the folder of a run, or which='best' if the run ended"
            " early."
        )
    network = network_of(system.discriminator, weights, str(file))
    return on_device(network.eval().requires_grad_(False), device)


def predictor_of(task: str) -> type[Predictor]:
    """The predictor that opens the systems of a task.

    Raises:
        InputError: no such predictor is defined.
    """
    registry.load("ganvas.inference")
    known = {kind.task: kind for kind in registry.concrete(Predictor) if kind.task}  # type: ignore[type-abstract]
    if task not in known:
        raise InputError(
            f"no predictor opens the task {task!r} (available: {', '.join(known)}); import the file that defines one."
        )
    return known[task]


def read_model(model: str | Path, which: Which = "last") -> Model:
    """Read the network of a run, a file or a bundled model; a generator's moving average if there is one.

    Raises:
        InputError: the model does not exist or is damaged.
    """
    file = find(model, which)
    if not is_own(file):
        made = _finite(read_foreign(file), file)
        name = next((name for name, known in packaged().items() if known == file), "")
        return replace(made, about=replace(made.about, name=name, licence=PACKAGED_LICENCE)) if name else made
    weights, header = generator_weights(file)
    system = read_system(header["system"], str(file))
    classes = tuple(header.get("classes", ()))
    if len(classes) != system.classes:
        raise InputError(
            f"{file} is damaged: it names {len(classes)} classes, but its system has {system.classes}; train the model"
            " again."
        )
    names = header.get("names")
    names = names if isinstance(names, dict) else {}
    network = network_of(system.generator, weights, str(file))
    is_bundled = file in bundled().values()
    about = Descriptor(
        # A header is anybody's, and the name becomes part of the names of files.
        name=file.stem if is_bundled else plain_name(str(header["run"])) or "model",
        task=system.task,
        inputs=predictor_of(system.task).inputs,
        scale=getattr(system, "scale", 1),
        channels=getattr(system, "channels", 0),
        classes=classes,
        licence=LICENCES.get(file.stem, LICENCE) if is_bundled else header.get("licence", ""),
        images_seen=header["images"],
        start=STARTS.get(file.stem, "") if is_bundled else header.get("start", ""),
        network=type(system).__name__,
        restores=getattr(system, "restores", False),
    )
    return _finite(Model(network.eval().requires_grad_(False), about, system, names=names), file)


def starting_weights(file: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights of a generator that a training may start from, by name, and what is known about them.

    Those of another program's network fit a system that names its weights as that program does, such as `esrgan`.

    Raises:
        InputError: the file is damaged, or no network that is known, or it has weights that are not numbers.
    """
    if is_own(file):
        weights, about = generator_weights(file)
    else:
        weights, about = dict(read_foreign(file).network.state_dict()), {"run": plain_name(file.stem), "system": {}}
    _expect_finite(weights, file)
    return weights, {"images": 0} | about


def _finite(model: Model, file: Path) -> Model:
    _expect_finite(model.network.state_dict(), file)
    return model


def _expect_finite(weights: Mapping[str, Tensor], file: Path) -> None:
    """Refuse a network that can only make nonsense."""
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise InputError(
                f"{file} has weights that are not numbers (NaN or infinite, first in {name}): its training diverged, or"
                " the file is damaged; use an earlier state of the run (--which best), or another file."
            )


def network_of(build: Callable[[], nn.Module], weights: dict[str, Tensor], where: str) -> nn.Module:
    """The network that a file describes, with the file's weights.

    Args:
        build: makes it from its description.
        where: the file, for messages.

    Raises:
        InputError: the weights are not those of the network.
    """
    try:
        with no_larger_than(weights):
            network = build()
        network.load_state_dict(weights)
    except (RuntimeError, MemoryError, OverflowError) as error:
        reason = (str(error) or "it needs too much memory").splitlines()[0]
        raise InputError(f"the weights in {where} do not match its system ({reason}); train the model again.") from None
    return network


def is_own(file: Path) -> bool:
    """Whether ganvas wrote a file, or might have written it before it was damaged."""
    try:
        expect_file(file)
        with safe_open(file, "pt") as opened:
            return "ganvas" in (opened.metadata() or {})
    except (SafetensorError, Unreadable, OSError):
        return file.suffix.lower() == ".safetensors"
