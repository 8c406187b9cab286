"""Open the checkpoints of other programs without running any code in them.

Three families that spandrel does not know are defined here, and those of ganvas's own `esrgan` are opened by that;
spandrel, from the extra `foreign`, opens all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas.errors import InputError
from ganvas.inference.base import Descriptor, Model
from ganvas.inference.importers.ncnn import read_ncnn
from ganvas.inference.importers.networks import (
    IMAGENET,
    LeftthomasSRGAN,
    MSRResNet,
    TutorialSRResNet,
    UnitRange,
    Weights,
    compact,
    rrdb,
)
from ganvas.nn.building import no_larger_than
from ganvas.nn.pth import CodeInside, read_pth
from ganvas.untrusted import Unreadable, expect_file

_WITHIN = ("params_ema", "params", "state_dict", "model_state_dict", "model", "generator", "netG", "net_g", "weights")
_REMEDY = "give a checkpoint of sgrvinod's tutorial, BasicSR, ESRGAN, leftthomas's SRGAN or one that spandrel supports"


@dataclass(frozen=True)
class Family:
    """A family of checkpoints: a key that identifies its weights, and how to build its network."""

    name: str
    key: str
    build: Callable[[Weights], nn.Module]
    wrap: Callable[[nn.Module], nn.Module] = UnitRange
    restores: bool = False


def _as_it_is(network: nn.Module) -> nn.Module:
    return network


FAMILIES = (
    Family(
        "sgrvinod's SRResNet",
        "subpixel_convolutional_blocks.0.conv.weight",
        TutorialSRResNet,
        lambda network: UnitRange(network, *IMAGENET, signed=True),
    ),
    Family("leftthomas's SRGAN", "block2.conv1.weight", LeftthomasSRGAN),
    Family("BasicSR's MSRResNet", "body.0.conv1.weight", MSRResNet),
    Family("ESRGAN's RRDBNet", "body.0.rdb1.conv1.weight", rrdb, _as_it_is, True),
    Family("Real-ESRGAN's compact network", "body.1.weight", compact, _as_it_is, True),
)


def read_foreign(path: Path) -> Model:
    """Open a .pth, .pt or .safetensors file of another program, or a .param file of ncnn.

    Raises:
        InputError: it is damaged, contains code, or its network is unknown.
    """
    if path.suffix.lower() == ".param":
        network, name = read_ncnn(path)
        return _model(network, path, int(network.scale), next(network.parameters()).shape[1], name)  # type: ignore[arg-type]
    weights = read_weights(path)
    family = next((family for family in FAMILIES if family.key in weights), None)
    if family is None:
        return _by_spandrel(weights, path)
    try:
        with no_larger_than(weights):
            network = family.build(weights)
        network.load_state_dict(weights)
    except Exception:  # the shapes of damaged weights lead anywhere
        return _by_spandrel(weights, path, f"it looks like {family.name}, but its weights do not match")
    first, scale = next(network.parameters()), int(network.scale)  # type: ignore[arg-type]
    return _model(family.wrap(network), path, scale, first.shape[1], family.name, restores=family.restores)


def read_weights(path: Path) -> Weights:
    """The tensors of a checkpoint in fp32, by their names without wrappers' prefixes.

    Raises:
        InputError: it is damaged, contains code, or contains no weights.
    """
    try:
        expect_file(path)
        content: Any = load_file(path) if path.suffix.lower() == ".safetensors" else read_pth(path)
    except CodeInside as error:
        raise InputError(
            f"{path} contains code besides weights ({error}), which ganvas does not run; in the program that made it,"
            " save only the weights: torch.save(model.state_dict(), FILE)."
        ) from None
    except (SafetensorError, Unreadable, RuntimeError, EOFError, OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path} is damaged or not a checkpoint ({reason}); download or copy it again.") from None
    for _ in _WITHIN:  # a checkpoint may contain itself
        if isinstance(content, dict):
            content = next((content[name] for name in _WITHIN if isinstance(content.get(name), dict)), content)
    if not isinstance(content, dict) or not content or not all(isinstance(t, Tensor) for t in content.values()):
        raise InputError(f"{path} contains no named weights; {_REMEDY}.")
    if strange := next((str(n) for n, t in content.items() if t.is_complex()), ""):
        raise InputError(f"{path} has complex numbers in {strange}, which no image network has; {_REMEDY}.")
    return {_bare(str(n)): t.float() if t.is_floating_point() else t for n, t in content.items()}


def _bare(name: str) -> str:
    """A weight's name without the prefix of a DataParallel wrapper or the tutorial's Generator.

    And without those of torch.compile, which wraps a network or any part of it.
    """
    name = re.sub(r"\b_orig_mod\.", "", name)
    return re.sub(r"^(module\.|net\.(?=conv_block|residual|subpixel))+", "", name)


def _model(
    network: nn.Module, path: Path, scale: int, channels: int, name: str, smallest: int = 1, restores: bool = True
) -> Model:
    if scale < 2 or channels not in (1, 3):
        raise InputError(f"{path} contains a network ({name}) that does not upscale images; {_REMEDY}.")
    about = Descriptor(path.stem, "restoration", "image", scale, channels, network=name, restores=restores)
    return Model(network.eval().requires_grad_(False), about, smallest=smallest)


def _by_spandrel(weights: Weights, path: Path, reason: str = "its network is unknown") -> Model:
    try:
        from ganvas.inference.importers._torchvision import make_importable

        make_importable()  # spandrel imports torchvision, which needs a workaround with some builds of torch
        from spandrel import ImageModelDescriptor, ModelLoader
    except ImportError:
        raise InputError(
            f"{path} cannot be opened: {reason}; run pip install 'ganvas[foreign]' for ESRGAN and the other networks"
            " that spandrel supports."
        ) from None
    try:
        with no_larger_than(weights):
            found = ModelLoader().load_from_state_dict(weights)
    except Exception:  # UnsupportedModelError, or whatever the shapes of damaged weights lead to
        raise InputError(f"{path} cannot be opened: {reason}; {_REMEDY}.") from None
    if not isinstance(found, ImageModelDescriptor):
        raise InputError(
            f"{path} contains a network ({found.architecture.name}) that does not upscale images; {_REMEDY}."
        )
    sizes = found.size_requirements
    whole = sizes.multiple_of == 1 and not sizes.square
    network = UnitRange(found.model if whole else Sized(found))
    kind = f"{found.architecture.name}, by spandrel"
    return _model(network, path, found.scale, found.input_channels, kind, sizes.minimum if whole else 1)


class Sized(nn.Module):
    """A network that accepts only some sizes, with spandrel's padding to accept every size."""

    def __init__(self, found: Any) -> None:
        super().__init__()
        self.network, self.found = found.model.eval(), found

    def forward(self, low: Tensor) -> Tensor:
        """(1, C, h, w) in [0, 1] -> (1, C, scale h, scale w) in [0, 1]"""
        high: Tensor = self.found(low)
        return high
