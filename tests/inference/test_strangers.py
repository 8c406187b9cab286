"""Models of strangers: a file of a few bytes costs neither memory nor time, whatever it claims."""

from __future__ import annotations

import os
import struct
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import ganvas
from ganvas import InputError
from ganvas.inference import sampler
from ganvas.inference.importers.foreign import read_weights
from ganvas.inference.importers.networks import MSRResNet
from ganvas.nn.building import TooLarge, no_larger_than
from ganvas.recipe.serialization import to_plain
from ganvas.runs import checkpoint
from ganvas.systems.dcgan import DCGAN
from ganvas.systems.mlp import MLP
from tests.conftest import Cli, assert_refused
from tests.inference.networks import saved, small

Weights = dict[str, Any]


def msr() -> Weights:
    """The weights of a small MSRResNet of BasicSR."""
    shapes = {"conv_first": (8, 3), "body.0.conv1": (8, 8), "body.0.conv2": (8, 8), "upconv1": (32, 8)}
    shapes |= {"upconv2": (32, 8), "conv_hr": (8, 8), "conv_last": (3, 8)}
    found: Weights = {}
    for name, (after, before) in shapes.items():
        found |= {f"{name}.weight": torch.zeros(after, before, 3, 3), f"{name}.bias": torch.zeros(after)}
    return found


def itself() -> Weights:
    loop: Weights = {}
    loop["state_dict"] = loop
    return loop


def in_a_list() -> Weights:
    loop: list[Any] = []
    loop.append(loop)
    return {"model": {"model": {"weights": loop}}}


REFUSED = {
    "that contains itself": (itself, "no named weights"),
    "of a list that contains itself": (in_a_list, "no named weights"),
    "of 2^40 numbers from one": (lambda: {**msr(), "x": torch.zeros(1).expand(2**40)}, "no numbers for"),
    "of 2^33 halves from one": (lambda: {**msr(), "x": torch.zeros(1).half().expand(2**33)}, "no numbers for"),
    "without numbers": (lambda: {**msr(), "x": torch.empty(2**40, device="meta")}, "empty tensors"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pth_file(case: str, zipped: bool) -> None:
    make, reason = REFUSED[case]
    torch.save(make(), "m.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=reason):
        ganvas.open("m.pth")


def test_repeated_numbers_are_weights_too() -> None:
    torch.save({"scale": torch.ones(1).expand(64), "w": torch.zeros(2)}, "m.pth")
    assert torch.equal(read_weights(Path("m.pth"))["scale"], torch.ones(64))


def repacked(change: dict[bytes, bytes], compression: int = zipfile.ZIP_STORED, extra: bytes = b"") -> None:
    """A .pth file with changed words in its pickle."""
    torch.save(msr(), "whole.pth")
    with zipfile.ZipFile("whole.pth") as whole, zipfile.ZipFile("m.pth", "w", compression) as made:
        for name in whole.namelist():
            content = whole.read(name)
            for old, new in change.items() if name.endswith("data.pkl") else ():
                assert old in content
                content = content.replace(old, new)
            made.writestr(name, content)
        made.writestr("whole/more", extra)


@pytest.mark.parametrize("old", [b"K\x08", b"K\x03"], ids=["width", "kernel"])
def test_a_pth_file_whose_pickle_claims_more_than_it_has(old: bytes) -> None:
    repacked({old: b"J" + struct.pack("<i", 2**31 - 1)})
    with pytest.raises(InputError, match=r"m\.pth"):
        ganvas.open("m.pth")


def test_a_pth_file_that_claims_longer_storages_than_it_has_is_read_within_its_bounds() -> None:
    repacked({b"M@\x02": b"J" + struct.pack("<i", 2**31 - 1)})
    found = read_weights(Path("m.pth"))
    assert all(torch.equal(found[name], tensor) for name, tensor in msr().items())


def test_a_pth_file_that_unpacks_to_more_than_itself() -> None:
    repacked({}, zipfile.ZIP_DEFLATED, bytes(10**7))
    with pytest.raises(InputError, match="unpacks to"):
        ganvas.open("m.pth")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_damaged_pth_file_is_refused_wherever_it_is_damaged(zipped: bool) -> None:
    torch.save(msr(), "whole.pth", _use_new_zipfile_serialization=zipped)
    whole, draw = Path("whole.pth").read_bytes(), np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in draw.integers(0, 1500, 3):
            damaged[place] = draw.integers(256)
        Path("m.pth").write_bytes(damaged[: draw.integers(200, len(damaged))])
        with pytest.raises(InputError, match=r"m\.pth"):
            read_weights(Path("m.pth"))


def test_weights_that_ask_for_a_larger_network_than_they_are() -> None:
    weights = {**msr(), "conv_first.weight": torch.zeros(40_000, 3, 1, 1)}
    with pytest.raises(TooLarge), no_larger_than(weights):
        MSRResNet(weights)
    with no_larger_than(msr()):
        MSRResNet(msr()).load_state_dict(msr())


HEADERS = {
    "a billion blocks": {"system": to_plain(replace(small(), blocks=10**9))},
    "a width of a billion": {"system": to_plain(replace(small(), g_width=10**9))},
    "another width": {"system": to_plain(replace(small(), g_width=16))},
    "noise of a billion": {"system": to_plain(DCGAN(latent=10**9))},
    "layers of a billion": {"system": to_plain(MLP(g_hidden=(10**9, 10**9)))},
    "no system": {"system": None},
    "a list": {"system": [5]},
    "an unknown type": {"system": {"type": ["SRGAN"]}},
    "nested": {"system": [[[[]]]] * 100},
    "classes that it lacks": {"classes": ["cat", "dog"]},
    "classes that are none": {"classes": {"cat": 0}},
    "a run that is no text": {"run": 5},
    "a start that is no text": {"start": {}},
    "no count": {"images": "many"},
    "a huge count": {"images": 10**400},
    "NaN": {"images": float("nan")},
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_claims(case: str) -> None:
    path = saved(Path("m.safetensors"), small())
    tensors, about = checkpoint.load(path)
    checkpoint.save(path, tensors, {**about, **HEADERS[case]})
    with pytest.raises(InputError, match=r"m\.safetensors"):
        ganvas.open(path)


def test_a_header_whose_numbers_do_not_fit_names_the_file() -> None:
    path = saved(Path("m.safetensors"), small())
    tensors, about = checkpoint.load(path)
    checkpoint.save(path, tensors, {**about, "system": {**about["system"], "kernel": -1}})
    with pytest.raises(InputError, match=r"m\.safetensors describes a network that cannot be built: .* must be odd"):
        ganvas.open(path)


@pytest.mark.skipif(os.name != "posix", reason="names of files are text there")
def test_a_model_whose_name_is_not_utf8() -> None:
    path = saved(Path("m.safetensors"), small()).rename(os.fsdecode(b"caf\xe9.safetensors"))
    with pytest.raises(InputError, match="rename it"):
        ganvas.open(path)


def test_complex_numbers_are_no_weights() -> None:
    weights = {**msr(), "conv_last.weight": torch.zeros(3, 8, 3, 3, dtype=torch.complex64)}
    torch.save(weights, "m.pth")
    with pytest.raises(InputError, match=r"complex numbers in conv_last\.weight"):
        ganvas.open("m.pth")


@pytest.mark.parametrize("text", ["", "[]", "5", "{}", "[" * 100_000, '{"images": ' + "9" * 5000 + "}", "\x1b[2J"])
def test_a_header_that_is_no_description(text: str) -> None:
    save_file({"g.x": torch.zeros(1)}, "m.safetensors", {"ganvas": text, "digest": "0"})
    with pytest.raises(InputError, match=r"m\.safetensors"):
        ganvas.open("m.safetensors")


def test_a_pipe_is_no_model(cli: Cli) -> None:
    for name in ("m.pth", "m.safetensors"):
        os.mkfifo(name)
        assert_refused(cli("generate", name), name, "pipe")


def model(**claims: Any) -> Path:
    """A model of generator and discriminator, whose header claims these settings of its system."""
    path, system = Path("digits.safetensors"), MLP(size=8, g_hidden=(16, 32), d_hidden=(32, 16), latent=8)
    players = (("g", system.generator()), ("d", system.discriminator()))
    weights = {f"{player}.{name}": t for player, network in players for name, t in network.state_dict().items()}
    system = replace(system, **claims)
    checkpoint.save(path, weights, {"run": "digits", "system": to_plain(system), "images": 64})
    return path


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["-n", f"{10**11}"], "at most -n"),
        (["-n", f"{10**11}", "--out", "made"], "at most -n"),
        (["--interpolate", "--steps", f"{10**11}"], "fewer --steps"),
    ],
    ids=["grid", "folder", "interpolation"],
)
def test_more_images_than_memory_holds_are_refused(cli: Cli, words: list[str], remedy: str) -> None:
    assert_refused(cli("generate", model(), *words), "GB of memory", remedy)
    assert [path.name for path in Path().iterdir()] == ["digits.safetensors"]


def test_the_number_of_images_that_a_refusal_names_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "free_memory", lambda: 10_000)
    made = ganvas.open(model())
    with pytest.raises(InputError, match="at most -n") as refused:
        made.write_grid(1000, 0, Path("g.png"))
    most = int(str(refused.value).partition("at most -n ")[2].partition(",")[0])
    made.write_grid(most, 0, Path("g.png"))
    with pytest.raises(InputError, match="at most -n"):
        made.write_grid(most + 1, 0, Path("g.png"))


@pytest.mark.parametrize("hidden", [(10**9, 10**9), (8, 8)])
def test_a_discriminator_that_a_file_has_no_weights_for(hidden: tuple[int, ...]) -> None:
    made = ganvas.open(model(d_hidden=hidden))
    with pytest.raises(InputError, match=r"digits\.safetensors do not match its system"):
        _ = made.discriminator


def test_weights_without_numbers_are_refused_without_torchs_warning(tmp_path: Path) -> None:
    torch.save({**msr(), "upconv1.weight": torch.empty(0, 8, 3, 3)}, tmp_path / "w.pth")
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        with pytest.raises(InputError, match="cannot be opened"):
            ganvas.open(tmp_path / "w.pth")
    assert not [one for one in found if "zero-element" in str(one.message)]
