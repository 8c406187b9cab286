"""The baseline: the training loop that tutorials show, in plain PyTorch. Nothing of ganvas's engine is in it.

    python benchmarks/tutorial.py mlp FOLDER_OF_IDX_FILES --images 60000
    python benchmarks/tutorial.py dcgan FACES.zip --images 3000

Images are opened and transformed one by one with PIL in a DataLoader, reals and fakes pass the discriminator
apart, Adam is the default one, everything is fp32 and in PyTorch's default memory layout. As a script it prints the
losses of every 50th batch, writes a picture of 25 samples every 400 batches, and the generator at the end.
"""

from __future__ import annotations

import argparse
import gzip
import io
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

try:
    from torchvision import transforms, utils
except RuntimeError:
    # A torchvision built for CUDA beside a torch that is not: only its compiled operators are missing.
    _operators = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for _name in ("nms", "qnms"):
        _operators.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")  # type: ignore[no-untyped-call]
    from torchvision import transforms, utils

CPU = torch.device("cpu")


class OneByOne(Dataset[Any]):
    """Images opened and transformed one at a time, as tutorials do."""

    def __init__(self, files: list[bytes], size: int, channels: int) -> None:
        self.files, self.mode = files, "L" if channels == 1 else "RGB"
        normalize = transforms.Normalize([0.5] * channels, [0.5] * channels)
        crop = transforms.CenterCrop(size)
        self.transform = transforms.Compose([transforms.Resize(size), crop, transforms.ToTensor(), normalize])

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.open(io.BytesIO(self.files[index])).convert(self.mode)), 0


class FromArray(OneByOne):
    """The same for images (N, H, W) uint8 that come as one array, such as MNIST."""

    def __init__(self, images: np.ndarray[Any, Any], size: int) -> None:
        super().__init__([], size, 1)
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.transform(Image.fromarray(self.images[index])), 0


def mlp() -> tuple[nn.Module, nn.Module]:
    """The perceptrons of the best known hand-written 2014 GAN, 28 px."""
    widths = (128, 256, 512, 1024)
    g: list[nn.Module] = [nn.Linear(100, 128), nn.LeakyReLU(0.2, inplace=True)]
    for before, after in pairwise(widths):
        g += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.LeakyReLU(0.2, inplace=True)]
    g += [nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))]
    d = [nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2, inplace=True)]
    d += [nn.Linear(512, 256), nn.LeakyReLU(0.2, inplace=True), nn.Linear(256, 1), nn.Flatten(0)]
    return nn.Sequential(*g), nn.Sequential(*d)


def dcgan() -> tuple[nn.Module, nn.Module]:
    """The DCGAN of the tutorials, 64 px, 64 channels, three colours."""
    g: list[nn.Module] = [nn.Unflatten(1, (100, 1, 1)), nn.ConvTranspose2d(100, 512, 4, 1, 0, bias=False)]
    for before in (512, 256, 128):
        g += [
            nn.BatchNorm2d(before),
            nn.ReLU(True),
            nn.ConvTranspose2d(before, before // 2, 4, 2, 1, bias=False),
        ]
    g += [nn.BatchNorm2d(64), nn.ReLU(True), nn.ConvTranspose2d(64, 3, 4, 2, 1), nn.Tanh()]
    d: list[nn.Module] = [nn.Conv2d(3, 64, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    for before in (64, 128, 256):
        d += [nn.Conv2d(before, before * 2, 4, 2, 1, bias=False)]
        d += [nn.BatchNorm2d(before * 2), nn.LeakyReLU(0.2, inplace=True)]
    d += [nn.Conv2d(512, 1, 4), nn.Flatten(0)]
    return nn.Sequential(*g), nn.Sequential(*d)


class Tutorial:
    """The loop of the tutorials, one `step` at a time."""

    def __init__(
        self, networks: tuple[nn.Module, nn.Module], data: Dataset[Any], workers: int, device: torch.device = CPU
    ) -> None:
        self.g, self.d = (network.to(device) for network in networks)
        self.device = device
        self.adam_g = torch.optim.Adam(self.g.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.adam_d = torch.optim.Adam(self.d.parameters(), lr=2e-4, betas=(0.5, 0.999))
        self.loss = nn.BCEWithLogitsLoss()
        self.loader = DataLoader(
            data, 64, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
        )
        self.batches = self._forever()

    def step(self) -> tuple[Tensor, Tensor]:
        """One update of each player; their losses, D's on the reals."""
        real = next(self.batches).to(self.device)
        ones, zeros = torch.ones(len(real), device=self.device), torch.zeros(len(real), device=self.device)
        self.adam_d.zero_grad()
        fake = self.g(torch.randn(len(real), 100, device=self.device))
        d_loss = self.loss(self.d(real), ones)
        d_loss.backward()
        self.loss(self.d(fake.detach()), zeros).backward()
        self.adam_d.step()
        self.adam_g.zero_grad()
        g_loss = self.loss(self.d(fake), ones)
        g_loss.backward()
        self.adam_g.step()
        return d_loss, g_loss

    def _forever(self) -> Iterator[Tensor]:
        while True:
            for images, _ in self.loader:
                yield images


def of_2014(folder: Path) -> Tutorial:
    """The perceptrons on MNIST's training images, from their IDX file; the script's loader has no workers."""
    content = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    images = np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28).copy()
    return Tutorial(mlp(), FromArray(images, 28), 0)


def of_faces(path: Path, device: torch.device = CPU) -> Tutorial:
    """The DCGAN on the JPEG files of a zip; the script's loader has two workers."""
    with zipfile.ZipFile(path) as archive:
        files = [archive.read(name) for name in archive.namelist() if name.endswith(".jpg")]
    return Tutorial(dcgan(), OneByOne(files, 64, 3), 2, device)


def main() -> None:
    """Train one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=("mlp", "dcgan"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--images", type=int, default=60_000)
    given = parser.parse_args()
    loop = of_2014(given.data) if given.network == "mlp" else of_faces(given.data)
    for batch in range(given.images // 64):
        d_loss, g_loss = loop.step()
        if batch % 50 == 0:
            print(f"batch {batch}: loss of D {d_loss.item():.3f}, of G {g_loss.item():.3f}", flush=True)
        if batch % 400 == 0:
            with torch.no_grad():
                utils.save_image(loop.g(torch.randn(25, 100)), f"plain-{batch}.png", nrow=5, normalize=True)
    torch.save(loop.g.state_dict(), "plain.pth")


if __name__ == "__main__":
    main()
