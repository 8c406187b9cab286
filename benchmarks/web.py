"""The service under load: python benchmarks/web.py RUN

RUN is a run that makes images. The server is a process of its own on this machine, asked over HTTP; printed are the
time of one image against that of the forward pass alone, the memory over 1,000 requests, the time of health while a
photo is upscaled, and what becomes of more photos than the queue takes.
"""

from __future__ import annotations

import io
import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
from PIL import Image
from sklearn.datasets import load_sample_image

from ganvas.inference import Generator, open_as
from ganvas.recipe.noise import noise
from ganvas.terminal import print

REQUESTS, PHOTOS = 1000, 24


def milliseconds(do: Callable[[], object], count: int) -> tuple[float, float]:
    """Median and 95th percentile."""
    times = []
    for _ in range(count):
        began = time.perf_counter()
        do()
        times.append(1e3 * (time.perf_counter() - began))
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def photo(width: int, height: int) -> bytes:
    """A JPEG file."""
    file = io.BytesIO()
    Image.fromarray(load_sample_image("china.jpg")[:height, :width]).save(file, "JPEG", quality=95)
    return file.getvalue()


def told(times: tuple[float, float]) -> str:
    """Times as text."""
    return f"{times[0]:.2f} ms (p95 {times[1]:.2f})"


def memory(client: httpx.Client) -> float:
    """Resident MB of the server."""
    found = re.search(r"^process_resident_memory_bytes (\S+)$", client.get("/metrics").text, re.M)
    return float(found[1]) / 1e6 if found else 0.0


def main(argv: Sequence[str]) -> None:
    """Measure, and print lines."""
    (run,) = argv
    model = open_as(Generator, run)
    z = noise(1, model.system.latent, 0)
    forward = milliseconds(lambda: model.render(z, 0 if model.classes else None), 200)
    words = [sys.executable, "-m", "ganvas", "serve", run, "srgan-x4", "--port", "0", "--queue", "0.5"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert server.stdout
    place = next(found[1] for line in server.stdout if (found := re.search(r"(http://\S+);", line)))
    try:
        with httpx.Client(base_url=place, timeout=300) as client:
            (name, *_) = [one["name"] for one in client.get("/v2/models").json()["models"]]
            path = f"/v2/models/{name}/generate?class=0" if model.classes else f"/v2/models/{name}/generate"
            milliseconds(lambda: client.post(path).raise_for_status(), 50)
            first = memory(client)
            served = milliseconds(lambda: client.post(path).raise_for_status(), REQUESTS)
            print(f"one image: forward {told(forward)}, served {told(served)}")
            print(f"memory: {first:.1f} MB, after {REQUESTS:,} requests {memory(client):.1f} MB")
            upscale = "/v2/models/srgan-x4/upscale"
            client.post(upscale, content=photo(128, 96)).raise_for_status()
            with ThreadPoolExecutor(PHOTOS) as pool:
                work = pool.submit(lambda: httpx.post(place + upscale, content=photo(640, 427), timeout=300))
                time.sleep(0.5)
                health = milliseconds(lambda: client.get("/v2/health/live").raise_for_status(), 50)
                print(f"health while a photo is upscaled: {told(health)}; {work.result().status_code}")
                content = photo(128, 96)
                asked = [
                    pool.submit(lambda: httpx.post(place + upscale, content=content, timeout=300))
                    for _ in range(PHOTOS)
                ]
                codes = Counter(one.result().status_code for one in asked)
            print(f"{PHOTOS} photos of 0.012 MP at once for a queue of 0.5 MP: {dict(codes)}")
            with ThreadPoolExecutor(PHOTOS) as pool:
                content = photo(320, 240)
                asked = [
                    pool.submit(lambda: httpx.post(place + upscale, content=content, timeout=300))
                    for _ in range(PHOTOS)
                ]
                codes = Counter(one.result().status_code for one in asked)
            print(f"{PHOTOS} photos of 0.077 MP at once for a queue of 0.5 MP: {dict(codes)}")
            milliseconds(lambda: client.post(upscale, content=photo(32, 32)).raise_for_status(), 20)
            before = memory(client)
            milliseconds(lambda: client.post(upscale, content=photo(32, 32)).raise_for_status(), 200)
            print(f"memory: {before:.1f} MB, after 200 photos {memory(client):.1f} MB")
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
