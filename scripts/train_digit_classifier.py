"""Train the digit classifier that the measures use, and write its weights: python scripts/train_digit_classifier.py

Learns from MNIST's 60,000 training digits, moved, scaled, turned and blurred at random, so that it also reads the
fakes of a half-trained generator and the 8x8 digits of scikit-learn, which it never sees in training. Prints its
accuracy on MNIST's 10,000 test digits and on all 1,797 of scikit-learn's.
"""

from __future__ import annotations

import argparse
import gzip
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from ganvas.data import data_dir, load
from ganvas.metrics.extractors.digits import FILE, SIDE, Digits, DigitsNetwork
from ganvas.recipe.sources import Images

HERE = Path(__file__).parent.parent / "src" / "ganvas" / "metrics" / "extractors"


def distorted(images: Tensor) -> Tensor:
    """(B, 1, 28, 28) in 0..1: scaled, turned, sheared and moved; some coarse, some of other contrast, some noisy."""
    count = len(images)

    def between(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count)

    turn, shear = between(-0.2, 0.2), between(-0.2, 0.2)
    width, height = between(0.7, 1.3), between(0.65, 1.3)  # of the window that is seen: small ones magnify
    cos, sin = turn.cos(), turn.sin()
    rows = torch.stack(
        [
            torch.stack([width * cos, -height * sin + shear, between(-0.15, 0.15)], 1),
            torch.stack([width * sin, height * cos, between(-0.15, 0.15)], 1),
        ],
        1,
    )
    grid = functional.affine_grid(rows, list(images.shape), align_corners=False)
    moved = functional.grid_sample(images, grid, align_corners=False)
    for side in (8, 12, 16):
        some = torch.rand(count) < 0.12
        coarse = functional.interpolate(moved[some], (side, side), mode="bilinear", antialias=True)
        moved[some] = functional.interpolate(coarse, (SIDE, SIDE), mode="bicubic").clamp(0, 1)
    moved = moved.pow(between(0.6, 1.6)[:, None, None, None]) * between(0.7, 1)[:, None, None, None]
    noise = torch.randn_like(moved) * between(-0.1, 0.1).clamp_min(0)[:, None, None, None]
    return (moved + noise).clamp(0, 1)


def accuracy(network: DigitsNetwork, images: Tensor, labels: Tensor) -> float:
    """Accuracy."""
    with torch.inference_mode():
        right = [(network(x)[1].argmax(1) == y) for x, y in zip(images.split(500), labels.split(500), strict=True)]
    return float(torch.cat(right).float().mean())


def mnist_test() -> tuple[Tensor, Tensor]:
    """MNIST's 10,000 test digits, which ganvas itself never reads."""
    raw = data_dir() / "MNIST" / "raw"
    images = gzip.decompress((raw / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((raw / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    tensor = torch.from_numpy(np.frombuffer(images, np.uint8).reshape(-1, 1, SIDE, SIDE).copy()).float() / 255
    return tensor, torch.from_numpy(np.frombuffer(labels, np.uint8).astype(np.int64))


def main() -> None:
    """Train, measure and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--out", type=Path, default=HERE / FILE)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    data = load(Images(source="mnist"), size=SIDE, channels=1, progress=True)
    digits = load(Images(source="digits"), size=SIDE, channels=1)
    assert data.labels is not None
    assert digits.labels is not None
    images = torch.from_numpy(np.array(data.images)).permute(0, 3, 1, 2).float() / 255
    labels = torch.from_numpy(data.labels)
    small = torch.from_numpy(np.array(digits.images)).permute(0, 3, 1, 2).float() / 255
    test, test_labels = mnist_test()
    network = DigitsNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    rounds = arguments.epochs * math.ceil(len(images) / arguments.batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=rounds)
    for epoch in range(arguments.epochs):
        network.train()
        for index in torch.randperm(len(images)).split(arguments.batch_size):
            given = distorted(images[index]).contiguous(memory_format=torch.channels_last)
            loss = functional.cross_entropy(network(given)[1], labels[index], label_smoothing=0.05)
            optimizer.zero_grad()
            torch.autograd.backward([loss])
            optimizer.step()
            schedule.step()
        network.eval()
        on_test, on_small = (
            accuracy(network, test, test_labels),
            accuracy(network, small, torch.from_numpy(digits.labels)),
        )
        print(f"epoch {epoch + 1}: MNIST test {on_test:.4f}, scikit-learn digits {on_small:.4f}", flush=True)
    state = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(state, arguments.out)
    if arguments.out == HERE / FILE:
        print(f"{arguments.out.stat().st_size:,} bytes, SHA-256 begins {Digits().weights}")


if __name__ == "__main__":
    main()
