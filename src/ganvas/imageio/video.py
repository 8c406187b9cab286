"""Upscale videos with ffmpeg: frames are piped in and out; audio, subtitles and chapters are copied."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

import ganvas
from ganvas.imageio.operation import OnProgress, Written, recorded
from ganvas.imageio.planning import MUXERS
from ganvas.imageio.reading import UnusableFile
from ganvas.imageio.writing import os_error
from ganvas.imageio.xmp import SOURCE_TYPE
from ganvas.inference.engine.raster import ArrayRaster
from ganvas.untrusted import open_regular, parse_json

if TYPE_CHECKING:
    from ganvas.inference.upscaler import Upscaler

DEMUXERS = ("mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "m4v", "h264", "hevc", "ogg", "asf", "flv")
CRF = 16  # H.264 quality from 0 (lossless) to 51: visually lossless
GLIMPSES = 3  # frames that the choice of a model looks at
LONGEST = 16_384  # maximum side of an H.264 video in px
_ALPHA = re.compile("yuva|gbrap|ya[0-9]|rgba|bgra|argb|abgr|ayuv|vuya")  # names of pixel formats
HIGH = 720  # rows from which videos without a colour matrix are taken to be BT.709


@dataclass(frozen=True)
class VideoInfo:
    """What ffprobe reports about a video.

    Attributes:
        width, height: size in pixels, upright.
        rate: frames per second; for a variable frame rate, the constant rate of the result.
        variable: whether the frame rate is variable.
        frames: number of frames, approximate if the rate is variable.
        bits: bits of the piped frames, 8 or 16; 16 stands for 10 and more.
        matrix, primaries, transfer: colour space; empty if unknown.
        interlaced: whether the video is interlaced.
        aspect: width of a pixel by its height, upright; 0 if unknown.
        alpha: whether it has transparency.
        places: names of the tags that say where it was taken.
    """

    width: int
    height: int
    rate: Fraction
    variable: bool
    frames: int
    bits: int
    matrix: str
    primaries: str
    transfer: str
    interlaced: bool
    aspect: Fraction
    alpha: bool
    places: tuple[str, ...]

    @property
    def megapixels(self) -> float:
        """Millions of pixels, over all frames."""
        return self.width * self.height * self.frames / 1e6


def programs() -> tuple[str, str]:
    """Paths of ffmpeg and ffprobe.

    Raises:
        UnusableFile: they are not installed.
    """
    found = shutil.which("ffmpeg"), shutil.which("ffprobe")
    if not all(found):
        raise UnusableFile("videos need ffmpeg and ffprobe, which are not installed; install ffmpeg")
    return str(found[0]), str(found[1])


def probe(path: Path) -> VideoInfo:
    """Inspect a video without decoding it.

    Raises:
        UnusableFile: it is not a video, or ffmpeg is not installed.
    """
    try:
        os.close(open_regular(path))
    except OSError as error:
        raise UnusableFile(f"the file cannot be read ({error.strerror})") from None
    _, ffprobe = programs()
    command = [ffprobe, "-v", "error", "-select_streams", "V:0", "-show_streams", "-show_format", "-of", "json"]
    command += _input(path)
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    try:
        found = parse_json(done.stdout or "{}")
        stream = found["streams"][0]
        width, height = int(stream["width"]), int(stream["height"])
        largest, mean = Fraction(stream["r_frame_rate"]), Fraction(stream["avg_frame_rate"])
    except (ValueError, KeyError, IndexError, ZeroDivisionError):
        errors = done.stderr.strip().splitlines()
        reason = errors[-1] if errors else "it has no video stream"
        raise UnusableFile(f"ffmpeg cannot read it as a video ({reason})") from None
    if not width or not height or not mean:
        raise UnusableFile("ffmpeg cannot read it as a video (it has no frames)")
    variable = abs(largest / mean - 1) > Fraction(1, 100)
    rate = largest if largest <= 2 * mean else mean.limit_denominator(1001)
    seconds = float(stream.get("duration") or found.get("format", {}).get("duration") or 0)
    frames = max(1, round(seconds * float(rate)))
    turned = any(abs(int(data.get("rotation", 0))) % 180 == 90 for data in stream.get("side_data_list", []))
    if turned:
        width, height = height, width
    deep = any(mark in stream.get("pix_fmt", "") for mark in ("10", "12", "14", "16"))
    colours = {name: stream.get(f"color_{name}", "") for name in ("space", "primaries", "transfer")}
    known = {name: "" if value in ("unknown", "reserved", "gbr") else value for name, value in colours.items()}
    above, _, below = stream.get("sample_aspect_ratio", "").partition(":")
    aspect = Fraction(int(above), int(below)) if above.isdecimal() and below.strip("0").isdecimal() else Fraction(0)
    alpha = stream.get("tags", {}).get("alpha_mode") == "1" or bool(_ALPHA.match(stream.get("pix_fmt", "")))
    places = tuple(name for name in found.get("format", {}).get("tags", {}) if "location" in name.lower())
    interlaced = stream.get("field_order", "progressive") not in ("progressive", "unknown")
    return VideoInfo(width, height, rate, variable, frames, 16 if deep else 8, known["space"], known["primaries"],
                known["transfer"], interlaced, 1 / aspect if turned and aspect else aspect, alpha, places)  # fmt: skip


def upscale_video(
    source: Path,
    upscaler: Upscaler,
    path: Path,
    times: float,
    how: str,
    *,
    colour_lock: bool,
    strip_location: bool,
    on_progress: OnProgress = lambda share: None,
    before: Callable[[Path], object] = lambda part: None,
) -> Written:
    """Upscale a video into a file, which appears complete or not at all. See `Operation.photo`.

    Args:
        times: by which the sides grow.
        how: what was done, for the file's comment, as in "Upscaled 4 times by x".

    Raises:
        UnusableFile: the video is damaged or too large, or ffmpeg is not installed.
        OSError: the file cannot be written.
        InputError: the model does not support the scale, or its output is invalid.
    """
    video = probe(source)
    # H.264 needs even sides.
    final = 2 * max(1, round(video.width * times / 2)), 2 * max(1, round(video.height * times / 2))
    if max(final) > LONGEST:
        raise UnusableFile(
            f"the result of {final[0]} x {final[1]} pixels exceeds the maximum size of a video ({LONGEST:,} per side)"
        )
    full = video.width * upscaler.scale, video.height * upscaler.scale
    with recorded(path, before) as part:
        count = _stream(source, video, upscaler, part, path, how, full, final, on_progress, colour_lock, strip_location)
    return Written(path, final[0], final[1], "", _notes(video, count), count)


def glimpses(source: Path) -> Iterator[ArrayRaster]:
    """A few frames, spread over a video; those that cannot be decoded are left out.

    Raises:
        UnusableFile: it is not a video.
    """
    video = probe(source)
    ffmpeg, _ = programs()
    seconds = video.frames / float(video.rate)
    scale = f"scale=in_color_matrix={_matrix(video)}:flags=accurate_rnd+full_chroma_int+bitexact"
    for at in range(GLIMPSES):
        command = [ffmpeg, "-v", "error", "-ss", f"{seconds * (at + 0.5) / GLIMPSES:.3f}", *_input(source)]
        command += ["-map", "0:V:0", "-frames:v", "1", "-vf", scale, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        data = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL).stdout
        if len(data) == video.width * video.height * 3:
            yield ArrayRaster(np.frombuffer(data, np.uint8).reshape(video.height, video.width, 3))


def _notes(video: VideoInfo, count: int) -> tuple[str, ...]:
    notes = []
    if video.variable:
        notes.append(f"variable frame rate converted to {float(video.rate):g} per second, in sync with the audio")
    if video.interlaced:
        notes.append("it is interlaced, and its frames were upscaled unchanged; deinterlace it first")
    if video.alpha:
        notes.append("transparency left out: H.264 has no alpha channel")
    if count < 0.95 * video.frames:
        notes.append(f"it ends early, after {count} of {video.frames} frames")
    return tuple(notes)


def _stream(
    source: Path,
    video: VideoInfo,
    upscaler: Upscaler,
    part: Path,
    path: Path,
    how: str,
    full: tuple[int, int],
    final: tuple[int, int],
    on_progress: OnProgress,
    colour_lock: bool,
    strip_location: bool,
) -> int:
    """Decode, upscale and encode; return the number of frames."""
    with tempfile.TemporaryFile() as decoder_log, tempfile.TemporaryFile() as encoder_log:
        decoder = subprocess.Popen(
            _decoding(source, video), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=decoder_log
        )
        command = _encoding(source, video, part, path, full, final, how, strip_location)
        encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=encoder_log)
        count = 0
        assert decoder.stdout
        assert encoder.stdin
        try:
            with suppress(BrokenPipeError):  # the encoder's log has the reason
                for frame in _frames(decoder.stdout, video, upscaler, colour_lock):
                    encoder.stdin.write(frame)
                    count += 1
                    on_progress(min(1, count / video.frames))
                encoder.stdin.close()
            encoded = encoder.wait()
            decoder.stdout.close()
            decoded = decoder.wait()
        finally:
            for process in (decoder, encoder):
                process.kill()
                process.wait()
                for pipe in (process.stdin, process.stdout):
                    with suppress(OSError):
                        if pipe:
                            pipe.close()
        if encoded:
            raise os_error(_last(encoder_log) or f"ffmpeg ended with code {encoded}")
        if decoded or not count:
            raise UnusableFile(f"it is damaged ({_last(decoder_log) or 'no frame can be decoded'})")
        return count


def _frames(pipe: IO[bytes], video: VideoInfo, upscaler: Upscaler, colour_lock: bool) -> Iterator[bytes]:
    """Yield each upscaled frame; a frame that equals the one before is not upscaled again."""
    kind = np.dtype("<u2" if video.bits == 16 else "u1")
    size = video.width * video.height * 3 * kind.itemsize
    last, made = b"", b""
    while len(data := pipe.read(size)) == size:
        if data != last:
            pixels = np.frombuffer(data, kind).reshape(video.height, video.width, 3)
            bands = upscaler.bands(ArrayRaster(pixels), colour_lock=colour_lock)
            peak = np.float32(np.iinfo(kind).max)
            last, made = data, b"".join(np.rint(band * peak).astype(kind).tobytes() for band in bands)
        yield made


def _decoding(source: Path, video: VideoInfo) -> list[str]:
    ffmpeg, _ = programs()
    scale = f"scale=in_color_matrix={_matrix(video)}:flags=accurate_rnd+full_chroma_int+bitexact"
    # Start at zero like the audio, so that a late first frame does not shift the video.
    filters = f"fps={video.rate.numerator}/{video.rate.denominator}:start_time=0,{scale}"
    command = [ffmpeg, "-v", "error", *_input(source), "-map", "0:V:0", "-vf", filters, "-f", "rawvideo"]
    return [*command, "-pix_fmt", "rgb48le" if video.bits == 16 else "rgb24", "-"]


def _encoding(
    source: Path,
    video: VideoInfo,
    part: Path,
    path: Path,
    full: tuple[int, int],
    final: tuple[int, int],
    how: str,
    strip_location: bool,
) -> list[str]:
    ffmpeg, _ = programs()
    matrix = _matrix(video)
    command = [ffmpeg, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb48le" if video.bits == 16 else "rgb24"]
    command += ["-video_size", f"{full[0]}x{full[1]}", "-framerate", f"{video.rate.numerator}/{video.rate.denominator}"]
    command += ["-i", "-", *_input(source), "-map", "0:v:0", "-map", "1", "-map", "-1:V", "-map", "-1:d"]
    command += ["-map_metadata", "1", "-map_chapters", "1", "-c", "copy", "-c:v:0", "libx264", "-crf", str(CRF)]
    scale = f"scale={final[0]}:{final[1]}:out_color_matrix={matrix}:out_range=tv:flags=lanczos+accurate_rnd"
    if video.aspect:
        scale += f",setsar={video.aspect.numerator}/{video.aspect.denominator}:max=100000"
    for name in video.places if strip_location else ():
        command += ["-metadata", f"{name}="]
    # Of the first video stream alone: a second one is cover art, and copied.
    command += ["-filter:v:0", scale, "-pix_fmt:v:0", "yuv420p10le" if video.bits == 16 else "yuv420p"]
    command += ["-color_range:v:0", "tv", "-colorspace:v:0", matrix]
    command += ["-color_primaries:v:0", video.primaries or matrix, "-color_trc:v:0", video.transfer or matrix]
    comment = f"comment={how}, ganvas {ganvas.__version__}; {SOURCE_TYPE}"
    return [*command, "-metadata", comment, "-f", MUXERS[path.suffix.lower()], _url(part)]


def _matrix(video: VideoInfo) -> str:
    """The colour matrix. Without one, players guess it from the height, which upscaling would change."""
    return video.matrix or ("bt709" if video.height >= HIGH else "smpte170m")


def _input(path: Path) -> list[str]:
    """A file as ffmpeg's input: a container that names other files, such as a playlist, cannot lead to them."""
    return ["-protocol_whitelist", "file,pipe", "-format_whitelist", ",".join(DEMUXERS), "-i", _url(path)]


def _url(path: Path) -> str:
    return f"file:{path}"  # without it, ffmpeg takes -x.mp4 for an option and the part before a colon for a protocol


def _last(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return "; ".join(dict.fromkeys(line.strip() for line in lines[-2:]))
