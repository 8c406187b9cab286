"""The parts of ganvas augment: split, filter, classifier, benefit."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from ganvas.data import load
from ganvas.metrics.intervals import Estimate
from ganvas.metrics.memorization import nearest, nearest_other
from ganvas.recipe.sources import Images
from ganvas.studies.synthetic.benefit import ALONE, ARMS, BOTH, CROPS, FAKES, REAL, Benefit, evaluate_benefit, interval
from ganvas.studies.synthetic.classifier import (
    ClassifierConfig,
    TrainingMix,
    crop_and_flip,
    probabilities,
    train_classifier,
)
from ganvas.studies.synthetic.fakes import Candidates
from ganvas.studies.synthetic.filtering import ACCEPTED, SPARE, filter_candidates
from ganvas.studies.synthetic.output_folder import arms_table, classes_table, folder_names
from ganvas.studies.synthetic.reals import LabelledImages, RealSplit, form_of, read_reals
from ganvas.studies.synthetic.settings import SyntheticSettings


def benefit(right: float, pictures: int = 1000) -> Benefit:
    """One where real + both names this share rightly, and all other arms a half."""
    random = np.random.default_rng(0)
    shares = dict.fromkeys(ARMS, 0.5) | {BOTH: right}
    rights = {arm: random.random((3, pictures)) < share for arm, share in shares.items()}
    return Benefit(rights, np.arange(pictures) % 2, ("cat", "dog"))


def digits(size: int = 8) -> LabelledImages:
    found = load(Images(source="digits"), size=size, channels=1)
    assert found.labels is not None
    return LabelledImages(found.take(slice(None)), found.labels)


def cut(whole: LabelledImages, index: slice) -> LabelledImages:
    return LabelledImages(whole.images[index], whole.labels[index])


def test_the_split_takes_as_many_of_every_class_and_the_same_again() -> None:
    settings = SyntheticSettings(source="digits", per_class=1, real_per_class=20)
    first, again = read_reals(settings, 8, 1), read_reals(settings, 8, 1)
    assert np.bincount(first.train.labels).tolist() == [20] * 10
    assert np.array_equal(first.train.images, again.train.images)
    other = read_reals(SyntheticSettings(source="digits", per_class=1, real_per_class=20, seed=1), 8, 1)
    assert not np.array_equal(first.train.images, other.train.images)
    more = read_reals(SyntheticSettings(source="digits", per_class=1, real_per_class=40), 8, 1)
    assert {p.tobytes() for p in first.train.images} < {p.tobytes() for p in more.train.images}


def test_size_and_colours_are_found(tmp_path: Path) -> None:
    assert form_of("digits") == (16, 1)
    np.savez(tmp_path / "wide.npz", images=np.zeros((4, 20, 40, 3), np.uint8))
    assert form_of(str(tmp_path / "wide.npz")) == (32, 3)


def test_an_npz_may_name_its_classes(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((4, 8, 8), np.uint8), labels=[0, 1, 0, 1], classes=["cat", "dog"])
    assert load(Images(source=str(tmp_path / "x.npz")), size=8, channels=1).classes == ("cat", "dog")


def test_the_nearest_other_is_the_nearest_without_itself() -> None:
    images = digits().images[:60]
    for index, found in enumerate(nearest_other(images)):
        others = np.delete(images, index, axis=0)
        assert found == pytest.approx(nearest(images[index : index + 1], [others]).distance[0], abs=1e-6)


def test_copies_and_mirrored_copies_are_dropped_then_the_unsure_then_what_d_likes_least() -> None:
    reals = cut(digits(16), slice(0, 200))
    noise = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 1), dtype=np.uint8)
    made = np.concatenate([reals.images[:1], reals.images[1:2, :, ::-1], noise])
    candidates = Candidates(LabelledImages(made, np.zeros(14, np.int64)), np.arange(14.0))
    confidence = np.array([1.0, 1.0, 0.1, *[0.9] * 11])
    settings = SyntheticSettings(source="digits", per_class=4, confidence=0.5, realness=0.25)
    found = filter_candidates(candidates, confidence, reals, settings)
    assert found.fate.tolist() == ["copy"] * 2 + ["unsure"] + ["unreal"] * 3 + [ACCEPTED] * 4 + [SPARE] * 4
    assert found.neighbour[:2].tolist() == [0, 1]
    assert found.distance[:2] == pytest.approx(0)
    assert np.array_equal(found.fakes.images, made[6:10])
    assert found.copy_below.shape == (10,)
    assert found.copy_below[1] < found.copy_below.max()
    open_ = SyntheticSettings(source="digits", per_class=20, confidence=0, realness=0, copies=0)
    assert filter_candidates(candidates, confidence, reals, open_).count(ACCEPTED) == 14


def test_the_classifier_learns_and_is_the_same_for_the_same_seed() -> None:
    whole = digits()
    train, test = cut(whole, slice(0, 600)), cut(whole, slice(600, 900))
    config = ClassifierConfig(classes=10, updates=30)
    first, again = train_classifier(TrainingMix(train), config, 0), train_classifier(TrainingMix(train), config, 0)
    found = probabilities(first, test.images, config)
    assert np.array_equal(found, probabilities(again, test.images, config))
    assert found.sum(1) == pytest.approx(1, abs=1e-5)
    assert (found.argmax(1) == test.labels).mean() > 0.85


def test_disturbed_pictures_are_shifted_or_mirrored() -> None:
    images = digits(16).images[:50]
    random = np.random.default_rng(0)
    assert np.array_equal(crop_and_flip(images.copy(), False, False, random), images)
    mirrored = crop_and_flip(images.copy(), False, True, random)
    assert all(np.array_equal(a, b) or np.array_equal(a, b[:, ::-1]) for a, b in zip(mirrored, images, strict=True))
    assert not np.array_equal(mirrored, images)
    inner = slice(4, 12)
    for shifted, image in zip(crop_and_flip(images.copy(), True, False, random), images, strict=True):
        places = [(y, x) for y in range(2, 7) for x in range(2, 7)]
        assert any(np.array_equal(shifted[inner, inner], image[y : y + 8, x : x + 8]) for y, x in places)


def test_the_interval_is_that_of_seeds_and_of_pictures() -> None:
    scores = np.random.default_rng(0).normal(size=(4, 50))
    found = interval(scores)
    seeds, pictures = scores.mean(1), scores.mean(0)
    over_seeds = stats.t.interval(0.95, 3, scale=stats.sem(seeds))[1]
    over_pictures = stats.norm.interval(0.95, scale=stats.sem(pictures))[1]
    assert found.value == pytest.approx(scores.mean())
    assert found.high - found.value == pytest.approx(math.hypot(over_seeds, over_pictures), rel=1e-4)


def test_no_accuracy_is_below_none_or_beyond_all() -> None:
    rights = {arm: np.array([[True] * 9 + [False], [False] * 9 + [True]]) for arm in ARMS} | {
        BOTH: np.ones((2, 10), bool)
    }
    found = Benefit(rights, np.arange(10) % 2, ("cat", "dog"))
    assert found.accuracy(REAL) == Estimate(0.5, 0.0, 1.0)
    assert found.gain(BOTH, REAL) == Estimate(0.5, -1.0, 1.0)


def test_crops_alone_are_not_called_flips() -> None:
    found = replace(benefit(0.9), flips=False)
    assert found.name(CROPS) == "real + crops"
    assert "flips" not in found.sentence + str(arms_table(found)) + str(classes_table(found))
    assert "flips" in str(arms_table(benefit(0.9)))


def test_three_answers() -> None:
    assert benefit(0.9).helps
    assert benefit(0.9).sentence.startswith("The fakes help: real + both reaches an accuracy of 0.8997")
    assert not benefit(0.1).helps
    assert benefit(0.1).sentence.startswith("The fakes do not help, they hurt: ")
    assert not benefit(0.5).helps
    assert benefit(0.5).sentence.startswith("The fakes do not help significantly: ")


def test_the_rival_is_the_better_arm_without_fakes() -> None:
    found = benefit(0.5)
    found.right[REAL][:] = True
    assert found.rival == REAL
    assert found.accuracy(REAL).value == 1
    assert found.gain(BOTH, REAL).value == pytest.approx(found.accuracy(BOTH).value - 1)


def test_more_real_pictures_in_the_place_of_fakes_are_found_to_help(tmp_path: Path) -> None:
    whole = digits()
    reals = RealSplit(cut(whole, slice(0, 20)), cut(whole, slice(900, 1500)), tuple("0123456789"), "", 0)
    more = cut(whole, slice(20, 900))
    settings = SyntheticSettings(source="digits", per_class=1, updates=40, flips=False)
    found = evaluate_benefit(reals, more, settings, tmp_path)
    assert found.helps
    assert found.accuracy(FAKES).value > found.accuracy(REAL).value
    assert found.accuracy(ALONE).value > found.accuracy(CROPS).value


def test_class_names_become_names_of_folders() -> None:
    assert folder_names(["cat", "a/b", "..", "Dog", "dog", "1 - one"]) == [
        "cat",
        "a_b",
        "_",
        "Dog-3",
        "dog-4",
        "1 - one",
    ]
