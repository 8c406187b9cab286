"""Comparing runs: variants, intervals, ranks, refusals; and folders that cannot be compared."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from scipy.special import stdtrit

from ganvas import InputError, cli, compare
from ganvas.recipe.serialization import to_plain
from ganvas.reports.table import mean, student
from tests.conftest import Cli
from tests.reports.runs import add_figure, made


def two_by_three() -> None:
    for seed, (a, b) in enumerate([(10.0, 12.0), (11.0, 13.5), (12.0, 14.0)]):
        add_figure(made(f"base-seed{seed}", seed=seed), "FD", a)
        add_figure(made(f"slow-seed{seed}", seed=seed, adam_d__lr=5e-5), "FD", b)


def test_runs_that_differ_only_in_the_seed_are_one_variant() -> None:
    two_by_three()
    comparison = compare(["runs"])
    assert [group.label for group in comparison.variants] == ["base", "slow"]
    assert [len(group.runs) for group in comparison.variants] == [3, 3]
    assert comparison.differing == {"adam_d.lr": ["0.0002", "5e-05"]}


def test_means_have_students_interval_over_seeds() -> None:
    two_by_three()
    (column,) = compare(["runs"]).columns
    base = column.means["base"]
    # t of 2 degrees of freedom at 0.975 is 4.3027 (any table); the standard deviation of 10, 11, 12 is 1.
    half = 4.3027 / math.sqrt(3)
    assert base.value == 11
    assert base.n == 3
    assert (base.low, base.high) == (pytest.approx(11 - half, abs=1e-4), pytest.approx(11 + half, abs=1e-4))
    assert column.ranks == {"base": "1", "slow": "2~"}  # the intervals overlap


def test_an_interval_of_two_seeds_is_flagged_and_none_leaves_the_range_of_its_measure(cli: Cli) -> None:
    for seed, (a, b) in enumerate([(0.9, 0.1), (1.0, 0.3)]):
        add_figure(made(f"base-seed{seed}", seed=seed), "precision", a)
        add_figure(made(f"slow-seed{seed}", seed=seed, adam_d__lr=5e-5), "precision", b)
    comparison = compare(["runs"])
    (column,) = comparison.columns
    assert (column.means["base"].high, column.means["slow"].low) == (1, 0)
    assert comparison.gains[0].mean.low == -1
    assert all(mean.low == 0.1 for mean in comparison.distances.values())  # the same in all runs: no width
    done = cli("compare", "runs")
    assert "0.95 [0.3147, 1]*" in done.stdout
    assert done.stdout.count("Intervals marked * are of two seeds") == 1


def test_three_seeds_are_not_flagged(cli: Cli) -> None:
    two_by_three()
    assert "*" not in cli("compare", "runs").stdout


def test_equal_means_share_a_rank() -> None:
    for number, (name, value) in enumerate((("a", 9.0), ("b", 7.0), ("c", 7.0), ("d", 7.00001))):
        add_figure(made(name, batch_size=8 * (number + 1)), "FD", value)
    (column,) = compare(["runs"]).columns
    assert column.ranks == {"b": "1", "c": "1", "d": "1", "a": "4"}


def test_pairing_by_seed_is_significant_where_means_are_not() -> None:
    two_by_three()
    (gain,) = compare(["runs"]).gains
    assert gain.label == "slow"
    assert gain.mean.n == 3
    assert gain.mean.value == pytest.approx((2 + 2.5 + 2) / 3)
    assert gain.mean.low is not None
    assert gain.mean.low > 0


def test_two_comparisons_widen_each_interval() -> None:
    values = [1.0, 2.0, 4.0]
    alone, shared = mean(values), mean(values, 1 - 0.05 / 2)
    # 6.2053 is t of 2 degrees of freedom at 0.9875.
    assert shared.high is not None
    assert alone.high is not None
    assert (shared.high - shared.value) / (alone.high - alone.value) == pytest.approx(6.2053 / 4.3027, rel=1e-4)
    assert mean([3.0]).low is None


def test_students_quantile_is_that_of_scipy() -> None:
    for freedom in (*range(1, 12), 40, 99):
        for level in (0.5, 0.95, 0.975, 0.999):
            assert student(freedom, level) == pytest.approx(stdtrit(freedom, 0.5 + level / 2), rel=1e-9)


def test_precision_ranks_the_larger_first_and_an_unknown_measure_nobody() -> None:
    for name, value in (("a", 0.2), ("b", 0.9)):
        folder = made(name, batch_size=16 if name == "a" else 32)
        add_figure(folder, "precision", value)
        add_figure(folder, "charm", value)
    charm, precision = sorted(compare(["runs"]).columns, key=lambda column: column.measure)
    assert precision.ranks == {"b": "1", "a": "2"}
    assert charm.ranks == {}


def test_other_protocols_are_not_ranked_and_the_field_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    add_figure(made("a"), "FD", 10.0)
    add_figure(made("b", batch_size=32), "FD", 9.0, fakes=500)
    comparison = compare(["runs"])
    assert [column.ranks for column in comparison.columns] == [{}, {}]
    assert len(comparison.refusals) == 1
    assert "fakes is 1000 for a, 500 for b" in comparison.refusals[0]
    assert cli.main(["compare", "runs", "--out", "page.html"]) == 0
    printed = capsys.readouterr().out
    assert "not ranked" in printed
    assert "fakes is 1000 for a, 500 for b" in printed
    assert printed.splitlines()[-1] == "page.html"
    assert comparison.refusals[0] in Path("page.html").read_text()


def test_the_version_of_ganvas_does_not_part_figures() -> None:
    add_figure(made("a"), "FD", 10.0)
    add_figure(made("b", batch_size=32), "FD", 9.0, ganvas="0.0.9")
    (column,) = compare(["runs"]).columns
    assert column.ranks == {"b": "1", "a": "2"}


def test_states_kept_within_a_round_stand_at_one_place() -> None:
    for name, batch, counts in (("a", 16, (208, 304)), ("b", 32, (224, 320))):
        folder = made(name, batch_size=batch)
        for images in counts:
            add_figure(folder, "FD", 9.0, f"kept-{images:012d}")
    assert [column.at for column in compare(["runs"]).columns] == ["at 208 images", "at 304 images"]


def test_of_two_figures_of_one_state_the_later_counts() -> None:
    folder = made("a")
    for value in (10.0, 7.0):
        add_figure(folder, "FD", value)
    with folder.figures.open("a") as file:
        file.write('{"measure": "FD", "va')  # torn by a kill
    (column,) = compare(["runs/a"]).columns
    assert column.means["a"].value == 7.0


def test_hours_add_up_the_rates() -> None:
    made("a", rate=400.0)
    made("b", rate=100.0, batch_size=32)
    a, b = compare(["runs"]).records
    assert a.hours(400) == pytest.approx(1 / 3600)
    assert b.hours(200) == pytest.approx(2 / 3600)
    by_hours = compare(["runs"], by="hours")
    assert by_hours.end == pytest.approx(1 / 3600)
    # After that hour's share b has seen 100 images, and its last distance was logged at 80.
    assert by_hours.distances["b"].value == pytest.approx(40 / 80)
    assert compare(["runs"]).distances["b"].value == pytest.approx(40 / 400)


def test_a_run_is_healthy_from_its_first_diagnosis_until_a_verdict() -> None:
    folder = made("a")
    (record,) = compare(["runs/a"]).records
    assert record.verdicts == ()  # never diagnosed
    folder.add_log({"images": 80, "signals": {}})
    folder.add_event("verdict", verdict="past-best", images=300, since=200, sentence="It was better.")
    (record,) = compare(["runs/a"]).records
    assert [(v.verdict, v.start) for v in record.verdicts] == [("healthy", 80), ("past-best", 300)]


def test_a_diverged_run_is_shown_as_a_failure() -> None:
    add_figure(made("a"), "FD", 9.0)
    failed = made("b", batch_size=32)
    failed.add_event("diverged", images=96, term="d/adversarial")
    comparison = compare(["runs"], out="page.html")
    assert comparison.end == 400
    assert "b diverged at image 96 (d/adversarial)." in Path("page.html").read_text()


def test_equal_names_are_distinguished_by_path() -> None:
    made("x/a")
    made("y/a", batch_size=32)
    assert [r.name for r in compare(["runs/x/a", "runs/y/a", "runs/x/../x/a"]).records] == ["runs/x/a", "runs/y/a"]


def refuse(*words: str) -> str:
    with pytest.raises(InputError) as refusal:
        compare(words)
    return str(refusal.value)


def test_a_run_that_is_still_training_is_refused() -> None:
    folder = made("a")
    with folder.lock():
        message = refuse("runs/a")
        assert "runs/a is still training" in message
        assert "--unfinished" in message
        assert compare(["runs/a"], unfinished=True).records[0].state == "training"


def test_another_data_set_is_refused() -> None:
    made("a")
    made("b", data__source="mnist")
    assert "a was trained on digits and b on mnist" in refuse("runs")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"system": 3}'])
def test_a_broken_recipe_is_refused_by_name(text: str) -> None:
    made("a")
    made("b").recipe.write_text(text)
    assert "recipe.json" in refuse("runs")


def test_no_run_is_refused() -> None:
    assert "nowhere is not a run" in refuse("nowhere")
    Path("empty").mkdir()
    assert "empty is not a run" in refuse("empty")


def test_torn_files_and_missing_ones_do_not_stop_a_comparison() -> None:
    torn, bare = made("a"), made("b", batch_size=32)
    torn.log.write_text(torn.log.read_text()[:-20])
    torn.samples.mkdir()
    torn.sample_path(100).write_bytes(b"\x89PNG")
    torn.checkpoints.mkdir()
    (torn.checkpoints / "000000000400.safetensors").write_bytes(b"torn")
    for path in (bare.log, bare.host):
        path.unlink()
    compare(["runs"], out="page.html")
    assert Path("page.html").is_file()


def test_fields_of_older_and_newer_recipes_are_shown_as_absent() -> None:
    folder = made("a")
    made("b")
    plain = json.loads(folder.recipe.read_text())
    del plain["augment"]
    folder.recipe.write_text(json.dumps(to_plain(plain)))
    assert compare(["runs"]).differing["augment.flip"] == ["(none)", "False"]
