"""The HTTP service: image bytes in and out, sentences and samples out, and what a monitor wants to know."""

from __future__ import annotations

import copy
import math
import shutil
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from ganvas.errors import InputError
from ganvas.terminal import clean
from ganvas.web.asked import Query, accepted, uploaded
from ganvas.web.counters import Counters
from ganvas.web.lanes import Batches, Lane, Left, OnProgress
from ganvas.web.photos import FORMS, MEDIA, changed, damage, measured
from ganvas.web.problems import problem
from ganvas.web.served import Models, operations

if TYPE_CHECKING:
    from ganvas.inference import Generator
    from ganvas.inference.sampler import Sampler

MOST, FURTHEST = 1024, 4096  # samples of one request, and the number of the last sample of a seed
QUEUE = 64.0  # megapixels that may wait
OPENAPI = Path(__file__).parent / "openapi.json"
# How the samples of a modality are written, the usual way first: media type -> ending, none of a picture of all.
WAYS = {
    "images": {"image/png": "", "image/webp": "", "image/jpeg": ""},
    "text": {"text/plain": ".txt", "application/jsonl": ".jsonl"},
    "toy2d": {"image/png": "", "text/csv": ".csv", "application/x-npz": ".npz"},
}
OTHERS = {"application/x-npz": ".npz"}

Endpoint = Callable[[Request], Awaitable[Response]]


class Service:
    """The routes about some models.

    Attributes:
        limit: megapixels that a photo may have.
        photos, samples: the work that is under way.
    """

    def __init__(
        self, models: Models, stopping: threading.Event, *, limit: float = 100.0, queue: float = QUEUE
    ) -> None:
        """`queue` is the megapixels that may wait; `stopping` is set when the server ends."""
        self.models, self.stopping, self.limit = models, stopping, limit
        self.photos, self.samples = Lane(queue, stopping), Lane(queue, stopping)
        self.counters = Counters()
        self._folders: set[Path] = set()
        self._batches: dict[str, tuple[Any, Batches[int | None]]] = {}

    def close(self) -> None:
        """Remove the files of unfinished requests."""
        for folder in self._folders.copy():
            self._remove(folder)

    def _remove(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._folders.discard(folder)

    def routes(self) -> Sequence[BaseRoute]:
        """All routes."""
        asked = {"generate": self.generate, "upscale": self.upscale, "repair": self.repair, "damage": self.damage}
        posts = [
            Route(f"/v2/models/{{model}}/{name}", self._counted(name, do), methods=["POST"])
            for name, do in asked.items()
        ]
        return [
            Route("/v2/health/live", self.live),
            Route("/v2/health/ready", self.ready),
            Route("/v2/models", self.list),
            Route("/v2/models/{model}", self.describe),
            Route("/v2/models/{model}/ready", self.model_ready),
            *posts,
            Route("/metrics", self.metrics),
            Route("/openapi.json", self.openapi),
        ]

    async def live(self, request: Request) -> Response:
        """Whether the process answers."""
        return JSONResponse({"live": True})

    async def ready(self, request: Request) -> Response:
        """Whether it takes requests."""
        if self.stopping.is_set():
            return problem(503, "the server is stopping.")
        return JSONResponse({"ready": True})

    async def list(self, request: Request) -> Response:
        """All models."""
        found = [await anyio.to_thread.run_sync(self.models.describe, name) for name in self.models.places]
        return JSONResponse({"models": found, "limit_megapixels": self.limit})

    async def describe(self, request: Request) -> Response:
        """One model."""
        name = self.models.expect(request.path_params["model"])
        return JSONResponse(await anyio.to_thread.run_sync(self.models.describe, name))

    async def model_ready(self, request: Request) -> Response:
        """Whether a model can be used."""
        name = self.models.expect(request.path_params["model"])
        await anyio.to_thread.run_sync(self.models.open, name)
        return JSONResponse({"name": name, "ready": True})

    async def metrics(self, request: Request) -> Response:
        """For Prometheus."""
        gauges = {
            "ganvas_queue_megapixels": ("Megapixels of photos that wait or are worked on.", self.photos.load),
            "ganvas_queue_limit_megapixels": ("Megapixels that there may be.", self.photos.most),
        }
        return Response(self.counters.text(gauges), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def openapi(self, request: Request) -> Response:
        """The description of this interface, as OpenAPI 3.1."""
        return Response(OPENAPI.read_bytes(), media_type="application/json")

    async def generate(self, request: Request) -> Response:
        """One sample, or a picture or file of several: the same bytes as those of ``ganvas generate``."""
        query = Query(request, "seed", "n", "index", "class", "temperature")
        name = request.path_params["model"]
        model: Any = await self._opened(name, "generate")
        seed, one = query.whole("seed", 0), "n" not in query.given
        label = model.number(query.given["class"]) if "class" in query.given else None
        headers = {"Ganvas-Model": _ascii(name), "Ganvas-Seed": str(seed)}
        ways = WAYS.get(model.task, OTHERS)
        if model.task == "images" and one:
            index = query.whole("index", 0, most=FURTHEST - 1)
            kind = accepted(request, list(ways))
            content = await self._image(name, model, seed, index, label, FORMS[kind])
            return Response(content, media_type=kind, headers=headers)
        if "index" in query.given:
            raise InputError("index chooses one image; leave it out where there are several, or no images.")
        if model.task == "images":
            ways = {"image/png": ""}
        if "temperature" in query.given:
            if not hasattr(model, "temperature"):
                raise InputError(f"{model.name} makes {model.unit}, which have no temperature; leave it out.")
            model = copy.copy(model)  # with the same weights
            model.temperature = query.number("temperature", 1.0, 0.01, 100.0)
        n = query.whole("n", model.default_count, 1, max(MOST, model.default_count))
        kind = accepted(request, list(ways))
        labels = list(range(len(model.classes))) if label is None else [label]
        area = math.prod(model.system.shape[-2:]) if model.task == "images" else 100  # pixels each, roughly
        size = n * max(1, len(labels)) * area / 1e6
        if size > self.limit:
            raise InputError(f"n={n} is too many: they would have {size:,.0f} megapixels, and {self.limit:g} may be.")

        def work(on_progress: OnProgress) -> bytes:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"made{ways[kind] or '.png'}"
                if ways[kind]:
                    model.write_samples(n, seed, path, labels)
                else:
                    model.write_grid(n, seed, path, labels)
                return path.read_bytes()

        return Response(await self.samples.run(request, size, work), media_type=kind, headers=headers)

    async def _image(self, name: str, model: Generator, seed: int, index: int, label: int | None, form: str) -> bytes:
        """The image of a seed with this number, as ``ganvas generate --out FOLDER`` writes it."""
        from ganvas.imaging.saving import encoded
        from ganvas.recipe.noise import noise

        def render(z: Any, labels: Any) -> Any:
            return model.render(z, None if labels[0] is None else labels)

        if self._batches.get(name, (None,))[0] is not model:
            self._batches[name] = model, Batches(render)
        if label is None and model.classes:
            label = index % len(model.classes)
        z = noise(index + 1, model.system.latent, seed)[index]
        pixels = await self._batches[name][1].one(z, label)
        of = "" if label is None else model.classes[label]
        return encoded(pixels, form, model.provenance(seed, index, of))

    async def upscale(self, request: Request) -> Response:
        """A photo, upscaled: the same bytes as those of ``ganvas upscale``."""
        query = Query(request, "scale", "strength", "quality", "colour_lock", "strip_location")
        name = request.path_params["model"]
        strength = query.number("strength", 1.0, 0.0, 1.0)
        await self._opened(name, "upscale")
        options: dict[str, Any] = {
            "scale": query.number("scale", 0.0, 1.0, 16.0),
            "quality": query.whole("quality", 0, 1, 100),
            "colour_lock": query.flag("colour_lock", True),
            "strip_location": query.flag("strip_location", False),
        }

        def make(files: dict[str, Path], result: Path, form: str, on_progress: OnProgress) -> str:
            from ganvas.imageio.upscale import UpscaleOptions, Upscaling

            upscaler: Any = self.models.open(name, strength)
            operation = Upscaling(upscaler, UpscaleOptions(form=form, **options), {})
            return changed(operation, files["image"], result, form, self.limit, on_progress)

        return await self._photo(request, name, "upscale", make)

    async def repair(self, request: Request) -> Response:
        """A photo, repaired: the same bytes as those of ``ganvas repair``. The mask is the second part."""
        query = Query(request, "strength", "tone", "denoise", "mask", "quality", "strip_location")
        name = request.path_params["model"]
        await self._opened(name, "repair")
        if query.given.get("mask", "none") != "none":
            raise InputError("mask can only be none, which fills nothing; send a mask as the part mask of a form.")
        options: dict[str, Any] = {
            "strength": query.number("strength", 1.0, 0.0, 1.0),
            "tone": query.flag("tone", True),
            "denoise": query.number("denoise", -1.0, 0.0, 1.0),
            "quality": query.whole("quality", 0, 1, 100),
            "strip_location": query.flag("strip_location", False),
        }

        def make(files: dict[str, Path], result: Path, form: str, on_progress: OnProgress) -> str:
            from ganvas.imageio.repair import Repairing, RepairOptions

            repairer: Any = self.models.open(name)
            mask = str(files["mask"]) if "mask" in files else query.given.get("mask", "")
            operation = Repairing(repairer, RepairOptions(form=form, mask=mask, **options), {})
            return changed(operation, files["image"], result, form, self.limit, on_progress)

        return await self._photo(request, name, "repair", make, "mask")

    async def damage(self, request: Request) -> Response:
        """The damage map of a photo, as PNG; edited, it is a mask for `repair`."""
        Query(request)
        name = request.path_params["model"]
        await self._opened(name, "damage")

        def make(files: dict[str, Path], result: Path, form: str, on_progress: OnProgress) -> str:
            repairer: Any = self.models.open(name)
            return damage(repairer, files["image"], result, self.limit)

        return await self._photo(request, name, "damage", make, forms=["image/png"])

    async def _photo(
        self,
        request: Request,
        name: str,
        operation: str,
        make: Callable[[dict[str, Path], Path, str, OnProgress], str],
        *optional: str,
        forms: Sequence[str] = (),
    ) -> Response:
        """What `make` makes of the files of a request; it is called in a thread and returns notes."""
        folder = Path(tempfile.mkdtemp(prefix="ganvas-"))
        self._folders.add(folder)
        try:
            files = await uploaded(request, folder, *optional)
            sizes = [await anyio.to_thread.run_sync(measured, file, self.limit) for file in files.values()]
            megapixels, own = sizes[0]
            kind = accepted(request, forms or [MEDIA[own], *MEDIA.values()])
            result = folder / "result"

            def work(on_progress: OnProgress) -> str:
                return make(files, result, FORMS[kind], on_progress)

            notes = await self.photos.run(request, megapixels, work)
            self.counters.megapixels[name, operation] += megapixels
            headers = {"Ganvas-Model": _ascii(name), **({"Ganvas-Notes": _ascii(notes)} if notes else {})}
            done = BackgroundTask(self._remove, folder)
            return FileResponse(result, media_type=kind, headers=headers, background=done)
        except BaseException:
            self._remove(folder)
            raise

    async def _opened(self, name: str, operation: str) -> Sampler:
        self.models.expect(name)
        model: Any = await anyio.to_thread.run_sync(self.models.open, name)
        if operation not in operations(model):
            known = " or ".join(operations(model)) or "nothing that is served"
            raise HTTPException(409, f"{name} {model.does} and cannot {operation}; ask it for {known}.")
        return model  # type: ignore[no-any-return]

    def _counted(self, operation: str, do: Endpoint) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            began, status = time.perf_counter(), 500
            try:
                response = await do(request)
                status = response.status_code
                return response
            except (Left, ClientDisconnect):
                status = 499  # as servers call a client that closed the connection
                return Response(status_code=status)
            except HTTPException as error:
                status = error.status_code
                raise
            except InputError:
                status = 400
                raise
            finally:
                known = request.path_params["model"] in self.models.places
                model = request.path_params["model"] if known else ""
                self.counters.add(model, operation, status, time.perf_counter() - began)

        return endpoint


def _ascii(text: str) -> str:
    """A text as a header may hold it."""
    return clean(text).encode("ascii", "backslashreplace").decode()[:2000]
