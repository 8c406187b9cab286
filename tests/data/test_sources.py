"""Folders, archives and tables of images."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import Dataset, load
from ganvas.errors import InputError
from ganvas.recipe.sources import Images


def read(source: Path | str, size: int = 8, channels: int = 1) -> Dataset:
    return load(Images(source=str(source)), size=size, channels=channels)


def png(grey: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (8, 8), grey).save(buffer, "PNG")
    return buffer.getvalue()


def fill(root: Path, files: dict[str, int]) -> Path:
    for name, grey in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(grey))
    return root


def pack(path: Path, files: dict[str, int | bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, png(content) if isinstance(content, int) else content)
    return path


def greys(data: Dataset) -> list[int]:
    return [int(image[0, 0, 0]) for image in data.images]


def test_order_is_natural_whatever_the_file_system_says(tmp_path: Path) -> None:
    data = read(fill(tmp_path / "p", {"a10.png": 10, "a9.png": 9, "a1.png": 1, "deep/er/x.png": 77}))
    assert greys(data) == [1, 9, 10, 77]
    assert data.labels is None


def test_classes_are_first_level_folders(tmp_path: Path) -> None:
    files = {"cats/1.png": 1, "dogs/more/2.png": 2, "dogs/1.png": 3}
    data = read(fill(tmp_path / "p", files))
    assert data.classes == ("cats", "dogs")
    assert data.labels is not None
    assert data.labels.dtype == np.int64
    assert dict(zip(greys(data), data.labels.tolist(), strict=True)) == {1: 0, 2: 1, 3: 1}


@pytest.mark.parametrize("files", [{"cats/1.png": 1}, {"cats/1.png": 1, "dogs/1.png": 2, "3.png": 3}])
def test_no_classes_unless_every_image_has_one_of_two(tmp_path: Path, files: dict[str, int]) -> None:
    data = read(fill(tmp_path / "p", files))
    assert data.labels is None
    assert data.classes == ()


def test_a_stray_text_file_does_not_undo_the_classes(tmp_path: Path) -> None:
    root = fill(tmp_path / "p", {"cats/1.png": 1, "dogs/1.png": 2})
    (root / "readme.txt").write_text("two kinds of pets")
    data = read(root)
    assert data.classes == ("cats", "dogs")
    assert [skipped.name for skipped in data.skipped] == ["readme.txt"]


def test_linked_folders_are_walked_once(tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", {"1.png": 5})
    root = fill(tmp_path / "p", {"cats/1.png": 1})
    (root / "dogs").symlink_to(outside, target_is_directory=True)
    (root / "cats" / "round").symlink_to(root, target_is_directory=True)
    data = read(root)
    assert sorted(set(greys(data))) == [1, 5]


def test_zip_with_one_folder_around_it(tmp_path: Path) -> None:
    files: dict[str, int | bytes] = {"all/b/1.png": 2, "all/a/1.png": 1, "__MACOSX/all/._1.png": b"x"}
    data = read(pack(tmp_path / "p.zip", files))
    assert data.classes == ("a", "b")
    assert greys(data) == [1, 2]
    assert data.skipped == ()


def test_a_damaged_member_of_a_zip_is_listed(tmp_path: Path) -> None:
    path = pack(tmp_path / "p.zip", {"1.png": 1, "2.png": 2})
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 6] ^= 0xFF  # the archive's checksum of the first member no longer fits
    path.write_bytes(content)
    data = read(path)
    assert greys(data) == [2]
    assert [skipped.name for skipped in data.skipped] == ["1.png"]


def test_npz_in_both_layouts(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)
    labels = np.array([0, 1, 2, 0, 1, 2], np.uint8)
    np.savez(tmp_path / "a.npz", x_train=pixels, y_train=labels)
    np.savez(tmp_path / "b.npz", pixels.transpose(0, 3, 1, 2))
    np.savez(tmp_path / "c.npz", images=pixels[..., 0])
    one = read(tmp_path / "a.npz", channels=3)
    assert np.array_equal(one.images, pixels)
    assert one.labels is not None
    assert one.labels.tolist() == labels.tolist()
    assert np.array_equal(read(tmp_path / "b.npz", channels=3).images, pixels)
    assert np.array_equal(read(tmp_path / "c.npz").images[..., 0], pixels[..., 0])


@pytest.mark.parametrize("first", [0, 1])
def test_npz_labels_may_be_uint8_and_need_not_start_at_zero(tmp_path: Path, first: int) -> None:
    pixels = np.zeros((4, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", images=pixels, labels=np.array([7, 7, 9, 9]) + first)
    data = read(tmp_path / "a.npz")
    assert data.labels is not None
    assert data.labels.tolist() in ([0, 0, 1, 1], [7 + first] * 2 + [9 + first] * 2)
    assert data.labels.max() < len(data.classes)


def test_npz_with_both_parts_means_the_training_part(tmp_path: Path) -> None:
    parts = {"x_test": np.zeros((2, 8, 8), np.uint8), "y_test": np.zeros(2, int)}
    parts |= {"x_train": np.ones((3, 8, 8), np.uint8), "y_train": np.arange(3)}
    np.savez(tmp_path / "a.npz", **parts)
    data = read(tmp_path / "a.npz")
    assert greys(data) == [1, 1, 1]
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 2]


def test_a_damaged_npz_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=np.random.default_rng(0).integers(0, 256, (9, 8, 8), np.uint8))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[200:260] = bytes(60)
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz"):
        read(tmp_path / "a.npz")


def test_a_pipe_is_listed_and_not_waited_for(tmp_path: Path) -> None:
    root = fill(tmp_path / "p", {"1.png": 1})
    os.mkfifo(root / "pipe.png")
    assert [skipped.name for skipped in read(root).skipped] == ["pipe.png"]


def test_npz_of_objects_or_of_an_unknown_range_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.array([{}], dtype=object))
    np.savez(tmp_path / "b.npz", images=np.full((4, 8, 8), 300.0))
    np.savez(tmp_path / "c.npz", images=np.full((4, 8, 8), np.nan))
    for name in ("a.npz", "b.npz", "c.npz"):
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)


def test_numpys_advice_to_run_code_is_not_passed_on(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"contains images object") as refused:
        read(tmp_path / "a.npz")
    assert "allow_pickle" not in str(refused.value)


def test_an_npz_of_huge_labels_or_sizes_is_refused_before_they_cost_memory(tmp_path: Path) -> None:
    images = np.zeros((2, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.array([0, 2**40]))
    assert read(tmp_path / "a.npz").unlabelled == "its labels are no class numbers"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (2**40, 8, 8)})
    with zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", header.getvalue())
        archive.writestr("more.npy", bytes(10**6))
    with pytest.raises(InputError, match=r"b\.npz"):
        read(tmp_path / "b.npz")


def test_an_npz_that_unpacks_to_more_than_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((99, 99, 99), np.uint8))
    monkeypatch.setattr("ganvas.data.arrays.free_memory", lambda: 10**5)
    with pytest.raises(InputError, match=r"unpacks to 0\.0 GB.*give a folder or a zip"):
        read(tmp_path / "a.npz")


def test_parquet_in_the_hubs_layout(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [{"bytes": png(grey), "path": f"{grey}.png"} for grey in (3, 4, 5)]
    table = arrow.table({"image": rows, "label": [1, 0, 1]})
    features = {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    data = read(tmp_path / "a.parquet")
    assert greys(data) == [3, 4, 5]
    assert data.classes == ("cat", "dog")
    assert data.labels is not None
    assert data.labels.tolist() == [1, 0, 1]


def test_parquet_of_plain_binaries_with_a_hole(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"png": [png(3), None, png(5)]}), tmp_path / "a.parquet")
    data = read(tmp_path / "a.parquet")
    assert greys(data) == [3, 5]
    assert len(data.skipped) == 1


def test_parquet_with_unlabelled_rows_has_no_classes(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"image": [png(3), png(4)], "label": [-1, -1]})
    features = {"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    parquet.write_table(table, tmp_path / "a.parquet")
    data = read(tmp_path / "a.parquet")
    assert data.labels is None or data.labels.min() >= 0


def test_parquet_without_images_names_its_columns(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"age": [1], "town": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="age, town"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["a.zip", "a.parquet", "a.npz", "a.tar"])
def test_a_file_that_is_not_what_it_says_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("neither fish nor fowl")
    with pytest.raises(InputError, match=name):
        read(tmp_path / name)


def test_an_empty_folder_or_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for source in (tmp_path / "p", pack(tmp_path / "p.zip", {})):
        with pytest.raises(InputError, match="p"):
            read(source)


def test_a_missing_source_suggests_the_nearest_name() -> None:
    with pytest.raises(InputError, match=r"mnits.*'mnist'"):
        read("mnits")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom the system can refuse")
def test_a_file_that_may_not_be_read_is_listed(tmp_path: Path) -> None:
    root = fill(tmp_path / "p", {"1.png": 1, "2.png": 2})
    (root / "1.png").chmod(0)
    assert [skipped.name for skipped in read(root).skipped] == ["1.png"]
