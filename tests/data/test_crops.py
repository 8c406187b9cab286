"""Crops of photos: their position, orientation and degradation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.data import data_dir, open_data
from ganvas.data.crops import Photos
from ganvas.data.feed import Feed, crop_feed
from ganvas.data.transforms import SCALE, centre_crops
from ganvas.errors import InputError
from ganvas.imaging.tensors import bicubic
from ganvas.recipe.degradations import Aged, Bicubic, Blind, Degradation
from ganvas.recipe.sources import Crops
from tests.conftest import write_photographs

CPU = torch.device("cpu")
BICUBIC = Bicubic()


def opened(folder: Path, size: int = 32, **crops: object) -> Photos:
    found = open_data(Crops(source=str(folder), **crops), (3, size, size))  # type: ignore[arg-type]
    assert isinstance(found, Photos)
    return found


def feed(
    dataset: Photos, batch: int = 4, turn: bool = True, degradation: Degradation = BICUBIC, **options: object
) -> Feed:
    crops = Crops(source="x", turn=turn, degradation=degradation)
    return crop_feed(dataset, crops, scale=4, batch_size=batch, seed=0, device=CPU, **options)  # type: ignore[arg-type]


def test_photos_of_many_sizes_are_decoded_whole(tmp_path: Path) -> None:
    sizes = write_photographs(tmp_path / "p", 4)
    data = opened(tmp_path / "p")
    assert [tuple(place[1:]) for place in data.places] == sizes
    assert data.images.shape == (sum(h * w for h, w in sizes), 3)
    again = opened(tmp_path / "p")
    assert again.fingerprint == data.fingerprint


def test_every_crop_is_somewhere_in_its_photo(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 2)
    data = opened(tmp_path / "p")
    wholes = [np.array(Image.open(path)) for path in sorted((tmp_path / "p").iterdir())]
    windows = [np.lib.stride_tricks.sliding_window_view(w, (32, 32, 3))[:, :, 0] for w in wholes]
    for images_seen in (0, 4, 400):
        real = feed(data, turn=False).batch(images_seen).real
        for crop in ((real + 1) / SCALE).round().byte().permute(0, 2, 3, 1).numpy():
            assert any((w == crop).all(axis=(2, 3, 4)).any() for w in windows)


def test_crops_come_in_all_eight_turns(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    slope = np.add.outer(np.arange(32) * 2, np.arange(32)).astype(np.uint8)
    for index in range(2):
        Image.fromarray(np.stack([slope] * 3, axis=2)).save(tmp_path / "p" / f"{index}.png")
    real = feed(opened(tmp_path / "p"), batch=64).batch(0).real
    kinds = {tuple(real[i, 0, r, c].item() for r in (0, -1) for c in (0, -1)) for i in range(64)}
    assert len(kinds) == 8


def test_the_low_version_is_cut_from_the_low_version_of_the_whole(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 2)
    data = opened(tmp_path / "p")
    high, low = centre_crops(data, np.array([1]), Bicubic(), 4)
    whole = np.array(Image.open(sorted((tmp_path / "p").iterdir())[1]))
    top, left = ((side - 32) // 2 for side in whole.shape[:2])
    assert np.array_equal(high[0], whole[top : top + 32, left : left + 32])
    # The same grid, from the photo shifted so that the crop begins on it.
    shifted = torch.from_numpy(whole[top % 4 :, left % 4 :].copy()).permute(2, 0, 1)
    shifted = shifted[:, : shifted.shape[1] // 4 * 4, : shifted.shape[2] // 4 * 4]
    part = bicubic(shifted, 0.25)[:, top // 4 : top // 4 + 8, left // 4 : left // 4 + 8]
    torch.testing.assert_close(low[0], part * SCALE - 1)


def test_the_batch_is_a_pure_function_of_the_count_in_memory_and_on_disk(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 3)
    data = opened(tmp_path / "p")
    one, other = feed(data), feed(data, resident_bytes=0)
    assert one.resident
    assert not other.resident
    other.batch(8).real  # noqa: B018
    for images_seen, stream in ((0, 0), (0, 1), (64, 0)):
        a, b = one.batch(images_seen, stream), other.batch(images_seen, stream)
        assert torch.equal(a.real, b.real)
        assert torch.equal(a["input"], b["input"])
    assert not torch.equal(one.batch(0).real, one.batch(0, 1).real)


@pytest.mark.parametrize("rule", [Bicubic(), Blind(), Aged()], ids=lambda rule: type(rule).__name__)
@pytest.mark.parametrize("limit", [None, 0])
def test_the_shares_of_several_processes_are_the_batch(tmp_path: Path, rule: Degradation, limit: int | None) -> None:
    write_photographs(tmp_path / "p", 3)
    data = opened(tmp_path / "p")
    for start in (0, 6, 40):
        whole = feed(data, batch=6, degradation=rule).batch(start)
        feeds = [feed(data, 6, rank=r, world_size=3, degradation=rule, resident_bytes=limit) for r in range(3)]
        assert [served.local_size for served in feeds] == [2, 2, 2]
        shares = [served.batch(start) for served in feeds]
        for name in (n for n in ("real", "input", "hole", "strengths") if whole.get(n) is not None):
            assert torch.equal(torch.cat([share[name] for share in shares]), whole[name])


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 2)
    with pytest.raises(InputError, match=r"6 .*4 processes"):
        feed(opened(tmp_path / "p"), batch=6, world_size=4)


def test_a_batch_may_be_larger_than_the_folder(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 2)
    batch = feed(opened(tmp_path / "p"), batch=9).batch(0)
    assert batch.real.shape == (9, 3, 32, 32)
    assert batch["input"].shape == (9, 3, 8, 8)


def test_a_photo_smaller_than_the_crop_is_skipped(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 2)
    Image.new("RGB", (31, 200)).save(tmp_path / "p" / "thin.png")
    data = opened(tmp_path / "p")
    assert len(data) == 2
    assert [(s.name, s.reason) for s in data.skipped] == [
        ("thin.png", "31 x 200 pixels is smaller than a crop of 32 x 32")
    ]


def test_only_small_photos_are_refused(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 2)
    with pytest.raises(InputError, match="smaller than a crop of 512"):
        opened(tmp_path / "p", size=512)


def test_a_folder_with_one_photo_is_refused(tmp_path: Path) -> None:
    write_photographs(tmp_path / "p", 1)
    with pytest.raises(InputError, match="only one usable photo"):
        opened(tmp_path / "p")


def test_div2k_is_read_from_its_folder_or_zip(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path))
    write_photographs(data_dir() / "DIV2K_train_HR", 3)
    assert len(open_data(Crops(source="div2k"), (3, 32, 32))) == 3


def test_div2k_that_cannot_be_downloaded_says_where_to_put_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "none"))
    monkeypatch.setattr("ganvas.data.builtin.DIV2K_URL", "http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"put DIV2K_train_HR\.zip, or the folder DIV2K_train_HR"):
        open_data(Crops(source="div2k"), (3, 32, 32))
