"""Builtin datasets; no test needs a network."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import shutil
import struct
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import urllib.response
import zipfile
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas.data import NAMES, Dataset, cifar10, load
from ganvas.data.builtin import BY_HAND, COUNTS, MNISTS
from ganvas.errors import InputError
from ganvas.recipe.sources import Images
from tests.conftest import SHARED


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "sets"))
    return tmp_path / "sets"


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object, **options: object) -> None:
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def read(source: str, size: int = 28, channels: int = 1) -> Dataset:
    return load(Images(source=source), size=size, channels=channels)


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def mnist_files(raw: Path, *, packed: bool) -> np.ndarray:
    raw.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    for part in ("train", "t10k"):
        for kind, content in (("images-idx3", pixels), ("labels-idx1", np.arange(5, dtype=np.uint8))):
            data = idx(content)
            path = raw / f"{part}-{kind}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(data) if packed else data)
    return pixels


def test_digits_need_no_files() -> None:
    data = read("digits", 8)
    assert data.images.shape == (1797, 8, 8, 1)
    assert (data.images.min(), data.images.max()) == (0, 255)
    assert data.labels is not None
    assert data.classes == tuple("0123456789")
    assert read("digits", 16).images.shape == (1797, 16, 16, 1)


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST")])
def test_idx_files_put_there_by_hand(root: Path, name: str, folder: str, packed: bool) -> None:
    pixels = mnist_files(root / folder / "raw", packed=packed)
    data = read(name)
    assert np.array_equal(data.images[..., 0], pixels)
    assert data.labels is not None
    assert data.labels.tolist() == list(range(5))
    assert len(data.classes) == 10


def cifar10_files(root: Path, version: str) -> tuple[np.ndarray, list[int]]:
    """The six files of one version, four images each; what the five for training hold."""
    folder = root / f"cifar-10-batches-{version}"
    folder.mkdir(parents=True)
    chance, images, labels = np.random.default_rng(0), [], []
    for name in (*cifar10.TRAIN, *cifar10.TEST):
        pixels, numbers = chance.integers(0, 256, (4, 3, 32, 32), np.uint8), chance.integers(0, 10, 4)
        images, labels = [*images, pixels.transpose(0, 2, 3, 1)], [*labels, *map(int, numbers)]
        rows = pixels.reshape(4, -1)
        if version == "bin":
            (folder / f"{name}.bin").write_bytes(np.column_stack([numbers.astype(np.uint8), rows]).tobytes())
        else:
            batch = {
                "batch_label": "one of 5",
                "labels": numbers.tolist(),
                "data": rows,
                "filenames": ["a.png"],
            }
            (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    return np.concatenate(images[:5]), labels[:20]


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("version", ["bin", "py"])
def test_cifar10_put_there_by_hand(root: Path, version: str, packed: bool) -> None:
    images, labels = cifar10_files(root, version)
    if packed:
        folder = root / f"cifar-10-batches-{version}"
        with tarfile.open(root / f"cifar-10-{'binary' if version == 'bin' else 'python'}.tar.gz", "w:gz") as archive:
            archive.add(folder, folder.name)
        shutil.rmtree(folder)
    data = read("cifar10", 32, 3)
    assert np.array_equal(data.images, images)
    assert data.labels is not None
    assert data.labels.tolist() == labels
    assert data.classes[3] == "cat"


@pytest.mark.usefixtures("_offline")
def test_code_in_cifar10s_files_is_not_run(root: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (Path("evil"),)

    cifar10_files(root, "py")
    (root / "cifar-10-batches-py" / "data_batch_1").write_bytes(pickle.dumps({"labels": [1], "data": Evil()}))
    with pytest.raises(InputError, match="cifar10"):
        read("cifar10", 32, 3)
    assert not Path("evil").exists()


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("packed", [False, True])
def test_celeba_put_there_by_hand(root: Path, packed: bool) -> None:
    folder = root / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{index:06}.jpg" for index in range(1, 4)]
    for name in names:
        Image.new("RGB", (178, 218), "red").save(folder / "img_align_celeba" / name)
    splits = "".join(f"{name} {0 if name < '000003' else 2}\n" for name in names)
    (folder / "list_eval_partition.txt").write_text(splits)
    if packed:
        with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as archive:
            for name in names:
                archive.write(folder / "img_align_celeba" / name, f"img_align_celeba/{name}")
        shutil.rmtree(folder / "img_align_celeba")
    data = read("celeba", 64, 3)
    assert data.images.shape == (2, 64, 64, 3)  # the third image belongs to the test split
    assert data.labels is None


@pytest.mark.usefixtures("_offline")
@pytest.mark.parametrize("name", BY_HAND)
def test_without_network_the_message_says_which_files_go_where(root: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        read(name)
    message = str(caught.value)
    assert "\n" not in message
    assert name in message
    assert str(root) in message
    assert "GANVAS_DATA" in message
    assert "http" not in message


@pytest.mark.usefixtures("_offline")
def test_a_damaged_file_is_refused_in_one_sentence(root: Path) -> None:
    mnist_files(root / "MNIST" / "raw", packed=False)
    (root / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03half")
    with pytest.raises(InputError, match="mnist"):
        read("mnist")


def test_torchvision_imports_beside_any_build_of_torch() -> None:
    code = "from ganvas.inference.importers._torchvision import make_importable; make_importable()"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_every_name_but_the_bundled_one_can_be_put_there_by_hand() -> None:
    assert set(NAMES) == {"digits", *BY_HAND}


@pytest.mark.parametrize("name", MNISTS)
def test_missing_files_are_downloaded_over_https_and_checked(
    root: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = mnist_files(tmp_path / "there", packed=True)
    asked: list[str] = []

    def answer(request: urllib.request.Request, *_: object, **__: object) -> Any:
        asked.append(request.full_url)
        file = (tmp_path / "there" / request.full_url.rpartition("/")[2]).open("rb")
        return urllib.response.addinfourl(file, Message(), request.full_url)

    monkeypatch.setattr("torch.hub.urlopen", answer)
    with pytest.raises(InputError, match=f"{name} is not on disk and could not be downloaded .*hash"):
        read(name)
    assert not list(root.rglob("*idx*"))
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (tmp_path / "there").iterdir()}
    monkeypatch.setitem(MNISTS, name, replace(MNISTS[name], sha256=digests))
    assert np.array_equal(read(name).images[..., 0], pixels)
    assert all(url.startswith("https://") for url in asked)


@pytest.mark.skipif(not (SHARED / "data/mnist").is_dir(), reason="the shared MNIST files are not here")
@pytest.mark.usefixtures("_offline")
def test_the_real_mnist(root: Path) -> None:
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for path in (SHARED / "data/mnist").glob("*.gz"):
        (raw / path.name).symlink_to(path)
    data = read("mnist")
    assert data.images.shape == (60_000, 28, 28, 1)
    assert data.labels is not None
    assert data.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_stacks_are_three_digits_of_mnist(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = mnist_files(root / "MNIST" / "raw", packed=False)
    monkeypatch.setitem(COUNTS, "stacked-mnist", 40)
    data = read("stacked-mnist", channels=3)
    assert data.images.shape == (40, 28, 28, 3)
    assert data.labels is not None
    assert data.classes[7] == "007"
    assert len(data.classes) == 1000
    for image, label in zip(data.images, data.labels, strict=True):
        digits = [int(digit) for digit in data.classes[label]]
        # The digit of number i in these files has the label i.
        assert np.array_equal(image, np.moveaxis(pixels[digits], 0, 2))
    again = read("stacked-mnist", channels=3)
    assert again.fingerprint == data.fingerprint
    assert read("stacked-mnist", 16, 3).images.shape == (40, 16, 16, 3)
    monkeypatch.setitem(COUNTS, "stacked-mnist-test", 30)
    assert read("stacked-mnist-test", channels=3).fingerprint != data.fingerprint


@pytest.mark.usefixtures("_offline")
def test_stacks_without_mnist_say_where_its_files_go(root: Path) -> None:
    with pytest.raises(InputError, match=r"stacked-mnist is not on disk.*train-images-idx3-ubyte\.gz.*MNIST/raw"):
        read("stacked-mnist", channels=3)
