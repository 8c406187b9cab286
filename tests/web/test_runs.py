"""What the page is told of runs: files that grow and are rewritten, lists, samples, and the stream of changes."""

from __future__ import annotations

import io
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from ganvas.runs.folder import is_event, is_log_line
from ganvas.runs.previews import Preview, read_previews, write_previews
from ganvas.untrusted import parse_json
from ganvas.web.application import application, assets
from ganvas.web.curves_of_run import thinned
from ganvas.web.gate import Access
from ganvas.web.run_pages import RunPages
from ganvas.web.watching import Tail, Watched, last_lines
from tests.reports.runs import add_figure, add_previews, made
from tests.web.client import Client
from tests.web.serving import served


def client(root: str = "runs") -> Client:
    return Client(application(RunPages(Watched(Path(root)), threading.Event()).routes(), Access()))


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look is a search, and at all runs."""
    for name in ("SEARCH", "LOOK", "REST"):
        monkeypatch.setattr(f"ganvas.web.watching.{name}", 0.0)


def write_lines(path: Path, first: int, last: int, mode: str = "a") -> None:
    with path.open(mode) as file:
        file.writelines(json.dumps({"images": images}) + "\n" for images in range(first, last))


def seen(tail: Tail) -> list[int]:
    return [line["images"] for line in tail.lines]


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "log.jsonl", is_log_line)
    assert not tail.read()
    write_lines(tail.path, 0, 5)
    assert tail.read()
    assert not tail.read()
    with tail.path.open("a") as file:
        file.write('{"images": 5}\n{"ima')  # a line that is being written
    assert tail.read()
    assert seen(tail) == [*range(6)]
    with tail.path.open("a") as file:
        file.write(
            'ges": 6}\nno line\n[1]\n{"images": -1}\n{"images": 7, "run": "\udcff"}\n'.encode(
                "utf-8", "surrogateescape"
            ).decode("latin-1")
        )
    tail.read()
    assert seen(tail) == [*range(8)]
    assert tail.age == 0


def test_a_log_that_a_resumed_run_rewrote_is_read_anew(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "log.jsonl", is_log_line)
    write_lines(tail.path, 0, 9)
    tail.read()
    write_lines(tmp_path / "new", 0, 4, "w")
    (tmp_path / "new").replace(tail.path)
    assert tail.read()
    assert (seen(tail), tail.age) == ([*range(4)], 1)
    write_lines(tail.path, 10, 30, "w")  # truncated in place, and longer than before
    assert tail.read()
    assert (seen(tail), tail.age) == ([*range(10, 30)], 2)
    write_lines(tail.path, 0, 1, "w")
    assert tail.read()
    assert seen(tail) == [0]
    tail.path.unlink()
    assert tail.read()
    assert (tail.lines, tail.read()) == ([], False)


def test_events_of_the_wrong_kind_are_left_out(tmp_path: Path) -> None:
    tail = Tail(tmp_path / "events.jsonl", is_event)
    tail.path.write_text('{"event": "started", "images": 0}\n{"event": 3}\n{"event": "x", "images": "many"}\n')
    tail.read()
    assert [line["event"] for line in tail.lines] == ["started"]


def test_the_list_has_every_run_with_what_a_reader_wants() -> None:
    folder = made("a", seed=3)
    add_previews(folder)
    folder.add_event("verdict", images=120, verdict="oscillation", sentence="it turns")
    made("study/one")
    broken = made("broken <b>")
    broken.recipe.write_text("{")
    Path("runs/empty").mkdir()
    found = client().get("/api/runs").json()
    runs = {run["name"]: run for run in found["runs"]}
    assert set(runs) == {"a", "study/one", "broken <b>"}
    assert len({run["id"] for run in runs.values()}) == 3
    one = runs["a"]
    assert (one["state"], one["images"], one["total"], one["seed"]) == ("stopped", 400, 400, 3)
    assert (one["system"], one["data"], one["verdict"], one["rate"]) == ("DCGAN", "digits", "oscillation", 3600.0)
    assert one["sheets"] == 5
    assert (runs["broken <b>"]["state"], "cannot be read" in runs["broken <b>"]["about"]) == ("broken", True)


def test_state_and_time_left_while_it_trains() -> None:
    folder = made("a", rate=20.0)
    folder.log.write_text(json.dumps({"images": 100, "images_per_second": 20.0}) + "\n")
    folder.events.write_text(json.dumps({"event": "started", "images": 0}) + "\n")
    pages = client()
    assert pages.get("/api/runs").json()["runs"][0]["state"] == "stopped"
    with folder.lock():
        run = pages.get("/api/runs").json()["runs"][0]
        assert (run["state"], run["left"]) == ("training", 15)
        folder.add_log({"images": 200, "images_per_second": 20.0})
        assert pages.get("/api/runs").json()["runs"][0]["left"] == 10
    assert pages.get("/api/runs").json()["runs"][0]["state"] == "stopped"


def test_looking_never_keeps_a_run_from_training() -> None:
    folder, watched, ended = made("a"), Watched(Path("runs")), threading.Event()

    def look() -> None:
        while not ended.is_set():
            watched.look()

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(200):
            with folder.lock():
                pass
    finally:
        ended.set()
        looking.join()


def test_numbers_stay_and_a_run_that_was_deleted_is_gone() -> None:
    made("b")
    pages = client()
    number = pages.get("/api/runs").json()["runs"][0]["id"]
    made("a")
    assert pages.get(f"/api/runs/{number}").json()["name"] == "b"
    shutil.rmtree("runs/b")
    for part in ("", "/curves", "/log", "/sheets/0", "/thumbnail"):
        answer = pages.get(f"/api/runs/{number}{part}")
        assert (answer.status_code, "the run b is gone" in answer.json()["detail"]) == (410, True)
    assert pages.get("/api/runs/99").status_code == 404
    assert pages.get("/api/runs/..%2F..%2Fetc").status_code == 404
    made("b")
    assert pages.get(f"/api/runs/{number}").json()["name"] == "b"


def test_no_folder_of_runs_is_an_empty_list() -> None:
    assert client("nowhere").get("/api/runs").json() == {"root": "nowhere", "exists": False, "runs": []}


def test_one_run_with_figures_recipe_and_commands() -> None:
    folder = made("a b")
    add_figure(folder, "FD", 9.0)
    add_previews(folder)
    found = client().get("/api/runs/0").json()
    assert found["figures"][0]["title"].startswith("FD")
    assert "9" in found["figures"][0]["value"]
    assert found["logged"][0]["title"].startswith("SWD")
    assert ["system.size", "16"] in found["recipe"]
    assert ["diagnose", "ganvas diagnose 'runs/a b'"] in found["commands"]
    assert [one["images"] for one in found["previews"]] == [0, 100, 200, 300, 400]
    assert found["previews"][4]["hours"] > 0


def test_curves_keep_every_spike() -> None:
    points = [(index, 1.0) for index in range(10_000)]
    points[4321], points[8765] = (4321, 99.0), (8765, -99.0)
    drawn = [*thinned(points, 100)]
    assert len(drawn) <= 200
    assert {(4321, 99.0), (8765, -99.0)} <= set(drawn)
    assert drawn == sorted(drawn)
    assert thinned(points[:10], 100) == points[:10]


def test_curves_with_verdicts_and_events() -> None:
    folder = made("a")
    folder.add_log({"images": 400, "d/adversarial": float("nan"), "signals": {}})
    folder.add_event("verdict", images=120, verdict="oscillation", sentence="it turns")
    folder.add_event("knee", at=200, sentence="here")
    found = client().get("/api/runs/0/curves").json()
    adversarial, swd = found["charts"]
    assert [series["name"] for series in adversarial["series"]] == ["d/adversarial", "g/adversarial"]
    assert len(adversarial["series"][0]["points"]) == 10
    assert adversarial["series"][0]["points"][0] == [40, pytest.approx(40 / 3600 / 3600, rel=1e-4), 1.0]
    assert swd["title"].startswith("Distance to the real images")
    assert found["verdicts"][-1]["verdict"] == "oscillation"
    assert found["events"][-1] == {
        "event": "knee",
        "said": "here",
        "i": 200,
        "h": pytest.approx(200 / 3600 / 3600, rel=1e-4),
    }


def test_the_tail_of_a_log_grows_and_begins_anew() -> None:
    folder, pages = made("a"), client()
    first = pages.get("/api/runs/0/log").json()
    assert (first["total"], first["age"]) == (20, 0)
    folder.add_log({"images": 440, "x": float("inf"), "name": "\udcff<b>"})
    second = pages.get("/api/runs/0/log").json()
    assert second["total"] == 21
    assert parse_json(second["lines"][-1])["images"] == 440
    folder.forget_after(100)
    third = pages.get("/api/runs/0/log").json()
    assert (third["total"], third["age"]) == (4, 1)
    assert len(last_lines(folder.log)) == 4


def test_samples_are_sent_as_they_are_and_nothing_else_is() -> None:
    folder, pages = made("a"), client()
    add_previews(folder)
    answer = pages.get("/api/runs/0/sheets/2?v=1")
    assert answer.content == folder.sample_path(200).read_bytes()
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    assert pages.get("/api/runs/0/sheets/5").status_code == 404
    folder.sample_path(300).write_bytes(b"<script>alert(1)</script>")
    answer = pages.get("/api/runs/0/sheets/3")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    folder.sample_path(300).unlink()
    folder.sample_path(300).mkdir()
    assert pages.get("/api/runs/0/sheets/3").status_code in (404, 410)


def test_an_index_that_names_files_elsewhere_shows_none() -> None:
    folder, pages = made("a"), client()
    folder.samples.mkdir()
    Image.new("L", (9, 9)).save("secret.png")
    entries = [{"file": "../../../secret.png", "images_seen": 1, "kind": "grid"}]
    (folder.samples / "index.json").write_text(json.dumps(entries))
    assert pages.get("/api/runs/0").json()["previews"] == []
    assert pages.get("/api/runs/0/sheets/0").status_code == 404
    assert pages.get("/api/runs/0/thumbnail").status_code == 404


@pytest.mark.parametrize("kind", ["grid", "triples", "plot"])
def test_a_thumbnail_is_small_and_made_anew_for_a_new_sample(kind: str) -> None:
    folder, pages = made("a"), client()
    add_previews(folder)
    previews = [Preview(**{**vars(one), "kind": kind}) for one in read_previews(folder.samples)]
    write_previews(folder.samples, previews)
    first = pages.get("/api/runs/0/thumbnail").content
    with Image.open(io.BytesIO(first)) as image:
        assert image.format == "WEBP"
        assert max(image.size) <= 192
    assert pages.get("/api/runs/0/thumbnail").content == first
    Image.fromarray(np.zeros((300, 300), np.uint8)).save(folder.sample_path(400))
    write_previews(folder.samples, previews)
    assert pages.get("/api/runs/0/thumbnail").content != first
    folder.sample_path(400).write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    write_previews(folder.samples, previews)
    assert pages.get("/api/runs/0/thumbnail").status_code == 422


def test_sentences_are_lines_of_text() -> None:
    folder, pages = made("a"), client()
    folder.samples.mkdir()
    (folder.samples / "7.txt").write_bytes("one\n<b>two</b>\n\xff".encode("latin-1"))
    write_previews(folder.samples, [Preview(file="7.txt", images_seen=7, kind="text")])
    assert pages.get("/api/runs/0/texts/0").json() == {"lines": ["one", "<b>two</b>", "\N{REPLACEMENT CHARACTER}"]}
    assert pages.get("/api/runs/0/sheets/0").status_code == 404


def events(stream: httpx.Response) -> Any:
    for line in stream.iter_lines():
        if line.startswith("data: "):
            yield parse_json(line.removeprefix("data: "))


def test_the_stream_tells_what_changes_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    folder, stopping = made("a"), threading.Event()
    pages = RunPages(Watched(Path("runs")), stopping)
    with served(application([*assets(), *pages.routes()], Access()), stopping) as place:
        with httpx.stream("GET", f"{place}/api/events", timeout=10) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            told = events(stream)
            assert [run["name"] for run in next(told)["runs"]] == ["a"]
            began = time.monotonic()
            folder.add_log({"images": 480})
            assert next(told)["runs"][0]["images"] == 480
            made("b")
            assert [run["name"] for run in next(told)["runs"]] == ["b"]
            shutil.rmtree("runs/a")
            assert next(told) == {"runs": [], "gone": [0], "all": False}
            assert time.monotonic() - began < 3
        monkeypatch.setattr("ganvas.web.run_pages.STREAMS", 0)
        answer = httpx.get(f"{place}/api/events")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        deadline = time.monotonic() + 3
        while pages.streams and time.monotonic() < deadline:
            time.sleep(0.02)
        assert pages.streams == 0


def test_the_files_of_the_page_have_their_types_and_no_address_elsewhere() -> None:
    pages = Client(application(assets(), Access()))
    for path, kind in {"/": "text/html", "/static/app.js": "text/javascript", "/static/web.css": "text/css"}.items():
        answer = pages.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["cache-control"] == "no-cache"
    for path in (
        "/static/../gate.py",
        "/static/%2e%2e/gate.py",
        "/static/",
        "/static/index.html",
        "/static/__init__.py",
    ):
        assert pages.get(path).status_code == 404


def test_the_scripts_are_few_and_short() -> None:
    files = [*(Path(__file__).parents[2] / "src" / "ganvas" / "web" / "assets").glob("*.js")]
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert max(lengths.values()) <= 300
    assert sum(lengths.values()) <= 2500
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "innerHTML" not in text
        assert "https:" not in text
        assert text.count("http:") == text.count("http://www.w3.org")
