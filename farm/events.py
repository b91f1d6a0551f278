"""What happens on a farm: a line of JSON for each event, and Ray's metrics."""

from __future__ import annotations

import json
import time
from pathlib import Path

from .names import CANCELLED, DONE, FAILED, LOST, RETRY

COUNTED = (DONE, FAILED, CANCELLED, RETRY, LOST)


class Events:
    """Where events go.

    Args:
        path: of a file that lines are added to; None for none.
        metrics: whether a Ray cluster is there to count them.
    """

    def __init__(self, path: Path | None, metrics: bool = False):
        self.path = path
        self._metrics = _Metrics() if metrics else None

    def tell(self, event: str, **more) -> None:
        """Note an event; ``more`` is what JSON takes."""
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"time": round(time.time(), 3), "event": event, **more}) + "\n")
        if self._metrics is not None and event in COUNTED:
            self._metrics.count(event, more.get("seconds", 0.0), more.get("chunks", 0))


class _Metrics:
    def __init__(self):
        from ray.util import metrics

        bounds = [1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0]
        self.attempts = metrics.Counter("wan_farm_attempts", "What attempts at jobs came to.", ("status",))
        self.chunks = metrics.Counter("wan_farm_chunks", "Chunks that were made and kept.")
        self.seconds = metrics.Histogram("wan_farm_seconds", "Of an attempt.", bounds, ("status",))

    def count(self, status: str, seconds: float, chunks: int) -> None:
        self.attempts.inc(tags={"status": status})
        self.seconds.observe(seconds, tags={"status": status})
        if chunks:
            self.chunks.inc(chunks)
