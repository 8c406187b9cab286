"""Messages about labels that do not fit a run with classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import Images, InputError, Watch, train
from ganvas.recipe import Recipe
from ganvas.runs import checkpoint
from ganvas.systems.dcgan import DCGAN
from tests.conftest import Cli, assert_refused, tiny

QUIET = Watch(checkpoint_seconds=1e9)


def recipe(source: str, classes: int = 2) -> Recipe:
    system = DCGAN(size=16, channels=1, g_width=2, d_width=2, latent=4, classes=classes)
    data = Images(source=source, held_out=0)
    return tiny("dcgan", system=system, data=data, images=16)


def write(*names: str) -> None:
    for index, name in enumerate(names):
        path = Path("pictures", f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (16, 16), index).save(path)


def cats_and_dogs(count: int = 9) -> None:
    write(*(f"{name}/{i}" for name in ("cats", "dogs") for i in range(count)))


def refused(asked: Recipe, message: str) -> None:
    with pytest.raises(InputError, match=message):
        train(asked, name="r", watch=QUIET)
    assert not Path("runs/r").exists()


def test_no_labels() -> None:
    write(*map(str, range(20)))
    refused(
        recipe("pictures"),
        r"have no labels, and --system.classes 2 needs the class of each.*a folder for each class.*parquet.*npz",
    )


def test_some_pictures_without_a_class() -> None:
    cats_and_dogs()
    write("stray", "another")
    refused(recipe("pictures"), "2 of its 20 files are outside the class folders")


def test_one_folder_alone() -> None:
    write(*(f"cats/{i}" for i in range(20)))
    refused(recipe("pictures"), "it has only one folder")


@pytest.mark.parametrize(
    ("labels", "message"),
    [([0] * 20, r"of one class \(0\)"), ([0, 1, -1, -1] * 5, r"10 of its 20 labels are below 0")],
)
def test_arrays(labels: list[int], message: str) -> None:
    np.savez("some.npz", pictures=np.zeros((20, 16, 16), np.uint8), labels=np.array(labels))
    refused(recipe("some.npz"), message)


def test_a_column_that_is_not_filled_in() -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    write(*map(str, range(20)))
    pictures = [Path(f"pictures/{i}.png").read_bytes() for i in range(20)]
    pq.write_table(pa.table({"image": pictures, "label": [1, 2, None, 1] * 5}), "some.parquet")
    refused(recipe("some.parquet"), "5 of its 20 rows have no label")


def test_another_number_of_classes() -> None:
    cats_and_dogs()
    refused(recipe("pictures", 7), r"2 classes \(cats, dogs\), not 7; give --system\.classes 2\.")


def test_a_class_with_one_picture() -> None:
    cats_and_dogs()
    write("mice/0")
    refused(recipe("pictures", 3), "3 classes mice has 1; add images, or remove the class")


def test_resuming_with_other_classes() -> None:
    cats_and_dogs()
    run = train(recipe("pictures"), name="r", watch=QUIET).folder
    assert checkpoint.about(run.model)["classes"] == ["cats", "dogs"]
    Path("pictures/dogs").rename("pictures/wolves")
    with pytest.raises(InputError, match=r"gone: dogs; new: wolves.*--name"):
        train(recipe("pictures"), name="r", watch=QUIET)
    Path("pictures/wolves").rename("pictures/dogs")
    write("mice/0", "mice/1")
    with pytest.raises(InputError, match=r"began with \(new: mice\)"):
        train(recipe("pictures"), name="r", watch=QUIET)


def test_labels_are_nothing_to_a_run_without_classes() -> None:
    cats_and_dogs()
    run = train(recipe("pictures", 0), name="r", watch=QUIET).folder
    assert checkpoint.about(run.model)["classes"] == []


def test_the_plan_says_so_already(cli: Cli) -> None:
    write(*(f"{name}/{i}" for name in ("cats", "dogs", "eels") for i in range(9)))
    asked = ["--data", "pictures", "--system.classes", "2", "--system.size", "16", "--system.g-width", "2"]
    done = cli("plan", "dcgan-digits", *asked)
    assert_refused(done, "pictures has 3 classes (cats, dogs, eels), not 2; give --system.classes 3.")
