"""Teach the bundled photo-x4 what a large network makes of spoiled photographs: python scripts/distil_photo.py PHOTOS

PHOTOS is a folder of photographs of one size, and the teacher a .param file of ncnn (its .bin file beside it), as in
the extra `realesrgan`. Crops are spoiled and taught on the device, kept, and seen several times, turned. The loss is
that of pixels, of features of EfficientNet-Lite0 and of SqueezeNet (--squeezenet, safetensors with the names of its
Caffe model), and, if --game is above 0, that of a discriminator of the teacher's images. --start is a photo-x4 of as
many blocks or fewer; new ones begin where they change nothing. Writes the moving average of the weights.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from photo_training import GROUP, Average, Clock, crops, photographs, signed, turned
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from ganvas.imaging import kernels
from ganvas.imaging.compression import compressed
from ganvas.imaging.draws import Draws
from ganvas.imaging.tensors import eight_bit
from ganvas.inference.importers.ncnn import read_ncnn
from ganvas.metrics.extractors.stages import layers_up_to
from ganvas.recipe.degradations import Blind, BlindOnce
from ganvas.recipe.degradations.blind import Pass, _resized
from ganvas.systems.esrgan.networks import Compact, UNetDiscriminator

WIDTH, SCALE = 64, 4
SIDES = (60, 96, 144, 216, 288, 384, 512, 768, 1024)  # of Fourier transforms: each new one costs a GPU a plan
FIRES = (2, 3, 0, 4, 5, 0, 6, 7, 8, 9)  # of SqueezeNet 1.1; 0 is a pooling


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--squeezenet", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("photo.safetensors"))
    parser.add_argument("--seconds", type=float, default=568)
    parser.add_argument("--blocks", type=int, default=24)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--bank", type=int, default=16_384, help="pairs kept")
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--once", type=float, default=1 / 3, help="share spoiled by BlindOnce; the rest by Blind")
    parser.add_argument("--perceptual", type=float, default=1.0)
    parser.add_argument("--game", type=float, default=0.2)
    given = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    kernels._smooth = lambda length: min(side for side in SIDES if side >= length)
    half = torch.float16 if device.type == "cuda" else torch.bfloat16
    teacher = read_ncnn(given.teacher)[0].to(device, half, memory_format=torch.channels_last).requires_grad_(False)  # type: ignore[call-overload]
    student = grown(given.start, given.blocks).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    judge = UNetDiscriminator(channels=3, width=32).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    features = Features(given.squeezenet, device)
    photos, rng, random = photographs(given.photos, device), np.random.default_rng(0), torch.Generator().manual_seed(0)
    low, high = (
        torch.zeros(given.bank, 3, side, side, dtype=torch.uint8, device=device)
        for side in (given.size // SCALE, given.size)
    )
    adam, adam_d = (
        torch.optim.Adam(network.parameters(), lr=rate, betas=(0.9, 0.99), fused=device.type == "cuda")
        for network, rate in ((student, given.rate), (judge, 1e-4))
    )
    average, clock = Average(student), Clock(given.seconds)
    held = taught = step = said = 0
    teaching = training = 0.0
    while clock.share < 1:
        began = clock.passed
        # At first only pairs, then half of the time for them.
        while held < GROUP or clock.share < 0.05 or teaching < training:
            with torch.no_grad():
                spoiled = spoil(crops(photos, 48, given.size, rng), round(given.once * 6), random)
                made = torch.cat([teacher(signed(part).to(half)) for part in spoiled.split(24)])
            rows = (torch.arange(48, device=device) + taught) % given.bank
            low[rows], high[rows] = spoiled, ((made.float() + 1) * 127.5).clamp(0, 255).round().byte()
            taught, held = taught + 48, min(given.bank, held + 48)
            synchronized(device)
            teaching, began = teaching + clock.passed - began, clock.passed
        rows = torch.from_numpy(rng.integers(0, held, given.batch)).to(device)
        x, y = (signed(part) for part in turned(low[rows], rng, high[rows]))
        for group in adam.param_groups:
            group["lr"] = clock.rate(given.rate)
        judged = given.game > 0 and clock.share > 0.2
        with torch.autocast(device.type, torch.bfloat16):
            fake = student(x).float()
            terms = {"pixels": (fake - y).abs().mean(), "features": given.perceptual * features.apart(fake, y)}
            if judged and clock.share > 0.25:
                terms["game"] = given.game * functional.softplus(-judge(fake).float()).mean()
        adam.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        adam.step()
        average.add(student)
        if judged:
            with torch.autocast(device.type, torch.bfloat16):
                reals, fakes = judge(y).float(), judge(fake.detach()).float()
            adam_d.zero_grad(set_to_none=True)
            (functional.softplus(-reals).mean() + functional.softplus(fakes).mean()).backward()
            adam_d.step()
        synchronized(device)
        training += clock.passed - began
        step += 1
        if clock.passed > said:
            said += 10
            shown = " ".join(f"{name} {float(term):.4f}" for name, term in terms.items())
            print(f"{clock.passed:.0f} s, {step * given.batch:,} crops, {taught:,} taught: {shown}", flush=True)
    average.save(given.out)


def synchronized(device: torch.device) -> None:
    """Wait for a GPU, so that times are those of the work."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def grown(start: Path, blocks: int) -> nn.Module:
    """A photo-x4 with more blocks, which at first do nothing: a convolution that copies, and a slope of 1."""
    old = {name.removeprefix("g."): value.float() for name, value in load_file(start).items()}
    last = max(int(name.split(".")[1]) for name in old)
    new = {}
    for name, value in old.items():
        body, index, part = name.split(".")
        new[f"{body}.{2 * blocks + 2 if int(index) == last else index}.{part}"] = value
    for index in range(last, 2 * blocks + 2, 2):
        copy = nn.init.dirac_(torch.empty(WIDTH, WIDTH, 3, 3))
        new[f"body.{index}.weight"] = copy + 0.005 * torch.randn_like(copy)
        new[f"body.{index}.bias"], new[f"body.{index + 1}.weight"] = torch.zeros(WIDTH), torch.ones(WIDTH)
    network = Compact(scale=SCALE, channels=3, width=WIDTH, blocks=blocks)
    network.load_state_dict(new)
    return network


class Features:
    """Features of two frozen networks, each pixel's at length 1 (Zhang et al. 2018, LPIPS, arXiv:1801.03924)."""

    def __init__(self, squeezenet: Path, device: torch.device) -> None:
        self.weights = {name: value.float().to(device) for name, value in load_file(squeezenet).items()}
        self.mean = torch.tensor([103.939, 116.779, 123.68], device=device).view(1, 3, 1, 1)
        self.others = [layers_up_to("efficientnet-lite0", layer, False, device) for layer in ((2, 2), (4, 3))]

    def apart(self, fake: Tensor, real: Tensor) -> Tensor:
        """Mean squared distance; both images rolled alike, so that no grid appears (see `Perceptual`)."""
        shift = torch.randint(16, (2,)).tolist()
        fake, real = fake.roll(shift, (2, 3)), real.roll(shift, (2, 3))
        with torch.no_grad():
            wanted = [unit(x) for x in self.squeezed(real)], [unit(other(real)) for other in self.others]
        found = [unit(x) for x in self.squeezed(fake)], [unit(other(fake)) for other in self.others]
        first, second = (
            torch.stack([(a - b).square().sum(1).mean() for a, b in zip(one, two, strict=True)]).mean()
            for one, two in zip(found, wanted, strict=True)
        )
        return first + 0.5 * second

    def squeezed(self, x: Tensor) -> Iterator[Tensor]:
        """The first layer of SqueezeNet, and all fires."""
        y = self._layer((x.flip(1) + 1) * 127.5 - self.mean, "conv1", stride=2)
        yield y
        y = functional.max_pool2d(y, 3, 2, ceil_mode=True)
        for fire in FIRES:
            if not fire:
                y = functional.max_pool2d(y, 3, 2, ceil_mode=True)
                continue
            small = self._layer(y, f"fire{fire}.squeeze1x1")
            parts = [self._layer(small, f"fire{fire}.expand{n}x{n}", padding=n // 2) for n in (1, 3)]
            yield (y := torch.cat(parts, 1))

    def _layer(self, x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return functional.relu(functional.conv2d(x, weight, bias, stride, padding))


def unit(features: Tensor) -> Tensor:
    """Each pixel's features at length 1, in fp32."""
    x = features.float()
    return x * torch.rsqrt(x.square().sum(1, keepdim=True) + 1e-6)


def spoil(images: Tensor, once: int, random: torch.Generator) -> Tensor:
    """The first `once` groups by BlindOnce; the rest by Blind, whose sizes and order are one draw for each group."""
    draws, blind = Draws(random, images.device), Blind()
    found = []
    for index, x in enumerate(images.split(GROUP)):
        if index < once:
            found.append(BlindOnce().apply(x, SCALE, random)["input"])
            continue
        count, (height, width) = len(x), (side // SCALE for side in x.shape[2:])
        x = kernels.filtered(x.float(), blind.first.kernels(draws, count))
        x = _resized(x, blind.first.factor(draws) * SCALE, height, width, draws)
        x = jpegged(blind.first, noised(blind.first, x, draws), draws)
        x = kernels.filtered(x, blind.second.kernels(draws, count))
        x = noised(blind.second, _resized(x, blind.second.factor(draws), height, width, draws), draws)
        early = bool(draws.chance(0.5))
        x = x if early else jpegged(blind.second, x, draws)
        x = _resized(x, 1.0, height, width, draws)
        if draws.chance(blind.ringing):
            x = kernels.filtered(x, kernels.ringing(draws.uniform(count, low=math.pi / 3, high=math.pi)))
        found.append(eight_bit(jpegged(blind.second, x, draws) if early else x))
    return torch.cat(found)


def noised(rule: Pass, images: Tensor, draws: Draws) -> Tensor:
    """See `Pass.noised`; each image has its own strength."""
    if not draws.chance(rule.noisy):
        return images

    def column(values: Tensor) -> Tensor:
        return values.view(-1, 1, 1, 1).to(images.device)

    count, noise = len(images), draws.normal(*images.shape)
    noise = noise[:, :1].where(column(draws.chance(rule.grey, count)), noise)
    if draws.chance(rule.poisson):
        low, high = rule.light
        return images + noise * column(draws.uniform(count, low=low, high=high)) * images.clamp(min=0).sqrt()
    return images + noise * column(draws.uniform(count, low=rule.noise[0], high=rule.noise[1]))


def jpegged(rule: Pass, images: Tensor, draws: Draws) -> Tensor:
    """See `Pass.jpegged`; each image has its own quality."""
    count = len(images)
    quality = draws.uniform(count, low=rule.jpeg[0], high=rule.jpeg[1])
    subsampled = draws.chance(rule.subsampled, count)
    return compressed(images.clamp(0, 255), quality, phase=draws.whole(16, count, 2), subsampled=subsampled)


if __name__ == "__main__":
    main()
