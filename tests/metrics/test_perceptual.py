"""The distances against references, files that are not to be had, and diversity of sets whose variety is known."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from ganvas import cli
from ganvas.errors import InputError
from ganvas.inference.importers._torchvision import make_importable
from ganvas.metrics import diversity as diversity_
from ganvas.metrics import perceptual
from ganvas.metrics.diversity import diversity
from ganvas.metrics.perceptual import ALEXNET, ShiftTolerant, open_perceptual
from tests.conftest import SHARED

FIXTURES = SHARED / "data" / "weights" / "fixtures.npz"
WEIGHTS = SHARED / "data" / "weights" / "stlpips_alex_fp16.safetensors"


@pytest.mark.skipif(not FIXTURES.exists(), reason=f"the reference outputs {FIXTURES} are not here")
def test_distances_equal_the_reference_outputs() -> None:
    fixtures = np.load(FIXTURES)
    names = ("images_uint8_nhwc", "bicubic_x4_uint8_nhwc")
    a, b = (torch.from_numpy(fixtures[name]).permute(0, 3, 1, 2).float() / 127.5 - 1 for name in names)
    network = ShiftTolerant({name: tensor.float() for name, tensor in load_file(WEIGHTS).items()})
    with torch.inference_mode():
        assert np.allclose(network(a, b).numpy(), fixtures["stlpips_alex"], atol=1e-5)
        assert not network(a, a).any()


def test_diversity_falls_as_pictures_become_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diversity_, "PAIRS", 16)
    pytest.importorskip("stlpips_pytorch", reason="the weights come with the extra perceptual")
    network = open_perceptual("st-lpips")
    rng = np.random.default_rng(0)
    varied = rng.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    alike = (varied[:1] * 0.8 + varied * 0.2).astype(np.uint8)
    found, less = diversity(network, varied), diversity(network, alike)
    assert less.high < found.low
    assert found == diversity(network, varied)
    assert diversity(network, varied[[3, 3]]).value == 0
    with pytest.raises(InputError, match="1 image"):
        diversity(network, varied[:1])


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.nn.Module:
    """The authors' LPIPS on a random AlexNet, which lies where ganvas looks for the true one, under its own hash."""
    make_importable()  # makes torchvision importable beside any build of torch
    lpips = pytest.importorskip("lpips", reason="the linear layers, and the reference, come with the extra perceptual")
    torch.manual_seed(0)
    network: torch.nn.Module = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    state = {f"features.{name.split('.', 1)[1]}": tensor for name, tensor in network.net.state_dict().items()}  # type: ignore[union-attr]
    torch.save(state, tmp_path / ALEXNET)
    monkeypatch.setenv("GANVAS_WEIGHTS", str(tmp_path))
    sha256 = hashlib.sha256((tmp_path / ALEXNET).read_bytes()).hexdigest()
    monkeypatch.setattr(perceptual, "ALEXNET_SHA256", sha256)
    return network


@pytest.mark.filterwarnings("ignore:.*'(pretrained|weights)'.*:UserWarning")  # of torchvision, to lpips
@pytest.mark.parametrize("side", [64, 97])
def test_lpips_equals_its_authors(side: int, theirs: torch.nn.Module) -> None:
    a = torch.rand(3, 3, side, side) * 2 - 1
    b = torch.stack([a[0].flip(-1), (a[1] * 0.5).round(decimals=1), torch.zeros_like(a[2])])
    network = open_perceptual("lpips")
    with torch.inference_mode():
        expected = theirs(a, b).flatten()
        assert expected.min() > 1e-4
        assert torch.allclose(network(a, b), expected, rtol=1e-4, atol=0)
        assert not network(a, a).any()
        assert torch.equal(network(a[:, :1], b), network(a[:, :1].expand(-1, 3, -1, -1), b))


@pytest.mark.filterwarnings("ignore:.*'(pretrained|weights)'.*:UserWarning")
def test_a_figure_says_which_distance_it_is_of(theirs: torch.nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diversity_, "PAIRS", 8)
    np.savez("fakes.npz", images=np.random.default_rng(0).integers(0, 256, (20, 16, 16, 1), dtype=np.uint8))
    words = ["--against", "digits", "--extractor", "digits", "--measures", "perceptual", "--json", "out.json"]
    assert cli.main(["evaluate", "fakes.npz", *words, "--perceptual", "lpips"]) == 0
    figures = json.loads(Path("out.json").read_text())["figures"]
    assert [figure["measure"] for figure in figures] == ["LPIPS diversity", "LPIPS diversity of the reals"]
    assert figures[0]["protocol"]["extractor"] == "lpips-alex"


@pytest.mark.filterwarnings("ignore:.*'(pretrained|weights)'.*:UserWarning")
def test_another_alexnet_is_refused(theirs: torch.nn.Module, tmp_path: Path) -> None:
    (tmp_path / ALEXNET).write_bytes((tmp_path / ALEXNET).read_bytes() + b"\0")
    with pytest.raises(InputError, match=r"is not the file it should be \(its SHA-256 begins \w{12}, not \w{12}\)"):
        open_perceptual("lpips")


def test_an_alexnet_that_is_not_to_be_had_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_WEIGHTS", str(tmp_path / "none"))
    monkeypatch.setattr(perceptual, "_packaged", lambda *file: {})
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # a closed port: fails at once, with and without a network
    with pytest.raises(InputError, match=rf"put {ALEXNET} into {tmp_path / 'none'},.* or give --perceptual st-lpips"):
        open_perceptual("lpips")
    assert not list((tmp_path / "none").iterdir())


@pytest.mark.parametrize(("name", "files"), [("st-lpips", "SHIFT_TOLERANT"), ("lpips", "LINEAR")])
def test_an_absent_package_is_named(name: str, files: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perceptual, files, ("not_installed", "alex.pth", ""))
    with pytest.raises(InputError, match=r"not_installed; run pip install 'ganvas\[perceptual\]'"):
        open_perceptual(name)
