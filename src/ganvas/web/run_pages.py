"""What the page asks of runs: lists, one run, its curves, its samples; and the stream of what changes."""

from __future__ import annotations

import io
import json
import shlex
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from ganvas.runs.previews import Preview, open_preview
from ganvas.untrusted import Json, Unreadable, read_bytes
from ganvas.web.watching import PICTURES, Watched, WatchedRun

STREAMS = 48  # open at once
POLL, ALIVE = 0.3, 15.0  # seconds between looks, and at most between signs of life
LINES = 400  # of the log, at the end
TEXT = 1 << 20  # bytes of a preview that is a text
THUMBNAIL = 96  # pixels
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}  # the address changes with the content


class Answer(JSONResponse):
    """JSON of any names, even those that are no UTF-8."""

    def render(self, content: Any) -> bytes:
        """As of Starlette."""
        return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


class RunPages:
    """The routes about the runs of a folder."""

    def __init__(self, runs: Watched, stopping: threading.Event) -> None:
        """`stopping` ends the streams once it is set."""
        self.runs, self.stopping = runs, stopping
        self.streams = 0
        self._thumbnails: dict[str, bytes] = {}

    def routes(self) -> Sequence[BaseRoute]:
        """All routes."""
        return [
            Route("/api/runs", self.list),
            Route("/api/events", self.events),
            Route("/api/runs/{number:int}", self.run),
            Route("/api/runs/{number:int}/curves", self.curves),
            Route("/api/runs/{number:int}/log", self.log),
            Route("/api/runs/{number:int}/sheets/{index:int}", self.sheet),
            Route("/api/runs/{number:int}/texts/{index:int}", self.text),
            Route("/api/runs/{number:int}/thumbnail", self.thumbnail),
        ]

    async def list(self, request: Request) -> Response:
        """What a list shows of all runs."""
        found = await anyio.to_thread.run_sync(self.runs.look)
        runs = [run.summary for run in found.values()]
        return Answer({"root": str(self.runs.root), "exists": self.runs.root.is_dir(), "runs": runs})

    async def events(self, request: Request) -> Response:
        """The runs that changed, as they change; the first event has all of them."""
        if self.streams >= STREAMS:
            raise HTTPException(503, f"{STREAMS} pages are open already; close one.", {"Retry-After": "5"})
        return StreamingResponse(self._changes(), media_type="text/event-stream")

    async def _changes(self) -> AsyncIterator[str]:
        self.streams += 1
        try:
            yield "retry: 1000\n\n"
            seen: dict[int, int] = {}
            silence, first = 0.0, True
            while not self.stopping.is_set():
                found = await anyio.to_thread.run_sync(self.runs.look)
                changed = [run.summary for number, run in found.items() if seen.get(number) != run.version]
                gone = [number for number in seen if number not in found]
                if changed or gone or first:
                    yield f"data: {json.dumps({'runs': changed, 'gone': gone, 'all': first})}\n\n"
                    seen, silence, first = {number: run.version for number, run in found.items()}, 0.0, False
                elif silence >= ALIVE:
                    yield ": alive\n\n"
                    silence = 0.0
                await anyio.sleep(POLL)
                silence += POLL
        finally:
            self.streams -= 1

    async def run(self, request: Request) -> Response:
        """All about one run but its curves."""
        return Answer(await anyio.to_thread.run_sync(self._run, request.path_params["number"]))

    def _run(self, number: int) -> Json:
        from ganvas.reports.report import facts, figure_row, logged, notes

        run, record = self.runs.opened(number)
        previews = [
            {
                "images": one.images_seen,
                "hours": round(record.hours(one.images_seen), 6),
                "kind": one.kind,
                "version": run.preview_version(index),
            }
            for index, one in enumerate(run.previews)
        ]
        return {
            **run.summary,
            "path": str(run.folder.path),
            "facts": [[name, value] for name, value in facts(record) if value],
            "recipe": [[path, str(value)] for path, value in record.recipe.items()],
            "figures": [vars(figure_row(figure)) for figure in record.figures if not figure.is_point],
            "logged": [vars(figure_row(figure)) for figure in logged(record)],
            "notes": list(notes(record)),
            "previews": previews,
            "commands": _commands(run),
        }

    async def curves(self, request: Request) -> Response:
        """The curves of one run."""

        def drawn(number: int) -> Json:
            from ganvas.web.curves_of_run import curves

            return curves(self.runs.opened(number)[1])

        return Answer(await anyio.to_thread.run_sync(drawn, request.path_params["number"]))

    async def log(self, request: Request) -> Response:
        """The last lines of a log."""

        def tail(number: int) -> Json:
            run, _ = self.runs.opened(number)
            lines = [json.dumps(line)[:4000] for line in run.log.lines[-LINES:]]
            return {"age": run.log.age, "total": len(run.log.lines), "lines": lines}

        return Answer(await anyio.to_thread.run_sync(tail, request.path_params["number"]))

    async def sheet(self, request: Request) -> Response:
        """The picture of a preview, as PNG."""

        def read(number: int, index: int) -> bytes:
            run = self.runs.run(number)
            preview = _chosen(run, index, PICTURES)
            try:
                content = read_bytes(run.folder.samples / preview.file)
            except (FileNotFoundError, Unreadable) as error:
                raise HTTPException(410, f"this sample is gone ({error}); reload the page.") from None
            if not content.startswith(b"\x89PNG\r\n\x1a\n"):
                raise HTTPException(422, "this sample is damaged: it is not a PNG file.")
            return content

        content = await anyio.to_thread.run_sync(read, request.path_params["number"], request.path_params["index"])
        return Response(content, media_type="image/png", headers=FOR_EVER)

    async def text(self, request: Request) -> Response:
        """The lines of a preview that is a text."""

        def read(number: int, index: int) -> list[str]:
            run = self.runs.run(number)
            try:
                content = read_bytes(run.folder.samples / _chosen(run, index, ("text",)).file, TEXT)
            except (FileNotFoundError, Unreadable) as error:
                raise HTTPException(410, f"this sample is gone ({error}); reload the page.") from None
            return content.decode("utf-8", "replace").splitlines()

        lines = await anyio.to_thread.run_sync(read, request.path_params["number"], request.path_params["index"])
        return Answer({"lines": lines})

    async def thumbnail(self, request: Request) -> Response:
        """A part of the last picture, small."""

        def make(number: int) -> bytes:
            run = self.runs.run(number)
            pictures = [one for one in run.previews if one.kind in PICTURES]
            if not pictures:
                raise HTTPException(404, f"the run {run.name} has no picture yet.")
            key = f"{number} {run.summary['thumbnail']}"
            if key not in self._thumbnails:
                for old in [one for one in self._thumbnails if one.startswith(f"{number} ")]:
                    self._thumbnails.pop(old, None)
                self._thumbnails[key] = _small(run.folder.samples, pictures[-1])
            return self._thumbnails[key]

        content = await anyio.to_thread.run_sync(make, request.path_params["number"])
        return Response(content, media_type="image/webp", headers=FOR_EVER)


def _chosen(run: WatchedRun, index: int, kinds: Sequence[str]) -> Preview:
    if index >= len(run.previews) or run.previews[index].kind not in kinds:
        raise HTTPException(404, f"the run {run.name} has no such sample {index}; reload the page.")
    return run.previews[index]


def _small(samples: Path, preview: Preview) -> bytes:
    """The first tiles of a preview as WebP: as many as fill a square."""
    from PIL import Image

    image = open_preview(samples, preview)
    if image is None:
        raise HTTPException(422, "the last sample is damaged.")
    image = image if image.mode in ("L", "RGB") else image.convert("RGB")
    if preview.kind != "plot":
        side = preview.tile[0] + preview.gap
        count = max(1, min(preview.rows, 2 if side > 48 else 3))
        left, top, _, _ = preview.box(0)
        image = image.crop((left, top, left + count * side - preview.gap, top + count * side - preview.gap))
    size = (2 * THUMBNAIL, 2 * THUMBNAIL)
    image.thumbnail(size, Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.convert("RGB").save(file, "WEBP", quality=80)
    return file.getvalue()


def _commands(run: WatchedRun) -> list[list[str]]:
    """Command lines to copy: what each does, and the line."""
    path = shlex.quote(str(run.folder.path))
    runs = run.folder.path.parent
    host = "" if runs == Path("runs") else f" --host.runs {shlex.quote(str(runs))}"
    kind = run.previews[-1].kind if run.previews else ""
    found = [["diagnose", f"ganvas diagnose {path}"], ["evaluate", f"ganvas evaluate {path}"]]
    found += [["report", f"ganvas report {path}"]]
    if run.summary.get("state") in ("stopped", "training"):
        found.insert(0, ["resume", f"ganvas train {path} --name {shlex.quote(run.folder.name)}{host}"])
    if kind != "triples":
        found.insert(1, ["generate", f"ganvas generate {path}"])
    return found
