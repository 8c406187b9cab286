"""Open ESRGAN's and Real-ESRGAN's networks in the two files of ncnn: layers as text (.param), weights as bytes (.bin).

The layers of a .param file are in the order of computation, and so are the weights in the .bin file. Names are not kept
there; where weights belong follows from their order, once the layers are known to compute what the network computes.
Anything but these two networks is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
DENSE = 5  # convolutions of a dense block, three of which are one of RRDB's
# Layers and their settings: https://github.com/Tencent/ncnn/blob/master/docs/developer-guide/operators.md
PLAIN = "1=3 4=1 5=1"  # a convolution of 3 x 3 that keeps the size, with a bias
LEAKY = f"{PLAIN} 9=2 -23310=1,0.2"  # and a leaky ReLU of slope 0.2
RESIDUAL = "0=1 -23301=2,0.2,1"  # a sum, of the first times 0.2
SIZES = {"Convolution": {"0", "6"}, "PReLU": {"0"}, "Input": {"0", "1", "2"}}  # settings that the weights decide
NEUTRAL = {  # settings that change nothing, and so may be written or not
    "Input": "",
    "Split": "",
    "Convolution": "11=3 2=1 12=1 3=1 13=1 14=1 15=1 16=1 18=0 8=0 9=0 19=0",
    "PReLU": "",
    "Concat": "0=0",
    "Eltwise": "",
    "BinaryOp": "0=0 1=0 2=0",
    "Interp": "3=0 4=0 5=0 6=0",
    "PixelShuffle": "1=0",
}


@dataclass(frozen=True)
class _Layer:
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    settings: dict[str, str]

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
    def does(self) -> frozenset[tuple[str, tuple[float, ...]]]:
        """What the settings say beyond sizes and what changes nothing.

        Raises:
            Unreadable: one of them is not of numbers.
        """
        try:
            said = {
                (key, tuple(map(float, value.split(","))))
                for settings in (self.settings, _settings(NEUTRAL[self.kind].split()))
                for key, value in settings.items()
                if key not in SIZES.get(self.kind, ())
            }
        except ValueError:
            raise Unreadable(f"a layer {self.kind} has a setting that is not a number") from None
        return frozenset(said)


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
        kind, _, *counts = (words := line.split())[:4]
        if kind not in NEUTRAL:
            raise Unreadable(f"its layer {kind[:40]} is of another network")
        before, after = (count_in(count) for count in counts) if len(counts) == 2 else (None, None)
        if before is None or after is None or len(words) < 4 + before + after:
            raise Unreadable(f"a layer {kind} does not name what it reads and gives")
        names, settings = words[4 : 4 + before + after], words[4 + before + after :]
        layers.append(_Layer(kind, tuple(names[:before]), tuple(names[before:]), _settings(settings)))
    return layers


def _settings(words: Iterable[str]) -> dict[str, str]:
    return {key: value for key, _, value in (word.partition("=") for word in words)}


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
    slopes = sum(layer.kind == "PReLU" for layer in layers)
    if slopes:
        names = []
        for index in range(0, 2 * slopes, 2):
            names += [f"body.{index}.weight", f"body.{index}.bias", f"body.{index + 1}.weight"]
        names += [f"body.{2 * slopes}.weight", f"body.{2 * slopes}.bias"]
        build, title = compact, "Real-ESRGAN's compact network"
    else:
        blocks = (len(found) // 2 - 6) // (3 * DENSE)
        parts = [f"body.{b}.rdb{r}.conv{c}" for b in range(blocks) for r in (1, 2, 3) for c in range(1, DENSE + 1)]
        ends = ["conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
        names = [f"{name}.{part}" for name in ["conv_first", *parts, *ends] for part in ("weight", "bias")]
        build, title = rrdb, "ESRGAN's RRDBNet"
    if not all(bool(tensor.isfinite().all()) for tensor in found):
        raise Unreadable("some of its weights are not numbers")
    other = Unreadable("its layers are those of another network")
    if len(names) != len(found):
        raise other
    weights: Weights = dict(zip(names, found, strict=True))
    try:
        with no_larger_than(weights):
            network = build(weights)
        network.load_state_dict(weights)
    except (KeyError, IndexError, ArithmeticError, RuntimeError):
        raise other from None
    expected = _compact_layers(slopes, int(network.scale)) if slopes else _rrdb_layers(blocks)  # type: ignore[arg-type]
    known: dict[object, int] = {}
    if _computed(expected, known) != _computed(layers, known):
        raise other
    return network, title


def _computed(layers: list[_Layer], known: dict[object, int]) -> int:
    """The number of what the last layer gives; what is computed in the same way has the same number in `known`.

    Raises:
        Unreadable: a layer reads what none before it gives, or gives what another gives.
    """
    given: dict[str, int] = {}
    result, weighted, images = -1, 0, 0
    for layer in layers:
        if not given.keys() >= set(layer.inputs) or given.keys() & set(layer.outputs):
            raise Unreadable(f"a layer {layer.kind} reads what no layer gives, or gives what another does")
        read = [given[name] for name in layer.inputs]
        if layer.kind == "Split" and len(read) == 1:
            result = read[0]
        else:
            # Layers with weights differ by them, and so by their place; a sum does not depend on its order.
            weighted += layer.kind in ("Convolution", "PReLU")
            images += layer.kind == "Input"
            place = {"Convolution": weighted, "PReLU": weighted, "Input": images}.get(layer.kind, 0)
            order = tuple(sorted(read) if layer.kind == "BinaryOp" else read)
            result = known.setdefault((layer.kind, place, layer.does, order), len(known))
        given |= dict.fromkeys(layer.outputs, result)
    return result


class _Layers(list[_Layer]):
    def add(self, kind: str, settings: str, *inputs: str) -> str:
        """Append a layer; the name of what it gives."""
        name = str(len(self))
        self.append(_Layer(kind, inputs, (name,), _settings(settings.split())))
        return name


def _compact_layers(slopes: int, scale: int) -> _Layers:
    made = _Layers()
    x = low = made.add("Input", "")
    for _ in range(slopes):
        x = made.add("PReLU", "", made.add("Convolution", PLAIN, x))
    added = made.add("PixelShuffle", f"0={scale}", made.add("Convolution", PLAIN, x))
    made.add("BinaryOp", "", added, made.add("Interp", f"0=1 1={scale} 2={scale}", low))
    return made


def _rrdb_layers(blocks: int) -> _Layers:
    made = _Layers()
    x = first = made.add("Convolution", PLAIN, made.add("Input", ""))
    for _ in range(blocks):
        outer = x
        for _ in range(3):
            found = [x]
            for _ in range(1, DENSE):
                read = made.add("Concat", "", *found) if len(found) > 1 else x
                found.append(made.add("Convolution", LEAKY, read))
            x = made.add("Eltwise", RESIDUAL, made.add("Convolution", PLAIN, made.add("Concat", "", *found)), x)
        x = made.add("Eltwise", RESIDUAL, x, outer)
    x = made.add("BinaryOp", "", first, made.add("Convolution", PLAIN, x))
    for _ in range(2):
        x = made.add("Convolution", LEAKY, made.add("Interp", "0=1 1=2 2=2", x))
    made.add("Convolution", PLAIN, made.add("Convolution", LEAKY, x))
    return made
