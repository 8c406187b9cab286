"""The service: the bytes of the command line, formats, bounds, and answers to bad requests."""

from __future__ import annotations

import io
import json
import re
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas.cli import main
from ganvas.inference import Generator, open_as
from ganvas.systems.dcgan import DCGAN
from ganvas.untrusted import parse_json
from ganvas.web.application import application
from ganvas.web.asked import accepted
from ganvas.web.gate import Access
from ganvas.web.lanes import Lane
from ganvas.web.served import Models, named
from ganvas.web.service import OPENAPI, Service
from tests.conftest import Cli, TrainedRun, assert_refused, bundled_photographs, tiny
from tests.web.client import Client

DIGITS = DCGAN(size=16, channels=1, classes=10, g_width=4, d_width=4, latent=8)


def served(*places: str, limit: float = 1.0, queue: float = 2.0) -> tuple[Client, Service]:
    service = Service(Models(named(places), precision="fp32"), threading.Event(), limit=limit, queue=queue)
    return Client(application(service.routes(), Access(), most=1 << 20)), service


def photo(form: str = "JPEG", width: int = 40, height: int = 24, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(bundled_photographs()[0][:height, :width]).save(file, form, **options)
    return file.getvalue()


def kind_of(content: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image.format, image.size


def test_generated_bytes_are_those_of_the_command_line(trained_run: TrainedRun, tmp_path: Path) -> None:
    trained_run(tiny("dcgan", system=DIGITS), name="r")
    client, _ = served("runs/r")
    assert main(["generate", "runs/r", "-n", "3", "--seed", "5", "--out", "files", "--grid", "grid.png"]) == 0
    for label, index in (("3", 0), ("7", 2)):
        answer = client.post("/v2/models/r/generate", params={"seed": "5", "class": label, "index": str(index)})
        assert answer.content == (tmp_path / "files" / label / f"5-{index:06d}.png").read_bytes()
        assert (answer.headers["ganvas-model"], answer.headers["ganvas-seed"]) == ("r", "5")
    answer = client.post("/v2/models/r/generate", params={"seed": "5", "n": "3"})
    assert answer.content == (tmp_path / "grid.png").read_bytes()
    assert answer.headers["content-type"] == "image/png"


def test_requests_at_once_are_computed_together_and_none_depends_on_the_others(trained_run: TrainedRun) -> None:
    trained_run(tiny("dcgan", system=DIGITS), name="r")
    client, service = served("runs/r")
    alone = [client.post(f"/v2/models/r/generate?seed={seed}&class=4&index={seed % 5}").content for seed in range(21)]
    counted: list[int] = []
    model = service.models.open("r")
    assert isinstance(model, Generator)
    render = model.render
    model.render = lambda z, label=None: counted.append(len(z)) or render(z, label)  # type: ignore[func-returns-value, method-assign]
    asked: Any = [("POST", f"/v2/models/r/generate?seed={seed}&class=4&index={seed % 5}", {}) for seed in range(21)]
    assert [answer.content for answer in client.together(*asked)] == alone
    assert sum(counted) == 21
    assert len(counted) < 10


def test_accept_picks_the_format_and_every_one_says_that_it_is_synthetic(trained_run: TrainedRun) -> None:
    trained_run(tiny("dcgan"), name="r")
    client, _ = served("runs/r")
    for form in ("png", "webp", "jpeg"):
        answer = client.post("/v2/models/r/generate", headers={"Accept": f"text/html, image/{form}"})
        assert answer.headers["content-type"] == f"image/{form}"
        assert kind_of(answer.content)[0] == form.upper()
        assert b"rainedAlgorithmicMedia" in answer.content
    answer = client.post("/v2/models/r/generate", headers={"Accept": "application/pdf"})
    assert answer.status_code == 406
    assert "image/png, image/webp, image/jpeg" in answer.json()["detail"]


def test_sentences_and_points(trained_run: TrainedRun, tmp_path: Path) -> None:
    trained_run(tiny("text"), name="words")
    trained_run(tiny("plane"), name="plane")
    client, _ = served("runs/words", "runs/plane")
    asked = ["generate", "runs/words", "-n", "5", "--seed", "2", "--temperature", "0.5"]
    for ending, kind in (("txt", "text/plain"), ("jsonl", "application/jsonl")):
        assert main([*asked, "--out", f"words.{ending}"]) == 0
        answer = client.post("/v2/models/words/generate?seed=2&n=5&temperature=0.5", headers={"Accept": kind})
        assert answer.content == (tmp_path / f"words.{ending}").read_bytes()
    assert main(["generate", "runs/plane", "-n", "9", "--out", "points.csv"]) == 0
    answer = client.post("/v2/models/plane/generate?n=9", headers={"Accept": "text/csv"})
    assert answer.content == (tmp_path / "points.csv").read_bytes()
    assert kind_of(client.post("/v2/models/plane/generate").content)[0] == "PNG"
    assert "no temperature" in client.post("/v2/models/plane/generate?temperature=2").json()["detail"]


@pytest.mark.parametrize(("form", "ending"), [("JPEG", "jpg"), ("PNG", "png")])
def test_upscaled_bytes_are_those_of_the_command_line(form: str, ending: str, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0110] = "a camera"
    exif[0x0112] = 6  # turned
    content = photo(form, exif=exif)
    Path(f"photo.{ending}").write_bytes(content)
    assert main(["upscale", f"photo.{ending}", "--model", "srgan-x4", "--precision", "fp32"]) == 0
    client, _ = served("srgan-x4")
    raw = client.post("/v2/models/srgan-x4/upscale", content=content)
    assert raw.content == (tmp_path / f"photo_x4.{ending}").read_bytes()
    assert kind_of(raw.content) == (form, (96, 160))
    sent = client.post("/v2/models/srgan-x4/upscale", files={"image": ("../../x.jpg", content, "text/html")})
    assert sent.content == raw.content
    assert raw.headers["ganvas-notes"].startswith("dE ")
    soft = client.post(
        "/v2/models/srgan-x4/upscale?strength=0.5&scale=2", content=content, headers={"Accept": "image/webp"}
    )
    assert kind_of(soft.content) == ("WEBP", (48, 80))
    assert (
        main(
            [
                "upscale",
                f"photo.{ending}",
                "--strength",
                "0.5",
                "--precision",
                "fp32",
                "--scale",
                "2",
                "--format",
                "webp",
            ]
        )
        == 0
    )
    assert soft.content == (tmp_path / "photo_x2.webp").read_bytes()


def test_repaired_bytes_are_those_of_the_command_line(tmp_path: Path) -> None:
    content, mask = photo(), Image.new("L", (40, 24))
    mask.paste(255, (10, 5, 14, 20))
    mask.save("mask.png")
    Path("photo.jpg").write_bytes(content)
    client, _ = served("repair")
    assert main(["repair", "photo.jpg", "--mask", "mask.png", "--damage-map", "--denoise", "0.5"]) == 0
    files = {"image": content, "mask": Path("mask.png").read_bytes()}
    answer = client.post("/v2/models/repair/repair?denoise=0.5", files=files)
    assert answer.content == (tmp_path / "photo_repaired.jpg").read_bytes()
    assert "filled" in answer.headers["ganvas-notes"]
    found = client.post("/v2/models/repair/damage", content=content)
    assert kind_of(found.content) == ("PNG", (40, 24))
    again = client.post("/v2/models/repair/repair", files={"image": content, "mask": found.content})
    assert again.content == client.post("/v2/models/repair/repair", content=content).content
    other = io.BytesIO()
    Image.new("L", (41, 24)).save(other, "PNG")
    answer = client.post("/v2/models/repair/repair", files={"image": content, "mask": other.getvalue()})
    assert answer.status_code == 400
    assert "give a mask of the image's size" in answer.json()["detail"]


def bomb() -> bytes:
    """A PNG file of a few bytes that claims 2.5 gigapixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    size = (50_000).to_bytes(4, "big") * 2
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size + b"\x08\x02\0\0\0")
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="file:///etc/passwd"/></svg>'


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", 400, "there is no image"),
        (b"MZ\x90 not an image at all", 415, "this is not an image"),
        (SVG, 415, "this is not an image"),
        (b"%PDF-1.7", 415, "this is not an image"),
        (photo()[:300], 422, "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, 422, "cannot be used"),
        (bomb(), 413, "2,500.0 megapixels, more than the limit of 1"),
        (b"x" * ((1 << 20) + 1), 413, "1 MB"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_no_photo_is_refused(content: bytes, code: int, words: str) -> None:
    client, service = served("srgan-x4")
    for options in ({"content": content}, {"files": {"image": content}} if content else {"content": content}):
        answer = client.post("/v2/models/srgan-x4/upscale", **options)
        assert (answer.status_code, words in answer.json()["detail"]) == (code, True), answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert service.photos.load == 0
    assert not service._folders


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("none/upscale", 404, "there is no model 'none'; available: srgan-x4, repair"),
        ("srgan-x5/upscale", 404, "did you mean 'srgan-x4'?"),
        ("..%2F..%2Fetc%2Fpasswd/upscale", 404, "there is"),
        ("srgan-x4/repair", 409, "upscales images and cannot repair; ask it for upscale"),
        ("srgan-x4/generate", 409, "ask it for upscale"),
        ("srgan-x4/upscale?scale=9", 400, "--scale 9 is out of range"),
        ("srgan-x4/upscale?scale=nan", 400, "scale=nan is not a number from 1 to 16"),
        ("srgan-x4/upscale?strenght=1", 400, "there is no parameter 'strenght' (did you mean 'strength'?)"),
        ("srgan-x4/upscale?strength=1&strength=0", 400, "is given twice"),
        ("srgan-x4/upscale?colour_lock=yes", 400, "neither true nor false"),
        ("srgan-x4/upscale?quality=101", 400, "quality=101 is not a whole number from 1 to 100"),
        ("repair/repair?mask=/etc/passwd", 400, "mask can only be none"),
    ],
)
def test_wrong_requests_are_refused_in_one_sentence(path: str, code: int, words: str) -> None:
    client, _ = served("srgan-x4", "repair")
    answer = client.post(f"/v2/models/{path}", content=photo())
    assert (answer.status_code, words in answer.json()["detail"]) == (code, True), answer.text


def test_forms_with_other_parts_are_refused() -> None:
    client, _ = served("repair")
    answer = client.post("/v2/models/repair/repair", files={"photo": photo()})
    assert "the part 'photo' is not expected; give image, mask" in answer.json()["detail"]
    assert (
        client.post("/v2/models/repair/repair", files={"mask": photo()})
        .json()["detail"]
        .startswith("there is no part image")
    )
    many = [("image", photo()), ("mask", photo()), ("mask", photo())]
    assert client.post("/v2/models/repair/repair", files=many).status_code == 400


def test_overload_is_answered_by_a_result_or_by_429() -> None:
    client, service = served("srgan-x4", queue=0.003)
    asked: Any = [("POST", "/v2/models/srgan-x4/upscale", {"content": photo()})] * 12
    answers = client.together(*asked)
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused.headers["retry-after"]) >= 1
    assert "megapixels are waiting" in refused.json()["detail"]
    assert service.photos.load == pytest.approx(0)
    text = client.get("/metrics").text
    assert f'ganvas_requests_total{{model="srgan-x4",operation="upscale",status="429"}} {codes.count(429)}' in text
    assert f'ganvas_request_seconds_count{{model="srgan-x4",operation="upscale"}} {codes.count(200)}' in text
    assert "ganvas_queue_limit_megapixels 0.003" in text


def test_health_answers_while_a_photo_is_worked_on(monkeypatch: pytest.MonkeyPatch) -> None:
    import ganvas.web.service as module

    began, times = threading.Event(), list[float]()

    def slow(*arguments: Any) -> str:
        began.set()
        time.sleep(0.4)
        Path(arguments[2]).write_bytes(b"")
        return ""

    monkeypatch.setattr(module, "changed", slow)
    client, service = served("srgan-x4")
    service.models.open("srgan-x4")

    def ask() -> None:
        began.wait(5)
        for _ in range(5):
            start = time.perf_counter()
            assert Client(client.app).get("/v2/health/live").json() == {"live": True}
            times.append(time.perf_counter() - start)

    asking = threading.Thread(target=ask)
    asking.start()
    client.post("/v2/models/srgan-x4/upscale", content=photo())
    asking.join()
    assert min(times) < 0.05


def test_a_server_that_stops_ends_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    import ganvas.web.service as module

    client, service = served("srgan-x4")

    def endless(*arguments: Any) -> str:
        service.stopping.set()
        for _ in range(1000):
            arguments[-1](0.5)
            time.sleep(0.01)
        return ""

    monkeypatch.setattr(module, "changed", endless)
    answer = client.post("/v2/models/srgan-x4/upscale", content=photo())
    assert answer.status_code == 503
    assert client.get("/v2/health/ready").status_code == 503
    assert client.get("/v2/health/live").status_code == 200


def test_a_client_that_leaves_ends_the_work() -> None:
    import asyncio

    stopped: list[float] = []

    class Leaving:
        async def is_disconnected(self) -> bool:
            await asyncio.sleep(0.05)
            return True

    def work(on_progress: Any) -> None:
        try:
            for _ in range(1000):
                on_progress(0.5)
                time.sleep(0.01)
        finally:
            stopped.append(time.perf_counter())

    async def run() -> None:
        from ganvas.web.lanes import Left

        lane = Lane(1.0, threading.Event())
        with pytest.raises(Left):
            await lane.run(Leaving(), 1.0, work)  # type: ignore[arg-type]
        assert lane.load == 0

    began = time.perf_counter()
    asyncio.run(run())
    assert stopped[0] - began < 2


def test_a_model_that_is_gone_is_named(trained_run: TrainedRun) -> None:
    folder = trained_run(tiny("dcgan"), name="r")
    client, service = served("runs/r")
    service.models.places["r"] = str(folder.path / "gone")
    answer = client.post("/v2/models/r/generate")
    assert answer.status_code == 400
    assert f"there is no {folder.path / 'gone'}" in answer.json()["detail"]


def test_the_description_names_every_route_and_every_parameter() -> None:
    client, service = served("srgan-x4", "repair")
    described = client.get("/openapi.json").json()
    assert described == parse_json(OPENAPI.read_bytes())
    routes = {(route.path, min(route.methods - {"HEAD"}).lower()) for route in service.routes()}  # type: ignore[attr-defined]
    assert routes == {(path, method) for path, one in described["paths"].items() for method in one}
    source = (OPENAPI.parent / "service.py").read_text(encoding="utf-8")
    for name in ("generate", "upscale", "repair"):
        body = source[source.index(f"    async def {name}(") :]
        known = re.search(r"Query\(request, ([^)]*)\)", body)
        assert known
        parameters = [p["name"] for p in described["paths"][f"/v2/models/{{model}}/{name}"]["post"]["parameters"][1:]]
        assert sorted(json.loads(f"[{known[1]}]")) == sorted(parameters)


def test_models_are_described(trained_run: TrainedRun) -> None:
    trained_run(tiny("dcgan", system=DIGITS), name="r")
    Path("other").mkdir()
    Path("runs/r").rename("other/r")
    trained_run(tiny("dcgan"), name="r")
    client, _ = served("other/r", "runs/r", "photo-x4")
    found = client.get("/v2/models").json()["models"]
    assert [one["name"] for one in found] == ["r", "r-2", "photo-x4"]
    assert found[0]["classes"] == list("0123456789")
    assert (found[2]["scale"], found[2]["operations"], found[2]["licence"]) == (4, ["upscale"], "BSD-3-Clause")
    assert client.get("/v2/models/photo-x4").json() == found[2]
    assert client.get("/v2/models/photo-x4/ready").json() == {"name": "photo-x4", "ready": True}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "image/png"),
        ("*/*", "image/png"),
        ("image/webp;q=0.5, image/png;q=0.1", "image/webp"),
        ("image/*;q=0.5, image/webp", "image/webp"),
        ("image/png;q=0, */*", "image/webp"),
        ("image/png;q=nonsense, image/webp;q=0.2", "image/webp"),
    ],
)
def test_accept(header: str, expected: str) -> None:
    from starlette.requests import Request

    request = Request({"type": "http", "headers": [(b"accept", header.encode())]})
    assert accepted(request, ["image/png", "image/webp"]) == expected


def test_the_command_refuses(cli: Cli) -> None:
    assert_refused(cli("serve", "nope"), "there is no nope")
    assert_refused(cli("serve", "srgan-x4", "--host", "0.0.0.0"), "give a --token")
    assert_refused(cli("serve", "srgan-x4", "--token", "short"), "at least 16")
    assert_refused(cli("serve", "srgan-x4", "--limit", "0"), "--limit 0 is out of range")
    assert_refused(cli("serve", "srgan-x4", "--port", "99999"), "--port 99999 is out of range")


def test_arrays_stay_in_bounds(trained_run: TrainedRun) -> None:
    trained_run(tiny("dcgan"), name="r")
    client, _ = served("runs/r", limit=0.001)
    assert "is too many" in client.post("/v2/models/r/generate?n=100").json()["detail"]
    assert "index chooses one image" in client.post("/v2/models/r/generate?n=2&index=1").json()["detail"]
    assert client.post("/v2/models/r/generate?index=4096").status_code == 400
    assert client.post("/v2/models/r/generate?class=3").json()["detail"].startswith("r was trained without classes")
    assert np.asarray(Image.open(io.BytesIO(client.post("/v2/models/r/generate").content))).shape == (16, 16)
    assert open_as(Generator, "runs/r").name == "r"
