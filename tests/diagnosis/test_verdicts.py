"""Every verdict is given on the numbers that define it, and only after they have stood for a while."""

from __future__ import annotations

import pytest

from ganvas.diagnosis import Snapshot, advice, assess, snapshots, timeline
from ganvas.diagnosis.remedies import REMEDIES
from ganvas.diagnosis.verdicts import CONDITIONS, HOLD, SEVERITY, TITLES, best, distance, improved, verdict_of
from tests.conftest import tiny

SOUND = {
    "logit_real": 1.0,
    "logit_held_out": 0.95,
    "logit_fake": -1.0,
    "accuracy_real": 0.9,
    "accuracy_fake": 0.9,
    "auc": 0.95,
    "overfit": 0.52,
    "gradient": 2.0,
    "diversity": 0.95,
    "features": 0.95,
    "duplicates": 0.0,
    "movement": 0.2,
    "advantage": 0.5,
    "distance": 1.5,
}

ILL = {
    "divergence": {"logit_real": 4000.0},
    "mode-collapse": {"diversity": 0.001, "features": 0.01},
    "g-dominates": {"auc": 0.1, "advantage": -0.5, "distance": 9.0},
    "oscillation": {"movement": 0.9, "distance": 9.0},
    "partial-collapse": {"duplicates": 1.0},
    "d-overfits": {"overfit": 0.85, "logit_held_out": 0.2},
    "d-dominates": {"logit_real": 8.0, "logit_fake": -8.0, "logit_held_out": 8.0, "advantage": 0.99},
}


def history(*changes: dict[str, float]) -> list[Snapshot]:
    return [Snapshot(100 * (i + 1), SOUND | change, {}) for i, change in enumerate(changes)]


def test_a_sound_game_is_healthy_from_the_start() -> None:
    assert assess([]).name == "healthy"
    found = timeline(history(*[{}] * 20))
    assert [verdict.name for verdict in found] == ["healthy"]


@pytest.mark.parametrize("name", ILL)
def test_each_illness_is_named_with_evidence_and_since_when(name: str) -> None:
    seen = history(*[{}] * 10, *[ILL[name]] * 8)
    verdict = assess(seen)
    assert verdict.name == name
    assert verdict.evidence
    assert TITLES[name] in str(verdict)
    ill = next(v for v in timeline(seen) if v.name == name)
    # Medians over three looks turn with the second, and must then stand for HOLD looks.
    assert 1100 <= ill.since <= 1300
    assert ill.images == ill.since + 100 * (HOLD - 1)


@pytest.mark.parametrize("name", ILL)
def test_one_odd_look_is_no_verdict(name: str) -> None:
    assert [v.name for v in timeline(history(*[{}] * 10, ILL[name], *[{}] * 5))] == ["healthy"]


@pytest.mark.parametrize(("held_out", "name"), [(6, "healthy"), (128, "d-overfits")])
def test_a_handful_of_held_out_pictures_may_score_low_by_chance(held_out: int, name: str) -> None:
    noise = ((128 + held_out + 1) / (12 * 128 * held_out)) ** 0.5  # Mann and Whitney 1947
    seen = history(*[ILL["d-overfits"] | {"overfit": 0.8, "overfit_noise": noise}] * 8)
    assert assess(seen).name == name


def test_past_its_best_says_how_long_ago() -> None:
    seen = history(*[{"distance": d} for d in (9, 5, 2, 1, 1, 1, 2, 3, 4, 4, 4, 4, 4, 4)])
    verdict = assess(seen)
    assert verdict.name == "past-best"
    assert best(seen).images == 500
    assert verdict.evidence["images_ago"] == 900
    assert verdict.evidence["distance"] == distance(seen) == 4


@pytest.mark.parametrize(
    ("scale", "aged", "name"),
    [(1, 1.1, "healthy"), (1, 1.5, "past-best"), (3, 1.0, "past-best")],
)
def test_near_the_reals_the_kept_model_must_have_become_worse_too(scale: float, aged: float, name: str) -> None:
    seen = history(*[{"distance": scale * d, "aged": aged} for d in (9, 5, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2)])
    assert assess(seen).name == name


def test_what_went_wrong_is_named_before_that_it_went_wrong() -> None:
    seen = history(*[{"distance": 1.0}] * 6, *[ILL["g-dominates"]] * 8)
    assert assess(seen).name == "g-dominates"
    assert verdict_of("past-best", seen)


def test_a_young_game_that_moves_fast_but_comes_nearer_is_healthy() -> None:
    seen = history(*[{"movement": 0.9, "distance": 20 * 0.8**i} for i in range(15)])
    assert assess(seen).name == "healthy"


def test_signals_that_were_not_measured_are_no_evidence() -> None:
    unmeasured = [Snapshot(i, {"logit_real": 1.0, "logit_fake": -1.0, "auc": 0.9}, {}) for i in range(10)]
    assert assess(unmeasured).name == "healthy"


def test_looks_are_read_from_a_log_that_holds_other_lines() -> None:
    lines = [{"images": 1, "d/adversarial": 1.0}, {"images": 2, "signals": SOUND, "terms": {"d/adversarial": 1.0}}]
    assert snapshots(lines) == [Snapshot(2, SOUND, {"d/adversarial": 1.0})]


def test_every_verdict_has_a_title_and_remedies_that_apply() -> None:
    for name in CONDITIONS:
        assert name in TITLES
        assert advice(name, tiny("dcgan"), 1000), name
    assert set(REMEDIES) == {*CONDITIONS, "healthy"}


def test_evidence_that_eases_is_told_from_evidence_that_does_not() -> None:
    for name, (key, better) in SEVERITY.items():
        assert improved(name, {key: 1.0}, {key: 1.0 + 0.2 * better})
        assert not improved(name, {key: 1.0}, {key: 1.0 + 0.05 * better})
        assert not improved(name, {key: 1.0}, {key: 1.0 - 0.2 * better})
        assert not improved(name, {}, {key: 1.0})
    assert set(SEVERITY) == set(CONDITIONS)


def test_advice_is_given_as_flags_that_the_command_line_takes() -> None:
    from ganvas.cli._flags import parse

    for name in CONDITIONS:
        for line in advice(name, parse("train", ["dcgan-digits"])[1].recipe, 1000):
            parse("train", ["dcgan-digits", *line[line.index("--") :].split()])
