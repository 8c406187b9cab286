"""Train the bundled repair model on one GPU for some minutes: python scripts/train_repair.py PHOTOS --seconds 570

PHOTOS is a folder of photographs of one size. Crops of 256 and 384 px are aged on the device, and each is seen twice,
turned. Damage, strengths, tone and restorer learn at once, without the game. Writes the moving average of the weights.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from photo_training import Average, Clock, crops, photographs, signed, turned
from torch import Tensor, nn
from torch.nn import functional

from ganvas.recipe.degradations import Aged
from ganvas.systems.repair import PhotoRepair
from ganvas.systems.repair.networks import Repair

MASKS = ("hole", "scratch", "stain")
SIZES = (256, 256, 384)  # of crops, in turns
TOLD = 0.6  # share of a batch whose damage the restorer is told
FRESH = 0.5  # share of a batch that is new
CHUNK = 128  # crops aged at once


@dataclass
class Bank:
    """Aged crops of one size, of which the oldest make room."""

    size: int
    most: int
    device: torch.device
    held: int = 0
    at: int = 0
    kept: list[Tensor] = field(default_factory=list)

    def add(self, parts: list[Tensor]) -> None:
        """Rows of input, target, masks and strengths."""
        if not self.kept:
            self.kept = [part.new_zeros(self.most, *part.shape[1:]) for part in parts]
        rows = (torch.arange(len(parts[0]), device=self.device) + self.at) % self.most
        for kept, part in zip(self.kept, parts, strict=True):
            kept[rows] = part
        self.at = (self.at + len(rows)) % self.most
        self.held = min(self.most, self.held + len(rows))

    def batch(self, count: int, rng: np.random.Generator) -> list[Tensor]:
        """Rows, turned."""
        rows = torch.from_numpy(rng.integers(0, self.held, count)).to(self.device)
        first, *others, strengths = (kept[rows] for kept in self.kept)
        return [*turned(first, rng, *others), strengths]


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--seconds", type=float, default=570)
    parser.add_argument("--batch", type=int, default=64, help="crops of 256 px; of 384 px fewer")
    parser.add_argument("--rate", type=float, default=6e-4)
    parser.add_argument("--out", type=Path, default=Path("repair.safetensors"))
    given = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    rng, random = np.random.default_rng(7), torch.Generator().manual_seed(0)
    photos, aged = photographs(given.photos, device), Aged(untouched=0.12)
    network = PhotoRepair().generator().to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    assert isinstance(network, Repair)
    adam = torch.optim.Adam(network.parameters(), lr=given.rate, betas=(0.9, 0.99), fused=device.type == "cuda")
    average, clock = Average(network), Clock(given.seconds)
    counts = {size: max(4, given.batch * 256**2 // size**2) for size in SIZES}
    banks = {size: Bank(size, 64 * counts[size], device) for size in SIZES}
    owed = {size: 4.0 * counts[size] for size in SIZES}
    step = seen = said = 0
    while clock.share < 1:
        size = SIZES[step % len(SIZES)]
        bank, count = banks[size], counts[size]
        owed[size] += FRESH * count
        if owed[size] >= CHUNK or not bank.held:
            new = int(owed[size]) // 8 * 8
            owed[size] -= new
            real = crops(photos, new, size, rng)
            made = aged.apply(real, 1, random)
            masks = torch.cat([made[name] for name in MASKS], 1) > 0.5
            bank.add([made["input"], real, masks, made["strengths"].float()])
        for group in adam.param_groups:
            group["lr"] = clock.rate(given.rate)
        terms = losses(network, *bank.batch(count, rng))
        adam.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()
        norm = nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        step += 1
        if not torch.isfinite(norm):
            continue
        adam.step()
        average.add(network)
        seen += count
        if clock.passed > said:
            said += 10
            shown = " ".join(f"{name} {float(term):.4f}" for name, term in terms.items())
            print(f"{clock.passed:.0f} s, {seen:,} crops: {shown}", flush=True)
    average.save(given.out)


def losses(network: Repair, image: Tensor, real: Tensor, masks: Tensor, strengths: Tensor) -> dict[str, Tensor]:
    """The weighted terms; PSNR is among them, since each photograph counts alike however far gone it is."""
    image, real, truth = signed(image), signed(real), masks.float()
    told = round(TOLD * len(image))
    with torch.autocast(image.device.type, torch.bfloat16):
        logits, estimates = (part.float() for part in network.inspect(image))
        found, levels = (logits > 0).float(), estimates.detach().clone()
        found[:told], levels[:told] = truth[:told], strengths[:told]
        made = network.repair(image, found, levels)
    fake, toned = made.image.float(), made.toned.float()
    lost = truth[:, :2].amax(1, keepdim=True)
    error = fake - real
    squares = error.square()
    entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    sure = logits.sigmoid()
    either = 1 - (1 - sure[:, :1]) * (1 - sure[:, 1:2])
    return {
        "pixels": error.abs().mean(),
        "dB": 0.02 * 10 * torch.log10(squares.flatten(1).mean(1) + 1e-4).mean(),
        "fill": 0.8 * (squares * lost)[:told].sum() / (3 * lost[:told].sum() + 1),
        "tone": functional.avg_pool2d((toned - real) * (1 - lost), 8).abs().mean(),
        "focal": 4 * ((1 - (-entropy).exp()) ** 2 * entropy).mean(),
        "dice": 0.5 * (apart(sure, truth) + apart(either, lost)),
        "strengths": (estimates - strengths).abs().mean(),
    }


def apart(found: Tensor, truth: Tensor) -> Tensor:
    """One minus the overlap, over the batch, of each kind (Milletari et al. 2016, arXiv:1606.04797, eq. 2)."""
    both, all_of = ((found * truth).sum((0, 2, 3)), (found.square() + truth).sum((0, 2, 3)))
    return (1 - (2 * both + 1) / (all_of + 1)).mean()


if __name__ == "__main__":
    main()
