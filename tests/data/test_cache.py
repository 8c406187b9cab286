"""The cache: decoded once, found by content, never incomplete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import Dataset, cache_dir, load
from ganvas.errors import InputError
from ganvas.recipe.sources import Images


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    return cache_dir()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "images"
    made.mkdir()
    for index in range(12):
        Image.new("RGB", (20, 16), (index * 20, 0, 0)).save(made / f"{index}.png")
    return made


def read(folder: Path, size: int = 8, **options: str) -> Dataset:
    return load(Images(source=str(folder), **options), size=size, channels=3)  # type: ignore[arg-type]


def test_the_second_load_decodes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(folder)
    monkeypatch.setattr(Image, "open", lambda *_: pytest.fail("decoded again"))
    second = read(folder)
    assert np.array_equal(first.images, second.images)
    assert first.fingerprint == second.fingerprint
    moved = folder.rename(folder.with_name("elsewhere"))
    assert read(moved).fingerprint == first.fingerprint


def test_touching_a_file_is_no_change(folder: Path) -> None:
    before = read(folder).fingerprint
    os.utime(folder / "3.png", (0, 0))
    assert read(folder).fingerprint == before


@pytest.mark.parametrize("change", ["bytes", "name", "added", "removed", "size", "fit"])
def test_the_fingerprint_follows_the_content(folder: Path, change: str) -> None:
    before = read(folder).fingerprint
    size, fit = 8, "crop"
    if change == "bytes":
        Image.new("RGB", (20, 16), (1, 2, 3)).save(folder / "3.png")
    elif change == "name":
        (folder / "3.png").rename(folder / "x.png")
    elif change == "added":
        Image.new("RGB", (20, 16)).save(folder / "12.png")
    elif change == "removed":
        (folder / "3.png").unlink()
    elif change == "size":
        size = 16
    else:
        fit = "pad"
    assert read(folder, size, fit=fit).fingerprint != before


def test_the_number_of_workers_changes_nothing(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = load(Images(source=str(folder)), size=8, channels=3, workers=1)
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "other"))
    many = load(Images(source=str(folder)), size=8, channels=3, workers=7)
    assert np.array_equal(one.images, many.images)


def test_loads_at_the_same_time_agree(folder: Path) -> None:
    found: list[Dataset] = []
    threads = [threading.Thread(target=lambda: found.append(read(folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(one.images, found[0].images) for one in found)


def test_nothing_is_left_of_a_refused_source(tmp_path: Path, cache: Path) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.txt").write_text("x")
    with pytest.raises(InputError):
        read(bad)
    assert not list(cache.iterdir())


def test_images_cannot_be_written(folder: Path) -> None:
    with pytest.raises(ValueError, match="read-only"):
        read(folder).images[0] = 0


def test_a_cut_cache_file_is_made_again(folder: Path, cache: Path) -> None:
    expected = np.array(read(folder).images)
    largest = max((path for path in cache.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    os.truncate(largest, 100)
    assert np.array_equal(read(folder).images, expected)


def test_a_cache_that_cannot_be_written_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match="GANVAS_CACHE"):
        read(folder)


# Decoding in the child is slowed down, so that the kill hits it halfway.
SLOW = """
import sys, time
import ganvas.data.images as room
from ganvas.recipe.sources import Images
prepare = room.prepare
room.prepare = lambda *words: (time.sleep(0.3), prepare(*words))[1]
room.load(Images(source=sys.argv[1]), size=8, channels=3, workers=1)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_decode_leaves_nothing_that_looks_whole(folder: Path, cache: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", SLOW, str(folder)])
    for _ in range(300):
        if cache.is_dir() and any(path.is_file() for path in cache.rglob("*")):
            break
        time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    again = read(folder)
    expected = [int(image[0, 0, 0]) for image in again.images]
    assert expected == [index * 20 for index in range(12)]
    assert again.skipped == ()


def test_runs_begun_with_earlier_versions_find_their_data() -> None:
    found = load(Images(source="digits"), size=8, channels=1).fingerprint
    assert found == "4ea0798ebdc44a00ff39a6ccf50bab2e30b025f9"
