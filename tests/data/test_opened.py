"""A source that was opened before opens without being read, for as long as its files stay as they are."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import Dataset, cache, cache_dir, load
from ganvas.data.cache import count_items
from ganvas.errors import InputError
from ganvas.recipe.sources import Images

AGO = 1_700_000_000


def open_set(path: Path) -> Dataset:
    return load(Images(source=str(path)), size=8, channels=1)


def paint(path: Path, grey: int) -> None:
    """Write an image of a grey that was not changed lately."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), grey).save(path.with_suffix(".bmp"))
    os.utime(path.with_suffix(".bmp"), (AGO, AGO))


@pytest.fixture(params=["animals", "of-idx1/animals"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of images; the second lies in a folder named like a file of MNIST, beside such a file."""
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    made: Path = tmp_path / request.param
    for name, grey in (("cats/1", 10), ("cats/2", 20), ("dogs/1", 30)):
        paint(made / name, grey)
    for other in (made / "dogs/broken.bmp", made.parent / "other-idx3-ubyte"):
        other.write_bytes(b"BM")
        os.utime(other, (AGO, AGO))
    return made


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets every further reading of a source fail."""

    def refuse(*_: object) -> None:
        raise AssertionError("the source was read")

    return lambda: monkeypatch.setattr(cache, "open_source", refuse)


def test_an_opened_source_is_not_read_again(folder: Path, unread: Callable[[], None]) -> None:
    first = open_set(folder)
    unread()
    again = open_set(folder)
    assert first.labels is not None
    assert again.labels is not None
    assert (again.images == first.images).all()
    assert again.labels.tolist() == first.labels.tolist() == [0, 0, 1]
    assert (again.classes, again.skipped, again.name) == (first.classes, first.skipped, first.name)
    assert len(first.skipped) == 1
    assert again.fingerprint == first.fingerprint


def test_counted_once_it_is_not_read_again(folder: Path, unread: Callable[[], None]) -> None:
    assert count_items(str(folder)) == 4
    unread()
    assert count_items(str(folder)) == 4


def test_a_file_of_same_size_and_time_but_other_content_is_noticed(folder: Path) -> None:
    first = open_set(folder)
    paint(folder / "dogs/1", 200)
    assert open_set(folder).images[2, 0, 0] == 200
    assert open_set(folder).fingerprint != first.fingerprint


def test_a_new_file_is_noticed(folder: Path) -> None:
    assert len(open_set(folder)) == 3
    paint(folder / "dogs/2", 40)
    assert len(open_set(folder)) == 4


def test_new_labels_beside_idx_images_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    images, labels = tmp_path / "images-idx3-ubyte", tmp_path / "labels-idx1-ubyte"
    images.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0, 0, 8]) + bytes(range(192)))
    os.utime(images, (AGO, AGO))
    for given in ([0, 1, 2], [2, 1, 0]):
        labels.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, *given]))
        os.utime(labels, (AGO, AGO))
        found = open_set(images)
        assert found.labels is not None
        assert found.labels.tolist() == given
        assert (found.images[1, 0, :, 0] == np.arange(64, 72)).all()


def test_files_changed_just_now_are_read_each_time(folder: Path, unread: Callable[[], None]) -> None:
    os.utime(folder / "cats/1.bmp")
    open_set(folder)
    unread()
    with pytest.raises(AssertionError, match="was read"):
        open_set(folder)


@pytest.mark.parametrize("damage", ["folder", "labels", "header", "record"])
def test_what_is_lost_from_the_cache_is_made_again(folder: Path, damage: str) -> None:
    first = open_set(folder)
    (where,) = cache_dir().glob(f"{first.fingerprint}*")
    if damage == "folder":
        where.rename(where.with_name("away"))
    elif damage == "labels":
        (where / "labels.npy").write_bytes(b"")
    elif damage == "header":  # numpy takes it for one of Python 2
        (where / "labels.npy").write_bytes((where / "labels.npy").read_bytes().replace(b"}", b"("))
    else:
        for record in (cache_dir() / "opened").iterdir():
            record.write_text('{"fingerprint": 3}')
    again = open_set(folder)
    assert (again.images == first.images).all()
    assert again.labels is not None
    assert again.labels.tolist() == [0, 0, 1]


def test_a_file_that_could_not_be_read_once_is_not_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_bytes = Path.read_bytes

    def fail(path: Path) -> bytes:
        if path.name == "1.bmp":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return read_bytes(path)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_bytes", fail)
        assert len(open_set(folder)) == 1
    assert len(open_set(folder)) == 3


def test_damaged_images_that_cannot_be_replaced_are_named(folder: Path, tmp_path: Path) -> None:
    first = open_set(folder)
    (where,) = cache_dir().glob(f"{first.fingerprint}*")
    where.rename(tmp_path / "moved")
    where.symlink_to(tmp_path / "moved")
    (tmp_path / "moved/labels.npy").write_bytes(b"")
    with pytest.raises(InputError, match=r"holds damaged images and cannot be replaced; remove it"):
        open_set(folder)
