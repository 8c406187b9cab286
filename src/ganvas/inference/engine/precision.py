"""Choose the fastest precision on this machine with no visible difference: tried on the image itself, then cached."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganvas.errors import InputError
from ganvas.files import kept_in, write_text
from ganvas.inference.engine.cpu_kernels import fuse_for_cpu, optimize_for_cpu
from ganvas.inference.engine.raster import ArrayRaster, Raster
from ganvas.inference.engine.tiling import Engine, InvalidResult, Tiling
from ganvas.machine import out_of_memory, processor
from ganvas.untrusted import read_object

FAITHFUL = 50.0  # dB against fp32: an error below one step of 8 bits on average
SIDE = 96  # side in pixels of the part of the image that candidates are tried on
SECONDS = 0.6  # time for each candidate


@dataclass(frozen=True)
class PrecisionTrial:
    """The trial of one candidate.

    Attributes:
        seconds: time per megapixel of the result.
        decibels: PSNR against the result in fp32; infinite if they are equal.
    """

    name: str
    seconds: float
    decibels: float


def table(trials: Sequence[PrecisionTrial]) -> str:
    """The candidates, one per line, with a star before the chosen one."""
    taken = _best(trials)
    lines = ["   precision  s per megapixel  dB against fp32"]
    for trial in trials:
        mark = "*" if trial is taken else " "
        lines.append(f" {mark} {trial.name:<10} {trial.seconds:15.2f}  {trial.decibels:15.1f}")
    return "\n".join(lines)


def exact_engine(network: nn.Module, scale: int, device: torch.device, channels: int = 3, smallest: int = 1) -> Engine:
    """The reference engine: fp32, batch normalization folded into the convolutions, and activations on the CPU."""
    with suppress(Exception):  # a network that cannot be traced stays unchanged
        network = _folded(network)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    engine = Engine(network, scale, device, smallest=smallest, channels=channels)
    if engine.graph and device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        fuse_for_cpu(engine.graph)
    return engine


def _folded(network: nn.Module) -> nn.Module:
    """The network with every batch normalization folded into the convolution before it."""
    traced = fx.symbolic_trace(network)
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        norm = modules.get(str(node.target)) if node.op == "call_module" else None
        before = node.args[0] if isinstance(norm, nn.BatchNorm2d) else None
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        convolution = modules[str(before.target)]
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            traced.set_submodule(str(before.target), fuse_conv_bn_eval(convolution, norm))
            node.replace_all_uses_with(before)
            traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced


def candidates(engine: Engine) -> dict[str, Callable[[], Engine]]:
    """The other precisions that this machine supports."""

    def lower(dtype: torch.dtype, name: str) -> Callable[[], Engine]:
        def make() -> Engine:
            network = copy.deepcopy(engine.network)
            network = network if engine.exact else network.to(dtype)
            made = Engine(network, engine.scale, engine.device, dtype, name, engine.smallest, engine.channels)
            # Keep the first convolution, and so the residual sums, in fp32: gains 5 dB at no cost.
            for layer in made.convolutions()[1:]:
                layer.to(dtype)
            if made.graph and made.device.type == "cpu":
                optimize_for_cpu(made.graph)
            return made

        return make

    if engine.device.type == "cuda":
        return {"fp16": lower(torch.float16, "fp16"), "bf16": lower(torch.bfloat16, "bf16")}
    if engine.device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return {"bf16": lower(torch.bfloat16, "bf16")}
    return {}


def fastest_engine(engine: Engine, image: Raster) -> tuple[Engine, tuple[PrecisionTrial, ...]]:
    """The fastest engine with at least FAITHFUL dB, and all trials; from the cache if this model was tried before.

    Where there is only one, nothing is tried.
    """
    made = candidates(engine)
    if not made:
        return engine, ()
    key = _key(engine)
    kept = _read_cache()
    trials = [PrecisionTrial(**trial) for trial in kept.get(key, [])]
    if {trial.name for trial in trials} != {engine.name, *made}:
        trials = _tried(engine, made, _sample(image, engine.period))
        _write_cache({**kept, key: [asdict(trial) for trial in trials]})
    best = _best(trials)
    return (made[best.name]() if best.name in made else engine), tuple(trials)


def _best(trials: Sequence[PrecisionTrial]) -> PrecisionTrial:
    return min((t for t in trials if t.decibels >= FAITHFUL), key=lambda trial: trial.seconds)


def _tried(engine: Engine, made: dict[str, Callable[[], Engine]], sample: Raster) -> list[PrecisionTrial]:
    pixels = sample.height * sample.width * engine.scale**2 / 1e6
    engines = {engine.name: engine}
    results: dict[str, Tensor] = {}
    seconds: dict[str, float] = {}
    for name, make in made.items():
        with suppress(RuntimeError):  # not supported after all
            engines[name] = make()
    began = time.perf_counter()
    rounds = 0
    # Take turns, so that other programs slow all candidates equally; the first round is for warm-up.
    while rounds < 2 or (time.perf_counter() - began < SECONDS * len(engines) and rounds < 8):
        for name, one in list(engines.items()):
            start = time.perf_counter()
            try:
                results[name] = torch.cat(list(Tiling(one, sample).parts()), 2)
            except (InvalidResult, RuntimeError) as error:
                if one is engine or (isinstance(error, RuntimeError) and out_of_memory(error)):
                    raise
                del engines[name]
                continue
            if rounds:
                seconds[name] = min(seconds.get(name, math.inf), time.perf_counter() - start)
        rounds += 1
    exact = _visible(results[engine.name])
    return [
        PrecisionTrial(
            name, seconds[name] / pixels, _decibels(exact, _visible(results[name])) if name in engines else 0.0
        )
        if name in seconds
        else PrecisionTrial(name, math.inf, 0.0)
        for name in [engine.name, *made]
    ]


def _visible(result: Tensor) -> Tensor:
    return ((result + 1) / 2).clamp(0, 1)


def _decibels(one: Tensor, other: Tensor) -> float:
    error = float((one - other).double().square().mean())
    return -10 * math.log10(error) if error else math.inf


def _sample(image: Raster, period: int) -> ArrayRaster:
    """The centre of an image, SIDE x SIDE pixels or whole periods; smaller images are mirrored to that size."""
    side = -(-SIDE // period) * period
    height, width = min(side, image.height), min(side, image.width)
    middle = image.region((image.height - height) // 2, (image.width - width) // 2, height, width)
    return ArrayRaster(np.pad(middle, ((0, side - height), (0, side - width), (0, 0)), mode="symmetric"))


def _key(engine: Engine) -> str:
    """The cache key of this model on this machine."""
    digest = hashlib.sha256()
    for name, tensor in engine.network.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {float(tensor.double().sum()):.17g}".encode())
    device = torch.cuda.get_device_name(engine.device) if engine.device.type == "cuda" else processor()
    return f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}, {digest.hexdigest()[:16]}"


def _cache() -> Path:
    return kept_in("GANVAS_CACHE", "") / "precision.json"


def _read_cache() -> dict[str, Any]:
    with suppress(InputError):
        return read_object(_cache())
    return {}


def _write_cache(choices: dict[str, Any]) -> None:
    with suppress(InputError):  # with a read-only home, the trials only run again next time
        write_text(_cache(), json.dumps(choices, indent=1) + "\n")
