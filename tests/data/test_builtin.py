"""Builtin datasets; no test needs a network."""

from __future__ import annotations

import gzip
import pickle
import shutil
import struct
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas.data import NAMES, Dataset, cifar10, load
from ganvas.data._torchvision import datasets
from ganvas.data.builtin import BY_HAND, COUNTS
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
def test_celeba_put_there_by_hand(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    names = [f"{index:06}.jpg" for index in range(1, 4)]
    for name in names:
        Image.new("RGB", (178, 218), "red").save(folder / "img_align_celeba" / name)
    splits = "".join(f"{name} {0 if name < '000003' else 2}\n" for name in names)
    (folder / "list_eval_partition.txt").write_text(splits)
    rows = "".join(f"{name} 1 -1\n" for name in names)
    (folder / "identity_CelebA.txt").write_text("".join(f"{name} 7\n" for name in names))
    for file in ("list_attr_celeba", "list_bbox_celeba", "list_landmarks_align_celeba"):
        (folder / f"{file}.txt").write_text(f"3\nA B\n{rows}")
    reader: Any = datasets().CelebA
    monkeypatch.setattr(reader, "file_list", [(None, None, name) for _, _, name in reader.file_list])
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


def test_the_readers_import_beside_any_build_of_torch() -> None:
    code = "import warnings; warnings.simplefilter('error'); from ganvas.data._torchvision import datasets; datasets()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_name_but_the_bundled_one_can_be_put_there_by_hand() -> None:
    assert set(NAMES) == {"digits", *BY_HAND}


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
