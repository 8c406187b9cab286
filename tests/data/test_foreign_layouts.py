"""The layouts, names and numbers in which people have their images."""

from __future__ import annotations

import gzip
import os
import struct
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas.data import Dataset, load
from ganvas.data.examine import examine
from ganvas.errors import InputError
from ganvas.recipe.sources import Images
from tests.conftest import Cli, assert_refused
from tests.data.test_builtin import idx, mnist_files
from tests.data.test_sources import fill, greys, pack, png


def read(source: Path | str, column: str = "", labels: str = "") -> Dataset:
    return load(Images(source=str(source), column=column, labels=labels), size=8, channels=1)


def labels(data: Dataset) -> list[int]:
    assert data.labels is not None
    return data.labels.tolist()


def write_parquet(path: Path, columns: dict[str, object], metadata: str = "") -> Path:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    table = arrow.table(columns)
    parquet.write_table(table.replace_schema_metadata({"huggingface": metadata} if metadata else None), path)
    return path


def squares(count: int, value: float = 0, dtype: type = np.uint8) -> np.ndarray:
    return np.full((count, 8, 8), value, dtype)


# Parts of the data


@pytest.mark.parametrize("packed", [False, True])
def test_only_the_folder_train_beside_val_is_read(tmp_path: Path, packed: bool) -> None:
    files = {"train/b/1.png": 2, "train/a/1.png": 1, "val/a/1.png": 3, "Test/b/1.png": 4}
    root = pack(tmp_path / "p.zip", {**files}) if packed else fill(tmp_path / "p", files)
    data = read(root)
    assert greys(data) == [1, 2]
    assert (data.classes, labels(data)) == (("a", "b"), [0, 1])
    assert data.notes == ("of its folders only train is read, not Test, val",)


def test_train_and_others_that_are_no_parts_are_classes(tmp_path: Path) -> None:
    data = read(fill(tmp_path / "p", {"train/1.png": 1, "bus/1.png": 2}))
    assert data.classes == ("bus", "train")
    data = read(fill(tmp_path / "q", {"test/1.png": 1, "val/1.png": 2}))
    assert data.classes == ("test", "val")


@pytest.mark.parametrize("words", [("x_val", "x_train"), ("valid_images", "train_images"), ("X_dev", "X"), ("v", "v2")])
def test_the_training_array_is_read_whichever_was_saved_first(tmp_path: Path, words: tuple[str, str]) -> None:
    first, second = words
    np.savez(tmp_path / "a.npz", **{first: squares(2, 1), second: squares(3, 2)})
    assert greys(read(tmp_path / "a.npz")) == ([1, 1] if first == "v" else [2, 2, 2])


def test_a_folder_of_parquet_shards_is_one_table(tmp_path: Path) -> None:
    for name, first in (("train-00001", 3), ("train-00000", 1), ("validation-00000", 9)):
        write_parquet(tmp_path / "p" / "data" / f"{name}-of-2.parquet", {"image": [png(first), png(first + 1)]})
    (tmp_path / "p" / "README.md").write_text("a card")
    data = read(tmp_path / "p")
    assert greys(data) == [1, 2, 3, 4]
    assert "not data/validation-00000-of-2.parquet" in data.notes[0]


def test_parquet_files_of_different_tables_are_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path / "p" / "a.parquet", {"image": [png(1)], "label": [1]})
    write_parquet(tmp_path / "p" / "b.parquet", {"image": [png(1)], "label": ["x"]})
    with pytest.raises(InputError, match="parts of one table"):
        read(tmp_path / "p")


def test_a_zip_in_a_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    pack(tmp_path / "p" / "images.zip", {"a/1.png": 1, "b/1.png": 2})
    (tmp_path / "p" / "list.csv").write_text("1.png,7")
    data = read(tmp_path / "p")
    assert (greys(data), data.classes, data.name) == ([1, 2], ("a", "b"), "p")
    pack(tmp_path / "p" / "more.zip", {"a/1.png": 1})
    with pytest.raises(InputError, match=r"images\.zip, more\.zip"):
        read(tmp_path / "p")
    fill(tmp_path / "p", {"1.png": 5})
    assert greys(read(tmp_path / "p")) == [5]


# MNIST's files


@pytest.mark.parametrize("packed", [False, True])
def test_the_four_files_of_mnist(tmp_path: Path, packed: bool) -> None:
    mnist_files(tmp_path / "raw", packed=packed)
    ending = ".gz" if packed else ""
    for source in (tmp_path / "raw", tmp_path / "raw" / f"train-images-idx3-ubyte{ending}"):
        data = read(source)
        assert len(data) == 5
        assert labels(data) == [0, 1, 2, 3, 4]
    if packed:
        for path in (tmp_path / "raw").iterdir():
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        assert len(read(tmp_path / "raw")) == 5


def test_mnist_needs_no_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path))
    monkeypatch.setitem(sys.modules, "torchvision", None)
    mnist_files(tmp_path / "MNIST" / "raw", packed=True)
    assert len(read("mnist")) == 5


@pytest.mark.parametrize(
    "content", [b"", b"\0\0\x08", b"\0\0\x08\xff", b"PK", b"\0\0\x08\x03" + b"\xff" * 12, idx(np.zeros(3, np.uint8))]
)
@pytest.mark.parametrize("name", ["a-images-idx3-ubyte", "a-images-idx3-ubyte.gz"])
def test_a_damaged_idx_file_is_refused(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        read(tmp_path / name)


def test_idx_labels_beyond_all_classes_are_no_labels(tmp_path: Path) -> None:
    (tmp_path / "a-images-idx3-ubyte").write_bytes(idx(np.zeros((2, 8, 8), np.uint8)))
    numbers = struct.pack(">HBBI2i", 0, 12, 1, 2, 0, 2**31 - 1)  # the names of so many would fill the memory
    (tmp_path / "a-labels-idx1-ubyte").write_bytes(numbers)
    data = read(tmp_path / "a-images-idx3-ubyte")
    assert data.labels is None
    assert "has not the number of a class for each image" in data.unlabelled


# Which column, which array


def test_the_column_and_the_labels_can_be_chosen(tmp_path: Path, cli: Cli) -> None:
    columns: dict[str, object] = {"small": [png(1), png(2)], "big": [png(3), png(4)], "kind": ["x", "y"]}
    path = write_parquet(tmp_path / "a.parquet", columns)
    assert greys(read(path)) == [1, 2]
    data = read(path, column="big", labels="kind")
    assert (greys(data), data.classes) == ([3, 4], ("x", "y"))
    assert data.notes == ("images from column big, labels from kind; not read: small",)
    done = cli("data", path, "--column", "big", "--labels", "kind")
    assert "images from column big, labels from kind" in done.stdout
    assert_refused(cli("data", path, "--column", "bug"), "column of images 'bug'", "small, big")
    assert_refused(cli("data", path, "--labels", "kid"), "'kid'", "kind")


def test_the_array_and_the_labels_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, masks=squares(2, 1), photos=squares(2, 2), age=[3, 4], kind=[0.0, 1.0])
    data = read(path, column="photos", labels="kind")
    assert (greys(data), labels(data)) == ([2, 2], [0, 1])
    assert data.notes == ("images from array photos, labels from kind; not read: masks, age",)
    for column, wanted in (("age", ""), ("", "masks")):
        with pytest.raises(InputError, match="masks, photos" if column else "age, kind"):
            read(path, column=column, labels=wanted)


def test_a_column_of_images_needs_a_name(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", {"": [png(1)]})
    with pytest.raises(InputError, match="has no column of images, only one without a name"):
        read(tmp_path / "a.parquet")
    write_parquet(tmp_path / "b.parquet", {"": [png(1)], "photo": [png(2)]})
    assert greys(read(tmp_path / "b.parquet")) == [2]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow.Table.from_arrays([arrow.array([png(1)]), arrow.array([png(2)])], names=["image", "image"])
    parquet.write_table(table, tmp_path / "p.parquet")
    with pytest.raises(InputError, match=r"several columns of one name \(image\); rename them"):
        read(tmp_path / "p.parquet")


def test_images_in_a_column_that_is_named_like_labels(tmp_path: Path) -> None:
    data = read(write_parquet(tmp_path / "p.parquet", {"label": [png(1), png(2)]}))
    assert (len(data), data.classes) == (2, ())


def test_a_column_of_what_has_none_is_refused(tmp_path: Path) -> None:
    for source in ("digits", str(fill(tmp_path / "p", {"1.png": 1})), str(pack(tmp_path / "p.zip", {"1.png": 1}))):
        with pytest.raises(InputError, match="no parquet or npz file"):
            read(source, column="x")


# Labels


def test_labels_in_a_column_of_their_own(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=squares(3), y=np.array([[2], [0], [1]]))
    assert labels(read(tmp_path / "a.npz")) == [2, 0, 1]


@pytest.mark.parametrize(("column", "why"), [([1.0, float("nan")], "1 of its 2 rows"), ([[1], [1, 2]], "several")])
def test_labels_that_are_no_classes(tmp_path: Path, column: list[object], why: str) -> None:
    data = read(write_parquet(tmp_path / "a.parquet", {"image": [png(1), png(2)], "label": column}))
    assert data.labels is None
    assert why in data.unlabelled


def test_nan_and_huge_labels_of_an_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=squares(2), y=[1.0, float("nan")], z=[0, 2**40])
    data = read(tmp_path / "a.npz", labels="y")
    assert (data.labels, data.unlabelled) == (None, "1 of its 2 labels are below 0")
    assert read(tmp_path / "a.npz").unlabelled == "its labels are no class numbers"


@pytest.mark.parametrize(
    "metadata",
    ["{", "[]", "[" * 10_000, '{"info": 3}', '{"info": {"features": {"label": {"names": ["a"]}}}}'],
)
def test_damaged_metadata_of_a_parquet_file(tmp_path: Path, metadata: str) -> None:
    path = write_parquet(tmp_path / "a.parquet", {"image": [png(1), png(2)], "label": [0, 1]}, metadata)
    assert read(path).classes == ("0", "1")


def test_no_rows(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    write_parquet(tmp_path / "a.parquet", {"image": arrow.array([], arrow.binary()), "label": [][:0]})
    np.savez(tmp_path / "a.npz", x=squares(0), y=np.zeros(0, int))
    for name in ("a.parquet", "a.npz"):
        with pytest.raises(InputError, match="no images"):
            read(tmp_path / name)


# Numbers


@pytest.mark.parametrize(
    ("values", "shown", "expected"),
    [
        (np.array([0, 0.2, 1], np.float32), "0..1", [0, 51, 255]),
        (np.array([-1, 0, 1], np.float64), "-1..1", [0, 128, 255]),
        (np.array([0, 51.2, 255], np.float32), "0..255", [0, 51, 255]),
        (np.array([0, 1, 255], np.int64), "0..255", [0, 1, 255]),
        (np.array([0, 257, 65535], np.uint16), "0..65535", [0, 1, 255]),
    ],
)
def test_numbers_that_are_not_bytes(tmp_path: Path, values: np.ndarray, shown: str, expected: list[int]) -> None:
    np.savez(tmp_path / "a.npz", x=np.broadcast_to(values[:, None, None], (3, 8, 8)))
    data = read(tmp_path / "a.npz")
    assert greys(data) == expected
    assert data.notes[0].endswith(f"are taken as {shown}")


def test_floating_point_files(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for name, value in (("a", 0.2), ("b", 51.2), ("c", 70_000), ("d", float("nan"))):
        Image.new("F", (8, 8), value).save(tmp_path / "p" / f"{name}.tif")
    data = read(tmp_path / "p")
    assert greys(data) == [51, 51]
    assert [skipped.name for skipped in data.skipped] == ["c.tif", "d.tif"]
    assert examine(str(tmp_path / "p")).modes == {"TIFF F, taken as 0..1": 1, "TIFF F, taken as 0..255": 1}


# Names


def raw_names(path: Path, names: list[bytes]) -> Path:
    """A zip whose names are these bytes, without the flag of UTF-8."""
    stand_ins = [f"{number:04}".ljust(len(name), "_") for number, name in enumerate(names)]
    with zipfile.ZipFile(path, "w") as archive:
        for number, stand_in in enumerate(stand_ins):
            archive.writestr(stand_in, png(number + 1))
    content = path.read_bytes()
    for stand_in, name in zip(stand_ins, names, strict=True):
        content = content.replace(stand_in.encode(), name)
    path.write_bytes(content)
    return path


def test_backslashes_in_a_zip_separate(tmp_path: Path) -> None:
    data = read(raw_names(tmp_path / "p.zip", [b"all\\cats\\1.png", b"all\\dogs\\1.png"]))
    assert data.classes == ("cats", "dogs")


@pytest.mark.parametrize("code", ["gbk", "utf-8", "cp437"])
def test_names_of_a_zip_in_the_codes_of_their_systems(tmp_path: Path, code: str) -> None:
    kinds = ("Müll", "Café") if code == "cp437" else ("猫", "小狗")
    path = raw_names(tmp_path / "p.zip", [f"{kind}/1.png".encode(code) for kind in kinds])
    assert set(read(path).classes) == set(kinds)


def test_the_last_of_several_entries_of_one_name_counts(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, grey in (("1.png", 1), ("2.png", 2), ("1.png", 3)):
            archive.writestr(name, png(grey))
    assert greys(read(tmp_path / "p.zip")) == [3, 2]


def test_a_zip_with_an_empty_name_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.writestr("1.png", png(1))
        archive.writestr(zipfile.ZipInfo(""), png(2))
        archive.writestr("./", b"")
    assert greys(read(tmp_path / "p.zip")) == [1]


def test_a_zip_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "p.zip", {"1.png": 1})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 99
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"p\.zip"):
        read(path)


def test_names_with_digits_that_are_no_decimals(tmp_path: Path) -> None:
    files = {f"{name}/1.png": grey for grey, name in enumerate(("①", "m²", "٣", "a10", "a9"))}
    assert read(fill(tmp_path / "p", files)).classes == ("٣", "a9", "a10", "m²", "①")
    packed: dict[str, int | bytes] = {f"{'9' * 5000}.png": 1, "1.png": 2}
    assert greys(read(pack(tmp_path / "p.zip", packed))) == [2, 1]


@pytest.mark.skipif(os.name != "posix", reason="names of files are text there")
def test_names_of_files_that_are_not_utf8(tmp_path: Path, cli: Cli) -> None:
    def fill_with(root: Path, names: tuple[bytes, ...]) -> Path:
        fill(root, {f"{os.fsdecode(name)}/1.png": 1 for name in names})
        return root

    for kinds, shown in (
        (("猫".encode("gbk"), "小狗".encode("gbk")), ("小狗", "猫")),
        (("猫".encode(), b"\xff\xfe"), ("\\xff\\xfe", "猫")),
    ):
        root = fill_with(tmp_path / f"p{len(shown[0])}", kinds)
        assert read(root).classes == shown
        done = cli("data", root)
        assert done.returncode == 0, done.stderr
        assert "猫" in done.stdout


def test_an_index_beside_the_images_is_no_broken_image(tmp_path: Path, cli: Cli) -> None:
    root = fill(tmp_path / "p", {"1.png": 1})
    (root / "index.json").write_text("{}")
    done = cli("data", root)
    assert "unusable    none" in done.stdout
    assert "other files index.json" in done.stdout


def test_a_pipe_that_is_named_like_an_archive_is_not_waited_for(tmp_path: Path) -> None:
    root = fill(tmp_path / "p", {})
    root.mkdir()
    for name in ("a.npz", "train-images-idx3-ubyte"):
        os.mkfifo(root / name)
        with pytest.raises(InputError, match="none is a usable image"):
            read(root)
        with pytest.raises(InputError, match="not a regular file"):
            read(root / name)
