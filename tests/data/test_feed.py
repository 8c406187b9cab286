"""The batch at image N is a pure function of seed, count, stream and rank."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganvas.data import Dataset
from ganvas.data.feed import Feed, image_feed
from ganvas.errors import InputError

CPU = torch.device("cpu")
COUNT = 23  # prime, so that batches cross epochs


@pytest.fixture
def dataset() -> Dataset:
    # Every image's first column holds its number, its last column 200, so that both order and mirroring show.
    images = np.zeros((COUNT, 4, 4, 3), np.uint8)
    images[:, :, 0] = np.arange(COUNT)[:, None, None]
    images[:, :, 3] = 200
    return Dataset(images, np.arange(COUNT) % 5, ("a", "b", "c", "d", "e"), name="numbered")


def feed(dataset: Dataset, **changes: object) -> Feed:
    options = {"batch_size": 6, "seed": 3, "device": CPU, "flip": True} | changes
    return image_feed(dataset, **options)  # type: ignore[arg-type]


def numbers(real: torch.Tensor) -> list[int]:
    """Which images of the fixture these are, mirrored or not."""
    pixels = real.add(1).mul(127.5).round().int()[:, 0, 0]
    return [int(row[-1] if row[0] == 200 else row[0]) for row in pixels]


def test_values_shape_and_labels(dataset: Dataset) -> None:
    batch = feed(dataset).batch(0)
    assert batch.real.shape == (6, 3, 4, 4)
    assert batch.real.dtype == torch.float32
    assert batch.real.is_contiguous(memory_format=torch.channels_last)
    assert len(batch) == 6
    assert batch.device == CPU
    assert batch.labels is not None
    assert batch.labels.tolist() == [number % 5 for number in numbers(batch.real)]
    assert batch.labels.dtype == torch.int64


def test_black_and_white_are_minus_one_and_one() -> None:
    images = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
    real = image_feed(Dataset(images), batch_size=2, seed=0, device=CPU).batch(0).real
    assert real.min() == -1
    assert 1 - 1e-6 < real.max() <= 1


def test_a_source_without_classes_has_no_labels(dataset: Dataset) -> None:
    assert feed(Dataset(dataset.images)).batch(0).labels is None


@pytest.mark.parametrize("start", [0, 6, 18, COUNT * 7 + 20])
@pytest.mark.parametrize("stream", [0, 1])
def test_memory_file_look_ahead_and_ranks_agree(dataset: Dataset, start: int, stream: int) -> None:
    expected = feed(dataset).batch(start, stream).real
    mapped = feed(dataset, resident_bytes=0)
    assert not mapped.resident
    assert torch.equal(mapped.batch(start, stream).real, expected)
    ahead = feed(dataset, resident_bytes=0)
    for seen in range(start % 6, start + 1, 6):
        last = ahead.batch(seen, stream).real
        ahead.batch(seen, 1 - stream).real  # noqa: B018 (fetches on access)
    assert torch.equal(last, expected)
    for limit in (None, 0):
        ranks = [feed(dataset, rank=r, world_size=2, resident_bytes=limit).batch(start, stream) for r in (0, 1)]
        assert [len(share) for share in ranks] == [3, 3]
        assert torch.equal(torch.cat([share.real for share in ranks]), expected)


def test_memory_and_file_agree_on_the_memory_layout(dataset: Dataset) -> None:
    # Convolutions may choose another algorithm for another layout, and with it other last bits.
    one, two = feed(dataset).batch(0).real, feed(dataset, resident_bytes=0).batch(0).real
    assert one.stride() == two.stride()


def test_asking_twice_or_out_of_order_changes_nothing(dataset: Dataset) -> None:
    served = feed(dataset)
    first = served.batch(0).real.clone()
    for seen in (900, 6, 300, 12):
        served.batch(seen).real  # noqa: B018
    assert torch.equal(served.batch(0).real, first)


@pytest.mark.parametrize("epoch", [0, 1, 5])
def test_an_epoch_shows_each_image_once(dataset: Dataset, epoch: int) -> None:
    served = feed(dataset, batch_size=1)
    shown = [numbers(served.batch(epoch * COUNT + i).real)[0] for i in range(COUNT)]
    assert sorted(shown) == list(range(COUNT))
    crossing = feed(dataset)
    shown = [number for i in range(COUNT) for number in numbers(crossing.batch(i * 6).real)]
    assert sorted(shown) == sorted(list(range(COUNT)) * 6)


def test_epochs_streams_and_seeds_differ(dataset: Dataset) -> None:
    def order(stream: int = 0, epoch: int = 0, seed: int = 3) -> list[int]:
        return numbers(feed(dataset, batch_size=COUNT, seed=seed).batch(epoch * COUNT, stream).real)

    assert order() == order()
    assert len({tuple(o) for o in (order(), order(stream=1), order(epoch=1), order(seed=4))}) == 4


def test_mirroring_is_fair_and_off_by_default(dataset: Dataset) -> None:
    served = feed(dataset)
    mirrored = [bool(row[0, 0, 0] > 0.5) for i in range(200) for row in served.batch(i * 6).real]
    assert 0.45 < np.mean(mirrored) < 0.55
    plain = image_feed(dataset, batch_size=6, seed=3, device=CPU)
    assert not any(bool(row[0, 0, 0] > 0.5) for i in range(20) for row in plain.batch(i * 6).real)


def test_both_ways_of_serving_count_the_seconds_waited(dataset: Dataset) -> None:
    for limit in (None, 0):
        served = feed(dataset, resident_bytes=limit)
        assert served.waited == 0
        served.batch(0).real  # noqa: B018
        assert 0 < served.waited < 5


def test_fewer_images_than_a_batch_are_refused(dataset: Dataset) -> None:
    with pytest.raises(InputError, match=r"23 .*64.*--batch-size"):
        feed(dataset, batch_size=64)


def test_a_batch_that_cannot_be_shared_is_refused(dataset: Dataset) -> None:
    with pytest.raises(InputError, match=r"6 .*4 processes"):
        feed(dataset, world_size=4)


def test_held_out_images_are_never_served(dataset: Dataset) -> None:
    train, held_out = dataset.split(0.2)
    assert held_out.take(slice(None))[:, 0, 0, 0].tolist() == [4, 9, 14, 19]
    assert held_out.labels is not None
    assert held_out.labels.tolist() == [4] * 4
    for limit in (None, 0):
        served = feed(train, batch_size=1, resident_bytes=limit)
        seen = {number for start in range(len(train)) for number in numbers(served.batch(start).real)}
        assert seen == set(range(COUNT)) - {4, 9, 14, 19}
    assert len(dataset.split(0)[1]) == 0
