"""What every measure and every figure has to say of itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ganvas.errors import InputError
from ganvas.metrics import measure_named, measures, pair_measures
from ganvas.metrics.figure import Figure
from ganvas.metrics.measure import OF_SAMPLES

WITHOUT_TORCH = """
import sys
from ganvas.cli import main
from ganvas.metrics import measures
from ganvas.metrics.extractors import expect_known
assert measures()
expect_known("inception")
try:
    main(["evaluate", "--help"])
except SystemExit:
    pass
heavy = [name for name in ("torch", "scipy", "sklearn", "matplotlib") if name in sys.modules]
assert not heavy, heavy
"""


def test_declarations_and_help_import_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_names_are_one_of_a_kind_and_in_order() -> None:
    found = [one for one in measures(OF_SAMPLES) if not one.name.startswith("own-")]  # of other tests in this process
    names = [one.name for one in found]
    assert len(set(names)) == len(names)
    assert names[:8] == ["fd", "kid", "pr", "dc", "score", "classes", "per-class", "memorization"]
    assert all(one.gives for one in found)
    assert [one.name for one in pair_measures()][:4] == ["psnr-y", "ssim-y", "psnr-rgb", "ssim-rgb"]
    assert {"swd", "modes-2d"} <= {*names}
    assert "psnr-y" not in names


def test_the_words_of_before_are_taken() -> None:
    known = measures(OF_SAMPLES)
    assert measure_named("memorisation", known).name == "memorization"
    assert measure_named("by-class", known).name == "per-class"
    with pytest.raises(InputError, match=r"'memorizatoin' \(did you mean 'memorization'\?\)"):
        measure_named("memorizatoin", known)
    with pytest.raises(InputError, match="no measure ''"):
        measure_named("", known)


def test_a_figure_comes_back_from_its_line() -> None:
    figure = Figure(
        measure="PSNR-Y",
        value=28.4,
        low=26.0,
        high=31.0,
        unit="dB",
        higher_is_better=True,
        test_set="Set5",
        images_seen=7,
        state="last",
        protocol={"crop": 4},
    )
    assert Figure.from_plain(figure.to_plain()) == figure
    assert figure.title == "PSNR-Y on Set5"
    plain = Figure(measure="nearness", value=0.5).to_plain()
    assert plain == {"measure": "nearness", "value": 0.5, "protocol": {}}
    assert Figure.from_plain(plain | {"asked": {}, "time": 1.5}).title == "nearness"
