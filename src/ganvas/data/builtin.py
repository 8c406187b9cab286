"""Builtin datasets: scikit-learn's digits, and those that torchvision reads."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ganvas.data.cifar10 import ARCHIVE, CLASSES, SHA256, URL, read_cifar10
from ganvas.data.idx import read_idx, unpacked_or_packed
from ganvas.errors import InputError
from ganvas.imaging.grid import Pixels

T = TypeVar("T")

COUNTS = {
    "digits": 1_797,
    "mnist": 60_000,
    "fashion-mnist": 60_000,
    "stacked-mnist": 128_000,
    "stacked-mnist-test": 26_000,
    "cifar10": 50_000,
    "celeba": 162_770,
    "div2k": 800,
}
"""Number of images in each builtin dataset: the training split, where there is a test split."""
NAMES = tuple(COUNTS)

BY_HAND = {
    "mnist": "train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz and"
    " t10k-labels-idx1-ubyte.gz into {root}/MNIST/raw",
    "fashion-mnist": "Fashion-MNIST's train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz"
    " and t10k-labels-idx1-ubyte.gz into {root}/FashionMNIST/raw",
    "cifar10": "cifar-10-binary.tar.gz or cifar-10-python.tar.gz into {root}",
    "celeba": "img_align_celeba.zip, identity_CelebA.txt, list_attr_celeba.txt, list_bbox_celeba.txt,"
    " list_landmarks_align_celeba.txt and list_eval_partition.txt into {root}/celeba",
    "div2k": "DIV2K_train_HR.zip, or the folder DIV2K_train_HR from it, into {root}",
}
PLACES = {
    "mnist": "MNIST",
    "fashion-mnist": "FashionMNIST",
    "cifar10": "cifar-10-*",
    "celeba": "celeba",
    "div2k": "DIV2K_train_HR*",
}
"""Where below `data_dir` the files of each dataset lie, as a pattern."""
PLACES |= dict.fromkeys(("stacked-mnist", "stacked-mnist-test"), PLACES["mnist"])
BY_HAND |= dict.fromkeys(("stacked-mnist", "stacked-mnist-test"), BY_HAND["mnist"])
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MNISTS = {
    "mnist": ("MNIST", tuple(f"{number} - {word}" for number, word in enumerate(DIGITS))),
    "fashion-mnist": (
        "FashionMNIST",
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    ),
}
"""torchvision's reader of each set of IDX files, and its names of the classes, which enter the fingerprints."""
STACKED = 3  # digits per image of stacked-mnist
DIV2K, DIV2K_URL = "DIV2K_train_HR", "https://data.vision.ee.ethz.ch/cvl/DIV2K"
DIV2K_SHA256 = "9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335"
TIMEOUT = 20.0  # seconds without an answer after which a download counts as failed


@dataclass(frozen=True)
class Builtin:
    """The images of a builtin dataset."""

    images: Pixels | StackedImages | list[Path]
    """uint8 (N, H, W) or (N, H, W, C), or image files."""
    labels: np.ndarray | None
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class StackedImages:
    """RGB images, each assembled on access from three grey images as its channels."""

    grey: Pixels
    """uint8 (M, H, W)."""
    chosen: NDArray[np.int64]
    """(N, 3): indices of the grey images in each RGB image."""

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, index: int) -> Pixels:
        return np.moveaxis(self.grey[self.chosen[index]], 0, 2)


def data_dir() -> Path:
    """The folder of downloaded datasets: $GANVAS_DATA, or else a folder in the user's cache."""
    return Path(os.environ.get("GANVAS_DATA") or Path.home() / ".cache" / "ganvas" / "datasets")


def builtin_paths(name: str) -> list[Path]:
    """The files and folders in which a builtin dataset lies on disk; none of the digits, or before a download."""
    return sorted(data_dir().glob(PLACES[name])) if name in PLACES else []


def open_builtin(name: str) -> Builtin:
    """Read a builtin dataset, downloading it first if necessary.

    Raises:
        InputError: it is not on disk and cannot be downloaded; the message says which files to put where.
    """
    if name == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        images = (digits.images * (255 / 16)).round().astype(np.uint8)
        return Builtin(images, digits.target, tuple(map(str, digits.target_names)))
    if name.startswith("stacked-mnist"):
        return _or_by_hand(name, partial(_stacked, name, data_dir()))
    if name == "cifar10":
        return _or_by_hand(name, partial(_cifar10, data_dir()))
    return _or_by_hand(name, partial(_mnist, name, data_dir()) if name in MNISTS else partial(_celeba, data_dir()))


def _stacked(name: str, root: Path) -> Builtin:
    """Three random MNIST digits as R, G and B: 1,000 classes (Metz et al. 2017, arXiv:1611.02163, section 3.3).

    128,000 images as in PacGAN (Lin et al. 2018, arXiv:1712.04086, section 4.2) from MNIST's training split; the test
    set is made from MNIST's test split.
    """
    digits = _mnist("mnist", root, train=not name.endswith("-test"))
    assert isinstance(digits.images, np.ndarray)
    assert digits.labels is not None  # as MNIST has both
    chosen = np.random.default_rng(0).integers(0, len(digits.images), (COUNTS[name], STACKED))
    labels = digits.labels[chosen] @ 10 ** np.arange(STACKED)[::-1]
    return Builtin(StackedImages(digits.images, chosen), labels, tuple(f"{i:03}" for i in range(10**STACKED)))


def div2k() -> Path:
    """DIV2K's 800 training images: path of the folder or the zip file, which is downloaded if neither exists.

    Agustsson & Timofte 2017, NTIRE 2017 Challenge on Single Image Super-Resolution. For research use.

    Raises:
        InputError: it is not on disk and cannot be downloaded.
    """
    folder, packed = data_dir() / DIV2K, data_dir() / f"{DIV2K}.zip"
    found = next((path for path in (folder, packed) if path.exists()), None)
    return found or _or_by_hand("div2k", partial(_download, f"{DIV2K_URL}/{packed.name}", packed, DIV2K_SHA256))


def _download(url: str, path: Path, sha256: str) -> Path:
    import torch

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), sha256)  # via a temporary file, with a progress bar
    finally:
        socket.setdefaulttimeout(before)
    return path


def _or_by_hand(name: str, fetch: Callable[[], T]) -> T:
    try:
        return fetch()
    except InputError:
        raise
    except Exception as error:  # no network, a broken archive, a read-only folder, a missing Google Drive client
        files = BY_HAND[name].format(root=data_dir())
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the dataset {name} is not on disk and could not be downloaded ({reason}); put {files}, or set GANVAS_DATA"
            " to another folder."
        ) from None


def _mnist(name: str, root: Path, train: bool = True) -> Builtin:
    """Read the two IDX files of a split, which torchvision downloads if they are missing."""
    reader, classes = MNISTS[name]
    split = "train" if train else "t10k"
    files = [root / reader / "raw" / f"{split}-{kind}-ubyte" for kind in ("images-idx3", "labels-idx1")]
    if not all(map(unpacked_or_packed, files)):
        from ganvas.data._torchvision import datasets

        _read(getattr(datasets(), reader), root, train=train)
    try:
        images, labels = (read_idx(unpacked_or_packed(file) or file) for file in files)
    except InputError as error:
        raise InputError(f"the dataset {name} is damaged: {error}") from None
    if images.ndim != 3 or labels.shape != images.shape[:1] or not labels.max(initial=0) < len(classes):
        raise InputError(f"the dataset {name} is damaged: {files[1]} does not fit {files[0]}; copy both again.")
    return Builtin(images, labels.astype(np.int64), classes)


def _cifar10(root: Path) -> Builtin:
    found = read_cifar10(root)
    if found is None:
        _download(URL, root / ARCHIVE, SHA256)
        found = read_cifar10(root)
        assert found
    return Builtin(*found, CLASSES)


def _celeba(root: Path) -> Builtin:
    from ganvas.data._torchvision import datasets

    faces = _read(datasets().CelebA, root, split="train")
    return Builtin([root / "celeba" / "img_align_celeba" / file for file in faces.filename], None, ())


def _read(reader: Any, root: Path, **options: Any) -> Any:
    try:
        return reader(root, download=False, **options)
    except RuntimeError:
        # Missing or still packed: with download=True the reader unpacks local archives before it downloads.
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(TIMEOUT)
        try:
            return reader(root, download=True, **options)
        finally:
            socket.setdefaulttimeout(before)
