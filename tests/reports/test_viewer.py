"""The viewer's page: exact images, slider and magnifier."""

from __future__ import annotations

import base64
import html
import io
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import InputError
from ganvas.imaging.grid import Pixels
from ganvas.reports.viewer import ROWS, ViewerRow, viewer_page


def noise(seed: int = 0, width: int = 24, height: int = 16) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8))


def row(name: str = "cat.png", **more: object) -> ViewerRow:
    labels = "bicubic", "SRResNet", "SRGAN", "original"
    return ViewerRow(name, {label: noise(seed) for seed, label in enumerate(labels)}, **more)  # type: ignore[arg-type]


def embedded(text: str) -> list[Pixels]:
    found = []
    for address in re.findall(r'src="(data:[^"]+)"', text):
        with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as shown:
            found.append(np.asarray(shown))
    return found


def test_every_version_is_embedded_bit_for_bit() -> None:
    shown = embedded(viewer_page("t", [row()]))
    assert len(shown) == 4
    for seed, pixels in enumerate(shown):
        assert np.array_equal(pixels, np.asarray(noise(seed)))


def test_nothing_is_fetched_and_names_cannot_break_out() -> None:
    text = viewer_page("<script>alert(1)</script>", [row("<b>&", note="<i>")], lead="<u>")
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|//cdn|@import|<link|<iframe|<script>alert|<b>&|<i>|<u>", text)
    assert "&lt;b&gt;&amp;" in text


def test_the_best_score_is_marked_by_its_arrow() -> None:
    scores = {"bicubic": {"PSNR ↑": 28.416, "D ↓": 0.3, "n": 1}, "SRGAN": {"PSNR ↑": 29.4, "D ↓": 0.1, "n": 2}}
    text = viewer_page("t", [row(scores=scores)])
    assert re.findall(r"<strong>([^<]*)</strong>", text) == ["29.40", "0.1000"]
    assert "<span>28.42</span>" in text


def test_a_large_image_is_cut_to_where_the_versions_differ_most() -> None:
    before = np.asarray(noise(3, 1_600, 1_200))
    after = before.copy()
    after[1_000:1_040, 1_500:1_540] ^= 128
    text = viewer_page("t", [ViewerRow("big", {"a": Image.fromarray(before), "b": Image.fromarray(after)})])
    found = re.search(r"A crop of ([\d,]+) x ([\d,]+) px at \(([\d,]+), ([\d,]+)\) of 1,600 x 1,200 px", text)
    assert found
    wide, high, left, top = (int(number.replace(",", "")) for number in found.groups())
    assert wide * high <= 1_000_000
    assert left <= 1_500
    assert left + wide >= 1_540
    assert top <= 1_000
    assert top + high >= 1_040
    a, b = embedded(text)
    assert np.array_equal(a, before[top : top + high, left : left + wide])
    assert np.array_equal(b, after[top : top + high, left : left + wide])


def test_a_large_image_is_shown_whole_if_wanted() -> None:
    big = ViewerRow("big", {"a": noise(1, 60, 40), "b": noise(2, 60, 40)})
    text = viewer_page("t", [big], budget=5_000, whole=True, left_out=7)
    assert "A crop" not in text
    assert "60 x 40 px, WebP at quality 95" in text
    assert "7 more images are left out" in text
    assert "60 x 40 px, lossless" in viewer_page("t", [big], whole=True)


def test_many_images_stay_within_the_budget_and_the_page_says_what_it_left_out() -> None:
    rows = [ViewerRow(str(index), {"a": noise(1, 300, 200), "b": noise(2, 300, 200)}) for index in range(ROWS + 3)]
    text = viewer_page("t", rows, budget=2_000_000)
    assert len(text) < 8_000_000  # noise, which does not compress; photos take a third of it
    assert "3 more images are left out" in text
    assert "WebP at quality 95" in text


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "1", "I;16"])
def test_images_of_every_mode(mode: str) -> None:
    grey = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    one = Image.fromarray(grey) if mode == "I;16" else noise(0, 16, 16).convert(mode)
    if "A" in one.getbands():
        one.putalpha(100)
    shown = embedded(viewer_page("t", [ViewerRow("x", {"a": one, "b": one})]))
    assert shown[0].shape == (16, 16, 4 if mode in ("LA", "RGBA") else 3)
    if mode == "I;16":
        assert np.array_equal(shown[0][..., 0].ravel(), np.arange(256))


def test_a_strip_longer_than_webp_allows() -> None:
    strip = noise(0, 20_000, 3)
    assert embedded(viewer_page("t", [ViewerRow("x", {"a": strip, "b": strip})]))[0].shape == (3, 8_000, 3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no images to show"),
        ([ViewerRow("cat.png", {"bicubic": noise()})], "cat.png has too few images to compare (1)"),
        ([ViewerRow("c", {"a": noise(), "b": noise(0, 25, 16)})], "c has images of different sizes, a of 24 x 16 px"),
        ([row(scores={"EDSR": {"PSNR ↑": 1.0}})], "'EDSR'"),
    ],
)
def test_refused(rows: list[ViewerRow], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        viewer_page("t", rows)


SCRIPT = """
<script>
addEventListener("load", () => setTimeout(() => {
  const seen = [], note = (...words) => seen.push(words.join(" "));
  const one = document.querySelector(".image-row"), stage = one.querySelector(".stage");
  const at = () => getComputedStyle(stage).getPropertyValue("--at");
  const pair = () => ["left", "right"].map((side) => one.querySelector(`img.${side}`).dataset.label).join("|");
  note("pair", pair());
  one.querySelector(".divide").value = 250;
  one.querySelector(".divide").dispatchEvent(new Event("input"));
  note("slider", at());
  const select = document.querySelector('[data-choice="right"]');
  select.value = "original"; select.onchange();
  note("chosen", pair());
  document.querySelector("[data-swap]").click();
  note("swapped", pair());
  const box = stage.getBoundingClientRect();
  const send = (type, x, y, buttons) => {
    const place = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
    stage.dispatchEvent(new PointerEvent(type, { ...place, buttons, pointerType: "mouse", pointerId: 1 }));
  };
  stage.setPointerCapture = () => {};
  send("pointerdown", 0.3, 0.5, 1); send("pointermove", 0.6, 0.5, 1); send("pointerup", 0.6, 0.5, 0);
  note("dragged", at());
  const spot = () => one.querySelector("canvas").dataset.at;
  const zoom = document.querySelector('[data-choice="zoom"]');
  zoom.value = "16"; zoom.onchange();
  send("pointermove", 0, 0, 0); note("corner", spot());
  send("pointerdown", 0, 0, 1); send("pointerup", 0, 0, 0); send("pointermove", 1, 1, 0); note("held", spot());
  stage.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", shiftKey: true }));
  note("key", spot() !== "0,0");
  const canvases = [...one.querySelectorAll("canvas")];
  note("spots", new Set(canvases.map((canvas) => canvas.dataset.at)).size);
  const [left, top] = spot().split(",").map(Number);
  const first = (canvas) => [...canvas.getContext("2d").getImageData(0, 0, 1, 1).data.slice(0, 3)].join(",");
  note("pixels", canvases.map(first).join("|"), left, top);
  document.body.innerHTML = `<pre>${seen.join("\\n")}</pre>`;
}, 300));
</script>
</body>
"""


@pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium to run the page's script")
def test_slider_and_magnifier(tmp_path: Path) -> None:
    text = viewer_page("t", [row()]).replace("</body>", SCRIPT)
    (tmp_path / "page.html").write_text(text)
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--virtual-time-budget=3000", "--dump-dom", (tmp_path / "page.html").as_uri()]
    dumped = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    found = re.search(r"<pre>(.*?)</pre>", dumped, re.S)
    assert found, dumped[-2_000:]
    seen = dict(line.split(" ", 1) for line in html.unescape(found[1]).splitlines())
    assert seen["pair"] == "bicubic|SRGAN"
    assert seen["slider"] == "25%"
    assert seen["chosen"] == "bicubic|original"
    assert seen["swapped"] == "original|bicubic"
    assert abs(float(seen["dragged"].rstrip("%")) - 60) < 1
    assert (seen["corner"], seen["held"], seen["key"], seen["spots"]) == ("0,0", "0,0", "true", "1")
    pixels, left, top = seen["pixels"].split(" ")
    expected = [np.asarray(noise(seed))[int(top), int(left)] for seed in range(4)]
    assert pixels.split("|") == [",".join(map(str, pixel)) for pixel in expected]
