"""Builtin datasets: scikit-learn's digits, and those that are downloaded, or put on the disk by hand."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ganvas.data.cifar10 import ARCHIVE, CLASSES, SHA256, URL, read_cifar10
from ganvas.data.idx import read_idx, unpacked_or_packed
from ganvas.errors import InputError
from ganvas.files import kept_in
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
    "celeba": "img_align_celeba.zip, or the folder img_align_celeba from it, and list_eval_partition.txt into"
    " {root}/celeba",
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


@dataclass(frozen=True)
class IdxSet:
    """A dataset in the four files of MNIST.

    Attributes:
        folder: below `data_dir`.
        classes: their names, which enter the fingerprints.
        url: of the folder from which the files are downloaded.
        sha256: of each packed file by its name.
    """

    folder: str
    classes: tuple[str, ...]
    url: str
    sha256: dict[str, str]


MNISTS = {
    "mnist": IdxSet(
        "MNIST",
        tuple(f"{number} - {word}" for number, word in enumerate(DIGITS)),
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        {
            "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        },
    ),
    "fashion-mnist": IdxSet(
        "FashionMNIST",
        ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
        {
            "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        },
    ),
}
FACES = "img_align_celeba"
STACKED = 3  # digits per image of stacked-mnist
DIV2K, DIV2K_URL = "DIV2K_train_HR", "https://data.vision.ee.ethz.ch/cvl/DIV2K"
DIV2K_SHA256 = "9d0b9c463f6e35b6c62cc6a930ee2224f670b34c1df841a57670f9acf0f6c335"
TIMEOUT = 20.0  # seconds without an answer after which a download counts as failed


@dataclass(frozen=True)
class Builtin:
    """The images of a builtin dataset."""

    images: Pixels | StackedImages
    """uint8 (N, H, W) or (N, H, W, C)."""
    labels: NDArray[np.int64]
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
    return kept_in("GANVAS_DATA", "datasets")


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
    return _or_by_hand(name, partial(_mnist, name, data_dir()))


def _stacked(name: str, root: Path) -> Builtin:
    """Three random MNIST digits as R, G and B: 1,000 classes (Metz et al. 2017, arXiv:1611.02163, section 3.3).

    128,000 images as in PacGAN (Lin et al. 2018, arXiv:1712.04086, section 4.2) from MNIST's training split; the test
    set is made from MNIST's test split.
    """
    digits = _mnist("mnist", root, train=not name.endswith("-test"))
    assert isinstance(digits.images, np.ndarray)
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


def celeba() -> tuple[Path, frozenset[str]]:
    """CelebA's aligned images, path of the folder or the zip file, and the names of those of the training split.

    Liu et al. 2015, Deep Learning Face Attributes in the Wild. For research use.

    Raises:
        InputError: it is not on disk, where its authors let only people put it.
    """
    return _or_by_hand("celeba", partial(_celeba, data_dir() / "celeba"))


def _celeba(folder: Path) -> tuple[Path, frozenset[str]]:
    found = next((path for path in (folder / FACES, folder / f"{FACES}.zip") if path.exists()), None)
    splits = folder / "list_eval_partition.txt"
    if not found or not splits.is_file():
        raise FileNotFoundError("its authors let only people download it, from their page")
    lines = map(str.split, splits.read_text(encoding="utf-8").splitlines())
    return found, frozenset(line[0] for line in lines if line[1:] == ["0"])


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
    except Exception as error:  # no network, a broken archive, a read-only folder
        files = BY_HAND[name].format(root=data_dir())
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"the dataset {name} is not on disk and could not be downloaded ({reason}); put {files}, or set GANVAS_DATA"
            " to another folder."
        ) from None


def _mnist(name: str, root: Path, train: bool = True) -> Builtin:
    """Read the two IDX files of a split, after downloading what is missing."""
    idx = MNISTS[name]
    files = []
    for kind in ("images-idx3", "labels-idx1"):
        packed = root / idx.folder / "raw" / f"{'train' if train else 't10k'}-{kind}-ubyte.gz"
        files.append(
            unpacked_or_packed(packed) or _download(f"{idx.url}/{packed.name}", packed, idx.sha256[packed.name])
        )
    try:
        images, labels = map(read_idx, files)
    except InputError as error:
        raise InputError(f"the dataset {name} is damaged: {error}") from None
    if images.ndim != 3 or labels.shape != images.shape[:1] or not labels.max(initial=0) < len(idx.classes):
        raise InputError(f"the dataset {name} is damaged: {files[1]} does not fit {files[0]}; copy both again.")
    return Builtin(images, labels.astype(np.int64), idx.classes)


def _cifar10(root: Path) -> Builtin:
    found = read_cifar10(root)
    if found is None:
        _download(URL, root / ARCHIVE, SHA256)
        found = read_cifar10(root)
        assert found
    return Builtin(*found, CLASSES)
