"""Work that computes: in threads, one at a time in each lane, bounded by its size, and stopped when nobody waits."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import anyio
import anyio.to_thread
import numpy as np
from numpy.typing import NDArray
from starlette.exceptions import HTTPException
from starlette.requests import Request

T = TypeVar("T")

LOOKS = 0.2  # seconds between looks at whether the client is still there
LONGEST = 600  # seconds that a client is asked to wait at most
TOGETHER, GATHER = 64, 0.0005  # samples computed together, and seconds that the first of them waits for others
WAITING = 1024  # samples that may wait

OnProgress = Callable[[float], None]


class Left(Exception):
    """Nobody waits for the result any more."""


class Lane:
    """Work for one device, in the order of its arrival.

    Attributes:
        load: megapixels that wait or are computed.
        most: megapixels that there may be; a larger piece of work is taken when there is no other.
    """

    def __init__(self, most: float, stopping: threading.Event) -> None:
        """`stopping` ends all work once it is set."""
        self.most, self.stopping = most, stopping
        self.load = 0.0
        self._limiter: anyio.CapacityLimiter | None = None
        self._rate = 1.0  # seconds a megapixel, of late

    async def run(self, request: Request, megapixels: float, work: Callable[[OnProgress], T]) -> T:
        """The result of some work for a request.

        Args:
            work: called in a thread with a function to call now and then, with the share that is done.

        Raises:
            HTTPException: there is too much work already, or the server is stopping.
            Left: the client has gone.
        """
        if self.load and self.load + megapixels > self.most:
            wait = min(LONGEST, max(1, math.ceil(self.load * self._rate)))
            raise too_many(f"{self.load:,.1f} megapixels are waiting, and {self.most:g} may", wait)
        gone = threading.Event()

        def on_progress(share: float) -> None:
            if gone.is_set() or self.stopping.is_set():
                raise Left

        def timed() -> T:
            on_progress(0)
            began = time.perf_counter()
            made = work(on_progress)
            self._rate += 0.3 * ((time.perf_counter() - began) / max(megapixels, 1e-3) - self._rate)
            return made

        async def watch() -> None:
            while not await request.is_disconnected():
                await anyio.sleep(LOOKS)
            gone.set()
            group.cancel_scope.cancel()

        self._limiter = self._limiter or anyio.CapacityLimiter(1)
        self.load += megapixels
        found: list[T] = []
        fault: list[Exception] = []
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(watch)
                try:
                    found.append(await anyio.to_thread.run_sync(timed, limiter=self._limiter))
                except Exception as error:  # a group would wrap it in one of its own
                    fault.append(error)
                group.cancel_scope.cancel()
        finally:
            self.load -= megapixels
        if self.stopping.is_set() and not found:
            raise HTTPException(503, "the server is stopping; send the request again later.", {"Retry-After": "10"})
        if fault:
            raise fault[0]
        if not found:
            raise Left
        return found[0]


def too_many(what: str, wait: int) -> HTTPException:
    """The refusal of work that has no room."""
    return HTTPException(429, f"{what}; try again in {wait} s.", {"Retry-After": str(wait)})


class Batches(Generic[T]):
    """Samples of one model for several requests at once.

    Each is computed in a batch of always the same size (see `Sampler`), so none depends on the others.
    """

    def __init__(self, render: Callable[[NDArray[np.float32], list[T]], NDArray[Any]]) -> None:
        """`render` makes samples of noise (n, latent) and n labels; it is called in a thread."""
        self.render = render
        self._waiting: list[tuple[NDArray[np.float32], T, asyncio.Future[NDArray[Any]]]] = []
        self._task: asyncio.Task[None] | None = None

    async def one(self, z: NDArray[np.float32], label: T) -> NDArray[Any]:
        """The sample of noise (latent,)

        Raises:
            HTTPException: there are too many already.
        """
        if len(self._waiting) >= WAITING:
            raise too_many(f"{len(self._waiting):,} samples are waiting", 1)
        future: asyncio.Future[NDArray[Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((z, label, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            if len(self._waiting) < TOGETHER:
                await asyncio.sleep(GATHER)
            part, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
            wanted = [one for one in part if not one[2].done()]  # of a client that left, the future is cancelled
            if not wanted:
                continue
            z, labels = np.stack([one[0] for one in wanted]), [one[1] for one in wanted]
            try:
                made = await anyio.to_thread.run_sync(self.render, z, labels)
            except Exception as error:
                for _, _, future in wanted:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, _, future), sample in zip(wanted, made, strict=True):
                if not future.done():
                    future.set_result(sample)
