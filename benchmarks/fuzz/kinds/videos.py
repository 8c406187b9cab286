"""Videos: damaged, of other kinds than they say, with names that are options of ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

from .. import hostile
from ..ground import Attack, Ground

NAMES = (
    *("-x.mp4", "-y.mp4", "concat:a|b.mp4", "file:x.mp4", "pipe:0.mp4", "%03d.mp4", "a%db.mp4", "http:x.mp4"),
    *("subfile,,start,0,end,9,,:x.mp4", "cache:x.mp4", "async:x.mkv", "-i.mov", "--.avi", "tee:x.mp4", "fd:0.mp4"),
)
LISTS = (
    b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n",
)


def make(ground: Ground, chance: Random) -> Attack:
    """Write one bad video, alone or in a folder, and upscale it."""
    film = ground.stock.film().read_bytes()
    ending = chance.choice((".mp4", ".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v"))
    how = chance.randrange(8)
    name = "film" + ending
    if how < 3:
        what, data = "damaged", hostile.damaged(film, chance)
    elif how == 3:
        what, data = "a hostile name", film
        name = chance.choice(NAMES) if chance.random() < 0.6 else hostile.name(chance, ending)
    elif how == 4:
        what, data = "a list of other files", chance.choice(LISTS)
    else:
        what, data = _made(ending, chance)
    if chance.random() < 0.5:
        ground.write(name, data)
        words = ["upscale", "--model", "srresnet-x4"]
        words += ["--", name] if name.startswith("-") else [name]
        return Attack(f"a film, {what}: {name!r}", words)
    ground.write(f"in/{name}", data)
    ground.write("in/good.png", ground.stock.photo().read_bytes())
    return Attack(f"a film in a folder, {what}: {name!r}", ["upscale", "in", "--out", "o", "--model", "srresnet-x4"])


def _made(ending: str, chance: Random) -> tuple[str, bytes]:
    """A film that ffmpeg makes on purpose: sound alone, alpha, odd sizes, odd pixels, cover art."""
    sine = ("-f", "lavfi", "-i", "sine=d=0.2")
    test = ("-f", "lavfi", "-i", "testsrc=s=32x24:r=5:d=0.4")
    small = ("-f", "lavfi", "-i", "testsrc=s=3x5:r=5:d=0.2")
    what, container, options = chance.choice(
        (
            ("sound alone", "mp4", (*sine,)),
            ("odd sizes", "matroska", (*small, "-c:v", "ffv1", "-pix_fmt", "rgb24")),
            ("squeezed pixels", "mp4", (*test, "-vf", "setsar=16/9")),
            ("alpha", "matroska", (*test, "-vf", "format=rgba", "-c:v", "ffv1")),
            ("ten bits", "matroska", (*test, "-c:v", "ffv1", "-pix_fmt", "yuv420p10le")),
            ("grey", "matroska", (*test, "-c:v", "ffv1", "-pix_fmt", "gray")),
            ("turned", "mp4", (*test, "-pix_fmt", "yuv420p", "-metadata:s:v", "rotate=90")),
            ("one frame", "mp4", (*test, "-pix_fmt", "yuv420p", "-frames:v", "1")),
            ("two films", "matroska", (*test, *small, "-map", "0", "-map", "1", "-c:v", "ffv1")),
            ("interlaced", "matroska", (*test, "-c:v", "ffv1", "-field_order", "tt")),
            (
                "a title",
                "mp4",
                (*test, "-pix_fmt", "yuv420p", "-metadata", f"title={chance.choice(hostile.NAMES[:14])}"),
            ),
        )
    )
    command = ["ffmpeg", "-loglevel", "error", *options, "-f", container, "-y", "made"]
    if subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
        return "empty", b""
    return what, Path("made").read_bytes()
