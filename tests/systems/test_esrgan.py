"""ESRGAN's networks: their sizes, their names, where they begin, and that they go row by row."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganvas import InputError, named_recipe
from ganvas.inference.engine.precision import exact_engine
from ganvas.inference.engine.raster import ArrayRaster
from ganvas.inference.engine.tiling import Tiling
from ganvas.systems.esrgan import ESRGAN
from tests.inference.networks import lively, photo


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_sizes_are_the_published_ones() -> None:
    assert parameters(ESRGAN().generator()) == 16_697_987
    # SRVGGNetCompact with 64 channels and 32 convolutions, the general model of Real-ESRGAN.
    assert parameters(ESRGAN(body="compact", blocks=32).generator()) == 1_213_296


@pytest.mark.parametrize(("recipe", "kind"), [("photo-x4", "SRVGGNetCompact"), ("photo-x2", "SRVGGNetCompact")])
def test_other_programs_read_the_weights(recipe: str, kind: str) -> None:
    pytest.importorskip("ganvas.inference.importers._torchvision").make_importable()
    spandrel = pytest.importorskip("spandrel", reason="the extra foreign is not installed")
    system = named_recipe(recipe).system
    assert isinstance(system, ESRGAN)
    network = lively(system.generator())
    theirs = spandrel.ModelLoader().load_from_state_dict(network.state_dict())
    assert (type(theirs.model).__name__, theirs.scale) == (kind, system.scale)
    low = torch.rand(1, 3, 9, 12)
    assert torch.allclose(theirs.model.eval()(low) * 2 - 1, network(low * 2 - 1), atol=1e-4)


def test_rrdb_is_that_of_other_programs() -> None:
    pytest.importorskip("ganvas.inference.importers._torchvision").make_importable()
    spandrel = pytest.importorskip("spandrel", reason="the extra foreign is not installed")
    network = lively(ESRGAN(g_width=16, blocks=1).generator())
    theirs = spandrel.ModelLoader().load_from_state_dict(network.state_dict())
    assert type(theirs.model).__name__ == "RRDBNet"
    low = torch.rand(1, 3, 9, 12)
    with torch.no_grad():
        expected = theirs.model.eval()(low) * 2 - 1
    assert torch.allclose(expected, network(low * 2 - 1), atol=1e-4 * float(expected.abs().max()))


def test_the_compact_one_begins_at_repeated_pixels() -> None:
    low = torch.rand(2, 3, 5, 7) * 2 - 1
    with torch.no_grad():
        high = ESRGAN(body="compact", g_width=8, blocks=2).generator()(low)
    assert torch.allclose(high, low.repeat_interleave(4, 2).repeat_interleave(4, 3), atol=1e-6)


@pytest.mark.parametrize("body", ["rrdb", "compact"])
def test_parts_are_the_whole_bit_for_bit(body: str) -> None:
    system = ESRGAN(body=body, g_width=8, blocks=2, growth=4)  # type: ignore[arg-type]
    engine = exact_engine(lively(system.generator()), 4, torch.device("cpu"))
    assert engine.exact
    pixels = ArrayRaster(photo(40, 33))
    whole, parts = (torch.cat(list(Tiling(engine, pixels, **how).parts()), 2) for how in ({}, {"tile": 16, "rows": 5}))
    assert torch.equal(whole, parts)


def test_the_discriminator_scores_every_pixel() -> None:
    scores = ESRGAN(d_width=4).discriminator()(torch.zeros(2, 3, 32, 48))
    assert scores.shape == (2, 32, 48)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match=r"--system\.scale 2 needs --system\.body compact"):
        ESRGAN(scale=2)
    with pytest.raises(InputError, match=r"--system\.size 100 must be a multiple of 8"):
        ESRGAN(size=100)
