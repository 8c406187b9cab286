"""What a request asks for: its parameters, the formats that it accepts, and the files that it brings."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ganvas.errors import listed, nearest

WHOLE = 2**32


class Query:
    """The parameters of a request, each at most once and none unknown."""

    def __init__(self, request: Request, *known: str) -> None:
        """Raises HTTPException: there is an unknown parameter, or one twice."""
        self.given = request.query_params
        for name in dict.fromkeys(self.given):
            if name not in known:
                raise refused(f"there is no parameter {name[:40]!r}{nearest(name[:40], known)}; known: {listed(known)}")
            if len(self.given.getlist(name)) > 1:
                raise refused(f"the parameter {name} is given twice; give it once")

    def whole(self, name: str, default: int, least: int = 0, most: int = WHOLE) -> int:
        """A whole number.

        Raises:
            HTTPException: it is none, or out of range.
        """
        text = self.given.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) < 12 and least <= int(text) <= most):
            raise refused(f"{name}={text[:40]} is not a whole number from {least} to {most:,}")
        return int(text)

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """A number; see `whole`."""
        text = self.given.get(name)
        if text is None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise refused(f"{name}={text[:40]} is not a number from {least:g} to {most:g}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """True or false; see `whole`."""
        text = self.given.get(name)
        if text is not None and text not in ("true", "false"):
            raise refused(f"{name}={text[:40]} is neither true nor false")
        return default if text is None else text == "true"


def refused(what: str) -> HTTPException:
    """The refusal of a request that asks for what there is not."""
    return HTTPException(400, f"{what}.")


def accepted(request: Request, offered: Sequence[str]) -> str:
    """The media type that a request accepts most of those offered, of which the first is preferred.

    Raises:
        HTTPException: it accepts none.
    """
    header = request.headers.get("accept", "") or "*/*"
    ranges: dict[str, float] = {}
    for part in header.split(",")[:50]:
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        try:
            ranges[name] = min(1.0, max(0.0, float(weight)))
        except ValueError:
            continue

    def weight_of(kind: str) -> float:
        wildcards = (kind, f"{kind.partition('/')[0]}/*", "*/*")
        return next((ranges[name] for name in wildcards if name in ranges), 0.0)

    best = max(offered, key=weight_of)
    if not weight_of(best):
        raise HTTPException(406, f"Accept: {header[:80]} names no format that there is; give one of {listed(offered)}.")
    return best


async def uploaded(request: Request, folder: Path, *optional: str) -> dict[str, Path]:
    """The files of a request in a folder: `image`, and optional others; their names are ours.

    The body is the image itself, or multipart/form-data with a part for each file.

    Raises:
        HTTPException: there is no image, or another part.
        ClientDisconnect: the upload was aborted.
    """
    image = folder / "image"
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        with image.open("wb") as file:
            async for piece in request.stream():
                file.write(piece)
        if not image.stat().st_size:
            raise refused("there is no image; send its bytes as the body, as with curl --data-binary @photo.jpg")
        return {"image": image}
    found = {}
    async with request.form(max_files=1 + len(optional), max_fields=0) as form:
        for name, part in form.multi_items():
            if name not in ("image", *optional) or name in found or not isinstance(part, UploadFile):
                raise refused(f"the part {name[:40]!r} is not expected; give {listed(('image', *optional))}, each once")
            found[name] = folder / name
            with found[name].open("wb") as file:
                await anyio.to_thread.run_sync(shutil.copyfileobj, part.file, file)
    if "image" not in found:
        raise refused("there is no part image; give it, as with curl -F image=@photo.jpg")
    return found
