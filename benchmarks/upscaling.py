"""Seconds per megapixel of plain PyTorch and of ganvas, how faithful the fast way is, and the memory of 100 megapixels.

    python benchmarks/upscaling.py [--model srresnet-x4] [--photo photo.png] [--memory]

Plain is what a tutorial writes: the network in eval mode under no_grad, fp32, over the whole crop. Both are timed in
turns in one process, so that whatever else the machine does meets both alike. Without a model of that name, one of
the same layers with random weights stands in. --memory upscales 2,500 x 2,500 px to 10,000 x 10,000 px in a process
of its own, to nowhere, and prints its greatest resident memory.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from ganvas.inference.base import Descriptor
from ganvas.inference.engine.precision import candidates, exact_engine
from ganvas.inference.engine.raster import ArrayRaster, Floats
from ganvas.inference.engine.tiling import Engine, Tiling
from ganvas.inference.loading import open_as, read_model
from ganvas.inference.upscaler import Upscaler
from ganvas.runs.models import bundled
from ganvas.systems.srgan import SRGAN

CPU = torch.device("cpu")


class Endless:
    """A photograph repeated over any size, without being held."""

    channels = 3

    def __init__(self, pixels: Floats, height: int, width: int) -> None:
        self.pixels, self.height, self.width = pixels, height, width

    def region(self, top: int, left: int, height: int, width: int) -> Floats:
        """float32 (height, width, 3) in [0, 1]"""
        rows = np.arange(top, top + height) % self.pixels.shape[0]
        columns = np.arange(left, left + width) % self.pixels.shape[1]
        return self.pixels[np.ix_(rows, columns)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="srresnet-x4")
    parser.add_argument("--photo", type=Path, help="whose centre is upscaled; default: noise")
    parser.add_argument("--side", type=int, default=192, help="of the centre, in pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="also upscale 2,500 x 2,500 px; takes minutes")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    pixels = photo(given.photo, given.side)
    if given.child:
        upscale(upscaler(given.model, given.child), pixels)
        return
    times(network(given.model), pixels, given.rounds)
    if given.memory:
        for precision in ("auto",):
            command = [
                sys.executable,
                __file__,
                "--model",
                given.model,
                "--side",
                str(given.side),
                "--child",
                precision,
            ]
            command += ["--photo", str(given.photo)] if given.photo else []
            subprocess.run(command, check=True)


def network(model: str) -> tuple[nn.Module, int]:
    """The network, and how many times the sides grow."""
    if model in bundled() or Path(model).exists():
        loaded = read_model(model)
        return loaded.network, loaded.about.scale
    print(f"no model {model}: random weights in its layers")
    torch.manual_seed(0)
    made = SRGAN(norm="none", base="bilinear", final="none").generator().eval().requires_grad_(False)
    return made, 4


def upscaler(model: str, precision: str) -> Upscaler:
    """The same, opened as users do."""
    if model in bundled() or Path(model).exists():
        return open_as(Upscaler, model, precision=precision)
    made, scale = network(model)
    about = Descriptor("random", "restoration", "image", scale)
    return Upscaler(exact_engine(made, scale, CPU), about, precision=precision)  # type: ignore[arg-type]


def photo(path: Path | None, side: int) -> Floats:
    """float32 (side, side, 3) in [0, 1]"""
    if path is None:
        return np.random.default_rng(0).random((side, side, 3), dtype=np.float32)
    whole = np.asarray(Image.open(path).convert("RGB"), np.float32) / np.float32(255)
    top, left = (max(0, (length - side) // 2) for length in whole.shape[:2])
    return whole[top : top + side, left : left + side]


def times(made: tuple[nn.Module, int], pixels: Floats, rounds: int) -> None:
    """Print s/MP and dB of plain PyTorch and of every precision."""
    plain, scale = made
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None] * 2 - 1
    exact = exact_engine(plain, scale, CPU)
    engines: dict[str, Engine] = {"fp32": exact, **{name: make() for name, make in candidates(exact).items()}}
    seconds: dict[str, list[float]] = {name: [] for name in ("plain", *engines)}
    results: dict[str, torch.Tensor] = {}
    for _ in range(rounds + 1):
        for name in seconds:
            began = time.perf_counter()
            if name == "plain":
                with torch.no_grad():
                    results[name] = plain(x)
            else:
                results[name] = torch.cat(list(Tiling(engines[name], ArrayRaster(pixels)).parts()), 2)
            seconds[name].append(time.perf_counter() - began)
    megapixels = pixels.shape[0] * pixels.shape[1] * scale**2 / 1e6
    print(f"{pixels.shape[1]} x {pixels.shape[0]} px, x{scale}, {torch.get_num_threads()} threads, {rounds} rounds")
    print("              best s/MP  median s/MP  times plain (best, median)  dB against plain")
    first = [np.min(seconds["plain"][1:]), np.median(seconds["plain"][1:])]
    for name, all_of_it in seconds.items():
        took = [np.min(all_of_it[1:]), np.median(all_of_it[1:])]
        error = float(((results[name] - results["plain"]).clamp(-2, 2) / 2).double().square().mean())
        decibels = f"{-10 * np.log10(error):.1f}" if error else "equal"
        ratios = f"{first[0] / took[0]:.2f}, {first[1] / took[1]:.2f}"
        print(f"{name:<12}{took[0] / megapixels:11.2f}{took[1] / megapixels:13.2f}{ratios:>28}{decibels:>18}")


def upscale(model: Upscaler, pixels: Floats) -> None:
    """Enlarge 6.25 megapixels to 100 and print the greatest resident memory."""
    side = 10_000 // model.scale
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    rows = sum(band.shape[0] for band in model.bands(Endless(pixels, side, side)))
    took = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{rows} rows of {side * model.scale} px in {took:.0f} s ({took / 100:.2f} s/MP): {model.last}")
    print(f"greatest resident memory {after / 2**20:.2f} GiB, of which {before / 2**20:.2f} GiB before the photo")


if __name__ == "__main__":
    main()
