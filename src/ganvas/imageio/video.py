"""Videos through ffmpeg: frames stream in and out through pipes; sound, subtitles and chapters are copied."""

from __future__ import annotations

import json
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
from ganvas.errors import InputError
from ganvas.imageio.metadata import SOURCE_TYPE
from ganvas.imageio.planning import VIDEOS
from ganvas.imageio.reading import UnusableFile
from ganvas.imageio.upscale import OnProgress, OutputOptions, Written, whole
from ganvas.imageio.writing import error_of
from ganvas.inference.engine.raster import ArrayRaster

if TYPE_CHECKING:
    from ganvas.inference.upscaler import Upscaler

MUXER = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
CRF = 16  # H.264's scale from 0 (exact) to 51: no loss to be seen
LONGEST = 16_384  # px of a side of H.264
HIGH = 720  # rows from which videos that do not say so are taken for BT.709


@dataclass(frozen=True)
class VideoInfo:
    """What ffprobe tells of a video.

    Attributes:
        width, height: as shown, upright.
        rate: frames a second; of a video of variable rate, the constant one that it is given.
        variable: whether its own rate varies.
        frames: how many, roughly where the rate varies.
        bits: 8 or 16 for what goes through the pipes; 16 stands for 10 and more.
        matrix, primaries, transfer: of its colours, empty where it does not say.
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

    @property
    def megapixels(self) -> float:
        """Millions of pixels of all frames."""
        return self.width * self.height * self.frames / 1e6


def programs() -> tuple[str, str]:
    """ffmpeg and ffprobe.

    Raises:
        InputError: they are not installed.
    """
    found = shutil.which("ffmpeg"), shutil.which("ffprobe")
    if not all(found):
        raise InputError(
            f"videos ({', '.join(VIDEOS)}) need the programs ffmpeg and ffprobe, which are not installed; install"
            " ffmpeg, or give images alone."
        )
    return str(found[0]), str(found[1])


def probe(path: Path) -> VideoInfo:
    """What a video is, without decoding it.

    Raises:
        UnusableFile: it is none.
    """
    _, ffprobe = programs()
    asked = [
        ffprobe,
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-show_streams",
        "-show_format",
        "-of",
        "json",
        str(path),
    ]
    done = subprocess.run(asked, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    try:
        told = json.loads(done.stdout or "{}")
        stream = told["streams"][0]
        width, height = int(stream["width"]), int(stream["height"])
        largest, mean = Fraction(stream["r_frame_rate"]), Fraction(stream["avg_frame_rate"])
    except (ValueError, KeyError, IndexError, ZeroDivisionError):
        said = done.stderr.strip().splitlines()
        raise UnusableFile(f"it is no video that ffmpeg can read ({said[-1] if said else 'no images in it'})") from None
    if not width or not height or not mean:
        raise UnusableFile("it is no video that ffmpeg can read (no frames)")
    variable = abs(largest / mean - 1) > Fraction(1, 100)
    rate = largest if largest <= 2 * mean else mean.limit_denominator(1001)
    seconds = float(stream.get("duration") or told.get("format", {}).get("duration") or 0)
    frames = max(1, round(seconds * float(rate)))
    turned = any(abs(int(data.get("rotation", 0))) % 180 == 90 for data in stream.get("side_data_list", []))
    if turned:
        width, height = height, width
    deep = any(mark in stream.get("pix_fmt", "") for mark in ("10", "12", "14", "16"))
    colours = {name: stream.get(f"color_{name}", "") for name in ("space", "primaries", "transfer")}
    known = {name: "" if value in ("unknown", "reserved", "gbr") else value for name, value in colours.items()}
    interlaced = stream.get("field_order", "progressive") not in ("progressive", "unknown")
    return VideoInfo(width, height, rate, variable, frames, 16 if deep else 8, known["space"], known["primaries"],
                known["transfer"], interlaced)  # fmt: skip


def upscale_video(
    source: Path,
    upscaler: Upscaler,
    path: Path,
    options: OutputOptions,
    *,
    on_progress: OnProgress = lambda share: None,
    before: Callable[[Path], object] = lambda part: None,
) -> Written:
    """Upscale a video into a file, which appears whole or not at all. See `ganvas.imageio.upscale`.

    Raises:
        UnusableFile: the video is damaged or too large.
        OSError: the file cannot be written.
        InputError: ffmpeg is missing, or the model cannot make it.
    """
    video = probe(source)
    times = options.scale_for(upscaler)
    # H.264 wants even sides.
    shown = 2 * max(1, round(video.width * times / 2)), 2 * max(1, round(video.height * times / 2))
    if max(shown) > LONGEST:
        raise UnusableFile(
            f"the result of {shown[0]} x {shown[1]} pixels is larger than a video can be ({LONGEST:,} a side)"
        )
    full = video.width * upscaler.scale, video.height * upscaler.scale
    with whole(path, before) as part:
        part.touch()
        count = _stream(source, video, upscaler, part, path, options, full, shown, on_progress)
    return Written(path, shown[0], shown[1], upscaler.last, _notes(video, count), count)


def _notes(video: VideoInfo, count: int) -> tuple[str, ...]:
    notes = []
    if video.variable:
        notes.append(f"variable frame rate made constant at {float(video.rate):g} a second, in step with the sound")
    if video.interlaced:
        notes.append("it is interlaced, and its frames were upscaled as they are; deinterlace it first")
    if count < 0.95 * video.frames:
        notes.append(f"it ends early: {count} frames of {video.frames}")
    return tuple(notes)


def _stream(
    source: Path,
    video: VideoInfo,
    upscaler: Upscaler,
    part: Path,
    path: Path,
    options: OutputOptions,
    full: tuple[int, int],
    shown: tuple[int, int],
    on_progress: OnProgress,
) -> int:
    """Decode, upscale, encode; how many frames."""
    with tempfile.TemporaryFile() as told_in, tempfile.TemporaryFile() as told_out:
        decoder = subprocess.Popen(
            _decoding(source, video), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told_in
        )
        how = f"{options.scale_for(upscaler):g} times by {upscaler.title}, ganvas {ganvas.__version__}"
        command = _encoding(source, video, part, path, full, shown, how)
        encoder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=told_out)
        count = 0
        assert decoder.stdout
        assert encoder.stdin
        try:
            with suppress(BrokenPipeError):  # the encoder says why it ended
                for frame in _frames(decoder.stdout, video, upscaler, options.colour_lock):
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
            raise error_of(_last(told_out) or f"ffmpeg ended with code {encoded}")
        if decoded or not count:
            raise UnusableFile(f"it is damaged ({_last(told_in) or 'no frame can be decoded'})")
        return count


def _frames(pipe: IO[bytes], video: VideoInfo, upscaler: Upscaler, colour_lock: bool) -> Iterator[bytes]:
    """Each upscaled frame; one that equals the frame before is not made twice."""
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
    # From zero on, as the sound is counted, so that a late first frame does not shift the video.
    filters = f"fps={video.rate.numerator}/{video.rate.denominator}:start_time=0,{scale}"
    command = [ffmpeg, "-v", "error", "-i", _url(source), "-map", "0:V:0", "-vf", filters, "-f", "rawvideo"]
    return [*command, "-pix_fmt", "rgb48le" if video.bits == 16 else "rgb24", "-"]


def _encoding(
    source: Path, video: VideoInfo, part: Path, path: Path, full: tuple[int, int], shown: tuple[int, int], how: str
) -> list[str]:
    ffmpeg, _ = programs()
    matrix = _matrix(video)
    command = [ffmpeg, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb48le" if video.bits == 16 else "rgb24"]
    command += ["-video_size", f"{full[0]}x{full[1]}", "-framerate", f"{video.rate.numerator}/{video.rate.denominator}"]
    command += ["-i", "-", "-i", _url(source), "-map", "0:v:0", "-map", "1", "-map", "-1:V", "-map", "-1:d"]
    command += ["-map_metadata", "1", "-map_chapters", "1", "-c", "copy", "-c:v:0", "libx264", "-crf", str(CRF)]
    scale = f"scale={shown[0]}:{shown[1]}:out_color_matrix={matrix}:out_range=tv:flags=lanczos+accurate_rnd"
    command += ["-vf", scale, "-pix_fmt", "yuv420p10le" if video.bits == 16 else "yuv420p", "-color_range", "tv"]
    command += ["-colorspace", matrix, "-color_primaries", video.primaries or matrix]
    command += ["-color_trc", video.transfer or matrix]
    command += ["-metadata", f"comment=Upscaled {how}; {SOURCE_TYPE}", "-f", MUXER[path.suffix.lower()], _url(part)]
    return command


def _matrix(video: VideoInfo) -> str:
    """Of what says nothing, players guess by the height; upscaling would change their guess."""
    return video.matrix or ("bt709" if video.height >= HIGH else "smpte170m")


def _url(path: Path) -> str:
    return f"file:{path}"  # a name with a colon would be taken for a protocol


def _last(told: IO[bytes]) -> str:
    told.seek(0)
    lines = told.read().decode(errors="replace").strip().splitlines()
    return "; ".join(dict.fromkeys(line.strip() for line in lines[-2:]))
