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
        self._jobs = self._chunks = self._seconds = None
        if metrics:
            from ray.util import metrics as ray_metrics

            self._jobs = ray_metrics.Counter("wan_farm_attempts", "What attempts at jobs came to.", ("status",))
            self._chunks = ray_metrics.Counter("wan_farm_chunks", "Chunks that were made and kept.")
            self._seconds = ray_metrics.Histogram(
                "wan_farm_seconds", "Seconds of an attempt.", boundaries=[1, 10, 60, 300, 1800, 7200], tag_keys=("status",)
            )

    def tell(self, event: str, **more) -> None:
        """Note an event; ``more`` is what JSON takes."""
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"time": round(time.time(), 3), "event": event, **more}) + "\n")
        if self._jobs is not None and event in COUNTED:
            self._jobs.inc(tags={"status": event})
            self._seconds.observe(more.get("seconds", 0.0), tags={"status": event})
            if more.get("chunks"):
                self._chunks.inc(more["chunks"])
