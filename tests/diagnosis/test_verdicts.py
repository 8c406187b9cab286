"""Every verdict is given on the numbers that define it, and only after they have stood for a while."""

from __future__ import annotations

import pytest

from ganvas.diagnosis import SOUND as SOUND_VERDICTS
from ganvas.diagnosis import Assessor, Snapshot, advice, assess, snapshots, timeline
from ganvas.diagnosis.history import unjudged
from ganvas.diagnosis.remedies import REMEDIES
from ganvas.diagnosis.signals import chance_limit
from ganvas.diagnosis.verdicts import (
    CONDITIONS,
    HOLD,
    RELEASE,
    SEVERITY,
    SMOOTH,
    TIME,
    TITLES,
    best,
    distance,
    improved,
    verdict_of,
)
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
    "rarest": 0.9,
    "commonest": 1.1,
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
    "class-imbalance": {"rarest": 0.15, "commonest": 2.1},
    "d-dominates": {"logit_real": 8.0, "logit_fake": -8.0, "logit_held_out": 8.0, "advantage": 0.99},
}


def history(*changes: dict[str, float]) -> list[Snapshot]:
    return [Snapshot(100 * (i + 1), SOUND | change, {}) for i, change in enumerate(changes)]


def test_a_sound_game_is_healthy_from_the_start() -> None:
    assert assess([]).name == "healthy"
    found = timeline(history(*[{}] * 20))
    assert [verdict.name for verdict in found] == ["early", "healthy"]


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
    assert [v.name for v in timeline(history(*[{}] * 10, ILL[name], *[{}] * 5))] == ["early", "healthy"]


@pytest.mark.parametrize("name", ILL)
def test_a_verdict_that_wavers_stands_until_it_has_been_gone_for_a_while(name: str) -> None:
    wavering = [*[ILL[name]] * 5, *[{}] * 4] * 5
    found = timeline(history(*[{}] * 10, *wavering, *[{}] * (RELEASE + 3)))
    assert [v.name for v in found] == ["early", "healthy", name, "healthy"]
    assert found[-1].since > 100 * (10 + len(wavering))


def test_before_the_players_have_had_time_it_is_too_early_to_tell() -> None:
    ill = history(*[ILL["d-dominates"]] * 40)
    found = timeline(ill, batch=32)
    assert [(v.name, v.images) for v in found] == [("early", 100), ("d-dominates", TIME * 32)]
    assert str(found[0]) == "too early to tell"
    # Nor do three snapshots, however far apart, make a history.
    assert Assessor(1, [Snapshot(1000 * s.images, s.signals, {}) for s in ill[:4]]).verdict.name == "early"


def test_a_game_that_moves_fast_and_away_from_the_reals_oscillates_from_the_start() -> None:
    away = history(*[{"movement": 0.9, "distance": 20 + 2 * i} for i in range(8)])
    assert timeline(away)[-1].name == "oscillation"
    assert timeline(away)[-1].images == 100 * (SMOOTH + HOLD)


@pytest.mark.parametrize(("auc", "name"), [(1.0, "oscillation"), (0.3, "g-dominates")])
def test_images_that_change_altogether_are_no_progress_until_the_distance_halves(auc: float, name: str) -> None:
    circling = [22.5, 24.3, 22.4, 15.9, 16.8, 20.8, 18.5, 13.9]
    changes = {"movement": 1.0, "auc": auc, "advantage": 0.9 if auc == 1 else -0.2}
    found = timeline(history(*[changes | {"distance": far} for far in circling]))
    assert [v.name for v in found if v.name not in SOUND_VERDICTS] == [name]
    nearing = [22.5, 20, 15, 10, 8, 7, 6, 5.5]
    assert (
        assess(history(*[changes | {"auc": 0.95, "advantage": 0.5, "distance": far} for far in nearing])).name
        == "healthy"
    )


def test_overfitting_waits_for_no_median() -> None:
    seen = history(*[{}] * 10, *[ILL["d-overfits"]] * HOLD)
    assert timeline(seen)[-1].name == "d-overfits"


def test_a_verdict_that_held_throughout_does_not_wait_for_the_release_of_another() -> None:
    few = ILL["partial-collapse"]
    found = timeline(history(*[few | ILL["g-dominates"]] * 6, *[few] * (HOLD + 1)))
    assert [v.name for v in found] == ["early", "g-dominates", "partial-collapse"]


def test_an_undecided_d_is_an_alarm_only_far_from_the_reals() -> None:
    for far, auc, name in ((9.0, 0.5, "g-dominates"), (3.5, 0.5, "healthy"), (3.5, 0.1, "g-dominates")):
        assert assess(history(*[{"auc": auc, "advantage": 0.0, "distance": far}] * 8)).name == name


def test_three_held_out_pictures_are_enough_to_know_memorizing_and_one_is_not() -> None:
    for held_out, name in ((3, "d-overfits"), (1, "healthy")):
        change = ILL["d-overfits"] | {"overfit": 1.0, "overfit_limit": chance_limit(57, held_out)}
        seen = history(*[change] * 8)
        assert assess(seen).name == name
        assert any("too few images are held out" in line for line in unjudged(seen[-1])) == (name == "healthy")


def test_what_cannot_be_judged_is_said() -> None:
    def said(*left_out: str) -> str:
        return " ".join(unjudged(Snapshot(1, {k: v for k, v in every.items() if k not in left_out}, {})))

    every = SOUND | {"overfit_limit": 0.6}
    assert said() == ""
    assert "critic" in said("advantage")
    assert "no images are held out" in said("overfit", "overfit_limit")
    assert "a classifier that knows the classes" in said("rarest")


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
    assert set(REMEDIES) == {*CONDITIONS, *SOUND_VERDICTS}


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
