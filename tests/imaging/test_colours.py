from __future__ import annotations

from ganvas.diagnosis.chart import PANELS
from ganvas.imaging.colours import DISCRIMINATOR, GENERATOR, PLAYERS, colours_of, colours_of_signals


def test_terms_have_one_colour_whatever_their_order_and_company() -> None:
    one = colours_of(["d/adversarial", "d/gradient", "g/adversarial", "g/pixel"])
    other = colours_of(["g/pixel", "g/adversarial", "d/gradient"])
    assert all(one[name] == other[name] for name in ("g/pixel", "d/gradient", *PLAYERS))
    assert (one["g/adversarial"], one["d/adversarial"]) == (GENERATOR, DISCRIMINATOR)
    assert len(set(one.values())) == 4


def test_no_signal_has_the_colour_of_a_player() -> None:
    for _, names, _ in PANELS:
        found = colours_of_signals(names)
        assert list(found) == list(names)
        assert not {GENERATOR, DISCRIMINATOR} & set(found.values())
        assert len(set(found.values())) == len(names)
