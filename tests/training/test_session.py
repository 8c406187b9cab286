"""A run is never lost: kills, signals, full disks, damaged files, changed recipes."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas import Images, InputError, Watch, train
from ganvas.cli import main
from ganvas.observers import progress
from ganvas.recipe import Adam, Schedule
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.systems.dcgan import DCGAN
from ganvas.training.loop import Diverged
from tests.conftest import Cli, assert_refused, same, tiny
from tests.processes import Forked, ganvas

QUIET = Watch(checkpoint_seconds=1e9, grid=(2, 2))
NARROW = (
    *("--system.g-width", "4", "--system.d-width", "4", "--batch-size", "16"),
    *("--watch.log-every", "16", "--watch.grid", "2", "2"),
)


def command(name: str, images: int, *more: str) -> list[str]:
    return ["train", "dcgan-digits", "--name", name, "--images", str(images), *NARROW, *more]


def trained(name: str, images: int, *more: str) -> None:
    """Run the same command in this process, which takes seconds less."""
    assert main(command(name, images, *more)) == 0


def model(name: str) -> dict[str, torch.Tensor]:
    return checkpoint.load(Path(f"runs/{name}/model.safetensors"))[0]


def started(name: str, process: Forked) -> None:
    """Wait until a run in another process has trained for some rounds."""
    log = Path(f"runs/{name}/log.jsonl")
    while not log.exists() and process.poll() is None:
        time.sleep(0.02)


def kill_and_resume(name: str, moments: list[float], images: int) -> None:
    eager = ("--watch.checkpoint-seconds", "0.05")
    for moment in moments:
        process = ganvas(*command(name, images, *eager))
        started(name, process)
        time.sleep(moment)
        process.kill()
        process.wait()
    trained(name, images, *eager)
    assert not list(Path(f"runs/{name}").rglob("*.part"))
    for line in (Path(f"runs/{name}") / "log.jsonl").read_text().splitlines():
        json.loads(line)
    logged = [line["images"] for line in RunFolder(f"runs/{name}").read_log() if "d/adversarial" in line]
    assert logged == sorted(set(logged))


def test_kill_9_and_resume_equal_the_uninterrupted_run() -> None:
    trained("whole", 2_400)
    kill_and_resume("killed", [0.1, 0.5], 2_400)
    assert same(model("whole"), model("killed"))


@pytest.mark.slow
def test_kill_9_at_20_random_moments() -> None:
    trained("whole", 40_000)
    moments = [random.Random(0).uniform(0, 1.0) for _ in range(20)]
    kill_and_resume("killed", moments, 40_000)
    assert same(model("whole"), model("killed"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_with_a_checkpoint(number: signal.Signals, code: int) -> None:
    process = ganvas(*command("r", 2_000_000))
    started("r", process)
    process.send_signal(number)
    ended, printed = process.ended()
    assert ended == code
    assert "run the same command to resume" in printed
    assert "Traceback" not in printed
    assert len(list(Path("runs/r/checkpoints").glob("[0-9]*.safetensors"))) == 1
    assert RunFolder("runs/r").read_events()[-1]["event"] == "stopped"


def test_a_second_ctrl_c_stops_at_once() -> None:
    process = ganvas(*command("r", 2_000_000))
    started("r", process)
    process.send_signal(signal.SIGSTOP)
    # Both arrive before the process runs again: no round ends in between.
    os.kill(process.pid, signal.SIGTERM)
    os.kill(process.pid, signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    ended, printed = process.ended()
    assert ended in (130, 143)  # by whichever of the two was handled last
    assert "Traceback" not in printed
    assert RunFolder("runs/r").read_events()[-1]["event"] == "started"
    assert not list(Path("runs/r").rglob("*.part"))


def test_a_finished_run_stays_as_it_is() -> None:
    train(tiny(), name="r", watch=QUIET)
    before = model("r")
    outcome = train(tiny(), name="r", watch=QUIET)
    assert outcome.state == "finished"
    assert same(before, model("r"))


def test_a_changed_recipe_is_refused_with_the_difference() -> None:
    train(tiny(), name="r", watch=QUIET)
    before = Path("runs/r/recipe.json").read_bytes()
    with pytest.raises(InputError, match=r"adam_d\.lr: 0\.0002 -> 0\.0001.*new --name"):
        train(tiny(adam_d=Adam(lr=1e-4)), name="r", watch=QUIET)
    assert Path("runs/r/recipe.json").read_bytes() == before


def test_more_images_lengthen_a_run() -> None:
    recipe = tiny()
    train(recipe, name="long", watch=QUIET)
    train(replace(recipe, images=64), name="short", watch=QUIET)
    train(recipe, name="short", watch=QUIET)
    assert same(model("long"), model("short"))


def test_other_pictures_are_refused(tmp_path: Path) -> None:
    import numpy as np
    from sklearn.datasets import load_digits

    pictures = load_digits().images.astype(np.uint8)
    np.savez("d.npz", pictures=pictures)
    recipe = tiny(data=Images(source="d.npz"))
    train(replace(recipe, images=64), name="r", watch=QUIET)
    np.savez("d.npz", pictures=pictures[:100])
    with pytest.raises(InputError, match=r"the images of d\.npz have changed"):
        train(recipe, name="r", watch=QUIET)


def test_nan_stops_at_the_last_good_checkpoint(cli: Cli) -> None:
    train(tiny(images=64), name="r", watch=QUIET)
    good = Path("runs/r/checkpoints/000000000064.safetensors")
    before = good.read_bytes()
    # The same trajectory so far, then a rate at which everything overflows.
    plain = json.loads(Path("runs/r/recipe.json").read_text())
    plain["adam_g"]["lr"] = 1e38
    Path("runs/r/recipe.json").write_text(json.dumps(plain))
    with pytest.raises(Diverged) as caught:
        train(tiny(images=6_400, adam_g=Adam(lr=1e38)), name="r", watch=replace(QUIET, checkpoint_seconds=0))
    assert caught.value.term in ("d/adversarial", "g/adversarial")
    event = RunFolder("runs/r").read_events()[-1]
    assert (event["event"], event["term"], event["images"]) == ("diverged", caught.value.term, caught.value.images)
    assert good.read_bytes() == before
    done = cli("train", "mlp-digits", "--name", "bad", "--adam-g.lr", "1e38")
    assert done.returncode == 1
    assert "is not finite at image" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_loses_nothing() -> None:
    trained("whole", 800)
    trained("r", 320)
    before = {p.name: p.read_bytes() for p in Path("runs/r/checkpoints").iterdir()}
    size = max(map(len, before.values()))
    code, printed = ganvas(*command("r", 800), file_limit=size // 2).ended()
    assert code == 2, printed
    assert "cannot write runs/r/checkpoints/" in printed
    assert "Traceback" not in printed
    assert {p.name: p.read_bytes() for p in Path("runs/r/checkpoints").iterdir()} == before
    trained("r", 800)
    assert same(model("whole"), model("r"))


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tiny()
    train(recipe, name="whole", watch=QUIET)
    for images in (64, 128):
        train(replace(recipe, images=images), name="r", watch=QUIET)
    last = Path("runs/r/checkpoints/000000000128.safetensors")
    content = bytearray(last.read_bytes())
    if damage == "cut":
        del content[len(content) // 2 :]
    else:
        content[-100] ^= 1
    last.write_bytes(content)
    train(recipe, name="r", watch=QUIET)
    assert "using the previous checkpoint" in capsys.readouterr().err.replace("\n", " ")
    events = [event["event"] for event in RunFolder("runs/r").read_events()]
    assert events[-3:] == ["damaged", "resumed", "finished"]
    assert same(model("whole"), model("r"))


def test_all_checkpoints_damaged_is_an_error() -> None:
    train(tiny(images=64), name="r", watch=QUIET)
    for path in Path("runs/r/checkpoints").iterdir():
        path.write_bytes(b"junk")
    with pytest.raises(InputError, match=r"no checkpoint of the run .* is intact.*new --name"):
        train(tiny(), name="r", watch=QUIET)


def test_an_unknown_key_in_recipe_json(cli: Cli) -> None:
    train(tiny(images=16), name="r", watch=QUIET)
    plain = json.loads(Path("runs/r/recipe.json").read_text())
    plain["batchsize"] = 3
    Path("runs/r/recipe.json").write_text(json.dumps(plain))
    assert_refused(cli("train", "mlp-digits", "--name", "r"), "'batchsize'", "did you mean 'batch_size'")


def test_two_processes_cannot_train_one_run(cli: Cli) -> None:
    process = ganvas(*command("r", 2_000_000))
    try:
        started("r", process)
        assert_refused(cli(*command("r", 2_000_000)), "being trained by another process")
        assert "training" in cli("runs").stdout
    finally:
        process.kill()
        process.wait()
    assert "stopped" in cli("runs").stdout


def test_kept_and_best_checkpoints_stay() -> None:
    train(tiny(), name="r", watch=replace(QUIET, keep_every=64, measure_every=32, checkpoint_seconds=0))
    names = sorted(path.stem for path in Path("runs/r/checkpoints").iterdir())
    assert names == [
        "000000000176",
        "000000000192",
        "best",
        "kept-000000000064",
        "kept-000000000128",
        "kept-000000000192",
    ]


def test_few_pictures_do_not_make_thousands_of_sheets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ganvas.observers.watch.FEWEST", 4)
    pictures = tmp_path / "pictures.npz"
    np.savez(pictures, np.random.default_rng(0).integers(0, 256, (16, 16, 16, 1), np.uint8))
    recipe = replace(tiny(), data=Images(source=str(pictures), held_out=0), batch_size=8, images=16 * 9)
    outcome = train(recipe, name="r", watch=Watch(checkpoint_seconds=1e9, grid=(1, 2)))
    shown = [int(grid.stem) for grid in outcome.folder.sample_grids()]
    assert shown == [0, 48, 96, 144]  # every third of nine epochs


def test_a_penalty_that_batch_statistics_would_spoil_is_refused(cli: Cli) -> None:
    refused = cli("train", "wgan-gp-cifar10", "--data", "digits", "--system.channels", "1", "--system.d-norm", "batch")
    assert_refused(refused, "GradientPenalty", "--system.d-norm none")
    assert not Path("runs").exists()


def test_freezing_holds_a_player_and_the_count_goes_on() -> None:
    recipe = tiny(
        "dcgan", system=DCGAN(size=16, channels=1, g_width=4, d_width=4), schedule=Schedule(freeze_d=(64, 128))
    )
    states = {}
    for images in (64, 128, 192):
        train(replace(recipe, images=images), name="r", watch=QUIET)
        states[images] = checkpoint.load(Path(f"runs/r/checkpoints/{images:012d}.safetensors"))[0]
    weights = [name for name in states[64] if name.startswith("d.") and name.endswith("weight")]
    assert all(torch.equal(states[64][name], states[128][name]) for name in weights)
    assert not any(torch.equal(states[128][name], states[192][name]) for name in weights)
    assert not torch.equal(states[64]["g.1.weight"], states[128]["g.1.weight"])


def test_what_is_said_where_there_is_no_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    words = ("train", "mlp-digits", "--images", "65", "--name", "a-name-that-is-long-enough-for-two-lines-of-80-cells")
    said = cli(*words).stderr
    assert "100% of 65 images" in said
    assert "197% of 65 images" not in said
    again = cli(*words).stderr.splitlines()
    assert again[-1].endswith("is already finished at image 128; raise --images to extend it")
