"""Videos: frames, timing, audio and colours; needs ffmpeg."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.imageio.conftest import Upscale, pixels, save

needs_ffmpeg = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="ffmpeg is not installed"
)
VIDEO = ("-f", "lavfi", "-i", "testsrc2=size=32x24:rate=25:duration=0.8,gblur=sigma=4")
SOUND = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.8")
CODED = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-qp", "8", "-c:a", "aac")


def ffmpeg(*words: str) -> bytes:
    """Run ffmpeg and return its standard output."""
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *words], check=True, capture_output=True).stdout


def streams(path: str) -> dict[str, dict[str, Any]]:
    """A video's streams as ffprobe reports them, by kind."""
    found = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-of", "json", path], capture_output=True)
    return {stream["codec_type"]: stream for stream in json.loads(found.stdout)["streams"]}


def turn(source: str, target: str) -> None:
    """Mark a film as turned by 90 degrees."""
    if "display_rotation" in ffmpeg("-h", "full").decode():
        ffmpeg("-display_rotation", "90", "-i", source, "-c", "copy", target)
    else:
        ffmpeg("-i", source, "-c", "copy", "-metadata:s:v:0", "rotate=90", target)


def frames(path: str, width: int, height: int) -> NDArray[np.float64]:
    """All frames (N, height, width, 3), scaled to this size."""
    scale = ("-vf", f"scale={width}:{height}:flags=area", "-fps_mode", "passthrough")
    data = ffmpeg("-i", path, *scale, "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(data, np.uint8).reshape(-1, height, width, 3).astype(float)


@needs_ffmpeg
def test_frames_are_upscaled_and_audio_is_copied(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    ffmpeg(*VIDEO, *SOUND, *CODED, "-metadata", "title=Holiday", "video.mp4")
    assert upscale("video.mp4") == 0
    said = capsys.readouterr().out
    assert "video_x4.mp4  128 x 96" in said
    assert "s/MP, dE " in said
    was, now = streams("video.mp4"), streams("video_x4.mp4")
    assert (now["video"]["width"], now["video"]["height"]) == (128, 96)
    assert now["video"]["nb_frames"] == was["video"]["nb_frames"] == "20"
    assert now["video"]["r_frame_rate"] == was["video"]["r_frame_rate"]
    sounds = [
        ffmpeg("-i", name, "-map", "0:a", "-c", "copy", "-f", "md5", "-") for name in ("video.mp4", "video_x4.mp4")
    ]
    assert sounds[0] == sounds[1]
    assert np.abs(frames("video.mp4", 32, 24) - frames("video_x4.mp4", 32, 24)).mean() < 4
    found = subprocess.run(["ffprobe", "-v", "error", "-show_format", "video_x4.mp4"], capture_output=True, text=True)
    assert "title=Holiday" in found.stdout
    assert "compositeWithTrainedAlgorithmicMedia" in found.stdout


@needs_ffmpeg
def test_ten_bits_and_hd_colours_stay(upscale: Upscale) -> None:
    colours = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
    ffmpeg(*VIDEO, "-c:v", "libx264", "-pix_fmt", "yuv420p10le", *colours, "deep.mkv")
    assert upscale("deep.mkv", "--scale", "1.3") == 0
    video = streams("deep_x1.3.mkv")["video"]
    assert video["pix_fmt"] == "yuv420p10le"
    assert video["color_space"] == video["color_primaries"] == video["color_transfer"] == "bt709"
    assert (video["width"], video["height"]) == (42, 32)


@needs_ffmpeg
def test_a_variable_rate_is_made_constant_in_step(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    slow = "setpts='if(lt(N,10),N/25,0.4+(N-10)/10)/TB'"
    ffmpeg(*VIDEO, "-vf", slow, "-fps_mode", "vfr", *CODED, "phone.mp4")
    assert upscale("phone.mp4") == 0
    assert "variable frame rate converted to" in capsys.readouterr().out
    was, now = (float(streams(name)["video"]["duration"]) for name in ("phone.mp4", "phone_x4.mp4"))
    assert abs(was - now) < 0.15


@needs_ffmpeg
def test_a_late_first_frame_stays_in_sync_with_the_audio(upscale: Upscale) -> None:
    ffmpeg(*SOUND, "-itsoffset", "0.4", *VIDEO, "-map", "1:v", "-map", "0:a", *CODED, "late.mkv")
    assert upscale("late.mkv") == 0
    was, now = frames("late.mkv", 32, 24), frames("late_x4.mkv", 32, 24)
    assert len(was) == 20
    early = len(now) - len(was)
    assert early in (10, 11)  # for 0.4 s, and the sound's own lead, the first frame is shown
    assert np.abs(was - now[early:]).mean() < 4


@needs_ffmpeg
def test_a_turned_video_is_upright(upscale: Upscale) -> None:
    ffmpeg(*VIDEO, *CODED, "flat.mp4")
    turn("flat.mp4", "turned.mp4")
    assert upscale("turned.mp4") == 0
    video = streams("turned_x4.mp4")["video"]
    assert (video["width"], video["height"]) == (96, 128)
    assert not video.get("side_data_list")
    assert np.abs(frames("turned.mp4", 24, 32) - frames("turned_x4.mp4", 24, 32)).mean() < 4


@needs_ffmpeg
@pytest.mark.parametrize("turned", [False, True])
def test_an_anamorphic_film_keeps_its_shape(turned: bool, upscale: Upscale) -> None:
    ffmpeg(*VIDEO, "-t", "0.12", "-vf", "setsar=64/45", *CODED, "film.mp4")
    if turned:
        turn("film.mp4", "turned.mp4")
        Path("turned.mp4").replace("film.mp4")
    assert upscale("film.mp4") == 0
    video = streams("film_x4.mp4")["video"]
    assert video["sample_aspect_ratio"] == ("45:64" if turned else "64:45")
    assert (video["width"], video["height"]) == ((96, 128) if turned else (128, 96))


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "coded"),
    [("a.mov", ("-c:v", "qtrle", "-pix_fmt", "argb")), ("a.webm", ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"))],
)
def test_transparency_of_films_is_noted(
    name: str, coded: tuple[str, ...], upscale: Upscale, capsys: pytest.CaptureFixture[str]
) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=32x24:rate=25:duration=0.12,format=rgba", *coded, name)
    assert upscale(name) == 0
    assert "transparency left out" in capsys.readouterr().out


@needs_ffmpeg
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_the_place_of_a_film_is_left_out_if_asked(ending: str, upscale: Upscale) -> None:
    place = ("-metadata", "location=+48.8577+002.295/", "-metadata", "title=Holiday")
    ffmpeg(*VIDEO, "-t", "0.12", *CODED, *place, f"film{ending}")
    for words, kept in ((("--out", "kept"), True), (("--out", "without", "--strip-location"), False)):
        assert upscale(f"film{ending}", *words) == 0
        shown = ["ffprobe", "-v", "error", "-show_format", f"{words[1]}/film_x4{ending}"]
        found = subprocess.run(shown, capture_output=True, text=True).stdout
        assert ("+48.8577" in found) == kept
        assert "title=Holiday" in found


@needs_ffmpeg
def test_bad_videos_are_reported(upscale: Upscale, capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    ffmpeg(*VIDEO, *CODED, "in/good.mp4")
    Path("in/cut.mp4").write_bytes(Path("in/good.mp4").read_bytes()[:2000])
    Path("in/words.avi").write_text("no video")
    ffmpeg(*SOUND, "-c:a", "aac", "in/sound.mp4")
    save(Path("in/photo.png"), pixels())
    assert upscale("in", "--out", "out") == 1
    output = capsys.readouterr().out
    assert "2 upscaled, 3 failed" in output
    assert output.count("ffmpeg cannot read it as a video") >= 3
    assert sorted(path.name for path in Path("out").glob("[a-z]*")) == ["good_x4.mp4", "photo_x4.png"]
    assert not list(Path("out").glob(".*.part"))
    assert upscale("in", "--out", "out") == 1
    assert "2 already done" in capsys.readouterr().out


def test_without_ffmpeg_the_remedy_is_named(
    upscale: Upscale, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    Path("video.mp4").write_bytes(b"video")
    assert upscale("video.mp4") == 1
    assert "install ffmpeg" in capsys.readouterr().err
