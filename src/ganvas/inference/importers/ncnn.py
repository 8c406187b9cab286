"""Open ESRGAN's and Real-ESRGAN's networks in the two files of ncnn: layers as text (.param), weights as bytes (.bin).

The layers of a .param file are in the order of computation, and so are the weights in the .bin file. Names are not kept
there; what the layers are tells where their weights belong. Anything but these two networks is refused.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.errors import InputError
from ganvas.inference.importers.networks import Weights, compact, rrdb
from ganvas.nn.building import no_larger_than
from ganvas.untrusted import Unreadable, count_in, read_bytes

MAGIC, HALF = "7767517", 0x01306B47  # of a .param file; before weights in fp16
MOST_TEXT, MOST_WEIGHTS = 2**22, 2**28  # bytes of the files
LEAKY = {"9": "2", "-23310": "1,2.000000e-01"}  # a leaky ReLU of slope 0.2 within a convolution
DENSE = 5  # convolutions of a dense block, three of which are one of RRDB's
PLAIN = {"Input", "Split", "Concat", "Eltwise", "BinaryOp", "Interp", "PixelShuffle"}  # layers without weights


@dataclass(frozen=True)
class _Layer:
    kind: str
    settings: dict[str, str] = field(default_factory=dict)

    def number(self, key: str) -> int:
        """A setting that is a count.

        Raises:
            Unreadable: it is not there, or is none.
        """
        found = count_in(self.settings.get(key, ""))
        if found is None:
            raise Unreadable(f"a layer {self.kind} has no number {key}")
        return found

    @property
    def leaky(self) -> bool:
        return self.settings | LEAKY == self.settings


def read_ncnn(path: Path) -> tuple[nn.Module, str]:
    """The network of a .param file and the .bin file beside it, with its name.

    Raises:
        InputError: a file is missing, damaged, or of another network.
    """
    weights = path.with_suffix(".bin")
    try:
        layers = _layers(read_bytes(path, MOST_TEXT))
        found = _tensors(layers, read_bytes(weights, MOST_WEIGHTS))
        return _network(layers, found)
    except FileNotFoundError as error:
        raise InputError(f"{path} needs the file {weights.name} beside it, and {error} is missing.") from None
    except (Unreadable, OSError, RuntimeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path} cannot be opened ({reason}); give the .param file of an ESRGAN or a Real-ESRGAN at scale 4, with"
            " its .bin file, or download both again."
        ) from None


def _layers(text: bytes) -> list[_Layer]:
    magic, *lines = text.decode("ascii", "replace").splitlines() or [""]
    if magic.strip() != MAGIC:
        raise Unreadable("it is not one of ncnn's .param files")
    layers = []
    for line in filter(str.strip, lines[1:]):  # after their number
        words = line.split()
        pairs = (word.partition("=") for word in words[2:] if "=" in word)
        layers.append(_Layer(words[0], {key: value for key, _, value in pairs}))
    if strange := next((layer.kind for layer in layers if layer.kind not in PLAIN | {"Convolution", "PReLU"}), ""):
        raise Unreadable(f"its layer {strange[:40]} is of another network")
    return layers


def _tensors(layers: list[_Layer], content: bytes) -> list[Tensor]:
    """Weights and biases of the convolutions, and slopes, in order; the bytes must be all used and no more."""
    found: list[Tensor] = []
    at = 0

    def take(count: int, kind: type[np.generic]) -> Tensor:
        nonlocal at
        size = count * np.dtype(kind).itemsize
        if count < 1 or at + size > len(content):
            raise Unreadable("its .bin file ends too early")
        numbers = np.frombuffer(content, kind, count, at).astype(np.float32)
        at += -(-size // 4) * 4
        return torch.from_numpy(numbers)

    for layer in layers:
        if layer.kind == "PReLU":
            found.append(take(layer.number("0"), np.float32))
        elif layer.kind == "Convolution":
            after, count, side = layer.number("0"), layer.number("6"), layer.number("1")
            if not after or not side or count % (after * side**2):
                raise Unreadable(f"a convolution of {after} channels cannot have {count} weights")
            mark = int.from_bytes(content[at : at + 4], "little")
            if mark not in (0, HALF):
                raise Unreadable("its weights are in a form that is not known, such as of 8 bits")
            at += 4
            weight = take(count, np.float16 if mark else np.float32)
            found += [weight.view(after, -1, side, side), take(after, np.float32)]
    if at != len(content):
        raise Unreadable(f"its .bin file has {len(content) - at:,} bytes that no layer needs")
    return found


def _network(layers: list[_Layer], found: list[Tensor]) -> tuple[nn.Module, str]:
    counts = Counter(layer.kind for layer in layers)
    convolutions = [layer for layer in layers if layer.kind == "Convolution"]
    slopes = counts["PReLU"]
    if slopes:
        names = []
        for index in range(0, 2 * slopes, 2):
            names += [f"body.{index}.weight", f"body.{index}.bias", f"body.{index + 1}.weight"]
        names += [f"body.{2 * slopes}.weight", f"body.{2 * slopes}.bias"]
        leaky = [False] * len(convolutions)
        others = {"PixelShuffle": 1, "Interp": 1, "BinaryOp": 1}
        build, title = compact, "Real-ESRGAN's compact network"
    else:
        blocks = (len(convolutions) - 6) // (3 * DENSE)
        parts = [f"body.{b}.rdb{r}.conv{c}" for b in range(blocks) for r in (1, 2, 3) for c in range(1, DENSE + 1)]
        ends = ["conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
        names = [f"{name}.{part}" for name in ["conv_first", *parts, *ends] for part in ("weight", "bias")]
        leaky = [False, *([True] * (DENSE - 1) + [False]) * (3 * blocks), False, True, True, True, False]
        others = {"Concat": 3 * blocks * (DENSE - 1), "Eltwise": 4 * blocks, "Interp": 2, "BinaryOp": 1}
        build, title = rrdb, "ESRGAN's RRDBNet"
    is_like = {kind: counts[kind] for kind in PLAIN - {"Input", "Split"} if counts[kind]} == others
    if not is_like or len(names) != len(found) or [layer.leaky for layer in convolutions] != leaky:
        raise Unreadable("its layers are those of another network")
    weights: Weights = dict(zip(names, found, strict=True))
    if not all(bool(tensor.isfinite().all()) for tensor in found):
        raise Unreadable("some of its weights are not numbers")
    try:
        with no_larger_than(weights):
            network = build(weights)
        network.load_state_dict(weights)
    except (KeyError, IndexError, ArithmeticError):
        raise Unreadable("its layers are those of another network") from None
    return network, title
