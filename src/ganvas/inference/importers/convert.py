"""Open the checkpoints of other programs without running code that they may hold, and convert them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ganvas.data._torchvision import datasets
from ganvas.errors import InputError
from ganvas.files import write_atomically
from ganvas.inference.importers.networks import IMAGENET, Leftthomas, MSRResNet, RRDBNet, Tutorial, Values
from ganvas.inference.opening import halved
from ganvas.inference.upscaler_models import Loaded
from ganvas.nn.pth import CodeInside, read_pth

Weights = dict[str, Tensor]

_WITHIN = ("params_ema", "params", "state_dict", "model_state_dict", "model", "generator", "netG", "net_g", "weights")
_REMEDY = "give a checkpoint of sgrvinod's tutorial, BasicSR, ESRGAN or leftthomas's SRGAN, or one that spandrel knows"


@dataclass(frozen=True)
class Kind:
    """A family of checkpoints: a name that its weights have, and how to build its network."""

    name: str
    key: str
    build: Callable[[Weights], nn.Module]
    wrap: Callable[[nn.Module], Values] = Values


KINDS = (
    Kind(
        "sgrvinod's SRResNet",
        "subpixel_convolutional_blocks.0.conv.weight",
        Tutorial,
        lambda network: Values(network, *IMAGENET, signed=True),
    ),
    Kind("leftthomas's SRGAN", "block2.conv1.weight", Leftthomas),
    Kind("BasicSR's MSRResNet", "upconv1.weight", MSRResNet),
    Kind("ESRGAN's RRDBNet", "body.0.rdb1.conv1.weight", RRDBNet),
)


def read_foreign(path: Path) -> Loaded:
    """Open a .pth, .pt or .safetensors file of another program.

    Raises:
        InputError: it is damaged, holds code, or is of a network that is not known.
    """
    weights = read_state(path)
    kind = next((kind for kind in KINDS if kind.key in weights), None)
    if kind is None:
        return _by_spandrel(weights, path)
    try:
        network = kind.build(weights)
        network.load_state_dict(weights)
    except (RuntimeError, KeyError, ValueError, IndexError, AttributeError):
        return _by_spandrel(weights, path, f"it looks like {kind.name}, but its weights do not fit")
    first = next(network.parameters())
    wrapped = kind.wrap(network).eval().requires_grad_(False)
    return Loaded(wrapped, path.stem, int(network.scale), first.shape[1], kind=kind.name)  # type: ignore[arg-type]


def read_state(path: Path) -> Weights:
    """The tensors of a checkpoint by the names that we know, in fp32.

    Raises:
        InputError: it is damaged, holds code or no weights.
    """
    try:
        content: Any = load_file(path) if path.suffix == ".safetensors" else read_pth(path)
    except CodeInside as error:
        raise InputError(
            f"{path} holds code besides weights ({error}), which ganvas does not run; in the program that made it, save"
            " the weights alone: torch.save(model.state_dict(), FILE)."
        ) from None
    except (SafetensorError, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path} cannot be read as a checkpoint ({reason}); fetch or copy it again.") from None
    while isinstance(content, dict) and (inner := next((n for n in _WITHIN if isinstance(content.get(n), dict)), "")):
        content = content[inner]
    if not isinstance(content, dict) or not content or not all(isinstance(t, Tensor) for t in content.values()):
        raise InputError(f"{path} holds no weights by name; {_REMEDY}.")
    return _renamed({_bare(str(n)): t.float() if t.is_floating_point() else t for n, t in content.items()})


def convert(source: Path, target: Path, *, half: bool = False) -> Loaded:
    """Write a foreign checkpoint as a safetensors file that ganvas, and others, open without unpickling.

    Args:
        half: store the weights with 16 bits, which any use turns back into 32.

    Raises:
        InputError: it cannot be opened, a weight is too large for 16 bits, or the file cannot be written.
    """
    if target.suffix != ".safetensors":
        raise InputError(f"--out {target} must end in .safetensors.")
    loaded = read_foreign(source)
    weights = {name: t.contiguous() for name, t in read_state(source).items()}
    weights = halved(weights, source) if half else weights
    header = {"source": source.name, "kind": loaded.kind, "scale": str(loaded.scale)}
    write_atomically(target, lambda part: save_file(weights, part, header))
    return loaded


# ESRGAN's two older ways to name its parts, as BasicSR names them now; in this order.
_OLD = (
    (r"^RRDB_trunk\.", "body."),
    (r"^trunk_conv\.", "conv_body."),
    (r"^upconv([12])\.", r"conv_up\1."),
    (r"^HRconv\.", "conv_hr."),
    (r"\.RDB([123])\.", r".rdb\1."),
    (r"(rdb[123]\.conv[1-5])\.0\.", r"\1."),
    (r"^model\.0\.", "conv_first."),
    (r"^model\.1\.sub\.(\d+)\.(?=rdb)", r"body.\1."),
    (r"^model\.1\.sub\.\d+\.", "conv_body."),
    (r"^model\.3\.", "conv_up1."),
    (r"^model\.6\.", "conv_up2."),
    (r"^model\.8\.", "conv_hr."),
    (r"^model\.10\.", "conv_last."),
)


def _renamed(weights: Weights) -> Weights:
    if not any(".RDB1." in name for name in weights):
        return weights
    return {_replaced(name): tensor for name, tensor in weights.items()}


def _replaced(name: str) -> str:
    for old, new in _OLD:
        name = re.sub(old, new, name)
    return name


def _bare(name: str) -> str:
    """Without what wrapping a network for several devices, or in the tutorial's Generator, put before it."""
    return re.sub(r"^(module\.|net\.(?=conv_block|residual|subpixel))+", "", name)


def _by_spandrel(weights: Weights, path: Path, but: str = "its network is none of those known here") -> Loaded:
    try:
        datasets()  # torchvision, which spandrel loads, needs care beside some builds of torch
        from spandrel import ImageModelDescriptor, ModelLoader, UnsupportedModelError
    except ImportError:
        raise InputError(
            f"{path} cannot be used: {but}; pip install 'ganvas[foreign]' adds the networks that spandrel knows."
        ) from None
    try:
        found = ModelLoader().load_from_state_dict(weights)
    except (UnsupportedModelError, RuntimeError, KeyError, ValueError):
        raise InputError(f"{path} cannot be used: {but}; {_REMEDY}.") from None
    if not isinstance(found, ImageModelDescriptor) or found.scale < 2 or found.input_channels not in (1, 3):
        raise InputError(
            f"{path} holds a network ({found.architecture.name}) that does not enlarge pictures; {_REMEDY}."
        )
    network = Values(Sized(found) if _demanding(found) else found.model.eval())
    kind = f"{found.architecture.name}, by spandrel"
    return Loaded(network.eval().requires_grad_(False), path.stem, found.scale, found.input_channels, kind=kind)


def _demanding(found: Any) -> bool:
    sizes = found.size_requirements
    return bool(sizes.minimum > 1 or sizes.multiple_of > 1 or sizes.square)


class Sized(nn.Module):
    """A network that takes some sizes only, with what spandrel does to make every size fit."""

    def __init__(self, found: Any) -> None:
        super().__init__()
        self.network, self.found = found.model.eval(), found

    def forward(self, low: Tensor) -> Tensor:
        """(1, C, h, w) in [0, 1] -> (1, C, scale h, scale w) in [0, 1]"""
        high: Tensor = self.found(low)
        return high
