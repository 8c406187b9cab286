"""What a monitor reads: counts, times and the queue, in Prometheus's text format."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)  # seconds
PAGE = 4096  # bytes, on all systems that have /proc


class Counters:
    """Counts since the start."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.megapixels: dict[tuple[str, str], float] = defaultdict(float)
        self._seconds: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * (len(BUCKETS) + 2))

    def add(self, model: str, operation: str, status: int, seconds: float) -> None:
        """Count one request that was answered."""
        self.requests[model, operation, status] += 1
        if status == 200:
            buckets = self._seconds[model, operation]
            for index, bound in enumerate(BUCKETS):
                buckets[index] += seconds <= bound
            buckets[-2] += 1
            buckets[-1] += seconds

    def text(self, gauges: Mapping[str, tuple[str, float]]) -> str:
        """All of it; `gauges` are values of now by name, each with its help."""
        lines = ["# HELP ganvas_requests_total Requests answered.", "# TYPE ganvas_requests_total counter"]
        for (model, operation, status), number in sorted(self.requests.items()):
            lines.append(f"ganvas_requests_total{_labels(model, operation, status=str(status))} {number}")
        lines += ["# HELP ganvas_megapixels_total Megapixels of photos worked on."]
        lines += ["# TYPE ganvas_megapixels_total counter"]
        for (model, operation), amount in sorted(self.megapixels.items()):
            lines.append(f"ganvas_megapixels_total{_labels(model, operation)} {amount:.3f}")
        lines += ["# HELP ganvas_request_seconds Time to a result.", "# TYPE ganvas_request_seconds histogram"]
        for (model, operation), (*counts, total, seconds) in sorted(self._seconds.items()):
            bounds = [*(f"{bound:g}" for bound in BUCKETS), "+Inf"]
            for bound, count in zip(bounds, [*counts, total], strict=True):
                lines.append(f"ganvas_request_seconds_bucket{_labels(model, operation, le=bound)} {count:g}")
            lines.append(f"ganvas_request_seconds_sum{_labels(model, operation)} {seconds:.6f}")
            lines.append(f"ganvas_request_seconds_count{_labels(model, operation)} {total:g}")
        lines += _gauges({**gauges, "process_resident_memory_bytes": ("Resident memory.", resident())})
        return "\n".join(lines) + "\n"


def _gauges(gauges: Mapping[str, tuple[str, float]]) -> Iterable[str]:
    for name, (meaning, value) in gauges.items():
        yield from (f"# HELP {name} {meaning}", f"# TYPE {name} gauge", f"{name} {value:g}")


def _labels(model: str, operation: str, **more: str) -> str:
    pairs = {"model": model, "operation": operation, **more}
    escaped = {
        name: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for name, value in pairs.items()
    }
    return "{" + ",".join(f'{name}="{value}"' for name, value in escaped.items()) + "}"


def resident() -> int:
    """Bytes of main memory that this process holds; 0 where that cannot be told."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE
    return 0
